"""What the console shows of campaigns: reports, the list, the calendar, and what they cost."""

from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.engine import Engine

from console.drafts import WEEKLY, Person, drafted, plain, typed
from console.drafts import eva as eva
from console.drafts import service as service
from console.drafts import tom as tom
from support.api import Service


async def test_each_number_of_a_report_leads_to_its_deliveries_and_their_csv(
    service: Service, eva: Person
) -> None:
    await service.world.devices("ok-1", "dead-1", "ok-2")
    made: Any = await service.post(
        "/campaigns", {"name": "=1+1", "content": {"title": "x"}, "audience": {"everyone": True}}
    )
    way = f"/campaigns/{made['id']}"
    await service.post(f"{way}/schedule", {"at": "now"})
    await service.world.settle(UUID(made["id"]))
    report = await eva.get(way)
    link = f'/console{way}/deliveries?state=unregistered&reason=unregistered">1<'
    assert link in report and f"{way}/deliveries.csv" in report
    assert "None opened yet." in report
    gone = await eva.get(f"{way}/deliveries?state=unregistered&reason=unregistered")
    assert "1 delivery on this page" in gone
    assert "None like these" in await eva.get(f"{way}/deliveries?state=accepted&platform=Web")
    lines = await eva.client.get(f"/console{way}/deliveries.csv?state=accepted")
    assert lines.headers["content-type"].startswith("text/csv")
    rows = lines.text.splitlines()
    assert len(rows) == 3 and rows[0].startswith("launch_id,device_id,customer_id")
    assert all(",accepted," in row for row in rows[1:])


async def test_what_is_archived_leaves_the_list_and_comes_back(
    service: Service, eva: Person
) -> None:
    draft, _ = await drafted(eva)
    page = await eva.post(f"/campaigns/{draft}/archive", {})
    assert (
        "Spring is archived" in page.text and f'href="/console/campaigns/{draft}"' not in page.text
    )
    archived = await eva.get("/campaigns?state=archived")
    assert f'href="/console/campaigns/{draft}"' in archived and "Restore" in archived
    await eva.post(f"/campaigns/{draft}/restore", {})
    assert f'href="/console/campaigns/{draft}"' in await eva.get("/campaigns")


async def test_the_calendar_shows_launches_on_their_days_and_says_when_there_are_none(
    service: Service, eva: Person
) -> None:
    assert "Nothing in this month" in await eva.get("/campaigns/calendar")
    draft, _ = await drafted(eva, **WEEKLY)
    await service.world.devices("ok-1")
    await eva.post(f"/campaigns/{draft}/launch", {"launch": "planned", "devices": "1"})
    march = await eva.get("/campaigns/calendar?month=2026-03")
    assert march.count(f'href="/console/campaigns/{draft}"') == 8
    april = await eva.get("/campaigns/calendar?month=2026-04")
    assert "April 2026" in april and "Spring" in april


async def test_a_week_of_the_calendar_shows_its_seven_days_and_leads_to_those_beside_it(
    service: Service, eva: Person
) -> None:
    assert "Nothing in this week" in await eva.get("/campaigns/calendar?week=now")
    draft, _ = await drafted(eva, **WEEKLY)
    await service.world.devices("ok-1")
    await eva.post(f"/campaigns/{draft}/launch", {"launch": "planned", "devices": "1"})
    week = await eva.get("/campaigns/calendar?week=2026-03-12")
    assert week.count(f'href="/console/campaigns/{draft}"') == 1  # on Monday it is left out
    assert week.count('class="day-number"') == 7
    assert "?week=2026-03-02" in week and "?week=2026-03-16" in week and "?month=2026-03" in week
    assert "This week" in week
    this = await eva.get("/campaigns/calendar?week=no-day")
    assert this.count('aria-current="date"') == 1 and "This week" not in this


async def test_a_last_time_is_picked_and_stays_until_the_launch_comes_later_than_it(
    service: Service, eva: Person
) -> None:
    at = {"when": "at", "at": "2026-03-28T18:00", "zone": "Europe/Berlin"}
    last = {"not_after": "2026-03-29T18:00"}
    draft, form = await drafted(eva, **at, **last)
    # The clocks are put forward in that night.
    assert (await service.get(f"/campaigns/{draft}"))["late_after_minutes"] == 23 * 60
    page = await eva.get(f"/campaigns/{draft}/edit")
    assert typed(page, "not_after") == "2026-03-29T18:00"
    assert typed(page, "late_after_minutes") == ""
    early = form | {"not_after": "2026-03-28T18:00", "updated_at": ""}
    refused = await eva.post(f"/campaigns/{draft}/edit", early)
    assert refused.status_code == 422
    assert "2026-03-28 19:00 is an hour after" in plain(refused.text)
    assert typed(refused.text, "not_after") == "2026-03-28T18:00"
    minutes = form | {"when": "now", "not_after": "", "late_after_minutes": "30", "updated_at": ""}
    await eva.saves(minutes)
    assert (await service.get(f"/campaigns/{draft}"))["late_after_minutes"] == 30


async def test_a_page_costs_as_many_statements_with_twice_as_many_things(
    service: Service, eva: Person
) -> None:
    paths = await _filled(service, eva, 3)
    few = [await _statements(eva, path) for path in paths]
    more = await _filled(service, eva, 3)
    many = [await _statements(eva, path) for path in more]
    assert many == few
    assert max(few) < 40


async def _filled(service: Service, eva: Person, count: int) -> list[str]:
    """Drafts, launched and repeating campaigns; the paths of all kinds of pages of campaigns."""
    draft = launched = ""
    for _ in range(count):
        token = f"ok-{service.clock.new_id()}"
        await service.world.devices(token)
        draft, _ = await drafted(eva, languages="de", **{"de/title": "Hallo"}, **WEEKLY)
        weekly: Any = await service.post(f"/campaigns/{draft}/duplicate", {"name": "Weekly"})
        daily = {"at": "2026-03-02T09:00", "zone": "UTC", "repeat": {"rule": "daily"}}
        await service.post(f"/campaigns/{weekly['id']}/schedule", daily)
        copy: Any = await service.post(f"/campaigns/{draft}/duplicate", {"name": "Now"})
        launched = copy["id"]
        await service.post(f"/campaigns/{launched}/schedule", {"at": "now"})
        await service.world.settle(UUID(launched))
    return [
        "/campaigns",
        "/campaigns/calendar",
        "/campaigns/new",
        f"/campaigns/{draft}/edit",
        f"/campaigns/{draft}/review",
        f"/campaigns/{draft}/review?counted=1",
        f"/campaigns/{launched}",
        f"/campaigns/{launched}/deliveries",
    ]


async def _statements(eva: Person, path: str) -> int:
    """How many a page asks."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await eva.get(path)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(asked)
