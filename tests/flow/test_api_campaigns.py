"""Campaigns over the API: edited while they are drafts, previewed before anybody sees them."""

from collections.abc import AsyncIterator

import pytest

from clarion.storage.database import Database
from support.api import Service, register
from support.clock import FakeClock

CAMPAIGN = {
    "name": "Spring",
    "content": {
        "title": "Hi {{ customer.first_name | default: 'there' }}",
        "body": "News",
        "data": {"screen": "spring"},
        "platforms": {"Web": {"link": "https://shop.example/spring"}},
    },
    "audience": {"everyone": True},
}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def write_key_of(service: Service) -> str:
    sources = (await service.get("/sources"))["data"]
    return str(sources[0]["write_key"])


async def test_a_draft_is_edited_and_an_older_look_at_it_does_not_win(service: Service) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    path = f"/campaigns/{made['id']}"
    service.clock.advance(1)
    edited = await service.ask("PATCH", path, {"name": "Summer", "updated_at": made["updated_at"]})
    assert (edited.status, edited.json["name"]) == (200, "Summer")
    assert edited.json["content"] == made["content"]
    late = await service.ask("PATCH", path, {"name": "Late", "updated_at": made["updated_at"]})
    assert (late.status, late.json["code"]) == (409, "conflict")
    other = {"content": {"title": "Else"}, "audience": {"user_ids": ["ada"]}}
    again = await service.ask("PATCH", path, other)
    assert again.json["audience"] == {"user_ids": ["ada"]}
    assert (again.json["name"], again.json["content"]["title"]) == ("Summer", "Else")
    await service.post(f"{path}/schedule", {"at": "now", "allow_empty": True})
    locked = await service.ask("PATCH", path, {"name": "Too late"})
    assert (locked.status, locked.json["code"]) == (409, "campaign_state")


async def test_a_campaign_made_with_a_time_is_scheduled(service: Service) -> None:
    at = "2026-12-24T18:00:00+01:00"
    made = await service.ask("POST", "/campaigns", CAMPAIGN | {"at": at, "allow_empty": True})
    assert (made.status, made.json["state"]) == (201, "scheduled")
    assert made.json["scheduled_at"] == "2026-12-24T17:00:00Z"


async def test_the_report_says_why_a_campaign_waits(service: Service) -> None:
    made = await service.post(
        "/campaigns", CAMPAIGN | {"at": "2026-06-01T09:00:00Z", "allow_empty": True}
    )
    path = f"/campaigns/{made['id']}"
    assert (await service.get(f"{path}/report"))["waiting"] == []
    await service.post(f"{path}/pause")
    [why] = (await service.get(f"{path}/report"))["waiting"]
    assert (why["waits_for"], why["reason"]) == ("campaign_paused", "by a person")
    assert (why["deliveries"], why["until"]) == (0, None)


async def test_the_preview_tells_what_is_wrong_for_a_customer(service: Service) -> None:
    key = await write_key_of(service)
    long = {"first_name": "x" * 4_100}
    await service.send(
        key,
        register("m1", "D1", "t1", user="long"),
        {"type": "identify", "messageId": "m2", "userId": "long", "traits": long},
    )
    made = await service.post("/campaigns", CAMPAIGN)
    preview = await service.post(f"/campaigns/{made['id']}/preview")
    assert preview["customer"]["user_id"] == "long"
    assert {fault["field"] for fault in preview["faults"]} == {"content.title"}
    assert (await service.ask("POST", f"/campaigns/{made['id']}/preview", {"user_id": "no"})).json[
        "code"
    ] == "not_found"


async def test_the_preview_of_nobodys_campaign_is_rendered_without_traits(
    service: Service,
) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    preview = await service.post(f"/campaigns/{made['id']}/preview")
    assert preview["customer"] is None
    assert preview["platforms"]["Android"]["title"] == "Hi there"
    assert preview["reach"]["devices"] == 0


async def test_who_schedules_a_campaign_is_told_what_may_not_be_meant(service: Service) -> None:
    key = await write_key_of(service)
    named = CAMPAIGN | {"content": {"title": "Hi {{ customer.frist_name }}"}}
    at = {"at": "2026-12-24T18:00:00Z"}
    empty = await service.post("/campaigns", CAMPAIGN | at | {"allow_empty": True})
    assert "audience_empty" in [one["code"] for one in empty["warnings"]]
    await service.send(
        key,
        register("m1", "D1", "t1", user="ada"),
        {"type": "identify", "messageId": "m2", "userId": "ada", "traits": {"first_name": "Ada"}},
    )
    made = await service.post("/campaigns", named)
    assert "warnings" not in made
    for found in (
        await service.post("/campaigns", named | at),
        await service.post(f"/campaigns/{made['id']}/schedule", at),
        await service.post(f"/campaigns/{made['id']}/preview"),
    ):
        (warning,) = found["warnings"]
        assert (warning["code"], warning["field"]) == ("trait_unknown", "content.title")
        assert "customer.frist_name" in warning["message"]
    assert (await service.post("/campaigns", CAMPAIGN | at))["warnings"] == []


async def test_where_a_trait_is_named_on_a_platform_that_is_told(service: Service) -> None:
    key = await write_key_of(service)
    await service.send(key, register("m1", "D1", "t1", user="ada"))
    content = {
        "title": "Hi",
        "data": {"code": "{{ customer.cuopon }}"},
        "platforms": {"Web": {"link": "https://shop.example/{{ customer['home shop'] }}"}},
    }
    made = await service.post("/campaigns", CAMPAIGN | {"content": content})
    preview = await service.post(f"/campaigns/{made['id']}/preview")
    assert {one["field"] for one in preview["warnings"]} == {
        "content.data.code",
        "content.platforms.Web.link",
    }
