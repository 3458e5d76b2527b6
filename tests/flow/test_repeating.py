"""A campaign that repeats: each occurrence is a launch, at the right local time, once."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import pytest

from clarion.storage.database import Database
from support.api import Service
from support.clock import FakeClock
from support.watching import live_in, watch
from unit.test_time_zone import ZONES

CAMPAIGN = {"name": "Digest", "content": {"title": "Hello"}, "audience": {"everyone": True}}
HOUR = 3_600.0
AMERICAS, EUROPES = date(2026, 3, 8), date(2026, 3, 29)
SKIP_HALF_PAST_TWO = {
    "America/New_York": AMERICAS,
    "America/Los_Angeles": AMERICAS,
    "America/St_Johns": AMERICAS,
    "Europe/Vienna": EUROPES,
    "Africa/Casablanca": date(2026, 3, 22),  # after Ramadan
}
"""The others of the 24 that are put forward in March skip an earlier hour."""
DAY = 24 * HOUR


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def launches(service: Service, path: str) -> list[Any]:
    """The oldest first."""
    return [launch async for launch in _each(service, path)][::-1]


async def _each(service: Service, path: str) -> AsyncIterator[Any]:
    for launch in (await service.get(f"{path}/launches?limit=100"))["data"]:
        yield launch


async def repeating(service: Service, repeat: dict[str, Any], **when: Any) -> Any:
    body = CAMPAIGN | {"at": "2026-03-02T09:00", "repeat": repeat, "allow_empty": True} | when
    return await service.post("/campaigns", body)


async def test_a_month_of_own_times_in_24_zones_while_clocks_are_put_forward(
    service: Service,
) -> None:
    """At half past two, which clocks skip in America on the 8th, in Europe on the 29th of March
    and in Morocco between: those get it at three."""
    assert len(ZONES) == 24
    people = {zone.replace("/", "-"): zone for zone in ZONES}
    await live_in(service, people)
    rule = {"rule": "FREQ=WEEKLY;BYDAY=SU,WE", "until": "2026-03-31", "except": ["2026-03-18"]}
    when = {"at": "2026-03-03T02:30", "own_time": {}}
    made = await repeating(service, rule, **when)
    assert made["scheduled_at"] == "2026-03-03T12:30:00Z"
    got = await watch(service, 32 * 24)
    days = [date(2026, 3, day) for day in (4, 8, 11, 15, 22, 25, 29)]
    for user, zone in people.items():
        shown = [at.astimezone(ZoneInfo(zone)) for who, at in got if who == user]
        assert [at.date() for at in shown] == days, zone
        for at in shown:
            put_forward = SKIP_HALF_PAST_TWO.get(zone) == at.date()
            assert (at.hour, at.minute) == ((3, 0) if put_forward else (2, 30)), (zone, at)
    path = f"/campaigns/{made['id']}"
    made_launches = await launches(service, path)
    assert [launch["occurrence"] for launch in made_launches] == [
        f"{day.isoformat()}T02:30:00" for day in days
    ]
    for launch in made_launches:
        derived = uuid5(UUID(made["id"]), f"launch:{launch['occurrence']}")
        assert UUID(launch["id"]) == derived
        assert (launch["state"], launch["planned"], launch["accepted"]) == ("done", 24, 24)
    report = await service.get(f"{path}/report")
    assert (report["state"], report["accepted"], report["balances"]) == ("done", 7 * 24, True)


async def test_it_launches_at_the_same_local_time_before_and_after_a_change(
    service: Service,
) -> None:
    await service.world.devices("ok-one")
    made = await repeating(service, {"rule": "weekly"}, zone="Europe/Vienna")
    assert made["repeat"] == {
        "rule": "FREQ=WEEKLY",
        "start": "2026-03-02T09:00:00",
        "next": "2026-03-02T09:00:00",
        "zone": "Europe/Vienna",
        "except": [],
        "missed": "skip",
    }
    got = await watch(service, 5 * 7 * 24)
    assert [at.strftime("%m-%dT%H:%M") for _, at in got] == [
        "03-02T08:00",
        "03-09T08:00",
        "03-16T08:00",
        "03-23T08:00",
        "03-30T07:00",
    ]
    shown = await service.get(f"/campaigns/{made['id']}")
    assert (shown["state"], shown["repeat"]["next"]) == ("scheduled", "2026-04-06T09:00:00")


async def test_without_a_zone_it_is_in_the_workspaces(service: Service) -> None:
    await service.ask("PATCH", "/workspace", {"time_zone": "Asia/Tokyo"})
    made = await repeating(service, {"rule": "FREQ=DAILY;COUNT=3"})
    assert (made["scheduled_at"], made["repeat"]["zone"]) == ("2026-03-02T00:00:00Z", "Asia/Tokyo")
    await service.world.devices("ok-one")
    assert len(await watch(service, 10 * 24)) == 3
    assert (await service.get(f"/campaigns/{made['id']}"))["state"] == "done"


@pytest.mark.parametrize(
    ("missed", "occurrences"),
    [
        ("skip", ["03-02", "03-06"]),
        ("make_up", ["03-02", "03-05", "03-06"]),
    ],
)
async def test_what_was_missed_is_skipped_or_made_up_as_chosen(
    service: Service, missed: str, occurrences: list[str]
) -> None:
    """Nothing runs from the 2nd at noon to the 5th at eleven."""
    await service.world.devices("ok-one")
    made = await repeating(service, {"rule": "daily", "missed": missed}, zone="UTC")
    await watch(service, 24)
    service.clock.advance(2 * DAY + 23 * HOUR)
    got = await watch(service, 24)
    assert [launch["occurrence"][5:10] for launch in await launches(service, path_of(made))] == (
        occurrences
    )
    at_once = datetime(2026, 3, 5, 11, tzinfo=UTC)
    assert (("one", at_once) in [(user.removeprefix("user-"), at) for user, at in got]) == (
        missed == "make_up"
    )
    log = (await service.get("/audit?limit=50"))["data"]
    skipped = [entry for entry in log if entry["verb"] == "campaign.skip"]
    assert len(skipped) == (missed == "skip")


async def test_a_little_late_is_not_missed(service: Service) -> None:
    await service.world.devices("ok-one")
    made = await repeating(service, {"rule": "daily"}, zone="UTC")
    service.clock.advance(22 * HOUR - 60)  # it is due at 21 hours from now
    got = await watch(service, 0.1)
    assert len(got) == 1
    assert (await service.get(path_of(made)))["repeat"]["next"] == "2026-03-03T09:00:00"


async def test_to_pause_resume_and_cancel_it_holds_for_all_launches_that_go_on(
    service: Service,
) -> None:
    """Of own times two launches go on at once: the west has not had its turn, the east has."""
    people = {"kiribati": "Pacific/Kiritimati", "samoa": "Pacific/Pago_Pago"}
    await live_in(service, people)
    made = await repeating(service, {"rule": "daily"}, own_time={})
    path = path_of(made)
    assert made["scheduled_at"] == "2026-03-01T19:00:00Z"
    first = await watch(service, 7 + 24.5)  # a day later, half an hour before the west's turn
    assert Counter(user for user, _ in first) == {"kiribati": 2}
    assert {launch["state"] for launch in await launches(service, path)} == {"sending"}
    assert (await service.post(f"{path}/pause"))["state"] == "paused"
    assert {launch["state"] for launch in await launches(service, path)} == {"paused"}
    assert await watch(service, 0.25) == []
    assert (await service.post(f"{path}/resume"))["state"] == "scheduled"
    assert {launch["state"] for launch in await launches(service, path)} == {"sending"}
    [(user, at)] = await watch(service, 1)
    assert (user, at.astimezone(ZoneInfo(people[user])).strftime("%dT%H:%M")) == (
        "samoa",
        "02T09:00",
    )
    assert (await service.post(f"{path}/cancel"))["state"] == "cancelled"
    assert await watch(service, 72) == []
    states = [launch["state"] for launch in await launches(service, path)]
    assert states == ["done", "cancelled"]
    report = await service.get(f"{path}/report")
    assert (report["accepted"], report["cancelled"], report["balances"]) == (3, 1, True)


async def test_scheduled_again_for_an_occurrence_that_has_launched_it_is_not_repeated(
    service: Service,
) -> None:
    await live_in(service, {"kiribati": "Pacific/Kiritimati"})
    repeat = {"rule": "daily"}
    made = await repeating(service, repeat, own_time={})
    assert len(await watch(service, 8)) == 1
    again = {"at": "2026-03-02T09:00", "own_time": {}, "repeat": repeat}
    moved = await service.post(f"{path_of(made)}/schedule", again)
    assert moved["repeat"]["next"] == "2026-03-03T09:00:00"
    assert len(await watch(service, 24)) == 1


@pytest.mark.parametrize(
    ("repeat", "field"),
    [
        ({}, "repeat.rule"),
        ("daily", "repeat"),
        ({"rule": "hourly"}, "repeat.rule"),
        ({"rule": "FREQ=HOURLY"}, "repeat.rule"),
        ({"rule": "FREQ=DAILY;COUNT=0"}, "repeat.rule"),
        ({"rule": "FREQ=DAILY;COUNT=2;UNTIL=20260401"}, "repeat.rule"),
        ({"rule": "FREQ=DAILY;COUNT=2", "until": "2026-04-01"}, "repeat.until"),
        ({"rule": "FREQ=WEEKLY;BYDAY=1MO"}, "repeat.rule"),
        ({"rule": "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "until": "2026-03-30"}, "repeat.until"),
        ({"rule": "daily", "until": "2026-02-30"}, "repeat.until"),
        ({"rule": "daily", "until": "2026-02-01"}, "repeat.until"),
        ({"rule": "daily", "until": "2026-03-02", "except": ["2026-03-02"]}, "repeat.except"),
        ({"rule": "daily", "except": "2026-03-02"}, "repeat.except"),
        ({"rule": "daily", "except": ["2 March"]}, "repeat.except"),
        ({"rule": "daily", "missed": "wait"}, "repeat.missed"),
        ({"rule": "daily", "times": 2}, "repeat.times"),
    ],
)
async def test_a_repetition_that_can_not_work_is_refused(
    service: Service, repeat: Any, field: str
) -> None:
    body = CAMPAIGN | {"at": "2026-03-02T09:00", "repeat": repeat}
    refused = await service.ask("POST", "/campaigns", body)
    assert refused.status == 422
    assert refused.json["faults"][0]["field"] == field
    assert (await service.get("/campaigns"))["data"] == []


def path_of(campaign: Any) -> str:
    return f"/campaigns/{campaign['id']}"
