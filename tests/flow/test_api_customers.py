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
