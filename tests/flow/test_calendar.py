"""When drafts are meant to launch, and what is launched when, on both databases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from clarion.accounts.actor import operator
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.timing.calendar import Calendar, Upcoming
from clarion.campaigns.timing.calendar_queries import list_calendar, upcoming_of
from clarion.faults import Rejected
from clarion.storage.database import Database
from support.api import Service
from support.book import WORKSPACE
from support.clock import FakeClock

DRAFT = {"content": {"title": "Hello"}, "audience": {"everyone": True}}
TIMING = {"at": "2026-03-05T09:00", "zone": "Europe/Vienna", "repeat": {"rule": "daily"}}
LATER = {"at": "2026-03-31T22:30:00Z", "allow_empty": True}
_S = CampaignState


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def made(service: Service, name: str, **more: Any) -> UUID:
    campaign = await service.post("/campaigns", DRAFT | {"name": name} | more)
    return UUID(campaign["id"])


async def calendar(service: Service, begin: datetime, end: datetime) -> Calendar:
    async with service.database.read() as connection:
        return await list_calendar(connection, operator(WORKSPACE), begin=begin, end=end)


async def upcoming(service: Service, timing: dict[str, Any]) -> Upcoming | Rejected:
    async with service.database.read() as connection:
        actor, now = operator(WORKSPACE), service.clock.now()
        return await upcoming_of(connection, actor, timing, now=now, limit=3)


async def test_a_draft_keeps_when_it_is_meant_to_launch_and_schedules_nothing(
    service: Service,
) -> None:
    draft = await made(service, "x", timing=TIMING)
    shown = await service.get(f"/campaigns/{draft}")
    assert (shown["timing"], shown["state"], shown["scheduled_at"]) == (TIMING, "draft", None)
    gone = await service.ask("PATCH", f"/campaigns/{draft}", {"timing": None})
    assert gone.json["timing"] is None


@pytest.mark.parametrize(
    ("timing", "field"),
    [
        ("now", "timing"),
        ({"zone": "UTC"}, "timing"),
        ({"at": "2026-03-05T09:00", "every": "day"}, "timing.every"),
        ({"at": "2026-03-05T09:00", "repeat": "daily"}, "timing.repeat"),
        ({"at": "2026-03-05T09:00", "own_time": {"zone": "UTC"}}, "timing.own_time.zone"),
        ({"at": "2026-03-05T09:00", "zone": "x" * 301}, "timing.zone"),
        ({"at": "2026-03-05T09:00", "repeat": {"except": ["x"] * 401}}, "timing.repeat"),
    ],
)
async def test_what_is_no_time_at_all_is_refused(service: Service, timing: Any, field: str) -> None:
    refused = await service.ask("POST", "/campaigns", DRAFT | {"name": "x", "timing": timing})
    assert (refused.status, [fault["field"] for fault in refused.json["faults"]]) == (422, [field])


@pytest.mark.parametrize(
    ("timing", "field", "says"),
    [
        (
            {"at": "1999-01-01T00:00", "zone": "UTC"},
            "timing.at",
            'lies in the past: 2026-03-02T00:00 would do, or "now"',
        ),
        ({"at": "2028-03-05T09:00", "zone": "UTC"}, "timing.at", "more than 400 days ahead"),
        ({"at": "soon"}, "timing.at", "must be"),
        ({"at": "2026-03-05T09:00"}, "timing.at", "names no time zone"),
        ({"at": "2026-03-05T09:00", "zone": "Mars"}, "timing.zone", ""),
        ({"at": "1999-01-01T00:00", "own_time": {}}, "timing.at", "in every time zone"),
        ({"at": "2026-03-05T09:00", "own_time": {"past": "x"}}, "timing.own_time.past", ""),
        ({"at": "2026-03-05T09:00", "repeat": {"rule": "x"}}, "timing.repeat.rule", ""),
        (
            {"at": "2025-03-05T09:00", "repeat": {"rule": "daily", "until": "2025-04-01"}},
            "timing.repeat.until",
            "leaves no day to come",
        ),
    ],
)
async def test_a_time_that_nothing_can_launch_at_is_not_kept(
    service: Service, timing: Any, field: str, says: str
) -> None:
    draft = await made(service, "x", timing=TIMING)
    for refused in (
        await service.ask("PATCH", f"/campaigns/{draft}", {"timing": timing, "name": "y"}),
        await service.ask("POST", "/campaigns", DRAFT | {"name": "z", "timing": timing}),
    ):
        assert refused.status == 422
        (fault,) = refused.json["faults"]
        assert fault["field"] == field and says in fault["message"]
    kept = await service.get(f"/campaigns/{draft}")
    assert (kept["name"], kept["timing"]) == ("x", TIMING)
    assert len((await service.get("/campaigns"))["data"]) == 1


async def test_a_local_time_that_clocks_skip_is_told_where_it_is_scheduled(
    service: Service,
) -> None:
    """It launches when they go on. So is the first of many; what clocks show is told nothing of."""
    gap = {"at": "2026-03-29T02:30", "zone": "Europe/Vienna"}
    often = gap | {"repeat": {"rule": "weekly"}}
    for timing, code in (
        (gap, ["time_skipped"]),
        (gap | {"zone": "UTC"}, []),
        (often, ["time_skipped"]),
    ):
        made_at = await service.post(
            "/campaigns", DRAFT | {"name": "Gap"} | timing | {"allow_empty": True}
        )
        draft = await made(service, "later")
        schedule = timing | {"allow_empty": True}
        scheduled = await service.post(f"/campaigns/{draft}/schedule", schedule)
        expected = await service.post("/campaigns/forecast", DRAFT | {"name": "Gap"} | timing)
        for told in (made_at, scheduled, expected):
            of_time = [warning for warning in told["warnings"] if warning["field"] == "at"]
            assert [warning["code"] for warning in of_time] == code
        if code:
            assert "it launches when they go on, at 03:00" in of_time[0]["message"]
            assert scheduled["scheduled_at"] == "2026-03-29T01:00:00Z"


async def test_a_kept_time_that_has_passed_keeps_no_other_field_from_being_changed(
    service: Service,
) -> None:
    passed = {"at": "2026-03-05T09:00", "zone": "UTC"}
    draft = await made(service, "x", timing=passed)
    service.clock.advance(30 * 86_400)
    for change in ({"name": "y"}, {"timing": passed, "name": "y"}):
        changed = await service.ask("PATCH", f"/campaigns/{draft}", change)
        assert (changed.status, changed.json["name"], changed.json["timing"]) == (200, "y", passed)


async def test_a_month_shows_what_was_launched_and_every_launch_to_come(service: Service) -> None:
    await service.world.devices("ok-1")
    launched = await made(service, "Launched")
    await service.post(f"/campaigns/{launched}/schedule", {"at": "now"})
    await service.world.settle(launched)
    weekly = await made(service, "Weekly")
    rule = {"rule": "FREQ=WEEKLY", "except": ["2026-03-16"]}
    await service.post(
        f"/campaigns/{weekly}/schedule", {"at": "2026-03-02T09:00", "zone": "UTC", "repeat": rule}
    )
    paused = await made(service, "Paused")
    await service.post(f"/campaigns/{paused}/schedule", LATER)
    await service.post(f"/campaigns/{paused}/pause")
    after = await made(service, "After")
    await service.post(f"/campaigns/{after}/schedule", LATER | {"at": "2026-04-01T00:00:00Z"})
    await made(service, "Draft", timing=TIMING)

    march = await calendar(
        service, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    )
    assert march.is_whole
    assert [
        (entry.name, entry.at.day, entry.state, entry.is_repeated) for entry in march.entries
    ] == [
        ("Launched", 1, _S.DONE, False),
        ("Weekly", 2, _S.SCHEDULED, True),
        ("Weekly", 9, _S.SCHEDULED, True),
        ("Weekly", 23, _S.SCHEDULED, True),
        ("Weekly", 30, _S.SCHEDULED, True),
        ("Paused", 31, _S.PAUSED, False),
    ]
    assert [entry.launch_id is not None for entry in march.entries] == [True] + [False] * 5


async def test_a_calendar_holds_neither_other_workspaces_nor_pushes_to_one_customer(
    service: Service,
) -> None:
    key = await service.make_key_elsewhere()
    body = DRAFT | {"name": "Elsewhere"} | LATER
    assert (await service.ask("POST", "/campaigns", body, key=key)).status == 201
    await service.world.devices("ok-1", user="ada")
    campaign = await made(service, "Order sent", code="order-sent")
    push = await service.ask("POST", "/pushes", {"user_id": "ada", "campaign": str(campaign)})
    assert push.status in (200, 201, 202), push.text
    march = await calendar(
        service, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    )
    assert march.entries == []


async def test_the_next_times_of_a_schedule_and_a_time_that_clocks_skip(service: Service) -> None:
    told = await upcoming(service, TIMING)
    assert isinstance(told, Upcoming)
    assert [at.isoformat() for at in told.times] == [
        "2026-03-05T08:00:00+00:00",
        "2026-03-06T08:00:00+00:00",
        "2026-03-07T08:00:00+00:00",
    ]
    assert (told.zone, told.shifted) == ("Europe/Vienna", False)
    skipped = await upcoming(service, {"at": "2026-03-29T02:30", "zone": "Europe/Vienna"})
    assert isinstance(skipped, Upcoming) and skipped.shifted
    past = await upcoming(service, {"at": "2026-02-01T09:00", "zone": "UTC"})
    assert isinstance(past, Rejected) and "lies in the past" in past.message
    own = await upcoming(service, {"at": "2026-03-05T09:00", "own_time": {}})
    assert isinstance(own, Upcoming)
    assert (own.zone, [at.isoformat() for at in own.times]) == (None, ["2026-03-04T19:00:00+00:00"])
