"""An erasure is worked on by one process at a time: kept while that one lives, and fenced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select

from clarion.privacy.eraser import Eraser, EraserOptions
from clarion.privacy.erasure_request_store import get_erasure, unfinished
from clarion.storage.database import Database
from clarion.storage.schema import erasures, ingest_log
from flow.test_erasure import ADA, IDS, LIFE, OTHERS, WORDS, left, seen, send
from support.api import Service
from support.book import WORKSPACE
from support.clock import FakeClock
from support.patience import patience, until
from support.privacy import Regulator

LOST = EraserOptions().lost_seconds


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


class SlowDatabase(Database):
    """A database whose reader waits before a read, when a test says so, as for a long scan."""

    def __init__(self, database: Database) -> None:
        self._inner = database
        self.is_sqlite = database.is_sqlite
        self.waits_at = 0
        """The how-manieth read waits; 0: none."""
        self.is_reading = asyncio.Event()
        self.may_go_on = asyncio.Event()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        self.waits_at -= 1
        if self.waits_at == 0:
            self.is_reading.set()
            await self.may_go_on.wait()
        async with self._inner.read() as connection:
            yield connection

    def write(self, *, first: bool = False) -> Any:
        return self._inner.write(first=first)

    async def empty_log(self) -> None:
        await self._inner.empty_log()


async def slow_erasure(service: Service) -> tuple[SlowDatabase, asyncio.Task[Any]]:
    """An erasure that is in the middle of a read, and what it will return."""
    database = SlowDatabase(service.database)
    eraser = Eraser(database, service.world.broker, service.clock)
    erasure = await Regulator(database, service.world.broker, service.clock).begin(
        WORKSPACE, ADA, by="test"
    )
    assert erasure is not None
    database.waits_at = 2  # the first looks up the launches
    finishing = asyncio.create_task(eraser.finish(erasure))
    async with patience():
        await database.is_reading.wait()
    return database, finishing


async def test_an_erasure_whose_scan_takes_long_is_left_to_who_works_on_it(
    service: Service,
) -> None:
    await send(service, *OTHERS)
    others = await seen(service)
    await send(service, *LIFE)
    database, finishing = await slow_erasure(service)
    another = Eraser(service.database, service.world.broker, service.clock)
    for _ in range(12):  # three times as long as one that was cut off waits
        await service.clock.someone_sleeps()
        service.clock.advance(LOST / 4)
        await until_touched(service)
        assert await another.step() == 0
    database.may_go_on.set()
    async with patience():
        erased = await finishing
    assert erased.attempt == 1
    assert await left(service.database, WORDS, IDS) == []
    assert await seen(service) == others


async def until_touched(service: Service) -> None:
    async def touched() -> Any:
        async with service.database.read() as connection:
            return (await connection.execute(select(erasures.c.touched_at))).scalar_one()

    await until(touched, lambda at: at >= service.clock.now())


async def test_who_was_taken_over_changes_nothing_and_returns_when_all_is_gone(
    service: Service,
) -> None:
    await send(service, *OTHERS)
    others = await seen(service)
    await send(service, *LIFE)
    database, finishing = await slow_erasure(service)
    [erasure] = await under_way(service)
    second = SlowDatabase(service.database)
    second.waits_at = 2
    claims = Eraser(second, service.world.broker, service.clock)
    asked_again = await Regulator(second, service.world.broker, service.clock).begin(
        WORKSPACE, ADA, by="test"
    )
    assert asked_again is not None
    assert asked_again.attempt == erasure.attempt + 1
    taking_over = asyncio.create_task(claims.finish(asked_again))
    async with patience():
        await second.is_reading.wait()

    before = await everything(service)
    database.may_go_on.set()
    await settled(service, finishing)
    assert await everything(service) == before, "the first one has written"
    assert not finishing.done(), "it says that they are erased, and they are not"

    second.may_go_on.set()
    async with patience():
        await taking_over
        while not finishing.done():
            service.clock.advance(1)
            await asyncio.wait({finishing}, timeout=0.01)
    assert (await finishing).id == erasure.id
    assert await left(service.database, WORDS, IDS) == []
    assert await seen(service) == others


async def settled(service: Service, finishing: asyncio.Task[Any]) -> None:
    """Let the one that was taken over find it out: then it waits for the clock."""
    await service.clock.someone_sleeps()
    await asyncio.wait({finishing}, timeout=0.3)


async def under_way(service: Service) -> list[Any]:
    async with service.database.read() as connection:
        return list(await unfinished(connection))


async def everything(service: Service) -> list[Any]:
    async with service.database.read() as connection:
        rows = (await connection.execute(select(ingest_log).order_by(ingest_log.c.seq))).all()
        [erasure] = await unfinished(connection)
        return [erasure, *map(tuple, rows)]


async def test_an_erasure_taken_over_by_one_that_died_is_finished_all_the_same(
    service: Service,
) -> None:
    await send(service, *LIFE)
    database, finishing = await slow_erasure(service)
    claimed = await Regulator(service.database, service.world.broker, service.clock).begin(
        WORKSPACE, ADA, by="test"
    )
    assert claimed is not None
    database.may_go_on.set()
    async with patience():
        while not finishing.done():
            service.clock.advance(1)
            await asyncio.wait({finishing}, timeout=0.01)
    assert (await finishing).attempt == claimed.attempt + 1
    assert await left(service.database, WORDS, IDS) == []
    async with service.database.read() as connection:
        assert await get_erasure(connection, claimed.id) is None


async def test_of_two_that_find_a_cut_off_erasure_one_finishes_it(service: Service) -> None:
    await send(service, *LIFE)
    parts = (service.database, service.world.broker, service.clock)
    assert await Regulator(*parts).begin(WORKSPACE, ADA, by="test")
    service.clock.advance(LOST)
    options = EraserOptions(pause_seconds=0)
    finished = await asyncio.gather(*(Eraser(*parts, options).step() for _ in range(3)))
    assert sum(finished) == 1
    assert await left(service.database, WORDS, IDS) == []
    assert await Regulator(*parts).unsuppress(WORKSPACE, ADA, by="test")
