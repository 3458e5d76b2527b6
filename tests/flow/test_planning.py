"""A launch becomes deliveries: each device of the audience once, page by page, whoever plans."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from clarion.audiences.query import reach
from clarion.audiences.rule import Everyone
from clarion.broker import JobKind
from clarion.campaigns.campaign import CampaignState, cancel, pause, resume
from clarion.campaigns.launches.launch import LaunchState
from clarion.campaigns.launches.scheduler import Scheduler, SchedulerOptions
from clarion.campaigns.launches.store import list_launches
from clarion.customers.devices.device import Removal, token_hash
from clarion.customers.devices.store import remove_registrations
from clarion.customers.identity.identifier import device_row_id
from clarion.deliveries.planning.chunk import unpack
from clarion.deliveries.planning.planner import Planner, PlannerOptions
from clarion.deliveries.store import list_deliveries
from clarion.sources.store import bind_firebase_app
from clarion.storage.database import Database
from clarion.storage.schema import chunks, jobs
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.world import World

OPTIONS = PlannerOptions(page_devices=5, chunk_deliveries=2, wait_seconds=0)
NO_PUSH = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def launched(world: World, audience: Any = None) -> UUID:
    campaign_id = await world.campaign(audience)
    await world.scheduler.step()
    return campaign_id


async def plan_all(world: World) -> None:
    while await world.broker.depth(JobKind.LAUNCH):
        await world.planner.step()


async def planned_devices(world: World, campaign_id: UUID) -> list[str]:
    async with world.database.read() as connection:
        rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=1_000)
    return sorted(str(row.device_id) for row in rows)


async def launch_state(world: World, campaign_id: UUID) -> LaunchState:
    async with world.database.read() as connection:
        [launch] = await list_launches(connection, campaign_id, limit=10)
    return launch.state


def tokens(count: int) -> list[str]:
    return [f"token-{number:02}" for number in range(count)]


# --- whom -----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 10, 11, 23])
async def test_every_device_is_planned_once_whatever_the_pages(world: World, count: int) -> None:
    if count:
        await world.devices(*tokens(count))
    campaign_id = await launched(world)
    await plan_all(world)
    assert await planned_devices(world, campaign_id) == [f"D-{token}" for token in tokens(count)]
    found = await world.report(campaign_id)
    assert (found.total.planned, found.total.in_flight, found.balances) == (count, count, True)
    state = (await world.get(campaign_id)).state
    assert state is (CampaignState.SENDING if count else CampaignState.DONE)


async def test_people_who_have_not_signed_in_are_everyone_too(world: World) -> None:
    await world.devices("one")
    await world.take(world.app.register(0, "D-anon", token="anon"))
    await world.take(world.app.register(0, "D-anon-2", anon="visitor", token="anon-2"))
    told = "Device Token Retrieved"
    await world.take(world.app.told(0, told, "D-sdk", anon="visitor", token="sdk"))
    async with world.database.read() as connection:
        found = await reach(connection, WORKSPACE, Everyone(), now=world.clock.now())
    assert (found.customers, found.devices) == (4, 4)
    campaign_id = await launched(world)
    await plan_all(world)
    everybody = ["D-anon", "D-anon-2", "D-one", "D-sdk"]
    assert await planned_devices(world, campaign_id) == everybody
    assert (await world.settle(campaign_id)).total.accepted == len(everybody)


async def test_a_list_of_user_ids_reaches_all_their_devices_and_nobody_else(world: World) -> None:
    await world.devices("one", "two", "three")
    await world.devices("one-more", user="user-one")
    await world.take(world.app.register(0, "D-anon", token="anon"))
    ids = ["user-one", "user-two", *(f"stranger-{number}" for number in range(9_998))]
    campaign_id = await launched(world, {"user_ids": ids})
    await plan_all(world)
    assert await planned_devices(world, campaign_id) == ["D-one", "D-one-more", "D-two"]


async def test_traits_reach_those_who_have_them(world: World) -> None:
    await world.devices("one", "two", "three")
    await world.take(
        world.app.identify(1, "user-one", traits={"plan": "gold", "age": 30}),
        world.app.identify(1, "user-two", traits={"plan": "gold", "age": 31}),
    )
    campaign_id = await launched(world, {"traits": {"plan": "gold", "age": 30}})
    await plan_all(world)
    assert await planned_devices(world, campaign_id) == ["D-one"]


async def test_who_is_not_reached_is_planned_with_the_reason(world: World) -> None:
    await world.devices("one", "two")
    await world.take(
        world.app.identify(1, "user-two", traits=NO_PUSH),
        world.app.register(0, "D-apns", user="user-3", token="ab" * 32, platform="iOS"),
    )
    campaign_id = await launched(world)
    await plan_all(world)
    found = await world.report(campaign_id)
    assert (found.total.planned, found.total.in_flight, found.total.skipped) == (3, 1, 2)
    assert found.reasons["skipped"] == {"opted_out": 1, "apns_token": 1}
    assert found.balances


async def turn(world: World, device: str, *, on: bool, at: float = 1) -> None:
    """The app says whether its person lets it show notifications."""
    said = {"push_enabled": on}
    event = world.app.told(at, "Application Opened", device, properties=said, anon="x")
    await world.take(event)


async def test_who_has_turned_notifications_off_is_planned_with_that_reason(world: World) -> None:
    await world.devices("one", "two", "three")
    await turn(world, "D-two", on=False)
    await turn(world, "D-three", on=False)
    await turn(world, "D-three", on=True, at=2)
    campaign_id = await launched(world)
    await plan_all(world)
    assert (await world.report(campaign_id)).reasons["skipped"] == {"notifications_off": 1}
    await turn(world, "D-one", on=False, at=3)
    found = await world.settle(campaign_id)
    assert found.reasons["skipped"] == {"notifications_off": 2}
    assert (found.total.accepted, found.balances) == (1, True)


async def test_engages_subscription_on_ios_turns_the_device_off_and_on(world: World) -> None:
    await world.devices("one")

    async def skipped(at: float, status: str) -> int:
        entry = {"key": "ab" * 32, "type": "IOS_PUSH", "status": status}
        name, context = "Push Subscription Change", {"messaging_subscriptions": [entry]}
        await world.take(world.app.told(at, name, "D-one", user="user-one", context=context))
        campaign_id = await launched(world)
        await plan_all(world)
        return (await world.report(campaign_id)).total.skipped

    assert await skipped(1, "SUBSCRIBED") == 0
    assert await skipped(2, "UNSUBSCRIBED") == 1
    assert await skipped(3, "SUBSCRIBED") == 0


async def test_a_push_that_shows_nothing_goes_to_who_has_turned_them_off(world: World) -> None:
    await world.devices("one", "two")
    await turn(world, "D-two", on=False)
    content = {"data": {"sync": "1"}, "platforms": {"iOS": {"title": "Hello"}}}
    campaign_id = await world.campaign(content=content)
    await world.scheduler.step()
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.total.skipped) == (2, 0)


async def test_a_campaign_in_which_nobody_can_be_reached_has_failed_at_once(world: World) -> None:
    async with world.database.write() as connection:
        await bind_firebase_app(connection, WORKSPACE, SOURCE, None)
    await world.devices(*tokens(7))
    campaign_id = await launched(world)
    await plan_all(world)
    found = await world.report(campaign_id)
    assert found.reasons["skipped"] == {"no_firebase_app": 7}
    assert (await world.get(campaign_id)).state is CampaignState.FAILED
    assert await launch_state(world, campaign_id) is LaunchState.FAILED


async def test_a_removed_registration_is_not_planned(world: World) -> None:
    await world.devices("one", "dead-1")
    await world.settle(await world.campaign())
    campaign_id = await launched(world)
    await plan_all(world)
    assert await planned_devices(world, campaign_id) == ["D-one"]


async def test_chunks_are_no_larger_than_they_may_be_and_hold_every_delivery(world: World) -> None:
    await world.devices(*tokens(11))
    await launched(world)
    await plan_all(world)
    async with world.database.read() as connection:
        rows = await connection.execute(
            select(
                chunks.c.size, chunks.c.members, chunks.c.first_device_id, chunks.c.last_device_id
            )
        )
        found = [(row, [one.device_id for one in unpack(row.members)]) for row in rows]
    for row, held in found:
        assert (row.first_device_id, row.last_device_id) == (min(held), max(held))
    sizes = [(row.size, len(held)) for row, held in found]
    assert all(size == held <= OPTIONS.chunk_deliveries for size, held in sizes)
    assert sum(size for size, _ in sizes) == 11


async def test_launches_that_are_paused_keep_no_other_from_being_published_again(
    world: World,
) -> None:
    await world.devices(*tokens(3))
    scheduler = Scheduler(
        world.database, world.broker, world.clock, SchedulerOptions(campaigns_max=2)
    )
    for _ in range(3):
        await world.change(await launched(world), pause)
        world.clock.advance(1)
    going = [await launched(world) for _ in range(3)]
    await lose_jobs(world)
    world.clock.advance(130)
    assert await scheduler.nudge() == 3
    await plan_all(world)
    for campaign_id in going:
        assert (await world.report(campaign_id)).total.planned == 3


async def lose_jobs(world: World) -> None:
    async with world.database.write() as connection:
        await connection.execute(delete(jobs))


# --- while it is going on -------------------------------------------------------------------


class Interrupted(Database):
    """A database of which a test hears before each write: `before_write` is awaited first."""

    def __init__(self, database: Database) -> None:
        self._inner = database
        self.is_sqlite = database.is_sqlite
        self.before_write = _nothing

    def read(self) -> Any:
        return self._inner.read()

    @asynccontextmanager
    async def write(self, *, first: bool = False) -> Any:
        before, self.before_write = self.before_write, _nothing
        await before()
        async with self._inner.write(first=first) as connection:
            yield connection


async def _nothing() -> None: ...


def interrupted_planner(world: World) -> tuple[Planner, Interrupted]:
    database = Interrupted(world.database)
    return Planner(database, world.broker, world.clock, OPTIONS), database


async def test_a_device_that_registers_meanwhile_is_planned_once_or_not_at_all(
    world: World,
) -> None:
    await world.devices(*tokens(8))
    planner, database = interrupted_planner(world)

    async def register() -> None:
        await world.devices(*(f"late-{number}" for number in range(8)))

    database.before_write = register
    campaign_id = await launched(world)
    while await world.broker.depth(JobKind.LAUNCH):
        await planner.step()
    found = await planned_devices(world, campaign_id)
    assert len(found) == len(set(found))
    assert {f"D-{token}" for token in tokens(8)} <= set(found)
    report = await world.settle(campaign_id)
    assert (report.total.accepted, report.balances) == (len(found), True)


async def test_two_planners_at_one_launch_plan_each_device_once(world: World) -> None:
    await world.devices(*tokens(23))
    campaign_id = await launched(world)
    await world.scheduler.nudge()
    others = [Planner(world.database, world.broker, world.clock, OPTIONS) for _ in range(2)]
    await asyncio.gather(*(one.step() for one in others))
    assert await planned_devices(world, campaign_id) == [f"D-{token}" for token in tokens(23)]
    found = await world.report(campaign_id)
    assert (found.total.planned, found.balances) == (23, True)
    assert await launch_state(world, campaign_id) is LaunchState.SENDING


async def test_a_planner_that_saw_fewer_devices_than_another_ends_nothing_too_early(
    world: World,
) -> None:
    """Its page was read after some had gone. It is short, so it seems to be the last; but it is not
    written, for another planner was faster, and that one's page ends before it does."""
    names = tokens(8)
    await world.devices(*names)
    names.sort(key=lambda name: device_row_id(WORKSPACE, f"D-{name}"))
    campaign_id = await launched(world)
    await world.scheduler.nudge()
    quick, quick_database = interrupted_planner(world)
    slow, slow_database = interrupted_planner(world)
    has_read, may_write, has_written, may_go_on = (asyncio.Event() for _ in range(4))

    async def before_the_first_page() -> None:
        has_read.set()
        await may_write.wait()
        quick_database.before_write = before_the_second_page

    async def before_the_second_page() -> None:
        has_written.set()
        await may_go_on.wait()

    async def let_the_quick_one_be_first() -> None:
        may_write.set()
        await has_written.wait()

    quick_database.before_write = before_the_first_page
    slow_database.before_write = let_the_quick_one_be_first
    planning = asyncio.create_task(quick.step())
    await has_read.wait()
    await remove(world, names[:4])
    await slow.step()
    may_go_on.set()
    await planning
    assert await planned_devices(world, campaign_id) == sorted(f"D-{name}" for name in names)
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.reasons["skipped"]) == (4, {"registration_removed": 4})


