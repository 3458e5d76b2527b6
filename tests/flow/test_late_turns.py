"""Clarion stands still while clocks come to the time of a campaign at each customer's own time:
nobody gets it at an hour that nobody wanted."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clarion.storage.database import Database
from flow.test_limits import set_limits, work
from support.api import Service
from support.clock import FakeClock
from support.watching import live_in, watch

ZONES = {"tokyo": "Asia/Tokyo", "vienna": "Europe/Vienna", "denver": "America/Denver"}
CAMPAIGN = {"name": "Morning", "content": {"title": "Hello"}, "audience": {"everyone": True}}
AT = {"at": "2026-03-03T09:00"}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        await live_in(service, ZONES)
        yield service


async def sleep_until(service: Service, at: str) -> None:
    """Nothing runs until then."""
    seconds = (datetime.fromisoformat(at) - service.clock.now()).total_seconds()
    service.clock.advance(seconds)
    await service.world.sender.sweep()
    await service.world.scheduler.nudge()


async def got(service: Service, hours: float) -> dict[str, str]:
    """Who gets it in these hours, and what their clock shows then; nobody gets it twice."""
    pushes = await watch(service, hours)
    assert len({user for user, _ in pushes}) == len(pushes)
    return {
        user: at.astimezone(ZoneInfo(ZONES[user])).strftime("%m-%dT%H:%M") for user, at in pushes
    }


async def report_of(service: Service, made: dict[str, Any]) -> Any:
    report = await service.get(f"/campaigns/{made['id']}/report")
    assert report["balances"]
    return report


async def up_to_tokyo(service: Service, **own: Any) -> dict[str, Any]:
    """A campaign at 09:00, of which Tokyo has got it."""
    made: dict[str, Any] = await service.post("/campaigns", CAMPAIGN | AT | {"own_time": own})
    await sleep_until(service, "2026-03-02T19:00:00+00:00")
    assert await got(service, 6) == {"tokyo": "03-03T09:00"}
    return made


async def test_who_was_missed_gets_it_at_that_time_of_the_next_day(service: Service) -> None:
    """Vienna's turn was at 08:00 in UTC; Denver's, at 16:00, is still to come."""
    made = await up_to_tokyo(service)
    await sleep_until(service, "2026-03-03T15:00:00+00:00")
    assert await got(service, 0.5) == {}
    report = await report_of(service, made)
    assert (report["in_flight"], report["reasons"]["in_flight"]) == (2, {"late": 1})
    why = await service.get(f"/customers/vienna/campaigns/{made['id']}")
    assert "waits until 2026-03-04 08:00 UTC" in why["sentence"]
    assert "their turn had passed" in why["sentence"]
    assert await got(service, 30) == {"denver": "03-03T09:00", "vienna": "03-04T09:00"}
    report = await report_of(service, made)
    assert (report["state"], report["accepted"]) == ("done", 3)


async def test_who_was_missed_is_skipped_where_the_campaign_says_so(service: Service) -> None:
    made = await up_to_tokyo(service, late="skip")
    assert made["own_time"]["late"] == "skip"
    await sleep_until(service, "2026-03-03T15:00:00+00:00")
    assert await got(service, 48) == {"denver": "03-03T09:00"}
    report = await report_of(service, made)
    assert report["reasons"]["skipped"] == {"late": 1}
    why = await service.get(f"/customers/vienna/campaigns/{made['id']}")
    assert "was skipped, since it was too late for it" in why["sentence"]


async def test_a_turn_that_is_a_little_late_is_sent(service: Service) -> None:
    await up_to_tokyo(service, late="skip")
    await sleep_until(service, "2026-03-03T08:59:00+00:00")
    assert await got(service, 12) == {"vienna": "03-03T09:59", "denver": "03-03T09:00"}


async def test_what_a_person_resumes_is_not_late(service: Service) -> None:
    made = await up_to_tokyo(service, late="skip")
    await service.post(f"/campaigns/{made['id']}/pause", {})
    assert await got(service, 7.5) == {}
    await sleep_until(service, "2026-03-05T12:00:00+00:00")
    await service.post(f"/campaigns/{made['id']}/resume", {})
    assert (await got(service, 1)).keys() >= {"vienna"}


@pytest.mark.parametrize("late", ["tomorrow", "skip"])
async def test_a_pause_of_the_firebase_app_that_ends_by_itself_lets_nothing_out_too_late(
    service: Service, late: str
) -> None:
    """Nobody has acted: FCM refused the key from before Vienna's turn until after it."""
    made = await up_to_tokyo(service, late=late)
    service.world.provider.broken = True
    assert await got(service, 12) == {}  # 13:00 in UTC: five hours after Vienna's turn
    service.world.provider.broken = False
    put_off = {"vienna": "03-04T09:00"} if late == "tomorrow" else {}
    assert await got(service, 36) == {"denver": "03-03T09:00"} | put_off
    report = await report_of(service, made)
    skipped = report["reasons"].get("skipped", {})
    assert (report["state"], skipped) == ("done", {} if late == "tomorrow" else {"late": 1})


