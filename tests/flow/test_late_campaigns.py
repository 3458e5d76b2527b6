"""A campaign whose time passed while nothing ran waits for a person, and says so."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from clarion.campaigns.campaign import LATE_REASON
from clarion.campaigns.launches.scheduler import Scheduler, SchedulerOptions
from clarion.storage.database import Database
from support.api import Service
from support.clock import FakeClock

CAMPAIGN = {"name": "Spring", "content": {"title": "Hello"}, "audience": {"everyone": True}}
HOUR = 3_600.0


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        await service.world.devices("one", "two")
        yield service


async def scheduled(service: Service) -> str:
    """A campaign for in ten minutes: its path."""
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-01T12:10:00Z"})
    return f"/campaigns/{made['id']}"


async def shown(service: Service, path: str) -> tuple[Any, ...]:
    found = await service.get(path)
    return found["state"], found["paused_reason"]


async def test_after_a_long_outage_nothing_is_sent_and_everybody_is_told(service: Service) -> None:
    path = await scheduled(service)
    service.clock.advance(15 * HOUR)
    with capture_logs() as logs:
        assert await service.world.scheduler.step() == 0
        assert await service.world.scheduler.step() == 0
    assert await shown(service, path) == ("paused", LATE_REASON)
    assert (await service.get(f"{path}/report"))["planned"] == 0
    [line] = [log for log in logs if log["event"] == "campaign_late"]
    assert (line["log_level"], path.endswith(line["campaign"])) == ("warning", True)
    assert line["scheduled_at"] == "2026-03-01T12:10:00+00:00"


async def test_after_a_short_outage_it_launches(service: Service) -> None:
    path = await scheduled(service)
    service.clock.advance(HOUR)
    assert await service.world.scheduler.step() == 1
    assert await shown(service, path) == ("launching", None)


async def test_a_person_who_resumes_a_late_campaign_launches_it(service: Service) -> None:
    path = await scheduled(service)
    service.clock.advance(15 * HOUR)
    await service.world.scheduler.step()
    assert (await service.post(f"{path}/resume"))["state"] == "scheduled"
    assert await service.world.scheduler.step() == 1
    assert (await service.world.settle(path_id(path))).total.planned == 2


async def test_a_person_who_resumes_it_while_nothing_runs_is_asked_again(service: Service) -> None:
    path = await scheduled(service)
    service.clock.advance(15 * HOUR)
    await service.world.scheduler.step()
    await service.post(f"{path}/resume")
    service.clock.advance(2 * HOUR)
    assert await service.world.scheduler.step() == 0
    assert await shown(service, path) == ("paused", LATE_REASON)


async def test_a_late_campaign_is_given_another_time(service: Service) -> None:
    path = await scheduled(service)
    service.clock.advance(15 * HOUR)
    await service.world.scheduler.step()
    again = await service.post(f"{path}/schedule", {"at": "2026-03-02T09:00:00Z"})
    assert (again["state"], again["paused_reason"]) == ("scheduled", None)
    assert await service.world.scheduler.step() == 0
    service.clock.advance(7 * HOUR)
    assert await service.world.scheduler.step() == 1


async def test_a_late_campaign_can_be_cancelled(service: Service) -> None:
    path = await scheduled(service)
    service.clock.advance(15 * HOUR)
    await service.world.scheduler.step()
    assert (await service.post(f"{path}/cancel"))["state"] == "cancelled"
    assert await service.world.scheduler.step() == 0


@pytest.mark.parametrize(("minutes", "state"), [(5, "paused"), (30, "launching")])
async def test_how_late_is_too_late_is_a_setting(
    service: Service, minutes: int, state: str
) -> None:
    path = await scheduled(service)
    service.clock.advance(20 * 60)
    world = service.world
    scheduler = Scheduler(
        world.database, world.broker, world.clock, SchedulerOptions(late_minutes=minutes)
    )
    await scheduler.step()
    assert (await shown(service, path))[0] == state


async def test_one_that_a_person_resumes_long_after_its_time_launches(service: Service) -> None:
    path = await scheduled(service)
    await service.post(f"{path}/pause")
    service.clock.advance(15 * HOUR)
    assert await service.world.scheduler.step() == 0
    assert (await service.get(path))["paused_reason"] == "by a person"
    await service.post(f"{path}/resume")
    assert await service.world.scheduler.step() == 1


def path_id(path: str) -> UUID:
    return UUID(path.rpartition("/")[2])
