"""The leader lease: of several processes one leads, whatever their clocks say."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from clarion.agent import LeadershipLost
from clarion.storage.database import Database
from clarion.storage.leader_lease import LEASE_SECONDS, LeaderLease
from clarion.storage.schema import leases
from support.clock import START, FakeClock
from support.patience import patience


def process(database: Database, name: str, clock: FakeClock) -> LeaderLease:
    return LeaderLease(database, clock, "sweeper", holder=name)


@pytest.fixture
def first(database: Database, clock: FakeClock) -> LeaderLease:
    return process(database, "first", clock)


@pytest.fixture
def second(database: Database, clock: FakeClock) -> LeaderLease:
    return process(database, "second", clock)


async def check(database: Database, lease: LeaderLease) -> bool:
    """Whether a transaction of its agent may write."""
    try:
        async with database.write() as connection:
            await lease.check(connection)
    except LeadershipLost:
        return False
    return True


async def test_one_of_two_leads(
    database: Database, first: LeaderLease, second: LeaderLease
) -> None:
    assert await first.hold()
    assert not await second.hold()
    assert await first.hold()
    assert await check(database, first)
    assert not await check(database, second)


async def test_of_many_that_start_at_once_one_leads(database: Database, clock: FakeClock) -> None:
    many = [process(database, str(number), clock) for number in range(6)]
    assert sum(await asyncio.gather(*(lease.hold() for lease in many))) == 1


async def test_a_leader_that_renews_stays_one_however_long(
    clock: FakeClock, first: LeaderLease, second: LeaderLease
) -> None:
    assert await first.hold()
    for _ in range(20):
        assert not await second.hold()
        clock.advance(first.renew_seconds)
        assert await first.keep()


async def test_a_dead_leader_is_followed_when_its_lease_is_over_and_not_before(
    clock: FakeClock, first: LeaderLease, second: LeaderLease
) -> None:
    assert await first.hold()
    assert not await second.hold()
    clock.advance(LEASE_SECONDS - 0.1)
    assert not await second.hold()
    clock.advance(0.1)
    assert await second.hold()


async def test_a_leader_that_was_held_up_writes_nothing_any_more(
    database: Database, clock: FakeClock, first: LeaderLease, second: LeaderLease
) -> None:
    assert await first.hold()
    assert not await second.hold()
    clock.advance(LEASE_SECONDS)
    assert await second.hold()
    assert not await check(database, first)
    assert await check(database, second)
    assert not await first.keep()
    assert not await first.hold()


async def test_what_is_given_back_is_taken_at_once(
    database: Database, first: LeaderLease, second: LeaderLease
) -> None:
    assert await first.hold()
    assert not await second.hold()
    await first.release()
    assert not await check(database, first)
    assert await second.hold()
    await first.release()  # not ours any more
    assert await check(database, second)


async def test_no_clock_that_is_wrong_gives_or_takes_the_lease(database: Database) -> None:
    """Machines a day apart, and one whose clock is set back by an hour."""
    ours, theirs = FakeClock(START), FakeClock(START + timedelta(days=1))
    first, second = process(database, "first", ours), process(database, "second", theirs)
    assert await first.hold()
    assert not await second.hold()
    ours.set_back(3_600)
    for _ in range(5):
        for clock in (ours, theirs):
            clock.advance(first.renew_seconds)
        assert await first.hold()
        assert not await second.hold()
    theirs.advance(LEASE_SECONDS)
    assert await second.hold()


async def test_a_step_does_not_go_on_under_a_lease_that_was_lost_and_taken_again(
    database: Database, clock: FakeClock, first: LeaderLease, second: LeaderLease
) -> None:
    assert await first.hold()
    assert not await second.hold()
    clock.advance(LEASE_SECONDS)
    assert await second.hold()
    await second.release()
    assert not await first.keep()
    assert not await check(database, first)
    assert await first.hold()
    assert await check(database, first)


async def test_taking_the_lease_waits_for_a_transaction_of_the_one_before(
    database: Database, clock: FakeClock, first: LeaderLease, second: LeaderLease
) -> None:
    assert await first.hold()
    assert not await second.hold()
    clock.advance(LEASE_SECONDS)
    async with database.write() as connection:
        await first.check(connection)
        taking = asyncio.create_task(second.hold())
        await asyncio.wait({taking}, timeout=0.2)
        assert not taking.done()
    async with patience():
        assert await taking
    async with database.read() as connection:
        row = (await connection.execute(select(leases))).one()
    assert (row.holder, row.fence) == ("second", 2)


async def test_every_agent_has_a_lease_of_its_own(database: Database, clock: FakeClock) -> None:
    sweeper = LeaderLease(database, clock, "sweeper", holder="first")
    eraser = LeaderLease(database, clock, "eraser", holder="second")
    assert await sweeper.hold()
    assert await eraser.hold()
