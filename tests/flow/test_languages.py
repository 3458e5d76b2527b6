"""A campaign in several languages, over HTTP: each customer reads their own, or what is nearest."""

import csv
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any
from uuid import UUID

import pytest

from clarion.storage.database import Database
from support.api import Service, register
from support.clock import FakeClock
from support.ledger import check_counts

CONTENT = {
    "title": "Hello {{ customer.first_name | default: 'you' }}",
    "body": "Two days early",
    "platforms": {"Web": {"link": "https://shop.example/web"}},
    "languages": {
        "de": {"title": "Hallo", "body": "Zwei Tage früher"},
        "de-AT": {"title": "Servus", "platforms": {"iOS": {"title": "Servus, iPhone"}}},
    },
}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        key = str((await service.get("/sources"))["data"][0]["write_key"])
        await service.send(
            key,
            *_device("en", "Android", "en-GB"),
            *_device("swiss", "Android", "de_CH"),
            *_device("wien", "Android", "de_AT.UTF-8"),
            *_device("graz", "iOS", "de-AT"),
            *_device("moved", "iOS", "de-AT", language="en"),
            *_device("asked", "Web", "en", locale="de"),
            *_device("words", "Web", "fr", language="German"),
            *_device("untold", "Web", None),
        )
        yield service


def _device(user: str, platform: str, device_locale: str | None, **traits: str) -> Any:
    """A person with one device, whose token is their user id."""
    registration = register(f"r-{user}", f"D-{user}", user, user=user, platform=platform)
    if device_locale is not None:
        registration["context"] = {"locale": device_locale}
    identify = {"type": "identify", "messageId": f"i-{user}", "userId": user, "traits": traits}
    return registration, identify


async def test_each_customer_reads_their_language_or_what_is_nearest(service: Service) -> None:
    campaign = {"name": "Spring", "content": CONTENT, "audience": {"everyone": True}, "at": "now"}
    made = await service.post("/campaigns", campaign)
    account = await service.world.settle(UUID(made["id"]))
    assert account.total.accepted == 8
    pushes = service.world.provider.pushes
    assert {push.token: push.content.title for push in pushes} == {
        "en": "Hello you",
        "swiss": "Hallo",
        "wien": "Servus",
        "graz": "Servus, iPhone",
        "moved": "Hello you",
        "asked": "Hallo",
        "words": "Hello you",
        "untold": "Hello you",
    }
    bodies = {push.token: push.content.body for push in pushes}
    assert bodies["graz"] == "Zwei Tage früher"  # of German, which Austrian says nothing else for
    assert {push.token: push.content.link for push in pushes}["asked"] == "https://shop.example/web"


async def test_a_content_is_prepared_once_for_a_platform_and_a_language(service: Service) -> None:
    """What is the same for several pushes of a chunk is one object, which is encoded once."""
    key = str((await service.get("/sources"))["data"][0]["write_key"])
    for number in range(6):
        await service.send(key, *_device(f"more-{number}", "Android", "de-DE"))
    content = CONTENT | {"title": "Hello"}
    campaign = {"name": "Spring", "content": content, "audience": {"everyone": True}, "at": "now"}
    made = await service.post("/campaigns", campaign)
    await service.world.settle(UUID(made["id"]))
    german = [push for push in service.world.provider.pushes if push.content.title == "Hallo"]
    assert len(german) == 8
    android = {id(push.content) for push in german if push.token != "asked"}
    assert len(android) == 1


async def test_what_is_wrong_in_a_language_is_refused_by_its_place(service: Service) -> None:
    languages = {"de": {"title": "{{ user.name }}"}, "German": {"title": "Hallo"}}
    content = CONTENT | {"languages": languages}
    body = {"name": "Spring", "content": content, "audience": {"everyone": True}}
    answer = await service.ask("POST", "/campaigns", body)
    assert [fault["field"] for fault in answer.json["faults"]] == ["content.languages.German"]
    content["languages"] = {"de": languages["de"], "fr": {"body": "é" * 2_100}}
    answer = await service.ask("POST", "/campaigns", body)
    assert [fault["field"] for fault in answer.json["faults"]] == ["content.languages.de.title"]
    content["languages"] = {"fr": {"body": "é" * 2_100}}
    answer = await service.ask("POST", "/campaigns", body)
    assert {fault["field"] for fault in answer.json["faults"]} == {"content.languages.fr.body"}


async def test_a_report_tells_how_each_text_did(service: Service) -> None:
    """Also of what was tried again, reported and converted: each count is of the row's language."""
    campaign = {
        "name": "Spring",
        "content": CONTENT,
        "audience": {"everyone": True},
        "at": "now",
        "conversion": {"event": "Bought", "within_hours": 1},
    }
    key = str((await service.get("/sources"))["data"][0]["write_key"])
    out = {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": False}]}}
    left = {"type": "identify", "messageId": "out", "userId": "swiss", "anonymousId": "D-swiss"}
    await service.send(key, left | {"traits": out}, *_device("down-1", "Android", "de-DE"))
    made = await service.post("/campaigns", campaign)
    await service.world.settle(UUID(made["id"]))
    await check_counts(service.database, UUID(made["id"]))
    [push] = [push for push in service.world.provider.pushes if push.token == "graz"]
    opened = {"type": "track", "event": "Push Notification Tapped", "messageId": "t", "userId": "x"}
    bought = {"type": "track", "event": "Bought", "messageId": "b", "userId": "graz"}
    service.clock.advance(60)
    await service.send(key, opened | {"properties": {"clarion_push": push.delivery_id}}, bought)
    await service.attributor.step()
    await check_counts(service.database, UUID(made["id"]))
    report = await service.get(f"/campaigns/{made['id']}/report")
    languages = report["languages"]
    assert {tag: counts["accepted"] for tag, counts in languages.items()} == {
        "de": 2,  # one of them at its second try
        "de-AT": 2,
        "default": 4,
        "none": 0,
    }
    assert (languages["none"]["planned"], languages["none"]["reasons"]) == (
        (1, {"skipped": {"opted_out": 1}})
    )
    austrian = languages["de-AT"]
    assert (austrian["received"], austrian["opened"], austrian["converted"]) == (1, 1, 1)
    for name in ("planned", "accepted", "skipped", "received", "opened", "converted"):
        assert sum(counts[name] for counts in languages.values()) == report[name]
    [launch] = (await service.get(f"/campaigns/{made['id']}/launches"))["data"]
    account = await service.get(f"/launches/{launch['id']}")
    assert account["languages"] == languages
    lines = (await service.ask("GET", f"/launches/{launch['id']}/deliveries.csv")).text
    told = {row["user_id"]: row["language"] for row in csv.DictReader(StringIO(lines))}
    assert (told["wien"], told["asked"], told["en"], told["swiss"]) == (
        "de-AT",
        "de",
        "default",
        "",
    )


async def test_a_content_without_languages_is_reported_without(service: Service) -> None:
    campaign = {
        "name": "S",
        "content": {"title": "Hi"},
        "audience": {"everyone": True},
        "at": "now",
    }
    made = await service.post("/campaigns", campaign)
    await service.world.settle(UUID(made["id"]))
    assert (await service.get(f"/campaigns/{made['id']}/report"))["languages"] == {}