async def remove(world: World, names: list[str]) -> None:
    removals = [
        Removal(
            device_row_id=device_row_id(WORKSPACE, f"D-{name}"),
            token_hash=token_hash(name),
            reason="unregistered",
        )
        for name in names
    ]
    async with world.database.write() as connection:
        assert await remove_registrations(connection, removals, world.clock.now()) == len(names)


# --- pausing and cancelling -----------------------------------------------------------------


async def test_a_campaign_paused_while_launching_goes_on_where_it_was(world: World) -> None:
    await world.devices(*tokens(13))
    planner, database = interrupted_planner(world)
    campaign_id = await launched(world)

    async def pause_it() -> None:
        await world.change(campaign_id, pause)

    database.before_write = pause_it  # before the first page is written
    assert await planner.step() == 5
    assert (await world.get(campaign_id)).paused_from is CampaignState.LAUNCHING
    assert len(await planned_devices(world, campaign_id)) == 5
    assert await world.broker.depth(JobKind.LAUNCH) == 0  # nobody looks again and again
    await world.change(campaign_id, resume)
    found = await world.settle(campaign_id)
    assert (found.total.planned, found.total.accepted) == (13, 13)
    assert set(world.provider.accepted.values()) == {1}


async def test_a_campaign_cancelled_while_launching_settles_what_was_planned(
    world: World,
) -> None:
    await world.devices(*tokens(13))
    planner, database = interrupted_planner(world)
    campaign_id = await launched(world)

    async def cancel_it() -> None:
        await world.change(campaign_id, cancel)

    database.before_write = cancel_it
    await planner.step()
    assert await launch_state(world, campaign_id) is LaunchState.CANCELLED
    found = await world.settle(campaign_id)
    assert (found.total.planned, found.total.cancelled, found.total.in_flight) == (5, 5, 0)
    assert found.balances
    assert world.provider.accepted == {}


async def test_a_launch_whose_job_was_lost_is_published_again(world: World) -> None:
    await world.devices(*tokens(3))
    campaign_id = await launched(world)
    [lease] = await world.broker.fetch(JobKind.LAUNCH, limit=1, wait_seconds=0, lease_seconds=60)
    await lease.ack()
    assert await world.planner.step() == 0
    assert await world.scheduler.nudge() == 1
    assert await world.planner.step() == 3
    assert await world.scheduler.nudge() == 0
    assert len(await planned_devices(world, campaign_id)) == 3


async def test_nudging_what_nobody_plans_piles_up_no_jobs(world: World) -> None:
    await world.devices(*tokens(3))
    await launched(world)
    for _ in range(20):
        await world.scheduler.nudge()
        world.clock.advance(5)
    assert await world.broker.depth(JobKind.LAUNCH) == 2
