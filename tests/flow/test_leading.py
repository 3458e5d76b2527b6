"""A process that is not the leader any more, and does not know it yet, changes nothing."""

from datetime import timedelta

import pytest

from clarion.agent import AgentName, LeadershipLost
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.launches.scheduler import Scheduler
from clarion.customers.devices.device import DeviceState
from clarion.customers.devices.freshness.sweeper import Sweeper
from clarion.customers.devices.store import get_device
from clarion.storage.database import Database
from clarion.storage.leader_lease import LEASE_SECONDS, LeaderLease
from support.book import WORKSPACE
from support.clock import FakeClock
from support.world import World


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def leases(world: World, name: AgentName) -> tuple[LeaderLease, LeaderLease]:
    """Of the process that has led, and of the one that leads by now."""
    before, now = (
        LeaderLease(world.database, world.clock, name, holder=holder) for holder in ("1", "2")
    )
    assert await before.hold()
    assert not await now.hold()
    world.clock.advance(LEASE_SECONDS)
    assert await now.hold()
    return before, now


async def test_a_scheduler_that_leads_no_more_launches_nothing(world: World) -> None:
    before, now = await leases(world, AgentName.SCHEDULER)
    campaign_id = await world.campaign()
    parts = (world.database, world.broker, world.clock)
    with pytest.raises(LeadershipLost):
        await Scheduler(*parts, lease=before).step()
    assert (await world.get(campaign_id)).state is CampaignState.SCHEDULED
    assert await Scheduler(*parts, lease=now).step() == 1
    assert (await world.get(campaign_id)).state is CampaignState.LAUNCHING


async def test_a_sweeper_that_leads_no_more_removes_nothing(world: World) -> None:
    await world.devices("one")
    world.clock.advance(timedelta(days=61).total_seconds())
    before, now = await leases(world, AgentName.SWEEPER)
    with pytest.raises(LeadershipLost):
        await Sweeper(world.database, world.clock, lease=before).step()
    assert await state(world) is DeviceState.ACTIVE
    assert await Sweeper(world.database, world.clock, lease=now).step() == 1
    assert await state(world) is DeviceState.REMOVED


async def state(world: World) -> DeviceState:
    async with world.database.read() as connection:
        device = await get_device(connection, WORKSPACE, "D-one")
    assert device is not None
    return device.state
