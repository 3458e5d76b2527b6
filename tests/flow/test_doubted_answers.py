"""What one answer says of a whole Firebase app is not believed; what many say is, until it works
again by itself."""

from datetime import timedelta
from uuid import UUID

import pytest

from clarion.campaigns.campaign import CampaignState, pause
from clarion.deliveries.apps.store import FirebaseApp, get_app, pause_app, resume_app
from clarion.deliveries.provider import Misconfigured, Throttled, ThrottleScope
from clarion.deliveries.sending.belief import TRIAL_SECONDS
from clarion.deliveries.sending.claim import TRIAL_PUSHES
from clarion.reports.waiting_store import Waiting, WaitsFor, waiting
from clarion.storage.database import Database
from support.book import WORKSPACE
from support.clock import FakeClock
from support.world import APP, World

STRAYS = {
    "page": Misconfigured(reason="not_found"),
    "bodyless": Misconfigured(reason="unauthenticated"),
    "refused": Misconfigured(reason="permission_denied"),
}
QUOTA = Throttled(scope=ThrottleScope.PLATFORM, retry_after_seconds=600)


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    world = await World(database, clock).open()
    world.provider.answers |= STRAYS
    return world


async def firebase_app(world: World) -> FirebaseApp:
    async with world.database.read() as connection:
        app = await get_app(connection, WORKSPACE, APP)
    assert app is not None
    return app


async def test_strays_among_accepted_pushes_pause_nothing_and_expire(world: World) -> None:
    # In the order of the chunks each stray stands beside accepted ones, and later alone.
    await world.devices(*(f"ok-{number}" for number in range(30)), *(f"{one}-1" for one in STRAYS))
    found = await world.settle(await world.campaign())
    assert (await firebase_app(world)).paused_reason is None
    assert (found.total.accepted, found.total.in_flight) == (30, 0)
    assert found.reasons["expired"] == {
        "not_found": 1,
        "unauthenticated": 1,
        "permission_denied": 1,
    }
    assert found.balances


async def test_a_paused_app_is_tried_again_by_itself_and_says_so(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.devices(*(f"ok-{number}" for number in range(6)))
    world.provider.broken = True
    campaign_id = await world.campaign()
    found = await world.settle(campaign_id, hours=2)
    assert found.total.in_flight == 6
    app = await firebase_app(world)
    assert app.paused_reason == "permission_denied: the key was withdrawn"
    assert app.tries_again_at is not None
    assert app.tries_again_at - world.clock.now() <= timedelta(seconds=600)
    [why] = await held_up(world, campaign_id)
    assert (why.waits_for, why.deliveries) == (WaitsFor.FIREBASE_APP, 6)
    assert (why.reason, why.until) == (app.paused_reason, app.tries_again_at)
    world.provider.broken = False
    found = await world.settle(campaign_id, hours=1)
    assert (found.total.accepted, found.balances) == (6, True)
    assert (await firebase_app(world)).paused_reason is None
    assert (await held_up(world, campaign_id)) == []
    told = capsys.readouterr().out
    assert told.count("firebase_app_paused") == 1
    assert told.count("firebase_app_goes_on") == 1


async def test_a_clock_that_is_set_back_does_not_put_the_trial_off(world: World) -> None:
    """It may have been ahead, and so have caused the pause."""
    await world.devices("ok-1", "ok-2")
    world.provider.broken = True
    campaign_id = await world.campaign()
    await world.settle(campaign_id, hours=0.05)
    for _ in range(5):  # no job is left behind: those of the database are due by the same clock
        await world.sender.step()
    world.provider.broken = False
    world.clock.advance(-3_600)
    await world.forget_answers()  # what a clock that goes back does to the pace is another matter
    await world.sender.sweep()
    world.clock.advance(60)
    for _ in range(3):
        await world.sender.sweep()
        for _ in range(5):
            await world.sender.step()
    assert (await world.report(campaign_id)).total.accepted == 2


async def test_what_a_person_paused_waits_for_a_person(world: World) -> None:
    await world.devices("ok-1", "ok-2")
    world.provider.broken = True
    campaign_id = await world.campaign()
    await world.settle(campaign_id, hours=0.1)
    world.provider.broken = False
    async with world.database.write() as connection:
        await pause_app(connection, APP, "by a person", now=world.clock.now())
    found = await world.settle(campaign_id, hours=2)
    assert found.total.in_flight == 2
    assert (await firebase_app(world)).paused_reason == "by a person"
    [why] = await held_up(world, campaign_id)
    assert why.until is None


async def test_after_a_resume_strays_pause_it_no_more(world: World) -> None:
    await world.devices(*(f"ok-{number}" for number in range(9)), "refused-1")
    async with world.database.write() as connection:
        await pause_app(connection, APP, "by a person", now=world.clock.now())
    campaign_id = await world.campaign()
    assert (await world.settle(campaign_id, hours=0.1)).total.in_flight == 10
    async with world.database.write() as connection:
        await resume_app(connection, WORKSPACE, APP)
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.total.expired) == (9, 1)
    assert (await firebase_app(world)).paused_reason is None


async def test_a_trial_sends_few_pushes(world: World) -> None:
    await world.devices(*(f"ok-{number}" for number in range(6)))
    world.provider.broken = True
    campaign_id = await world.campaign()
    await world.settle(campaign_id, hours=0.1)
    before = (await world.report(campaign_id)).attempts
    world.clock.advance(TRIAL_SECONDS * 10)
    await world.sender.sweep()
    for _ in range(10):
        await world.sender.step()
    after = (await world.report(campaign_id)).attempts
    assert 0 < after - before <= TRIAL_PUSHES


async def test_a_paused_campaign_says_whom_it_waits_for(world: World) -> None:
    await world.devices("ok-1", "ok-2", "ok-3")
    campaign_id = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    await world.change(campaign_id, lambda one, now: pause(one, now, "by a person"))
    [why] = await held_up(world, campaign_id)
    assert (why.waits_for, why.reason, why.deliveries) == (WaitsFor.CAMPAIGN, "by a person", 3)
    assert (await world.get(campaign_id)).state is CampaignState.PAUSED


async def test_a_limit_of_browsers_slows_no_phone(world: World) -> None:
    """A push service for browsers has a limit of its own."""
    world.provider.answers["browser"] = QUOTA
    await world.devices(*(f"ok-{number}" for number in range(12)))
    await world.take(
        *(
            world.app.register(
                0, f"D-b{number}", user=f"user-b{number}", token=f"browser-{number}", platform="Web"
            )
            for number in range(4)
        )
    )
    campaign_id = await world.campaign()
    await world.scheduler.step()
    while await world.planner.step():
        pass
    world.clock.advance(1)
    for _ in range(5):
        while await world.sender.step():
            pass
        world.clock.advance(3)
        await world.sender.sweep()
    found = await world.report(campaign_id)
    assert found.platforms["Android"].accepted == 12
    assert found.platforms["Web"].in_flight == 4


async def held_up(world: World, campaign_id: UUID) -> list[Waiting]:
    campaign = await world.get(campaign_id)
    async with world.database.read() as connection:
        return await waiting(connection, campaign, world.clock.now())
