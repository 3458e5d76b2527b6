"""Apps tell FIDs beside tokens: some of which they have only read, some of which phones share."""

import pytest

from clarion.accounts.actor import operator
from clarion.customers.devices.device import DeviceState, TokenKind
from clarion.customers.devices.store import Device, get_device
from clarion.customers.source_report import source_report
from clarion.deliveries.apps.store import get_app
from clarion.deliveries.provider import Unregistered
from clarion.storage.database import Database
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.scenarios import FID
from support.world import APP, World

MINUTES_A_DAY = 24 * 60


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    world = await World(database, clock).open()
    world.provider.answers["getId"] = Unregistered(reason="unregistered")
    return world


async def device(world: World, device_id: str) -> Device:
    async with world.database.read() as connection:
        found = await get_device(connection, WORKSPACE, device_id)
    assert found is not None
    return found


async def is_calm(world: World) -> bool:
    async with world.database.read() as connection:
        app = await get_app(connection, WORKSPACE, APP)
    assert app is not None
    return app.removals_stopped_reason is None and app.paused_reason is None


async def test_a_fid_that_is_only_read_loses_no_push_and_ends_no_device(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.take(world.app.register(0, "D", user="U", token="the-token", fid="getId-1"))
    assert (await device(world, "D")).token_kind is TokenKind.FID
    found = await world.settle(await world.campaign())
    assert (found.total.planned, found.total.accepted) == (1, 1)
    assert found.reasons == {"accepted": {"fid_not_registered": 1}}
    assert (found.attempts, found.balances) == (2, True)
    assert [push.token for push in world.provider.pushes] == ["the-token"]
    after = await device(world, "D")
    assert (after.state, after.token_kind) == (DeviceState.ACTIVE, TokenKind.FCM)
    assert capsys.readouterr().out.count("fids_not_registered") == 1
    async with world.database.read() as connection:
        told = await source_report(connection, operator(WORKSPACE), SOURCE, world.clock.now(), 24)
    [warning] = [warning for warning in told.warnings if warning.code == "fid_not_registered"]
    assert warning.count == 1 and "getId" in warning.cure


async def test_an_app_that_goes_on_telling_it_costs_no_second_request(world: World) -> None:
    await world.take(world.app.register(0, "D", user="U", token="the-token", fid="getId-1"))
    await world.settle(await world.campaign())
    world.clock.advance(86_400)
    later = int(world.clock.now().timestamp() - 1_772_366_400) // 60
    await world.take(world.app.register(later, "D", user="U", token="the-token", fid="getId-1"))
    found = await world.settle(await world.campaign())
    assert (found.total.accepted, found.attempts, found.reasons) == (1, 1, {})


async def test_a_fid_is_tried_again_once_its_token_is_dead(world: World) -> None:
    """By then the app may have registered it."""
    await world.take(world.app.register(0, "D", user="U", token="dead-token", fid="late"))
    found = await world.settle(await world.campaign())
    assert (found.total.accepted, (await device(world, "D")).token_kind) == (1, TokenKind.FID)


async def test_a_whole_base_of_fids_that_are_only_read_gets_its_pushes(world: World) -> None:
    await world.take(
        *(
            world.app.register(0, f"D-{one}", user=f"U-{one}", token=f"t-{one}", fid=f"getId-{one}")
            for one in range(120)
        )
    )
    campaign_id = await world.campaign()
    await world.scheduler.step()
    while await world.planner.step():
        pass
    for _ in range(2):  # the FIDs, then the tokens: each chunk of two becomes one of two
        for _ in range(60):
            await world.sender.step()
        world.clock.advance(1)
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.total.unregistered) == (120, 0)
    assert set(world.provider.accepted.values()) == {1}
    assert await is_calm(world)


async def test_a_base_that_moves_to_fids_at_one_release_gets_each_push_once(world: World) -> None:
    """The old tokens die with it."""
    count = 120
    await world.take(
        *(world.app.register(0, f"D-{n}", user=f"U-{n}", token=f"dead-{n}") for n in range(count))
    )
    await world.take(
        *(
            world.app.register(1, f"D-{n}", user=f"U-{n}", token=None, fid=f"fid-{n}")
            for n in range(count)
        )
    )
    for _ in range(2):
        found = await world.settle(await world.campaign())
        assert (found.total.planned, found.total.accepted) == (count, count)
        assert found.attempts == count
    assert set(world.provider.accepted.values()) == {1}
    assert await is_calm(world)


async def test_a_push_under_way_while_the_base_moves_reaches_who_has_moved(world: World) -> None:
    count = 60
    await world.take(
        *(world.app.register(0, f"D-{n}", user=f"U-{n}", token=f"dead-{n}") for n in range(count))
    )
    campaign_id = await world.campaign()
    await world.scheduler.step()
    while await world.planner.step():
        pass
    await world.take(
        *(
            world.app.register(1, f"D-{n}", user=f"U-{n}", token=None, fid=f"fid-{n}")
            for n in range(0, count, 2)
        )
    )
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.total.unregistered) == (count // 2, count // 2)
    assert found.balances


async def test_of_two_phones_that_share_a_fid_one_is_reached_by_it(world: World) -> None:
    """Cloned data: the second customer's phone tells the first one's FID."""
    await world.take(
        world.app.register(0, "D-1", user="Ada", token=None, fid=FID),
        world.app.register(1, "D-2", user="Bob", token=None, fid=FID),
    )
    found = await world.settle(await world.campaign())
    assert (found.total.planned, found.total.accepted) == (1, 1)
    assert (await device(world, "D-1")).reason == "token_moved"
    assert (await device(world, "D-2")).state is DeviceState.ACTIVE
    await world.take(world.app.register(2, "D-1", user="Ada", token="of-its-own", fid=FID))
    found = await world.settle(await world.campaign())
    assert found.total.accepted == found.total.planned
    assert set(world.provider.accepted.values()) == {1}
