"""A content that is not saved, shown over HTTP: for whom, how large, how it fits, what is wrong."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.customers.devices.device import Platform
from clarion.providers.fcm.message import APNS_BYTES_OF_GOOGLE, PAYLOAD_BYTES_MAX
from clarion.storage.database import Database
from support.api import Service, register
from support.clock import FakeClock

CONTENT: dict[str, Any] = {
    "title": "Hi {{ customer.first_name | default: 'there' }}",
    "body": "News",
    "languages": {"de": {"title": "Hallo", "body": "Neues"}},
}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        key = str((await service.get("/sources"))["data"][0]["write_key"])
        german = register("r1", "D1", "t1", user="ada", platform="iOS")
        german["context"] = {"locale": "de-AT"}
        named = {"first_name": "Ada"}
        await service.send(
            key,
            german,
            register("r2", "D2", "t2", user="ben"),
            {"type": "identify", "messageId": "i1", "userId": "ada", "traits": named},
            {"type": "identify", "messageId": "i2", "userId": "ben", "traits": {"plan": "pro"}},
        )
        yield service


async def test_it_is_shown_for_who_is_named_somebody_random_or_nobody(service: Service) -> None:
    ada = await service.post("/campaigns/preview", {"content": CONTENT, "user_id": "ada"})
    assert ada["customer"]["user_id"] == "ada"
    assert {name: shown["language"] for name, shown in ada["platforms"].items()} == {
        "iOS": "de",
        "Android": "de",
        "Web": "de",
    }
    assert ada["platforms"]["iOS"]["content"]["title"] == "Hallo"
    english = {"content": CONTENT, "user_id": "ada", "language": "en-GB"}
    shown = await service.post("/campaigns/preview", english)
    assert shown["platforms"]["Web"]["content"]["title"] == "Hi Ada"
    nobody = await service.post("/campaigns/preview", {"content": CONTENT, "seen_by": "nobody"})
    assert nobody["customer"] is None
    assert nobody["platforms"]["Android"]["content"]["title"] == "Hi there"
    somebody = await service.post("/campaigns/preview", {"content": CONTENT})
    assert somebody["customer"]["user_id"] in ("ada", "ben")
    of_audience = {"content": CONTENT, "audience": {"traits": {"plan": "pro"}}}
    for _ in range(3):
        ben = await service.post("/campaigns/preview", of_audience)
        assert ben["customer"]["user_id"] == "ben"
    assert (await service.get("/campaigns"))["data"] == []


async def test_its_size_on_ios_is_that_of_the_document_apple_is_sent(service: Service) -> None:
    body = 'He said "hello"\n' * 100
    shown = await service.post("/campaigns/preview", {"content": {"title": "x", "body": body}})
    ios, android = shown["platforms"]["iOS"], shown["platforms"]["Android"]
    assert ios["bytes_max"] == android["bytes_max"] == PAYLOAD_BYTES_MAX
    escaped = len(json.dumps(body)) - len(body) - 2
    assert escaped == 300
    assert ios["bytes"] > APNS_BYTES_OF_GOOGLE + len(body) + escaped
    assert ios["bytes"] > android["bytes"] + escaped
    long = await service.post(
        "/campaigns/preview", {"content": {"title": "x", "body": body * 2 + "!"}}
    )
    assert long["platforms"]["iOS"]["bytes"] > PAYLOAD_BYTES_MAX > android["bytes"]
    assert [(fault["platform"], fault["field"]) for fault in long["faults"]] == [
        ("iOS", "content.body")
    ]


async def test_how_it_fits_is_told_for_each_surface(service: Service) -> None:
    content = {"title": "x" * 30, "body": "y" * 100, "image": "https://shop.example/i.png"}
    shown = await service.post("/campaigns/preview", {"content": content})
    surfaces = {
        surface["surface"]: surface
        for platform in shown["platforms"].values()
        for surface in platform["surfaces"]
    }
    lock_screen = surfaces["ios_lock_screen"]
    assert lock_screen["title"] == {
        "characters": 30,
        "characters_max": 22,
        "lines": 2,
        "lines_max": 1,
        "is_cut": True,
    }
    assert (lock_screen["body"]["characters_max"], lock_screen["body"]["is_cut"]) == (154, False)
    assert surfaces["android_collapsed"]["body"]["is_cut"]
    assert not surfaces["firefox_windows"]["body"]["is_cut"]
    assert not surfaces["firefox_windows"]["shows_picture"]


async def test_what_may_not_be_meant_is_told(service: Service) -> None:
    content = {
        "title": "Hi {{ customer.frist_name }}",
        "body": "News",
        "link": "shop://offers",
        "image": "http://shop.example/i.png",
        "buttons": [{"title": "A"}, {"title": "B"}, {"title": "C"}],
        "languages": {"de": {"title": "Hallo"}},
    }
    shown = await service.post("/campaigns/preview", {"content": content})
    assert {(one["code"], one["field"]) for one in shown["warnings"]} == {
        ("trait_unknown", "content.title"),
        ("link_not_https", "content.platforms.Web.link"),
        ("image_not_https", "content.image"),
        ("buttons_not_shown", "content.platforms.Web.buttons"),
        ("language_incomplete", "content.languages.de"),
    }
    assert (await service.post("/campaigns/preview", {"content": CONTENT}))["warnings"] == []


async def test_a_broken_content_is_refused_with_its_line_and_cause(service: Service) -> None:
    content = {
        "title": "Hi {{ customer.name",
        "body": "One\nTwo {{ user.name }}\nThree",
        "languages": {"de": {"body": "Eins\n\n{{ customer.name | shout }}"}},
    }
    answer = await service.ask("POST", "/campaigns/preview", {"content": content})
    assert answer.json["code"] == "invalid_campaign"
    faults = {fault["field"]: fault["message"] for fault in answer.json["faults"]}
    assert list(faults) == ["content.title", "content.body", "content.languages.de.body"]
    assert faults["content.body"].startswith("is not valid Liquid in line 2: there is no user")
    assert faults["content.languages.de.body"].endswith("in line 3: there is no filter shout")
    saved = {"name": "x", "content": content, "audience": {"everyone": True}}
    again = await service.ask("POST", "/campaigns", saved)
    assert again.json["faults"] == answer.json["faults"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({"content": CONTENT, "seen_by": "me"}, "seen_by"),
        ({"content": CONTENT, "user_id": 5}, "user_id"),
        ({"content": CONTENT, "user_id": "nobody"}, "user_id"),
        ({"content": CONTENT, "language": "German"}, "language"),
        ({"content": CONTENT, "audience": {}}, "audience"),
        ({"content": CONTENT, "audience": {"audience": "gone"}}, "audience"),
        ({"content": CONTENT, "limit": 5}, "limit"),
    ],
)
async def test_what_can_not_be_shown_is_refused_by_the_fields_name(
    service: Service, body: Any, field: str
) -> None:
    answer = await service.ask("POST", "/campaigns/preview", body)
    assert (answer.status, [fault["field"] for fault in answer.json["faults"]]) == (422, [field])


async def test_what_can_not_be_rendered_for_somebody_is_told_with_its_line(
    service: Service,
) -> None:
    content = {
        "title": "Hi",
        "body": "One\n{% for part in (1..5000) %}{{ customer.plan }}{% endfor %}",
    }
    refused = await service.ask("POST", "/campaigns/preview", {"content": content})
    assert refused.json["faults"][0]["field"] == "content.body", "too expensive for everybody"
    content["body"] = "One\nTwo {{ customer.plan | split: '' | sum }}"
    shown = await service.post("/campaigns/preview", {"content": content, "user_id": "ben"})
    assert shown["platforms"] == {}
    assert {fault["platform"] for fault in shown["faults"]} == {one.value for one in Platform}
    assert {(fault["field"], fault["line"]) for fault in shown["faults"]} == {("content.body", 2)}


async def test_a_saved_campaign_is_shown_in_the_customers_language_too(service: Service) -> None:
    campaign = {"name": "x", "content": CONTENT, "audience": {"everyone": True}}
    made = await service.post("/campaigns", campaign)
    preview = await service.post(f"/campaigns/{made['id']}/preview", {"user_id": "ada"})
    assert preview["platforms"]["iOS"]["title"] == "Hallo"
