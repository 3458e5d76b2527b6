"""Steps people take with a campaign: nobody's is lost, and what follows follows at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from clarion.accounts.actor import Actor
from clarion.accounts.command import Services
from clarion.broker import BrokerUnavailable, JobKind
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import edit_campaign, pause_campaign, schedule_campaign
from clarion.campaigns.content.spec import Content
from clarion.customers.devices.device import Platform
from clarion.deliveries.commands import cancel_campaign, resume_campaign
from clarion.faults import Fault, Rejected, not_found
from clarion.storage.database import Database
from clarion.storage.schema import chunks
from support.clock import FakeClock
from support.faults import Doom, DoomedBroker
from support.world import World

Command = Callable[[Services, Actor, UUID], Awaitable[Campaign | Rejected]]


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


def check(content: Content, *, platform: Platform) -> Sequence[Fault]:
    """A provider that refuses no content."""
    return ()


async def take(world: World, campaign_id: UUID, step: Command) -> None:
    """A command as the API and the command line give it."""
    taken = await step(world.services, world.actor, campaign_id)
    assert isinstance(taken, Campaign), taken


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
    await take(world, campaign_id, cancel_campaign)
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.in_flight, found.balances) == (0, True)
    assert found.total.cancelled + found.total.accepted == 4
    assert found.total.cancelled >= 2


async def test_a_resumed_campaign_goes_on_at_once(world: World) -> None:
    campaign_id = await planned(world, *(f"token-{one}" for one in range(6)))
    await take(world, campaign_id, pause_campaign)
    await send_all(world)  # each chunk is taken up and put back
    assert (await world.report(campaign_id)).total.in_flight == 6
    await take(world, campaign_id, resume_campaign)
    await send_all(world)
    assert (await world.report(campaign_id)).total.accepted == 6
    assert set(world.provider.accepted.values()) == {1}


async def test_resuming_does_not_shorten_what_the_provider_asked_for(world: World) -> None:
    campaign_id = await planned(world, "slow-1", "slow-2")
    await world.sender.step()
    await take(world, campaign_id, pause_campaign)
    await take(world, campaign_id, resume_campaign)
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
    await take(world, campaign_id, pause_campaign)
    await world.planner.step()  # put off, for it is paused
    await take(world, campaign_id, cancel_campaign)
    await world.planner.step()
    found = await world.report(campaign_id)
    assert (found.total.planned, found.total.in_flight) == (0, 0)


async def test_a_step_holds_although_the_broker_is_lost(world: World) -> None:
    campaign_id = await planned(world, "one", "two")
    broker = DoomedBroker(world.broker, Doom(1, BrokerUnavailable))
    services = replace(world.services, broker=broker)
    with capture_logs() as logs:
        taken = await cancel_campaign(services, world.actor, campaign_id)
    assert isinstance(taken, Campaign)
    assert [line["event"] for line in logs] == ["command_not_nudged"]
    assert (await world.get(campaign_id)).state is CampaignState.CANCELLED


async def test_what_has_changed_since_it_was_seen_is_not_stepped_over(world: World) -> None:
    campaign_id = await planned(world, "one")
    seen_at = (await world.get(campaign_id)).updated_at
    world.clock.advance(1)
    await take(world, campaign_id, pause_campaign)
    refused = await edit_campaign(
        world.services, world.actor, campaign_id, {"name": "Else"}, check, seen_at=seen_at
    )
    assert isinstance(refused, Rejected)
    assert refused.code == "conflict"
    assert (await world.get(campaign_id)).name == "Test"


async def test_a_campaign_that_is_not_there_takes_no_step(world: World) -> None:
    nobody = world.clock.new_id()
    for step in (cancel_campaign, pause_campaign, resume_campaign):
        assert await step(world.services, world.actor, nobody) == not_found("campaign")


async def test_a_campaign_given_another_time_is_not_launched_by_the_old_one(
    world: World,
) -> None:
    campaign_id = await world.campaign()
    due = await world.get(campaign_id)
    world.clock.advance(1)
    later = world.clock.now() + timedelta(hours=1)
    at = later.isoformat()
    moved = await schedule_campaign(world.services, world.actor, campaign_id, at)
    assert isinstance(moved, Campaign)
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
            for step in (pause_campaign, resume_campaign) * 6:
                await step(world.services, world.actor, campaign_id)

        await asyncio.gather(world.planner.step(), steps())
        found = await world.settle(campaign_id)
        assert found.total.accepted == 4
        assert (await world.get(campaign_id)).state is CampaignState.DONE
