"""What strangers make up for write keys costs the database few statements, whoever else sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clarion.sources.auth_result import AuthResult, Retired
from clarion.sources.key_loader import KeyLoader, KeyLoaderOptions
from clarion.sources.key_store import retire_keys, write_keys_of
from clarion.sources.source import KeyKind
from clarion.storage.database import Database, StorageUnavailable
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.station import KEY, prepare


class Counted:
    """A database that counts how often it is read, and may be away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0
        self.is_away = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        self.reads += 1
        if self.is_away:
            raise StorageUnavailable("away")
        async with self._database.read() as connection:
            yield connection


@pytest.fixture
async def counted(database: Database, clock: FakeClock) -> Counted:
    await prepare(database, clock)
    return Counted(database)


def reader_of(counted: Any, clock: FakeClock, pause_seconds: float = 0.05) -> KeyLoader:
    return KeyLoader(counted, clock, None, KeyLoaderOptions(pause_seconds=pause_seconds))


async def test_keys_that_come_together_are_read_together(
    counted: Counted, clock: FakeClock
) -> None:
    reader = reader_of(counted, clock)
    wanted = [KEY, *(f"made-up-{number}" for number in range(200)), KEY]
    found = await asyncio.gather(*(reader.read(key) for key in wanted))
    assert isinstance(found[0], AuthResult)
    assert found[0] == found[-1]
    assert set(found[1:-1]) == {None}
    assert counted.reads == 1


async def test_a_stranger_who_never_stops_gets_a_statement_now_and_then(
    counted: Counted, clock: FakeClock
) -> None:
    reader = reader_of(counted, clock, pause_seconds=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def try_keys(name: str) -> None:
        number = 0
        while loop.time() - began < 0.7:
            number += 1
            assert await reader.read(f"{name}-{number}") is None

    await asyncio.gather(*(try_keys(f"stranger-{number}") for number in range(20)))
    assert counted.reads <= 1 + (loop.time() - began) / 0.2


async def test_what_has_changed_is_known_to_whoever_asks_after_it(
    counted: Counted, database: Database, clock: FakeClock
) -> None:
    reader = reader_of(counted, clock, pause_seconds=0)
    assert isinstance(await reader.read(KEY), AuthResult)
    async with database.write() as connection:
        (key,) = (await write_keys_of(connection, WORKSPACE))[SOURCE]
        await retire_keys(connection, KeyKind.WRITE_KEY, [key.id], clock.now())
    assert isinstance(await reader.read(KEY), Retired)


async def test_each_waiting_call_gets_the_outage(counted: Counted, clock: FakeClock) -> None:
    reader = reader_of(counted, clock, pause_seconds=0)
    counted.is_away = True
    answers = await asyncio.gather(
        *(reader.read(key) for key in (KEY, KEY, "made-up")), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StorageUnavailable] * 3
    counted.is_away = False
    assert isinstance(await reader.read(KEY), AuthResult)


async def test_one_who_goes_away_takes_nothing_from_another(
    counted: Counted, clock: FakeClock
) -> None:
    reader = reader_of(counted, clock)
    leaving = asyncio.create_task(reader.read(KEY))
    staying = asyncio.create_task(reader.read(KEY))
    await asyncio.sleep(0)
    leaving.cancel()
    assert isinstance(await staying, AuthResult)
    await reader.close()
