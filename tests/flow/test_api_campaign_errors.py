"""What of a campaign, its time and its steps the API refuses, and how it names it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, service_on_sqlite
from support.clock import FakeClock

CAMPAIGN = {"name": "Spring", "content": {"title": "Hi"}, "audience": {"everyone": True}}


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_on_sqlite(tmp_path, clock) as service:
        yield service


async def test_everything_wrong_with_a_campaign_is_told_at_once(service: Service) -> None:
    body = {
        "name": "",
        "content": {
            "title": "x" * 501,
            "ttl_seconds": -1,
            "data": {"a": 5},
            "colour": "red",
            "platforms": {"Palm": {}, "iOS": {"image": "ftp://x"}},
        },
        "audience": {"friends": True},
        "when": "later",
    }
    answer = await service.ask("POST", "/campaigns", body)
    assert_is(answer, ErrorCode.INVALID_CAMPAIGN)
    assert {fault["field"] for fault in answer.json["faults"]} == {
        "name",
        "content.title",
        "content.ttl_seconds",
        "content.data",
        "content.colour",
        "content.platforms.Palm",
        "content.platforms.iOS.image",
        "audience.friends",
        "when",
    }
    assert (await service.get("/campaigns"))["data"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": {"title": "{{ customer.name | nofilter }}"}}, "content.title"),
        ({"content": {"title": "{% if %}"}}, "content.title"),
        ({"content": {"body": "ü" * 2_100}}, "content.body"),
        ({"content": {"title": "x", "data": {"from": "us"}}}, "content.data"),
        ({"content": {}}, "content.title"),
        ({"content": None}, "content"),
        ({"content": []}, "content"),
        ({"audience": None}, "audience"),
        ({"audience": {"user_ids": []}}, "audience.user_ids"),
        ({"audience": {"everyone": True, "traits": {"a": 1}}}, "audience"),
        ({"audience": {"traits": {"a": {}}}}, "audience.traits.a"),
        ({"name": None}, "name"),
    ],
)
async def test_a_faulty_campaign_is_refused_naming_the_field(
    service: Service, change: dict[str, Any], field: str
) -> None:
    answer = await service.ask("POST", "/campaigns", CAMPAIGN | change)
    assert_is(answer, ErrorCode.INVALID_CAMPAIGN)
    assert {fault["field"] for fault in answer.json["faults"]} == {field}
    assert all("\n" not in fault["message"] for fault in answer.json["faults"])
    made = await service.post("/campaigns", CAMPAIGN)
    edited = await service.ask("PATCH", f"/campaigns/{made['id']}", change)
    assert_is(edited, ErrorCode.INVALID_CAMPAIGN)
    assert await service.get(f"/campaigns/{made['id']}") == made


@pytest.mark.parametrize(
    "at",
    [
        "yesterday",
        "2020-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-12-24T18:00:00",
        "2099-01-01T00:00:00Z",
        "",
    ],
)
async def test_a_time_that_can_not_be_is_refused(service: Service, at: str) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    answer = await service.ask("POST", f"/campaigns/{made['id']}/schedule", {"at": at})
    assert_is(answer, ErrorCode.SCHEDULE)
    assert answer.json["faults"][0]["field"] == "at"
    assert_is(await service.ask("POST", "/campaigns", CAMPAIGN | {"at": at}), ErrorCode.SCHEDULE)


async def test_a_time_that_is_no_text_is_refused(service: Service) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    path = f"/campaigns/{made['id']}/schedule"
    for body in ({"at": 5}, {"at": None}, {}):
        assert_is(await service.ask("POST", path, body), ErrorCode.INVALID)
    times: tuple[Any, ...] = (5, None, True, [])
    for at in times:
        assert_is(
            await service.ask("POST", "/campaigns", CAMPAIGN | {"at": at}), ErrorCode.SCHEDULE
        )


@pytest.mark.parametrize(
    ("before", "step"),
    [
        ((), "pause"),
        ((), "resume"),
        (("schedule",), "resume"),
        (("schedule", "pause"), "pause"),
        (("schedule", "pause"), "schedule"),
        (("cancel",), "schedule"),
        (("cancel",), "resume"),
        (("cancel",), "pause"),
    ],
)
async def test_a_step_that_a_campaign_can_not_take_is_refused(
    service: Service, before: tuple[str, ...], step: str
) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    path = f"/campaigns/{made['id']}"
    body = {"schedule": {"at": "now", "allow_empty": True}}
    for one in before:
        await service.post(f"{path}/{one}", body.get(one))
    answer = await service.ask("POST", f"{path}/{step}", body.get(step))
    assert_is(answer, ErrorCode.CAMPAIGN_STATE)


async def test_cancelling_twice_is_once(service: Service) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    first = await service.post(f"/campaigns/{made['id']}/cancel")
    service.clock.advance(5)
    assert await service.post(f"/campaigns/{made['id']}/cancel") == first


async def test_an_older_look_conflicts(service: Service) -> None:
    made = await service.post("/campaigns", CAMPAIGN)
    answer = await service.ask(
        "PATCH", f"/campaigns/{made['id']}", {"updated_at": "2020-01-01T00:00:00Z"}
    )
    assert_is(answer, ErrorCode.CONFLICT)
    bad = await service.ask("PATCH", f"/campaigns/{made['id']}", {"updated_at": "today"})
    assert_is(bad, ErrorCode.INVALID)
    assert bad.json["faults"][0]["field"] == "updated_at"
