"""A campaign at each customer's own time: everybody gets it once, when their own clock shows it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clarion.deliveries.planning.planner import Planner, PlannerOptions
from clarion.storage.database import Database
from flow.test_planning import Interrupted
from support.api import Service
from support.clock import FakeClock
from support.watching import live_in, watch

CAMPAIGN = {"name": "Morning", "content": {"title": "Hello"}, "audience": {"everyone": True}}
ZONES = {
    "kiribati": "Pacific/Kiritimati",
    "tokyo": "Asia/Tokyo",
    "kathmandu": "Asia/Kathmandu",
    "vienna": "Europe/Vienna",
    "denver": "America/Denver",
    "samoa": "Pacific/Pago_Pago",
}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def got_once(service: Service, hours: float) -> dict[str, datetime]:
    """When each got it. Nobody gets it twice."""
    got = await watch(service, hours)
    assert len({user for user, _ in got}) == len(got), "twice"
    return dict(got)


def local(got: dict[str, datetime]) -> dict[str, str]:
    return {
        user: at.astimezone(ZoneInfo(ZONES[user])).strftime("%m-%dT%H:%M")
        for user, at in got.items()
    }


async def test_everybody_gets_it_when_their_own_clock_shows_the_time(service: Service) -> None:
    await live_in(service, ZONES)
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-03T09:00", "own_time": {}})
    assert made["own_time"] == {
        "at": "2026-03-03T09:00:00",
        "fallback": "UTC",
        "past": "at_once",
        "late": "tomorrow",
    }
    assert made["scheduled_at"] == "2026-03-02T19:00:00Z"
    got = await got_once(service, 72)
    assert local(got) == dict.fromkeys(ZONES, "03-03T09:00")
    report = await service.get(f"/campaigns/{made['id']}/report")
    assert (report["state"], report["accepted"], report["balances"]) == ("done", 6, True)


async def test_who_is_in_no_known_zone_gets_it_in_the_fallback(service: Service) -> None:
    changed = await service.ask("PATCH", "/workspace", {"time_zone": "Asia/Tokyo"})
    assert changed.status == 200
    await service.world.devices("ok-nowhere")
    when = {"at": "2026-03-03T09:00", "own_time": {}}
    first = await service.post("/campaigns", CAMPAIGN | when)
    assert first["own_time"]["fallback"] == "Asia/Tokyo"
    got = await got_once(service, 72)
    assert got == {"nowhere": datetime(2026, 3, 3, tzinfo=UTC)}
    chosen = {"at": "2026-03-06T09:00", "own_time": {"fallback": "America/Denver"}}
    await service.post("/campaigns", CAMPAIGN | chosen)
    got = await got_once(service, 72)
    assert got == {"nowhere": datetime(2026, 3, 6, 16, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("past", "late"),
    [("at_once", "03-01T12:00"), ("tomorrow", "03-02T09:00")],
)
async def test_where_the_time_is_past_it_is_sent_at_once_or_tomorrow_as_chosen(
    service: Service, past: str, late: str
) -> None:
    """It is noon in UTC: 9 o'clock is past in Vienna and further east, not in America."""
    await live_in(service, ZONES)
    when = {"at": "2026-03-01T09:00", "own_time": {"past": past}}
    made = await service.post("/campaigns", CAMPAIGN | when)
    assert made["scheduled_at"] == "2026-03-01T12:00:00Z"
    got = await got_once(service, 48)
    shown = local(got)
    assert {user: shown[user] for user in ("denver", "samoa")} == dict.fromkeys(
        ("denver", "samoa"), "03-01T09:00"
    )
    for user in ("kiribati", "tokyo", "kathmandu", "vienna"):
        if past == "at_once":
            assert got[user] == datetime(2026, 3, 1, 12, tzinfo=UTC)
        else:
            assert shown[user] in ("03-02T09:00",)
    assert len(got) == len(ZONES)


async def test_a_zone_that_changes_meanwhile_repeats_and_loses_nothing(service: Service) -> None:
    await live_in(service, ZONES)
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-03T09:00", "own_time": {}})
    first = await got_once(service, 43)  # the east has got it, the west has not
    assert set(first) == {"kiribati", "tokyo", "kathmandu"}
    minutes = (service.clock.now() - datetime(2026, 3, 1, tzinfo=UTC)).total_seconds() / 60
    flown = {"kiribati": "Pacific/Pago_Pago", "denver": "Asia/Tokyo"}
    await service.world.take(
        *(
            service.world.app.register(
                minutes, f"D-{user}", user=user, token=f"ok-{user}", context={"timezone": zone}
            )
            for user, zone in flown.items()
        )
    )
    second = await got_once(service, 36)
    assert set(second) == {"vienna", "denver", "samoa"}
    report = await service.get(f"/campaigns/{made['id']}/report")
    assert (report["state"], report["accepted"], report["balances"]) == ("done", 6, True)


