"""A job that nobody ever ends, because whoever takes it is killed: its tries are counted before the
work, and it does not come back for ever."""

from typing import Any

import pytest

from clarion.broker import JobKind
from clarion.customers.ingestor import IngestorOptions
from clarion.storage.database import Database
from support.clock import FakeClock
from support.station import Station, prepare, track

TRIES = 3


@pytest.fixture
async def station(database: Database, clock: FakeClock) -> Any:
    await prepare(database, clock)
    options = IngestorOptions(wait_seconds=0, tries_max=TRIES)
    async with Station(database, clock, ingestor_options=options) as station:
        yield station


async def handed_out(station: Station, clock: FakeClock) -> None:
    """Somebody takes the job and is killed over it."""
    leases = await station.broker.fetch(JobKind.EVENTS, limit=1, wait_seconds=0, lease_seconds=30)
    assert len(leases) == 1
    clock.advance(31)


async def test_a_job_that_killed_its_takers_is_taken_in_event_by_event(
    station: Station, clock: FakeClock
) -> None:
    await station.post("/v1/batch", {"batch": [track("m1"), track("m2"), track("m3")]})
    for _ in range(TRIES):
        await handed_out(station, clock)
    assert await station.message_ids() == ["m1", "m2", "m3"]


async def test_a_job_that_goes_on_killing_is_put_aside(station: Station, clock: FakeClock) -> None:
    await station.post("/v1/batch", {"batch": [track("m1")]})
    for _ in range(2 * TRIES):
        await handed_out(station, clock)
    await station.ingestor.step()
    assert await station.broker.depth(JobKind.EVENTS) == 0
    assert await station.message_ids() == []
    kept: list[bytes] = []
    await station.broker.rewrite_rejected(JobKind.EVENTS, lambda payload: kept.append(payload))
    assert len(kept) == 1
    assert b"m1" in kept[0]
