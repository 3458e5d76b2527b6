"""What metrics tell of rows is what the rows say, and costs the same however many are settled."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import Metric
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.freshness.sweeper import Sweeper
from clarion.deliveries.apps.pacing import Limits, Pace, fresh, rate_now, throttled
from clarion.deliveries.planning.chunk import Chunk
from clarion.deliveries.sending.lasting_database import LastingDatabase
from clarion.deliveries.sending.sender import Sender, SenderOptions
from clarion.events.backpressure import Backpressure
from clarion.reports.backlog_store import pushes_waiting
from clarion.storage.database import Database, StorageUnavailable
from clarion.telemetry import Metrics
from clarion.web.probes import Probes
from support.clock import FakeClock
from support.database import sqlite_database
from support.world import World

N = 40
DAYS = 24 * 3_600


def values(metric: Any, suffix: str = "") -> dict[tuple[str, ...], float]:
    """The samples of a metric by the values of their labels."""
    found: dict[tuple[str, ...], float] = {}
    families: list[Metric] = metric.collect()
    for sample in families[0].samples:
        if sample.name == f"{families[0].name}{suffix}":
            found[tuple(sample.labels.values())] = sample.value
    return found


def probes(world: World, metrics: Metrics) -> Probes:
    return Probes(
        database=world.database,
        broker=world.broker,
        backpressure=Backpressure(world.broker),
        metrics=metrics,
        clock=world.clock,
    )


@contextmanager
def steps_of_sqlite() -> Iterator[list[int]]:
    """Counts the steps of the databases that are opened in here."""
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    def opened(connection: Any, _record: object) -> None:
        connection.driver_connection._conn.set_progress_handler(step, 1)

    event.listen(Engine, "connect", opened)
    try:
        yield steps
    finally:
        event.remove(Engine, "connect", opened)


async def cost_of_a_scrape(directory: Path, devices: int) -> int:
    """In steps of SQLite's, after a campaign to so many devices."""
    with steps_of_sqlite() as steps:
        database = await sqlite_database(directory)
        world = await World(database, FakeClock()).open()
        await world.devices(*(f"ok-{number}" for number in range(devices)))
        await world.settle(await world.campaign())
        watched = probes(world, Metrics())
        await watched.metrics_text()
        before = steps[0]
        text = await watched.metrics_text()
        await world.broker.close()
        await database.close()
    assert b'clarion_pushes_waiting{waiting="due"} 0.0' in text
    return steps[0] - before


async def test_a_scrape_costs_the_same_with_twice_as_many_rows(tmp_path: Path) -> None:
    for name in ("n", "2n"):
        (tmp_path / name).mkdir()
    cost = await cost_of_a_scrape(tmp_path / "n", N)
    assert cost > 100, "the steps are counted"
    assert await cost_of_a_scrape(tmp_path / "2n", 2 * N) <= 1.1 * cost


async def test_registrations_are_counted_by_their_age(database: Database, clock: FakeClock) -> None:
    world = await World(database, clock).open()
    day = DAYS / 60
    for number, age in enumerate((0, 1, 29, 31, 45)):
        token = f"ok-{number}"
        registered = world.app.register(-age * day, f"D-{number}", user=token, token=token)
        await world.take(registered)
    metrics = Metrics()
    assert values(metrics.under_way.registrations) == {}, "nobody has counted yet"
    sweeper = Sweeper(database, clock, metrics=metrics)
    await sweeper.count_registrations()
    assert values(metrics.under_way.registrations) == {("fresh",): 3, ("due",): 2, ("stale",): 0}
    clock.advance(20 * DAYS)
    await sweeper.count_registrations()
    assert values(metrics.under_way.registrations) == {("fresh",): 2, ("due",): 2, ("stale",): 1}
    await world.broker.close()


async def test_pace_retries_and_the_time_of_a_chunk_are_told(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    metrics = Metrics()
    world.sender = Sender(
        database,
        world.broker,
        clock,
        world.provider,
        world.vault,
        SenderOptions(wait_seconds=0),
        metrics,
    )
    await world.devices("ok-1", "ok-2", "down-3")
    await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    clock.advance(90)
    await probes(world, metrics).metrics_text()
    oldest = values(metrics.under_way.oldest_job_seconds)
    assert (oldest["chunk",], oldest["events",]) == (90.0, 0.0)
    while await world.sender.step():
        pass
    await probes(world, metrics).metrics_text()
    assert values(metrics.under_way.retries_waiting) == {(): 1}
    assert values(metrics.sending.pace)["demo", "quota"] == 10_000
    assert 0 < values(metrics.sending.pace)["demo", "pace"] < 10_000, "of the ramp's beginning"
    assert values(metrics.sending.quiet_seconds) == {("demo",): 0}
    counted = values(metrics.sending.chunk_seconds, "_count")
    assert counted["claim",] == counted["settle",] == 2
    [most] = values(metrics.connections_max).values()
    assert most >= 1
    async with database.read() as connection:
        assert (await pushes_waiting(connection, clock.now())).retries == 1
    await world.broker.close()


def test_the_pace_that_is_told_falls_with_429_and_comes_back() -> None:
    now = FakeClock().now()
    limits = Limits(per_minute=600_000)
    full = Pace(next_at=now, queued_until=now, rate=9_800.0)
    assert rate_now(full, limits, now) == pytest.approx(9_800)
    cut = throttled(full, limits, quiet_seconds=30, drawn_at=now, now=now)
    assert rate_now(cut, limits, now) == pytest.approx(0.7 * 9_800)
    later = now + timedelta(minutes=30)
    assert rate_now(cut, limits, later) == rate_now(fresh(later), limits, later) == 1_000


async def test_a_database_that_is_away_while_a_chunk_settles_is_told_once_and_when_it_is_back(
    database: Database, clock: FakeClock
) -> None:
    class _Patient(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.advance(seconds)

    lasting = LastingDatabase(database, _Patient(), pause_seconds=2)
    failures = [StorageUnavailable("gone"), StorageUnavailable("gone"), None]

    async def query(_connection: AsyncConnection) -> str:
        failure = failures.pop(0)
        if failure is not None:
            raise failure
        return "answer"

    chunk = Chunk(
        id=clock.new_id(),
        launch_id=clock.new_id(),
        workspace_id=clock.new_id(),
        firebase_app_id=clock.new_id(),
        attempt=1,
        lost=0,
        size=1,
        due_at=clock.now(),
    )
    with structlog.testing.capture_logs() as logs:
        assert await lasting.read(chunk, query) == "answer"
    assert [(entry["event"], entry.get("after_seconds")) for entry in logs] == [
        ("settling_waits", None),
        ("settling_goes_on", 4.0),
    ]
