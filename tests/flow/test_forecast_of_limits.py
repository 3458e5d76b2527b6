"""What a forecast says of the workspace's limits is what then becomes of the campaign."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from clarion.accounts.actor import system
from clarion.agent import AgentName
from clarion.campaigns.queries import forecast_campaign
from clarion.deliveries.limits.forecast import forecast_limits
from clarion.faults import Rejected
from clarion.storage.database import Database
from flow.test_limits import LEFT_NEWS, identify, people, run, sent, set_limits
from support.api import Service
from support.book import WORKSPACE
from support.clock import FakeClock
from support.watching import live_in

DRAFT = {"name": "C", "content": {"title": "Hi"}, "audience": {"everyone": True}}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def forecast(service: Service, **fields: Any) -> Any:
    return (await service.post("/campaigns/forecast", DRAFT | fields))["limits"]


def foreseen(limits: dict[str, Any]) -> dict[str, int]:
    names = ("excluded", "category_left", "quiet_hours", "frequency_cap")
    return {name: limits[name] for name in names if limits[name]}


async def test_a_workspace_without_limits_has_nothing_to_foresee(service: Service) -> None:
    await people(service, "ada")
    assert await forecast(service) is None
    await set_limits(service, caps=[{"pushes": 1, "days": 1}])
    assert await forecast(service, transactional=True) is None


async def test_every_limit_is_foreseen_as_it_then_is(service: Service) -> None:
    """Each device is counted under the first limit that stands against it, as in the account."""
    await people(service, "ada", "bob", "cem", "dan", "eve")
    await set_limits(service, caps=[{"pushes": 1, "days": 1}])
    await run(service, audience={"user_ids": ["ada", "bob"]})
    await identify(service, "bob", LEFT_NEWS)
    await identify(service, "cem", LEFT_NEWS)
    await identify(service, "dan", LEFT_NEWS)
    out = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    await identify(service, "eve", out)
    await set_limits(service, exclusions={"user_ids": ["dan"]})
    fields = {"category": "news", "at": "now"}
    limits = await forecast(service, **fields)
    assert (limits["looked_at"], limits["is_estimate"]) == (5, False)
    assert foreseen(limits) == {"excluded": 1, "category_left": 2, "frequency_cap": 1}
    report = await run(service, **fields)
    reasons = report["reasons"]["skipped"]
    assert reasons == foreseen(limits) | {"opted_out": 1}


async def test_quiet_hours_are_those_of_each_customer_at_the_time_of_the_launch(
    service: Service,
) -> None:
    """The clock shows noon in UTC: it is 21:00 in Tokyo and 05:00 in Denver."""
    await live_in(service, {"tokyo": "Asia/Tokyo", "denver": "America/Denver", "uk": "UTC"})
    quiet = {"start": "22:00", "end": "08:00", "action": "skip"}
    await set_limits(service, quiet_hours=quiet)
    noon = service.clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    service.clock.advance((noon - service.clock.now()).total_seconds())
    assert foreseen(await forecast(service, at="now")) == {"quiet_hours": 1}
    later = noon.replace(hour=14).isoformat()
    made = await service.post("/campaigns", DRAFT)
    path = f"/campaigns/{made['id']}/forecast?at={later.replace('+', '%2B')}"
    assert foreseen((await service.get(path))["limits"]) == {"quiet_hours": 2}
    own = {"at": f"{noon:%Y-%m-%d}T23:00", "own_time": {}}
    assert foreseen(await forecast(service, **own)) == {"quiet_hours": 3}
    await set_limits(service, quiet_hours=quiet | {"action": "hold"})
    limits = await forecast(service, at="now")
    assert (foreseen(limits), limits["held"]) == ({}, 1)
    report = await sent(service, (await service.post("/campaigns", DRAFT | {"at": "now"}))["id"])
    assert (report["accepted"], report["in_flight"]) == (2, 1)


async def test_of_a_large_audience_a_part_is_looked_at_and_stands_for_all(service: Service) -> None:
    names = [f"u{number}" for number in range(8)]
    await people(service, *names)
    await set_limits(service, exclusions={"user_ids": names})
    made = await service.post("/campaigns", DRAFT)
    actor, now = system(WORKSPACE, AgentName.SCHEDULER), service.clock.now()
    async with service.database.read() as connection:
        expected = await forecast_campaign(connection, actor, UUID(made["id"]), now=now)
        assert not isinstance(expected, Rejected)
        limits = await forecast_limits(connection, actor, expected, now=now, looked_at_max=2)
    assert limits is not None
    assert (limits.looked_at, limits.is_estimate, limits.excluded) == (2, True, 8)