async def test_a_planner_that_dies_between_two_pages_repeats_and_loses_nothing(
    service: Service,
) -> None:
    """Meanwhile everybody flies somewhere else: who was planned keeps the turn, and the others have
    that of their new zone."""
    world = service.world
    await live_in(service, ZONES)
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-03T09:00", "own_time": {}})
    database = Interrupted(world.database)
    options = PlannerOptions(page_devices=1, pages_of_own_time=2, wait_seconds=0)
    planner = Planner(database, world.broker, world.clock, options)

    async def die() -> None:
        raise OSError("the process ends here")

    async def then_die() -> None:
        database.before_write = die

    database.before_write = then_die
    service.clock.advance(31 * 3_600)
    assert await world.scheduler.step() == 1
    with pytest.raises(OSError):
        await planner.step()
    report = await service.get(f"/campaigns/{made['id']}/report")
    assert (report["planned"], report["in_flight"], report["balances"]) == (2, 2, True)
    await live_in(service, dict.fromkeys(ZONES, "America/Denver"), minutes=31 * 60)
    service.clock.advance(PlannerOptions().lease_seconds + 1)
    got = await got_once(service, 48)
    assert set(got) == set(ZONES)
    in_denver = datetime(2026, 3, 3, 16, tzinfo=UTC)
    kept = {user for user, at in got.items() if at != in_denver} | {"denver"}
    assert len(kept) in (2, 3), "those of the first page"
    report = await service.get(f"/campaigns/{made['id']}/report")
    assert (report["state"], report["accepted"], report["balances"]) == ("done", 6, True)


async def test_paused_in_between_it_goes_on_and_cancelled_it_ends(service: Service) -> None:
    await live_in(service, ZONES)
    made = await service.post("/campaigns", CAMPAIGN | {"at": "2026-03-03T09:00", "own_time": {}})
    path = f"/campaigns/{made['id']}"
    await got_once(service, 43)
    await service.post(f"{path}/pause")
    assert await got_once(service, 0.5) == {}
    await service.post(f"{path}/resume")
    assert local(await got_once(service, 8)) == {"vienna": "03-03T09:00"}
    await service.post(f"{path}/cancel")
    assert await got_once(service, 24) == {}
    report = await service.get(f"{path}/report")
    assert (report["accepted"], report["cancelled"], report["balances"]) == (4, 2, True)


async def test_a_time_of_a_named_zone(service: Service) -> None:
    when = {"at": "2026-03-29T02:30", "zone": "Europe/Vienna", "allow_empty": True}
    made = await service.post("/campaigns", CAMPAIGN | when)
    assert (made["scheduled_at"], made["own_time"]) == ("2026-03-29T01:00:00Z", None)
    twice = {"at": "2026-10-25T02:30", "zone": "Europe/Vienna", "allow_empty": True}
    moved = await service.post(f"/campaigns/{made['id']}/schedule", twice)
    assert moved["scheduled_at"] == "2026-10-25T00:30:00Z"


@pytest.mark.parametrize(
    ("when", "field"),
    [
        ({"at": "2026-03-03T09:00"}, "at"),
        ({"at": "2026-03-03T09:00Z", "zone": "Europe/Vienna"}, "at"),
        ({"at": "now", "zone": "Europe/Vienna"}, "at"),
        ({"at": "2026-03-03T09:00", "zone": "Vienna"}, "zone"),
        ({"at": "2026-03-01T09:00", "zone": "Europe/Vienna"}, "at"),
        ({"at": "2026-03-03T09:00Z", "own_time": {}}, "at"),
        ({"at": "now", "own_time": {}}, "at"),
        ({"at": "2026-02-28T23:59", "own_time": {}}, "at"),
        ({"at": "2028-03-03T09:00", "own_time": {}}, "at"),
        ({"at": "2026-03-03T09:00", "own_time": {}, "zone": "Europe/Vienna"}, "zone"),
        ({"at": "2026-03-03T09:00", "own_time": True}, "own_time"),
        ({"at": "2026-03-03T09:00", "own_time": {"fallback": "CEST"}}, "own_time.fallback"),
        ({"at": "2026-03-03T09:00", "own_time": {"past": "later"}}, "own_time.past"),
        ({"at": "2026-03-03T09:00", "own_time": {"grace": 1}}, "own_time.grace"),
        ({"own_time": {}}, "at"),
    ],
)
async def test_a_time_that_can_not_be_kept_is_refused(
    service: Service, when: dict[str, Any], field: str
) -> None:
    refused = await service.ask("POST", "/campaigns", CAMPAIGN | when)
    assert (refused.status, refused.json["faults"][0]["field"]) == (422, field)
    assert (await service.get("/campaigns"))["data"] == []
