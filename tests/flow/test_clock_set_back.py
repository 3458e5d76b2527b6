"""The system's clock is set back by an hour: what was under way goes on, and it is told."""

from datetime import datetime, timedelta

import pytest
import structlog
from sqlalchemy import select, update

from clarion.broker import JobKind, NewJob
from clarion.brokers.database import DatabaseBroker, DatabaseBrokerOptions
from clarion.campaigns.campaign import CampaignState
from clarion.clock import SKEW, first_id_after, made_at
from clarion.deliveries.apps.pacing import Grant, Later, Limits, Pace, believed, draw, throttled
from clarion.privacy.eraser import Eraser
from clarion.storage.database import Database
from clarion.storage.schema import chunks
from support.book import WORKSPACE
from support.clock import START, FakeClock
from support.history import App
from support.privacy import Regulator
from support.world import World

HOUR = 3_600.0
MINUTES = 5
"""Within so many must all be done that has not to wait."""


async def works_on(world: World, campaign_id: object) -> None:
    for _ in range(MINUTES):
        await world.scheduler.step()
        while await world.planner.step():
            pass
        while await world.sender.step():
            pass
        await world.sender.sweep()
        await world.scheduler.nudge()
        world.clock.advance(60)


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    world = await World(database, clock).open()
    await world.devices(*(f"ok-{number}" for number in range(9)), "down-1")
    return world


@pytest.mark.parametrize("point", ["launched", "planned", "partly sent", "restarted"])
async def test_a_campaign_under_way_is_finished_within_minutes(world: World, point: str) -> None:
    campaign_id = await world.campaign()
    await world.scheduler.step()
    if point != "launched":
        while await world.planner.step():
            pass
    if point in ("partly sent", "restarted"):
        for _ in range(3):
            await world.sender.step()
    world.clock.set_back(HOUR)
    if point == "restarted":
        world.go_on(world.vault)
    with structlog.testing.capture_logs() as told:
        await works_on(world, campaign_id)
    report = await world.report(campaign_id)
    assert report.balances
    assert (report.total.accepted, report.total.in_flight) == (10, 0)
    assert (await world.get(campaign_id)).state is CampaignState.DONE
    assert set(world.provider.accepted.values()) == {1}, "nothing is sent twice by it"
    assert {one["event"] for one in told} >= {"clock_went_back"}
    seconds = [one["seconds"] for one in told if one["event"] == "clock_went_back"]
    assert max(seconds) == pytest.approx(HOUR, abs=90)


async def test_the_chunk_of_a_sender_that_died_before_is_taken_up(world: World) -> None:
    campaign_id = await world.campaign()
    await world.scheduler.step()
    while await world.planner.step():
        pass
    async with world.database.write() as connection:
        await connection.execute(
            update(chunks).values(
                state="leased", attempt=1, lease_until=world.clock.now() + timedelta(seconds=45)
            )
        )
    world.clock.set_back(HOUR)
    await works_on(world, campaign_id)
    assert (await world.report(campaign_id)).total.in_flight == 0


async def test_what_was_to_wait_waits_as_long_and_no_longer(
    database: Database, clock: FakeClock
) -> None:
    broker = DatabaseBroker(database, clock, DatabaseBrokerOptions(poll_seconds=0.02))

    async def fetch() -> list[bytes]:
        leases = await broker.fetch(JobKind.CHUNK, limit=9, wait_seconds=0, lease_seconds=30)
        return [lease.payload for lease in leases]

    later = clock.now() + timedelta(seconds=100)
    await broker.publish(
        NewJob(kind=JobKind.CHUNK, payload=b"now"),
        NewJob(kind=JobKind.CHUNK, payload=b"later", available_at=later),
    )
    assert await fetch() == [b"now"]
    clock.set_back(HOUR)
    assert await fetch() == []
    clock.advance(31)
    assert await fetch() == [b"now"], "its lease has ended"
    clock.advance(70)
    assert sorted(await fetch()) == [b"later", b"now"]
    assert await fetch() == []
    await broker.close()


async def test_a_key_is_not_remembered_for_an_hour_more(
    database: Database, clock: FakeClock
) -> None:
    broker = DatabaseBroker(database, clock, DatabaseBrokerOptions(poll_seconds=0.02))
    await broker.publish(NewJob(kind=JobKind.CHUNK, payload=b"1", key="k"))
    [lease] = await broker.fetch(JobKind.CHUNK, limit=9, wait_seconds=0, lease_seconds=30)
    await lease.ack()
    clock.set_back(HOUR)
    assert not await broker.fetch(JobKind.CHUNK, limit=9, wait_seconds=0, lease_seconds=30)
    await broker.publish(NewJob(kind=JobKind.CHUNK, payload=b"2", key="k"))
    assert await broker.depth(JobKind.CHUNK) == 1
    await broker.close()


async def test_an_erasure_that_was_cut_off_before_is_finished(
    database: Database, clock: FakeClock
) -> None:
    world = await World(database, clock).open()
    await world.take(App().identify(1, "ada", traits={"email": "ada@shop.example"}))
    parts = (database, world.broker, clock)
    assert await Regulator(*parts).begin(WORKSPACE, "ada", by="test")
    clock.set_back(HOUR)
    assert await Eraser(*parts).step() == 1


def pace(next_at: float, cut_at: float | None = None) -> Pace:
    return Pace(
        next_at=at(next_at),
        queued_until=at(next_at),
        rate=1_000.0,
        cut_rate=None if cut_at is None else 500.0,
        cut_at=None if cut_at is None else at(cut_at),
    )


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "ahead", [pace(HOUR), pace(HOUR + 60, HOUR), pace(HOUR, -3 * HOUR), pace(24 * HOUR)]
)
def test_the_pace_of_a_clock_that_was_ahead_lets_pushes_go(ahead: Pace) -> None:
    pace_now = believed(ahead, START)
    _, grant = draw(pace_now, Limits(), 100, START + timedelta(seconds=60))
    assert isinstance(grant, Grant)


def test_the_quiet_that_fcm_asked_for_is_kept() -> None:
    quiet = throttled(pace(0), Limits(), quiet_seconds=HOUR, drawn_at=START, now=START)
    assert believed(quiet, START) == quiet
    _, answer = draw(quiet, Limits(), 100, at(HOUR - 60))
    assert isinstance(answer, Later)
    ahead = believed(quiet, at(-HOUR))
    assert ahead.next_at == quiet.next_at - timedelta(seconds=HOUR)


def test_ids_tell_when_they_were_made() -> None:
    clock = FakeClock()
    made = clock.new_id()
    assert made_at(made) == START
    assert first_id_after(START - timedelta(seconds=1)) <= made < first_id_after(START + SKEW)


async def test_what_is_planned_for_later_stays_for_later(world: World) -> None:
    await world.campaign(spread_minutes=60)
    await world.scheduler.step()
    while await world.planner.step():
        pass
    async with world.database.read() as connection:
        due = (await connection.execute(select(chunks.c.due_at))).scalars().all()
    assert len(due) > 1
    assert await world.sender.sweep() == 0
