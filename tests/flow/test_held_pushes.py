"""Quiet hours over HTTP: pushes wait for the morning of each customer, or are left out."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from flow.test_limits import (
    identify,
    make,
    people,
    run,
    sent,
    set_limits,
    skipped,
    take,
)
from support.api import Service, assert_is, register
from support.clock import FakeClock

NIGHT = {"start": "22:00", "end": "08:00"}
ZONES = {
    "kiri": "Pacific/Kiritimati",
    "tokyo": "Asia/Tokyo",
    "kath": "Asia/Kathmandu",
    "vienna": "Europe/Vienna",
    "york": "America/New_York",
    "hono": "Pacific/Honolulu",
}
BEFORE_THE_CHANGE = datetime.fromisoformat("2026-03-28T21:30:00+00:00")
"""In Vienna it is 22:30; in the night that follows clocks are put forward."""


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


def go_to(service: Service, at: datetime) -> None:
    service.clock.advance((at - service.clock.now()).total_seconds())


async def people_of_the_world(service: Service) -> None:
    await people(service, *ZONES)
    for name, zone in ZONES.items():
        await identify(service, name, {"timezone": zone})


async def states(service: Service, campaign_id: str) -> dict[str, tuple[str, str | None]]:
    rows = await service.get(f"/deliveries?campaign={campaign_id}")
    return {row["customer"]["user_id"]: (row["state"], row["reason"]) for row in rows["data"]}


async def test_each_push_waits_for_its_customers_morning(service: Service) -> None:
    await people_of_the_world(service)
    go_to(service, BEFORE_THE_CHANGE)
    await set_limits(service, quiet_hours=NIGHT)
    campaign_id = await make(service)
    report = await sent(service, campaign_id)
    quiet = {"tokyo", "kath", "vienna"}
    assert report["reasons"]["in_flight"] == {"quiet_hours": len(quiet)}
    assert (report["accepted"], report["in_flight"]) == (len(ZONES) - len(quiet), len(quiet))
    accepted_at: dict[str, datetime] = {}
    for _ in range(12 * 4):
        for name, (state, _reason) in (await states(service, campaign_id)).items():
            if state == "accepted":
                accepted_at.setdefault(name, service.clock.now())
        service.clock.advance(15 * 60)
        report = await sent(service, campaign_id)
    assert (report["state"], report["accepted"]) == ("done", len(ZONES))
    mornings = {name: accepted_at[name].astimezone(ZoneInfo(ZONES[name])) for name in quiet}
    assert {f"{at:%H:%M}" for at in mornings.values()} == {"08:00"}
    assert str(mornings["vienna"].utcoffset()) == "2:00:00", "after the change"


async def test_where_they_skip_nobody_is_sent_to_later(service: Service) -> None:
    await people_of_the_world(service)
    go_to(service, BEFORE_THE_CHANGE)
    await set_limits(service, quiet_hours={**NIGHT, "action": "skip"})
    assert await skipped(service) == {"quiet_hours": 3}
    assert await skipped(service, transactional=True) == {}


async def test_who_tells_no_zone_is_in_that_of_the_workspace(service: Service) -> None:
    await people(service, "ada")
    go_to(service, BEFORE_THE_CHANGE)
    await set_limits(service, quiet_hours={**NIGHT, "action": "skip"})
    assert await skipped(service) == {}
    assert (await service.ask("PATCH", "/workspace", {"time_zone": "Asia/Tokyo"})).status == 200
    assert await skipped(service) == {"quiet_hours": 1}


async def test_what_waits_keeps_no_chunk_and_no_other_campaign(service: Service) -> None:
    await people(service, "ada", "bob")
    await identify(service, "ada", {"timezone": "Europe/Vienna"})
    go_to(service, BEFORE_THE_CHANGE)
    await set_limits(service, quiet_hours=NIGHT)
    first = await make(service)
    assert (await sent(service, first))["accepted"] == 1
    second = await make(service, audience={"user_ids": ["bob"]})
    assert (await sent(service, second))["state"] == "done"
    await service.post(f"/campaigns/{first}/cancel")
    report = await sent(service, first)
    assert (report["cancelled"], report["accepted"], report["in_flight"]) == (1, 1, 0)


async def test_what_waits_for_the_morning_is_not_reserved_and_checked_again(
    service: Service,
) -> None:
    await people(service, "ada")
    await identify(service, "ada", {"timezone": "Europe/Vienna"})
    go_to(service, BEFORE_THE_CHANGE)
    await set_limits(service, quiet_hours=NIGHT, caps=[{"pushes": 1, "days": 1}])
    first, second = await make(service), await make(service)
    assert (await sent(service, first))["in_flight"] == 1
    assert (await sent(service, second))["in_flight"] == 1
    go_to(service, datetime.fromisoformat("2026-03-29T06:00:00+00:00"))
    reports = [await sent(service, first), await sent(service, second)]
    assert sorted((report["accepted"], report["skipped"]) for report in reports) == [(0, 1), (1, 0)]


async def test_quiet_hours_that_end_earlier_by_a_change_hold_for_what_is_sent_next(
    service: Service,
) -> None:
    await take(service, register("m-1", "D-1", "ok-1", user="ada"))
    go_to(service, BEFORE_THE_CHANGE)
    await set_limits(service, quiet_hours={"start": "21:00", "end": "23:00"})
    report = await run(service)
    assert report["in_flight"] == 1
    await set_limits(service, quiet_hours=None)
    assert (await run(service))["accepted"] == 1


async def test_quiet_hours_that_can_not_be_are_refused(service: Service) -> None:
    wrong: dict[str, Any] = {"start": "25:00", "end": "08:00"}
    answer = await service.ask("PATCH", "/workspace/limits", {"quiet_hours": wrong})
    assert_is(answer, ErrorCode.INVALID)
    assert [fault["field"] for fault in answer.json["faults"]] == ["quiet_hours.start"]
