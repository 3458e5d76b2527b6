"""A launch has its own state, reason, times and account; one that fails says so."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from clarion.broker import JobKind
from clarion.campaigns.campaign import CampaignState, pause, resume
from clarion.campaigns.launches.launch import launch_id
from clarion.deliveries.planning.planner import Planner, PlannerOptions
from clarion.storage.database import Database
from clarion.storage.schema import campaigns
from clarion.web.api.errors import ErrorCode
from flow.test_planning import OPTIONS, Interrupted
from support.api import Service, assert_is
from support.clock import FakeClock
from support.world import World

LEASE_OVER = PlannerOptions().lease_seconds + 1


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def test_a_launch_is_shown_with_its_state_times_and_account(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        world = service.world
        await world.devices("ok-1", "ok-2", "ok-3", "dead-1")
        campaign_id = await world.campaign()
        path = f"/campaigns/{campaign_id}/launches"
        assert (await service.get(path))["data"] == []
        due_at = service.clock.now()
        service.clock.advance(5)
        await world.scheduler.step()
        [launch] = (await service.get(path))["data"]
        assert (launch["state"], launch["occurrence"], launch["planned"]) == ("planning", "1", 0)
        assert launch["due_at"] == due_at.isoformat().replace("+00:00", "Z")
        assert launch["started_at"] > launch["due_at"]
        while await world.planner.step():
            pass
        await world.change(campaign_id, pause)
        launch = await service.get(f"/launches/{launch['id']}")
        assert (launch["state"], launch["reason"]) == ("paused", "by a person")
        assert (launch["planned"], launch["in_flight"]) == (4, 4)
        await world.change(campaign_id, resume)
        await world.settle(campaign_id)
        launch = await service.get(f"/launches/{launch['id']}")
        assert (launch["state"], launch["reason"], launch["campaign_id"]) == (
            "done",
            None,
            str(campaign_id),
        )
        assert (launch["planned"], launch["accepted"], launch["unregistered"]) == (4, 3, 1)
        assert launch["in_flight"] == 0
        assert launch["done_at"] >= launch["planned_at"] >= launch["started_at"]
        assert_is(await service.ask("GET", f"/launches/{UUID(int=9)}"), ErrorCode.NOT_FOUND)
        assert_is(
            await service.ask("GET", f"/campaigns/{UUID(int=9)}/launches"), ErrorCode.NOT_FOUND
        )


async def test_what_becomes_of_a_launch_by_itself_is_in_the_audit_log(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1")
        campaign_id = await service.world.campaign()
        await service.world.settle(campaign_id)
        log = (await service.get(f"/audit?thing_kind=campaign&thing_id={campaign_id}"))["data"]
        finish = next(entry for entry in log if entry["verb"] == "campaign.finish")
        assert finish["actor"] == {"kind": "system", "id": None, "name": "sender"}
        assert finish["changes"] == {
            "state": ["sending", "done"],
            "launch_id": str(launch_id(campaign_id, "1")),
        }
        assert [entry["verb"] for entry in log].count("campaign.finish") == 1


async def rewrite_audience(world: World, campaign_id: UUID, audience: Any) -> Any:
    """Returns what was there."""
    it = campaigns.c.id == campaign_id
    async with world.database.write() as connection:
        before = (await connection.execute(select(campaigns.c.audience).where(it))).scalar_one()
        await connection.execute(update(campaigns).where(it).values(audience=audience))
    return before


async def test_a_launch_that_can_not_be_planned_fails_and_is_never_done(world: World) -> None:
    await world.devices(*(f"ok-{number}" for number in range(8)))
    campaign_id = await world.campaign()
    await world.scheduler.step()
    good = await rewrite_audience(world, campaign_id, {"nobody knows": "this rule"})
    tries = 0
    while await world.broker.depth(JobKind.LAUNCH):
        tries += 1
        try:
            await world.planner.step()
        except AssertionError:
            world.clock.advance(LEASE_OVER)
    assert tries == PlannerOptions().tries_max
    await rewrite_audience(world, campaign_id, good)
    campaign = await world.get(campaign_id)
    assert campaign.state is CampaignState.FAILED
    assert "planning failed 5 times (AssertionError)" in (campaign.paused_reason or "")
    await world.scheduler.nudge()
    assert not await world.broker.depth(JobKind.LAUNCH), "it is not tried again and again"
    report = await world.settle(campaign_id, hours=0.1)
    assert (report.total.planned, report.balances) == (0, True)
    assert world.provider.accepted == {}


async def test_what_a_failed_launch_had_planned_is_settled_as_cancelled(world: World) -> None:
    await world.devices(*(f"ok-{number}" for number in range(8)))
    campaign_id = await world.campaign()
    await world.scheduler.step()
    database = Interrupted(world.database)
    once = replace(OPTIONS, tries_max=1)
    good: list[Any] = []

    async def after_the_first_page_is_read() -> None:
        good.append(await rewrite_audience(world, campaign_id, {"nobody knows": "this rule"}))

    database.before_write = after_the_first_page_is_read
    await Planner(database, world.broker, world.clock, once).step()
    await rewrite_audience(world, campaign_id, good[0])
    assert (await world.get(campaign_id)).state is CampaignState.FAILED
    report = await world.settle(campaign_id, hours=0.1)
    assert (report.total.planned, report.total.cancelled, report.total.in_flight) == (5, 5, 0)
    assert report.balances
    assert (await world.get(campaign_id)).state is CampaignState.FAILED
    assert world.provider.accepted == {}


async def test_an_app_that_answers_pause_and_let_go_on_is_in_the_audit_log(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        world = service.world
        await world.devices(*(f"ok-{number}" for number in range(6)))
        world.make_agents()
        world.provider.broken = True
        campaign_id = await world.campaign()
        await world.settle(campaign_id, hours=0.1)
        world.provider.broken = False
        await world.settle(campaign_id)
        log = (await service.get("/audit?thing_kind=firebase_app"))["data"]
        assert [entry["verb"] for entry in log] == ["firebase_app.resume", "firebase_app.pause"]
        assert {entry["actor"]["name"] for entry in log} == {"sender"}
        resumed, paused = (entry["changes"]["paused_reason"] for entry in log)
        assert paused[0] is None and "permission_denied" in paused[1]
        assert resumed == [paused[1], None]
