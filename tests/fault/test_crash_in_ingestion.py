"""Promises 1 and 2: a process may die anywhere while it takes events in, or lose its database or
broker there for a while; what was accepted is there in the end, once, and the same as if nothing
had happened: events, owners, devices, traits, and what the log says became of each.

Every point is tried in `make soak`, and in `make test` a sample with each kind of point in it.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select

from clarion.broker import BrokerUnavailable, JobKind
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.events.collector import Collector
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.schema import events, identifiers, ingest_log, source_counts
from contract.test_ingestion import empty, state
from support.clock import FakeClock
from support.faults import Crash, Doom, DoomedBroker, DoomedDatabase
from support.sampling import some
from support.station import Station, prepare, track

POINTS = 12
ROUNDS_MAX = 20

ADA = {"userId": "ada", "anonymousId": "phone"}
PUSH = {"deviceId": "phone", "fcmToken": "token-1", "deviceType": "Android"}
CALLS: tuple[dict[str, Any], ...] = (
    {
        "batch": [
            track("1", userId="phone", event="Register Push", properties=PUSH),
            track("2", userId="phone"),
            {"type": "nonsense", "messageId": "3", "userId": "phone"},
        ]
    },
    {
        "batch": [
            {"type": "identify", "messageId": "4", **ADA, "traits": {"plan": "pro"}},
            track("2", userId="phone"),
            track("5", userId="ada", event="Register Push", properties=PUSH),
            track("6", userId="ada", event="Register Push", properties={"deviceId": "x"}),
        ]
    },
    {"batch": [{"type": "identify", "messageId": "7", "userId": "ben", "traits": {"n": 1}}]},
)
"""A device that changes hands, an event that comes twice, one that is refused, and a registration
that is."""


@pytest.fixture
async def station(database: Database, clock: FakeClock) -> AsyncIterator[Station]:
    await prepare(database, clock)
    async with Station(database, clock) as station:
        yield station


async def outcome(database: Database) -> dict[str, Any]:
    """All that the events have become, but for ids and times that each run makes anew."""
    told = (ingest_log.c.stage, ingest_log.c.code, ingest_log.c.message_id)
    async with database.read() as connection:
        logged = (await connection.execute(select(*told))).all()
        counted = (await connection.execute(select(source_counts))).all()
        known = (await connection.execute(select(identifiers))).all()
        kept = (await connection.execute(select(events.c.message_id))).scalars().all()
    return await state(database) | {
        "log": sorted(map(repr, logged)),
        "counts": sorted(map(repr, counted)),
        "identifiers": sorted(map(repr, known)),
        "events": sorted(kept),
    }


class World:
    """What is collected, and taken in through parts that fail."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.clock: Any = station.clock
        self._start = self.clock.now()

    async def take_in(self, doom: Doom) -> dict[str, Any]:
        """Collect the calls, take them in, and go on after a death or a loss; what became of
        them."""
        station = self.station
        await empty(station.database)
        self.clock.set_back((self.clock.now() - self._start).total_seconds())
        await prepare(station.database, self.clock)
        station.collector = Collector(station.database, station.broker, self.clock)
        for call in CALLS:
            collected = await station.post("/v1/batch", call)
            assert collected.status == 200
        try:
            await self._work(doom)
        except Crash:
            self.clock.advance(60)  # the dead process's leases end
            await self._work(Doom())
        return await outcome(station.database)

    async def _work(self, doom: Doom) -> None:
        database: Any = DoomedDatabase(self.station.database, doom)
        broker: Any = DoomedBroker(self.station.broker, doom)
        ingestor = Ingestor(database, broker, self.clock, IngestorOptions(wait_seconds=0))
        for _ in range(ROUNDS_MAX):
            if not await self.station.broker.depth(JobKind.EVENTS):
                return
            with suppress(StorageUnavailable, BrokerUnavailable):
                await ingestor.step()
            self.clock.advance(40)
        raise AssertionError("the events are never taken in")


async def every_point(station: Station, error: type[BaseException]) -> set[str]:
    """Take the calls in once for every point there is (in `make test` for a sample), failing
    there; returns the kinds of point."""
    world = World(station)
    undisturbed = Doom(error=error)
    expected = await world.take_in(undisturbed)
    assert expected["events"] == ["1", "2", "4", "5", "6", "7"]
    assert len(expected["devices"]) == 1 and len(expected["log"]) >= 3
    kinds = undisturbed.passed
    tried: set[str] = set()
    numbers = range(1, len(kinds) + 1)
    for number in some(numbers, POINTS, kind=lambda number: kinds[number - 1]):
        doom = Doom(number, error)
        assert await world.take_in(doom) == expected, (number, doom.where)
        tried.add(doom.where)
    return tried


async def test_a_process_may_die_anywhere_while_it_takes_events_in(station: Station) -> None:
    points = await every_point(station, Crash)
    assert {"before a statement", "after a commit", "before an ack", "after an ack"} <= points


@pytest.mark.parametrize("error", [StorageUnavailable, BrokerUnavailable])
async def test_database_and_broker_may_be_lost_anywhere_for_a_while(
    station: Station, error: type[BaseException]
) -> None:
    assert len(await every_point(station, error)) >= 3
