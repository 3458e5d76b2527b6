"""Promise 7: all senders of a Firebase project keep to one pace; what waits is not forgotten."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import select

from clarion.broker import JobKind
from clarion.campaigns.campaign import Campaign, CampaignState, cancel
from clarion.campaigns.commands import pause_campaign
from clarion.deliveries.apps.commands import resume_app
from clarion.deliveries.apps.pacing import Limits
from clarion.deliveries.apps.store import get_app, pause_app, set_limits
from clarion.deliveries.commands import cancel_campaign, resume_campaign
from clarion.storage.database import Database
from clarion.storage.schema import paces
from support.book import WORKSPACE
from support.clock import FakeClock
from support.patience import patience
from support.running import running
from support.world import APP, World

SECONDS_MAX = 400


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def planned(world: World, *tokens: str, spread_minutes: int = 0) -> UUID:
    """A campaign to a device for each token, planned in chunks of two, nothing sent."""
    await world.devices(*tokens)
    campaign_id = await world.campaign(spread_minutes=spread_minutes)
    await world.scheduler.step()
    while await world.planner.step():
        pass
    return campaign_id


async def work(world: World, *, seconds: int, every: float = 1.0) -> list[int]:
    """Let two senders work while time passes; how many pushes had left after each second."""
    world.make_agents()
    first = world.sender
    world.make_agents()
    left = []
    for _ in range(int(seconds / every)):
        steps = [asyncio.create_task(one.step()) for one in (first, world.sender) * 3]
        while not all(step.done() for step in steps):
            await asyncio.wait(steps, timeout=0.02)
            world.clock.advance(0.05)
        assert sum(step.result() for step in steps) >= 0
        world.clock.advance(every)
        left.append(sum(world.provider.left.values()))
    return left


async def test_two_senders_share_what_a_project_may_send(world: World) -> None:
    async with world.database.write() as connection:
        await set_limits(connection, WORKSPACE, APP, Limits(per_minute=60))
    campaign_id = await planned(world, *(f"token-{number}" for number in range(30)))
    began = world.clock.now()
    while (await world.report(campaign_id)).total.in_flight:
        await work(world, seconds=3)
        found = await world.report(campaign_id)
        passed = (world.clock.now() - began).total_seconds()
        assert found.total.accepted <= passed + 5
        assert passed < SECONDS_MAX
        await world.sender.sweep()
    assert found.total.accepted == 30
    assert set(world.provider.accepted.values()) == {1}
    assert passed >= 25
    assert found.balances


async def test_throttled_for_the_whole_app_nobody_sends_until_the_provider_allows_it(
    world: World,
) -> None:
    """`slow-` is throttled once, for the whole app, for thirty seconds."""
    campaign_id = await planned(world, "slow-1", *(f"token-{number}" for number in range(7)))
    seen: Counter[str] = Counter()
    while not seen["throttled"]:
        await world.sender.step()
        async with world.database.read() as connection:
            cut = (await connection.execute(select(paces.c.cut_at))).scalar_one()
        seen["throttled"] = int(cut is not None)
    at_once = sum(world.provider.left.values())
    for _ in range(5):
        await work(world, seconds=5)
        if (world.clock.now() - cut).total_seconds() < 30:
            assert sum(world.provider.left.values()) == at_once
    found = await world.settle(campaign_id)
    assert found.total.accepted == 8
    assert set(world.provider.accepted.values()) == {1}


async def test_a_device_that_is_throttled_slows_nobody_else(world: World) -> None:
    await planned(world, "devslow-1", *(f"token-{number}" for number in range(4)))
    for _ in range(3):
        await world.sender.step()
    assert sum(world.provider.accepted.values()) == 4
    async with world.database.read() as connection:
        assert (await connection.execute(select(paces.c.cut_at))).scalar_one() is None


async def test_a_cancelled_campaign_takes_no_turn(world: World) -> None:
    async with world.database.write() as connection:
        await set_limits(connection, WORKSPACE, APP, Limits(per_minute=60))
    campaign_id = await planned(world, *(f"token-{number}" for number in range(20)))
    await world.change(campaign_id, cancel)
    while await world.broker.depth(JobKind.CHUNK):
        await world.sender.step()
    found = await world.report(campaign_id)
    assert (found.total.cancelled, found.total.in_flight) == (20, 0)
    async with world.database.read() as connection:
        next_at = (await connection.execute(select(paces.c.next_at))).scalar_one()
    assert next_at <= world.clock.now()


async def test_a_firebase_app_that_is_resumed_sends_at_once(world: World) -> None:
    campaign_id = await planned(world, *(f"token-{number}" for number in range(6)))
    async with world.database.write() as connection:
        await pause_app(connection, APP, "by a person", now=world.clock.now())
    while await world.broker.depth(JobKind.CHUNK):
        await world.sender.step()
    assert (await world.report(campaign_id)).total.in_flight == 6
    await resume_app(world.services, world.actor, APP)
    while await world.broker.depth(JobKind.CHUNK):
        await world.sender.step()
    assert (await world.report(campaign_id)).total.accepted == 6


async def test_what_a_wrong_key_held_up_goes_out_when_the_app_is_resumed(world: World) -> None:
    world.provider.broken = True
    campaign_id = await planned(world, "one", "two")
    await world.sender.step()
    async with world.database.read() as connection:
        app = await get_app(connection, WORKSPACE, APP)
    assert app is not None and app.paused_reason is not None
    world.provider.broken = False
    depth = await world.broker.depth(JobKind.CHUNK)
    await resume_app(world.services, world.actor, APP)
    assert await world.broker.depth(JobKind.CHUNK) == depth + 1
    await world.sender.step()
    assert (await world.report(campaign_id)).total.accepted == 2


async def test_a_sender_that_is_stopped_settles_what_is_in_the_air(world: World) -> None:
    campaign_id = await planned(world, *(f"token-{number}" for number in range(12)))
    world.provider.opened.clear()
    async with running(world.sender.agents(), world.clock) as runner:
        async with patience():
            await world.provider.waiting.wait()
        runner.stop()
        world.provider.opened.set()
    found = await world.report(campaign_id)
    assert 0 < found.total.accepted < 12
    assert found.total.accepted == sum(world.provider.left.values())
    world.make_agents()
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (12, 12, 0)


async def test_a_sender_that_is_stopped_puts_back_what_has_not_left(world: World) -> None:
    """Two pushes a chunk, at one a minute: the second waits for its turn."""
    async with world.database.write() as connection:
        await set_limits(connection, WORKSPACE, APP, Limits(per_minute=60))
    campaign_id = await planned(world, "one", "two")
    sending = asyncio.create_task(world.sender.step())
    while not world.provider.left:
        await asyncio.wait({sending}, timeout=0.01)
    world.sender.stop()
    while not sending.done():
        await asyncio.wait({sending}, timeout=0.01)
        world.clock.advance(0.05)
    assert sending.result() == 1
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.total.in_flight, found.attempts) == (1, 1, 1)
    world.make_agents()
    world.clock.advance(10)  # its turn has come
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (2, 2, 0)


async def spread(world: World) -> UUID:
    return await planned(world, *(f"token-{number}" for number in range(20)), spread_minutes=60)


async def send_due(world: World) -> int:
    while await world.sender.step():
        pass
    return sum(world.provider.accepted.values())


async def test_a_launch_is_spread_over_its_window(world: World) -> None:
    campaign_id = await spread(world)
    left = []
    for _ in range(6):
        left.append(await send_due(world))
        assert (await world.report(campaign_id)).balances
        world.clock.advance(720)
    assert left == sorted(left)
    assert left[0] <= 3
    assert 5 <= left[2] <= 15
    assert left[5] == 20
    assert (await world.get(campaign_id)).state is CampaignState.DONE


async def test_a_spread_launch_is_cancelled_at_once(world: World) -> None:
    campaign_id = await spread(world)
    world.clock.advance(1_800)
    left = await send_due(world)
    taken = await cancel_campaign(world.services, world.actor, campaign_id)
    assert isinstance(taken, Campaign)
    await send_due(world)
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.total.cancelled) == (left, 20 - left)


async def test_a_spread_launch_that_was_paused_catches_up_and_keeps_to_the_rest(
    world: World,
) -> None:
    campaign_id = await spread(world)
    for step in (pause_campaign, resume_campaign):
        taken = await step(world.services, world.actor, campaign_id)
        assert isinstance(taken, Campaign)
        for _ in range(25):  # those that are due are taken up and put back
            await world.sender.step()
        if step is pause_campaign:
            assert world.provider.accepted == {}
            world.clock.advance(1_800)
            await world.sender.sweep()
    await world.sender.sweep()
    caught_up = await send_due(world)
    assert 4 <= caught_up <= 16
    found = await world.settle(campaign_id)
    assert found.total.accepted == 20
