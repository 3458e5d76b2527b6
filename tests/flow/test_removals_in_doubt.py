"""Promise 4: a wave of removals is stopped before it burns the base, and a person decides."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from clarion.campaigns.campaign import CampaignState
from clarion.deliveries.apps.commands import decide_removals
from clarion.deliveries.apps.quarantine_store import quarantined
from clarion.deliveries.apps.store import delete_app, get_app, stopped_apps
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.schema import devices, quarantine
from support.book import WORKSPACE
from support.clock import FakeClock
from support.world import APP, World


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def planned(world: World, *tokens: str) -> UUID:
    await world.devices(*tokens)
    campaign_id = await world.campaign({"user_ids": [f"user-{token}" for token in tokens]})
    await world.scheduler.step()
    while await world.planner.step():
        pass
    return campaign_id


async def send_all(world: World) -> None:
    while await world.sender.step():
        pass


async def removed(world: World) -> int:
    async with world.database.read() as connection:
        rows = await connection.execute(
            select(func.count()).select_from(devices).where(devices.c.state == "removed")
        )
        return int(rows.scalar_one())


async def held(world: World) -> int:
    async with world.database.read() as connection:
        return (await quarantined(connection, [APP])).get(APP, 0)


async def decide(world: World, *, remove: bool) -> None:
    decided = await decide_removals(world.services, world.actor, APP, remove=remove)
    assert not isinstance(decided, Rejected)


def foreign(count: int) -> list[str]:
    """Tokens of another project (see `MemoryProvider`)."""
    return [f"foreign-{number}" for number in range(count)]


async def test_a_key_of_another_project_stops_before_it_burns_the_base(world: World) -> None:
    campaign_id = await planned(world, *foreign(40))
    await send_all(world)
    campaign = await world.get(campaign_id)
    assert campaign.state is CampaignState.PAUSED
    assert "another Firebase project" in (campaign.paused_reason or "")
    found = await world.report(campaign_id)
    assert found.balances
    assert found.total.unregistered + found.total.in_flight == 40
    assert await removed(world) + await held(world) == found.total.unregistered <= 12
    async with world.database.read() as connection:
        app = await get_app(connection, WORKSPACE, APP)
        assert await stopped_apps(connection) == {"paused": 0, "removals": 1}
    assert app is not None and app.removals_stopped_reason == campaign.paused_reason


async def test_kept_they_are_reached_by_the_next_campaign(world: World) -> None:
    tokens = foreign(40)
    campaign_id = await planned(world, *tokens)
    await send_all(world)
    lost = await removed(world)
    world.provider.answers.clear()  # the right key is there
    await decide(world, remove=False)
    assert await held(world) == 0
    assert (await world.get(campaign_id)).state is CampaignState.SENDING
    found = await world.settle(campaign_id)
    assert await removed(world) == lost
    assert found.total.accepted == 40 - found.total.unregistered
    again = await world.settle(await world.campaign())
    assert again.total.accepted == again.total.planned == 40 - lost


async def test_removed_they_are_gone_except_those_that_have_registered_since(world: World) -> None:
    campaign_id = await planned(world, *foreign(40))
    await send_all(world)
    async with world.database.read() as connection:
        rows = await connection.execute(
            select(devices.c.token).join(quarantine, quarantine.c.device_id == devices.c.id)
        )
        in_doubt = sorted(rows.scalars())
    before = await removed(world)
    assert len(in_doubt) > 1
    world.clock.advance(300)
    again = in_doubt[0]  # registers again, with the token it has
    await world.take(world.app.register(725, f"D-{again}", user=f"user-{again}", token=again))
    await decide(world, remove=True)
    assert await held(world) == 0
    assert await removed(world) == before + len(in_doubt) - 1
    # It was right: the same share stops nothing any more.
    await world.settle(campaign_id)
    assert (await world.get(campaign_id)).state is CampaignState.DONE


async def test_a_bad_day_of_a_small_app_stops_nothing(world: World) -> None:
    campaign_id = await planned(world, *(f"dead-{number}" for number in range(30)), "ok")
    found = await world.settle(campaign_id)
    assert (found.total.unregistered, found.total.accepted) == (30, 1)
    assert await removed(world) == 30
    assert (await world.get(campaign_id)).state is CampaignState.DONE


async def test_deleting_the_firebase_app_keeps_what_was_in_doubt(world: World) -> None:
    await planned(world, *foreign(40))
    await send_all(world)
    before = await removed(world)
    async with world.database.write() as connection:
        assert await delete_app(connection, WORKSPACE, APP)
    assert await held(world) == 0
    assert await removed(world) == before
