"""Customers over the API: found, their life told, and what they may ask of us."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from fakes.api import Service, assert_is, register
from fakes.clock import FakeClock

TOKEN = "fcm-token-of-adas-phone-0123456789"


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        service.secrets.add(TOKEN)
        yield service


async def send(service: Service, *events: dict[str, Any]) -> None:
    sources = (await service.get("/sources"))["data"]
    await service.send(str(sources[0]["write_key"]), *events)


async def test_a_customer_is_found_and_a_token_is_never_told_back(service: Service) -> None:
    await send(
        service,
        {"type": "identify", "messageId": "m1", "userId": "ada",
         "traits": {"email": "Ada@Shop.example"}},
        register("m2", "D1", TOKEN, user="ada"),
        {"type": "identify", "messageId": "m3", "userId": "bob", "traits": {}},
    )  # fmt: skip
    for words in ("ada", "ada@shop.example", "ADA@", "D1", TOKEN):
        page = await service.get(f"/customers?search={words}")
        assert [one["user_id"] for one in page["data"]] == ["ada"], words
        assert page["next"] is None
    assert (await service.get("/customers?search=nobody"))["data"] == []
    refused = await service.ask("GET", f"/customers?search={TOKEN * 200}")
    assert_is(refused, ErrorCode.INVALID)


async def test_a_customers_life_is_one_list_and_its_pages_miss_nothing(service: Service) -> None:
    await send(
        service,
        register("m1", "D1", TOKEN) | {"timestamp": "2026-02-01T10:00:00Z"},
        {"type": "identify", "messageId": "m2", "userId": "ada", "anonymousId": "D1",
         "traits": {"plan": "pro"}, "timestamp": "2026-02-02T10:00:00Z"},
        register("m3", "D1", TOKEN, user="ada") | {"timestamp": "2026-02-02T10:00:00Z"},
        register("m4", "D2", "token-of-bobs", user="bob"),
    )  # fmt: skip
    campaign = await service.world.campaign()
    await service.world.settle(campaign)
    whole = await service.every("/customers/ada/timeline", limit=100)
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    push = next(one["push"] for one in whole if one["kind"] == "push")
    assert (push["state"], push["device_id"], push["campaign"]) == ("accepted", "D1", "Test")
    events = [one["event"]["message_id"] for one in whole if one["kind"] == "event"]
    assert sorted(events) == ["m1", "m2", "m3"]
    assert [one["change"]["change"] for one in whole if one["kind"] == "change"]
    for limit in (1, 2, 3):
        assert await service.every("/customers/ada/timeline", limit=limit) == whole
    assert_is(await service.ask("GET", "/customers/nobody/timeline"), ErrorCode.NOT_FOUND)
    assert_is(await service.ask("GET", "/customers/ada/timeline?cursor=x"), ErrorCode.CURSOR)
