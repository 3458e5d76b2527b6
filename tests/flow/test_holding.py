"""What would send is held, says why, and goes on when a person says so."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.campaigns.campaign import RESTORED_REASON
from clarion.campaigns.launches.holding import Held, hold_everything
from clarion.storage.database import Database
from support.api import Service
from support.clock import FakeClock

CAMPAIGN = {"name": "Spring", "content": {"title": "Hello"}, "audience": {"everyone": True}}
HELD = ("paused", RESTORED_REASON)


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        await service.world.devices("one", "two", "three")
        yield service


async def hold(service: Service) -> Held:
    async with service.database.write() as connection:
        return await hold_everything(connection, service.clock)


async def shown(service: Service, campaign: Any) -> tuple[Any, ...]:
    found = await service.get(f"/campaigns/{campaign}")
    return found["state"], found["paused_reason"]


async def test_a_scheduled_campaign_waits_past_its_time_and_launches_when_resumed(
    service: Service,
) -> None:
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-01T12:10:00Z"})
    assert await hold(service) == Held(campaigns=1, launches=0)
    assert await hold(service) == Held(campaigns=0, launches=0), "once is enough"
    service.clock.advance(3_600)
    assert await service.world.scheduler.step() == 0
    assert await shown(service, made["id"]) == HELD
    [entry] = (await service.get("/audit?verb=campaign.pause"))["data"]
    assert entry["changes"]["paused_reason"] == [None, RESTORED_REASON]
    await service.post(f"/campaigns/{made['id']}/resume")
    assert await service.world.scheduler.step() == 1


async def test_a_held_campaign_is_given_another_time(service: Service) -> None:
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-01T12:10:00Z"})
    await hold(service)
    again = await service.post(f"/campaigns/{made['id']}/schedule", {"at": "2026-03-02T09:00:00Z"})
    assert (again["state"], again["paused_reason"]) == ("scheduled", None)


async def test_a_launch_under_way_stops_where_it_was_and_balances_when_resumed(
    service: Service,
) -> None:
    world = service.world
    campaign = await world.campaign()
    await world.scheduler.step()
    await world.planner.step()
    assert await hold(service) == Held(campaigns=0, launches=1)
    assert await shown(service, campaign) == HELD
    while await world.sender.step():
        pass
    assert world.provider.pushes == []
    await service.post(f"/campaigns/{campaign}/resume")
    report = await world.settle(campaign)
    assert (report.total.planned, report.total.accepted) == (3, 3)


async def test_what_a_person_has_paused_stays_theirs(service: Service) -> None:
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-01T12:10:00Z"})
    await service.post(f"/campaigns/{made['id']}/pause")
    assert await hold(service) == Held(campaigns=0, launches=0)
    assert await shown(service, made["id"]) == ("paused", "by a person")
