"""What is done with a campaign beside sending it, and how late it may launch."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is
from support.clock import FakeClock
from support.watching import live_in, watch

CAMPAIGN = {
    "name": "Spring",
    "content": {"title": "Hello"},
    "audience": {"everyone": True},
    "spread_minutes": 5,
    "late_after_minutes": 90,
}
KEEPING = (
    "campaign.unschedule",
    "campaign.archive",
    "campaign.restore",
    "campaign.duplicate",
    "campaign.delete",
)
SOON = {"at": "2026-03-01T13:00:00Z", "allow_empty": True}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def made(service: Service, **more: Any) -> str:
    """The path of a new campaign."""
    campaign = await service.post("/campaigns", CAMPAIGN | more)
    return f"/campaigns/{campaign['id']}"


async def listed(service: Service, query: str = "") -> list[str]:
    return [campaign["name"] for campaign in (await service.get(f"/campaigns{query}"))["data"]]


@pytest.mark.parametrize(("minutes", "state"), [(90, "launching"), (91, "paused")])
async def test_a_campaign_says_how_late_it_may_launch(
    service: Service, minutes: int, state: str
) -> None:
    path = await made(service, **SOON)
    service.clock.advance((60 + minutes) * 60)
    await service.world.scheduler.step()
    shown = await service.get(path)
    assert (shown["state"], shown["late_after_minutes"]) == (state, 90)


async def test_how_late_can_be_changed_and_given_up_while_it_is_a_draft(service: Service) -> None:
    path = await made(service)
    for late in (5, 10_080, None):
        changed = await service.ask("PATCH", path, {"late_after_minutes": late})
        assert changed.json["late_after_minutes"] == late
    for wrong in (0, 10_081, 1.5, "60", True):
        refused = await service.ask("PATCH", path, {"late_after_minutes": wrong})
        assert refused.json["faults"][0]["field"] == "late_after_minutes"


async def test_a_scheduled_campaign_is_edited_once_it_is_unscheduled(service: Service) -> None:
    path = await made(service, **SOON)
    refused = await service.ask("PATCH", path, {"name": "Autumn"})
    assert_is(refused, ErrorCode.CAMPAIGN_STATE)
    assert "unschedule it first" in refused.json["message"]
    draft = await service.post(f"{path}/unschedule")
    assert (draft["state"], draft["scheduled_at"]) == ("draft", None)
    service.clock.advance(3 * 3_600)
    assert await service.world.scheduler.step() == 0
    edited = await service.ask("PATCH", path, {"name": "Autumn"})
    assert edited.json["name"] == "Autumn"
    again = await service.post(f"{path}/schedule", SOON | {"at": "2026-03-01T16:00:00Z"})
    assert again["state"] == "scheduled"
    await service.post(f"{path}/cancel")
    assert_is(await service.ask("POST", f"{path}/unschedule"), ErrorCode.CAMPAIGN_STATE)


async def test_one_that_repeats_is_unscheduled_between_its_launches_alone(
    service: Service,
) -> None:
    await live_in(service, {"tokyo": "Asia/Tokyo", "vienna": "Europe/Vienna"})
    repeat = {"rule": "FREQ=DAILY;INTERVAL=2"}
    path = await made(service, at="2026-03-02T09:00", own_time={}, repeat=repeat)
    assert len(await watch(service, 16)) == 1
    assert_is(await service.ask("POST", f"{path}/unschedule"), ErrorCode.CAMPAIGN_STATE)
    assert (await service.get(path))["state"] == "scheduled"
    assert len(await watch(service, 8)) == 1
    draft = await service.post(f"{path}/unschedule")
    assert (draft["state"], draft["repeat"]) == ("draft", None)
    assert_is(await service.ask("DELETE", path), ErrorCode.CAMPAIGN_STATE)
    assert await watch(service, 96) == []


async def test_one_that_is_paused_before_its_launch_may_be_a_draft_again(service: Service) -> None:
    path = await made(service, **SOON)
    await service.post(f"{path}/pause")
    draft = await service.post(f"{path}/unschedule")
    assert (draft["state"], draft["paused_reason"]) == ("draft", None)


async def test_what_has_launched_is_no_draft_any_more(service: Service) -> None:
    path = await made(service, at="now", allow_empty=True)
    await service.world.scheduler.step()
    assert_is(await service.ask("POST", f"{path}/unschedule"), ErrorCode.CAMPAIGN_STATE)


async def test_a_copy_is_a_draft_that_says_the_same(service: Service) -> None:
    more = {"code": "spring", "category": "news", "transactional": True}
    path = await made(service, **SOON, **more)
    original = await service.get(path)
    copy = await service.post(f"{path}/duplicate", {"name": "Autumn"})
    same = ("content", "audience", "spread_minutes", "late_after_minutes", "category")
    assert (copy["code"], copy["transactional"]) == (None, True)
    assert {name: copy[name] for name in same} == {name: original[name] for name in same}
    assert (copy["name"], copy["state"], copy["scheduled_at"]) == ("Autumn", "draft", None)
    assert (await service.post(f"{path}/duplicate"))["name"] == "Spring"
    assert_is(
        await service.ask("POST", f"{path}/duplicate", {"name": " "}), ErrorCode.INVALID_CAMPAIGN
    )
    assert await service.get(path) == original


async def test_what_is_being_sent_is_cancelled_before_it_is_put_away(service: Service) -> None:
    path = await made(service, at="now", allow_empty=True)
    await service.world.scheduler.step()
    for method, way in (("POST", f"{path}/archive"), ("DELETE", path)):
        refused = await service.ask(method, way)
        assert_is(refused, ErrorCode.CAMPAIGN_STATE)
        assert "cancel it first" in refused.json["message"]
        assert "unschedule" not in refused.json["message"]


async def test_what_is_archived_is_listed_apart(service: Service) -> None:
    path = await made(service, **SOON)
    for method, way in (("POST", f"{path}/archive"), ("DELETE", path)):
        refused = await service.ask(method, way)
        assert_is(refused, ErrorCode.CAMPAIGN_STATE)
        assert "unschedule it first" in refused.json["message"]
    await service.post(f"{path}/cancel")
    refused = await service.ask("DELETE", path)
    assert "what has launched, or was cancelled, can be archived" in refused.json["message"]
    archived = await service.post(f"{path}/archive")
    assert archived["archived_at"] == "2026-03-01T12:00:00Z"
    assert (await listed(service), await listed(service, "?archived=true")) == ([], ["Spring"])
    assert (await service.get(path))["state"] == "cancelled"
    restored = await service.post(f"{path}/restore")
    assert restored["archived_at"] is None
    assert (await listed(service), await listed(service, "?archived=true")) == (["Spring"], [])


async def test_an_archived_draft_is_not_scheduled(service: Service) -> None:
    path = await made(service)
    await service.post(f"{path}/archive")
    assert_is(await service.ask("POST", f"{path}/schedule", SOON), ErrorCode.CAMPAIGN_STATE)
    await service.post(f"{path}/restore")
    await service.post(f"{path}/schedule", SOON)


async def test_a_draft_is_deleted_and_nothing_else(service: Service) -> None:
    path, other = await made(service), await made(service, **SOON)
    assert (await service.ask("DELETE", path)).status == 204
    assert_is(await service.ask("GET", path), ErrorCode.NOT_FOUND)
    assert_is(await service.ask("DELETE", path), ErrorCode.NOT_FOUND)
    assert_is(await service.ask("DELETE", other), ErrorCode.CAMPAIGN_STATE)
    assert (await service.get(other))["state"] == "scheduled"


async def test_each_act_has_one_entry(service: Service) -> None:
    path = await made(service, **SOON)
    for verb in ("unschedule", "archive", "restore", "duplicate"):
        await service.post(f"{path}/{verb}")
    await service.ask("DELETE", path)
    log = (await service.get("/audit?limit=20"))["data"][::-1]
    assert [entry["verb"] for entry in log] == ["campaign.create", *KEEPING]
    assert log[1]["changes"]["state"] == ["scheduled", "draft"]
    assert log[2]["changes"]["archived_at"][0] is None
    assert log[3]["changes"]["archived_at"][1] is None
