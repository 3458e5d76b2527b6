"""Steps people take with a campaign: nobody's is lost, and what follows follows at once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from clarion.broker import JobKind
from clarion.brokers.database import DatabaseBroker
from clarion.campaigns.campaign import Campaign, CampaignState, Refused, cancel, pause, resume
from clarion.campaigns.campaign import schedule as set_time
from clarion.deliveries.steering import Step, Taken, publish, take_step
from clarion.storage.database import Database
from clarion.storage.schema import chunks
from fakes.book import WORKSPACE
from fakes.clock import FakeClock
from fakes.world import World


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def take(world: World, campaign_id: UUID, step: Step) -> Taken:
    """Take a step and let its jobs be published, as the API and the command line do."""
    taken = await take_step(world.database, WORKSPACE, campaign_id, step, now=world.clock.now())
    assert isinstance(taken, Taken), taken
    await publish(world.broker, taken.jobs)
    return taken


async def planned(world: World, *tokens: str) -> UUID:
    """A campaign to a device for each token, planned in chunks of two, nothing sent."""
    await world.devices(*tokens)
    campaign_id = await world.campaign()
    await world.scheduler.step()
    while await world.planner.step():
        pass
    return campaign_id


async def send_all(world: World) -> None:
    """Let the sender work until nothing is due."""
    while (await world.broker.depth(JobKind.CHUNK)) and await _takes(world):
        pass


async def _takes(world: World) -> bool:
    before = await world.broker.depth(JobKind.CHUNK)
    settled = await world.sender.step()
    return settled > 0 or await world.broker.depth(JobKind.CHUNK) < before


async def test_a_cancelled_campaign_settles_without_waiting_for_retries(world: World) -> None:
    campaign_id = await planned(world, "slow-1", "slow-2", "three", "four")
    await world.sender.step()
    await take(world, campaign_id, lambda one: cancel(one, world.clock.now()))
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.in_flight, found.balances) == (0, True)
    assert found.total.cancelled + found.total.accepted == 4
    assert found.total.cancelled >= 2


async def test_a_resumed_campaign_goes_on_at_once(world: World) -> None:
    campaign_id = await planned(world, *(f"token-{one}" for one in range(6)))
    await take(world, campaign_id, lambda one: pause(one, world.clock.now()))
    await send_all(world)  # each chunk is taken up and put back
    assert (await world.report(campaign_id)).total.in_flight == 6
    await take(world, campaign_id, lambda one: resume(one, world.clock.now()))
    await send_all(world)
    assert (await world.report(campaign_id)).total.accepted == 6
    assert set(world.provider.accepted.values()) == {1}


async def test_resuming_does_not_shorten_what_the_provider_asked_for(world: World) -> None:
    campaign_id = await planned(world, "slow-1", "slow-2")
    await world.sender.step()
    await take(world, campaign_id, lambda one: pause(one, world.clock.now()))
    await take(world, campaign_id, lambda one: resume(one, world.clock.now()))
    async with world.database.read() as connection:
        rows = await connection.execute(select(chunks.c.due_at).where(chunks.c.state == "ready"))
        due = list(rows.scalars())
    assert due and min(due) >= world.clock.now() + timedelta(seconds=30)
    await send_all(world)
    assert world.provider.accepted == {}


async def test_a_campaign_cancelled_while_it_is_planned_is_closed_at_once(world: World) -> None:
    await world.devices("one", "two")
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await take(world, campaign_id, lambda one: pause(one, world.clock.now()))
    await world.planner.step()  # put off, for it is paused
    await take(world, campaign_id, lambda one: cancel(one, world.clock.now()))
    await world.planner.step()
    found = await world.report(campaign_id)
    assert (found.total.planned, found.total.in_flight) == (0, 0)


async def test_a_step_holds_although_the_broker_is_lost(world: World) -> None:
    campaign_id = await planned(world, "one", "two")
    taken = await take_step(
        world.database,
        WORKSPACE,
        campaign_id,
        lambda one: cancel(one, world.clock.now()),
        now=world.clock.now(),
    )
    assert isinstance(taken, Taken) and taken.jobs
    lost = Database("postgresql://nobody@127.0.0.1:1/none")
    broker = DatabaseBroker(lost, world.clock)
    await publish(broker, taken.jobs)
    assert (await world.get(campaign_id)).state is CampaignState.CANCELLED
    await broker.close()
    await lost.close()


async def test_what_has_changed_since_it_was_seen_is_not_stepped_over(world: World) -> None:
    campaign_id = await planned(world, "one")
    seen_at = (await world.get(campaign_id)).updated_at
    world.clock.advance(1)
    await take(world, campaign_id, lambda one: pause(one, world.clock.now()))

    def step(campaign: Campaign) -> Campaign | Refused:
        raise AssertionError("decided upon another campaign")

    refused = await take_step(
        world.database, WORKSPACE, campaign_id, step, now=world.clock.now(), seen_at=seen_at
    )
    assert isinstance(refused, Refused)
    assert refused.code == "conflict"


async def test_a_campaign_that_is_not_there_takes_no_step(world: World) -> None:
    nobody = world.clock.new_id()
    now = world.clock.now()
    step = lambda one: cancel(one, now)  # noqa: E731
    assert await take_step(world.database, WORKSPACE, nobody, step, now=now) is None


async def test_a_campaign_given_another_time_is_not_launched_by_the_old_one(
    world: World,
) -> None:
    campaign_id = await world.campaign()
    due = await world.get(campaign_id)
    world.clock.advance(1)
    later = world.clock.now() + timedelta(hours=1)
    await take(world, campaign_id, lambda one: set_time(one, later, world.clock.now()))
    assert await world.scheduler._launch(due) is None
    assert (await world.get(campaign_id)).state is CampaignState.SCHEDULED


async def test_pausing_in_the_moment_that_all_is_planned_leaves_nothing_hanging(
    world: World,
) -> None:
    await world.devices(*(f"token-{one}" for one in range(4)))
    for _ in range(8):
        campaign_id = await world.campaign()
        await world.scheduler.step()

        async def steps(campaign_id: UUID = campaign_id) -> None:
            now = world.clock.now()
            for step in (pause, resume) * 6:
                await take_step(
                    world.database,
                    WORKSPACE,
                    campaign_id,
                    lambda one, step=step: step(one, now),
                    now=now,
                )

        await asyncio.gather(world.planner.step(), steps())
        found = await world.settle(campaign_id)
        assert found.total.accepted == 4
        assert (await world.get(campaign_id)).state is CampaignState.DONE