async def test_a_short_pause_of_the_firebase_app_makes_no_turn_late(service: Service) -> None:
    await up_to_tokyo(service, late="skip")
    assert await got(service, 6.5) == {}
    service.world.provider.broken = True
    assert await got(service, 1) == {}  # half an hour after Vienna's turn
    service.world.provider.broken = False
    sent: dict[str, str] = {}
    for _ in range(4):  # the sweep looks every few seconds, not only when something is due
        sent |= await got(service, 0.1)
    assert sent.keys() == {"vienna"}
    assert "03-03T09:30" <= sent["vienna"] < "03-03T10:00"


async def test_what_waited_for_a_person_to_resume_the_firebase_app_is_not_late(
    service: Service,
) -> None:
    await up_to_tokyo(service, late="skip")
    [app] = (await service.get("/firebase-apps"))["data"]
    await service.post(f"/firebase-apps/{app['id']}/pause", {"reason": "The key is exchanged."})
    assert await got(service, 12) == {}
    await service.post(f"/firebase-apps/{app['id']}/resume", {})
    assert (await got(service, 1)).keys() == {"vienna"}


async def test_an_occurrence_that_is_missed_for_a_zone_is_left_to_the_next_one(
    service: Service,
) -> None:
    """Daily, of which missed ones are skipped: nobody gets two of them in one day."""
    repeat = {"repeat": {"rule": "daily", "until": "2026-03-04"}, "own_time": {}}
    made = await service.post("/campaigns", CAMPAIGN | AT | repeat)
    await sleep_until(service, "2026-03-02T19:00:00+00:00")
    assert await got(service, 6) == {"tokyo": "03-03T09:00"}
    await sleep_until(service, "2026-03-03T15:00:00+00:00")
    assert await got(service, 3) == {"denver": "03-03T09:00"}
    assert await got(service, 36) == dict.fromkeys(ZONES, "03-04T09:00")
    assert (await report_of(service, made))["reasons"]["skipped"] == {"late": 1}


@pytest.mark.parametrize("late", ["tomorrow", "skip"])
async def test_who_is_planned_too_late_waits_or_is_skipped_as_well(
    service: Service, late: str
) -> None:
    """The launch had begun, and nothing was planned, when everything stopped."""
    body = CAMPAIGN | AT | {"own_time": {"late": late}, "late_after_minutes": 30}
    made = await service.post("/campaigns", body)
    await sleep_until(service, "2026-03-02T19:00:00+00:00")
    await service.world.scheduler.step()
    await sleep_until(service, "2026-03-03T12:00:00+00:00")
    put_off = {"tokyo": "03-04T09:00", "vienna": "03-04T09:00"} if late == "tomorrow" else {}
    assert await got(service, 36) == put_off | {"denver": "03-03T09:00"}
    skipped = (await report_of(service, made))["reasons"].get("skipped", {})
    assert skipped == ({} if late == "tomorrow" else {"late": 2})


async def test_quiet_hours_hold_for_a_turn_that_was_put_off(service: Service) -> None:
    await up_to_tokyo(service)
    await set_limits(service, quiet_hours={"start": "08:00", "end": "10:00"})
    got_it = []
    for at in ("03T15:00", "04T08:00", "04T08:59", "04T09:00"):
        await sleep_until(service, f"2026-03-{at}:00+00:00")
        await work(service)
        got_it.append("ok-vienna" in {push.token for push in service.world.provider.pushes})
    assert got_it == [False, False, False, True]


async def test_what_there_is_not_to_choose_is_refused_by_its_field(service: Service) -> None:
    for when, field in (
        ({"own_time": {"late": "never"}}, "own_time.late"),
        ({"own_time": {"late": "skip"}, "repeat": {"rule": "daily"}}, "own_time.late"),
    ):
        answer = await service.ask("POST", "/campaigns", CAMPAIGN | AT | when)
        assert [fault["field"] for fault in answer.json["faults"]] == [field]
