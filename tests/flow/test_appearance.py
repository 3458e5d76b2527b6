"""How a push looks on each platform, said in a campaign over HTTP and seen in what is sent."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from clarion.deliveries.provider import Push
from clarion.providers.fcm.message import Encoder
from clarion.storage.database import Database
from clarion.storage.schema import campaigns
from support.api import Service, register
from support.clock import FakeClock

CONTENT = {
    "title": "Hello",
    "sound": "chime",
    "badge": 1,
    "channel": "offers",
    "color": "#1a73e8",
    "interruption_level": "passive",
    "buttons": [{"title": "Open {{ customer.plan }}", "link": "shop://offer"}, {"title": "Later"}],
    "platforms": {
        "iOS": {"badge": 7, "category": "OFFER", "sound": "none"},
        "Android": {"icon": "ic_offer"},
        "Web": {"icon": "https://shop.example/i.png", "link": "https://shop.example/web"},
    },
}


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        key = str((await service.get("/sources"))["data"][0]["write_key"])
        plan = {"type": "identify", "messageId": "i", "userId": "ada", "traits": {"plan": "pro"}}
        await service.send(
            key,
            plan,
            *(
                register(f"r-{platform}", f"D-{platform}", platform, user="ada", platform=platform)
                for platform in ("iOS", "Android", "Web")
            ),
        )
        yield service


async def _sent(service: Service, content: dict[str, Any]) -> dict[str, Push]:
    campaign = {"name": "x", "content": content, "audience": {"everyone": True}, "at": "now"}
    made = await service.post("/campaigns", campaign)
    assert made["content"]["buttons"] == content["buttons"]
    await service.world.settle(UUID(made["id"]))
    return {push.token: push for push in service.world.provider.pushes}


async def test_each_platform_is_told_what_it_has_in_its_own_words(service: Service) -> None:
    pushes = await _sent(service, CONTENT)
    encoder = Encoder(service.clock.now())
    messages = {name: json.loads(encoder.encode(push))["message"] for name, push in pushes.items()}
    aps = messages["iOS"]["apns"]["payload"]["aps"]
    assert aps == {
        "badge": 7,
        "category": "OFFER",
        "interruption-level": "passive",
        "mutable-content": 1,
    }
    shown = messages["Android"]["android"]["notification"]
    assert {name: value for name, value in shown.items() if name != "tag"} == {
        "icon": "ic_offer",
        "color": "#1a73e8",
        "sound": "chime",
        "channel_id": "offers",
        "notification_count": 1,
        "notification_priority": "PRIORITY_LOW",
    }
    web = messages["Web"]["webpush"]
    assert web["notification"]["icon"] == "https://shop.example/i.png"
    assert web["notification"]["actions"][0] == {"action": "1", "title": "Open pro"}
    assert web["fcm_options"] == {"link": "https://shop.example/web"}
    for message in messages.values():
        first, second = json.loads(message["data"]["clarion_buttons"])
        assert first == {"id": "1", "title": "Open pro", "link": "shop://offer"}
        assert second == {"id": "2", "title": "Later"}


async def test_a_platform_may_be_told_silently(service: Service) -> None:
    content = CONTENT | {"data": {"sync": "1"}, "platforms": {"Web": {"silent": True}}}
    pushes = await _sent(service, content)
    assert pushes["iOS"].content.title == "Hello"
    message = json.loads(Encoder(service.clock.now()).encode(pushes["Web"]))["message"]
    assert "notification" not in message and "notification" not in message["webpush"]
    assert message["data"]["sync"] == "1" and "clarion_buttons" not in message["data"]


async def test_what_a_platform_does_not_have_is_refused_with_the_cure(service: Service) -> None:
    wrong = {"icon": "ic_offer", "platforms": {"Web": {"channel": "offers"}, "iOS": {"badge": "3"}}}
    campaign = {"name": "x", "content": CONTENT | wrong, "audience": {"everyone": True}}
    answer = await service.ask("POST", "/campaigns", campaign)
    assert answer.json["code"] == "invalid_campaign"
    assert {fault["field"]: fault["message"] for fault in answer.json["faults"]} == {
        "content.icon": "differs by platform: use platforms.Android.icon, platforms.Web.icon",
        "content.platforms.Web.channel": "is nothing on Web: only Android has it",
        "content.platforms.iOS.badge": "must be a whole number from 0 (no badge) to 99999",
    }


async def test_a_campaign_of_before_the_buttons_is_shown_copied_and_sent_as_it_is(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1")
        body = {"name": "Old", "content": {"title": "Hi"}, "audience": {"everyone": True}}
        made = await service.post("/campaigns", body)
        old = {"title": "Hi", "data": {"clarion_buttons": "[1]"}}
        async with database.write() as connection:
            await connection.execute(update(campaigns).values(content=old))
        path = f"/campaigns/{made['id']}"
        assert (await service.get(path))["content"]["data"] == old["data"]
        assert (await service.post(f"{path}/check", {}))["customers_fine"] == 1
        copy = await service.post(f"{path}/duplicate", {})
        assert copy["content"]["data"] == old["data"]
        await service.post(f"{path}/schedule", {"at": "now"})
        await service.world.settle(UUID(made["id"]))
        [push] = service.world.provider.pushes
        assert dict(push.content.data) == old["data"]
