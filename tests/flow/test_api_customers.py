"""Customers over the API: found, their life told, and what they may ask of us."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clarion.accounts.actor import Scope
from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, register
from support.clock import FakeClock

TOKEN = "fcm-token-of-adas-phone-0123456789"
LIFE = [
    {"type": "identify", "messageId": "m1", "userId": "ada",
     "traits": {"email": "ada@shop.example"}},
    register("m2", "D1", TOKEN, user="ada"),
]  # fmt: skip


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


async def test_everything_that_is_known_of_a_customer_is_one_zip(service: Service) -> None:
    await send(service, *LIFE)
    campaign = await service.world.campaign()
    await service.world.settle(campaign)
    answer = await service.ask("GET", "/customers/ada/export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert not [name for name, text in files.items() if TOKEN in text]
    assert "as of 2026" in files.pop("README.txt")
    told = {name: json.loads(text) for name, text in files.items()}
    assert told["profile.json"]["traits"] == {"email": "ada@shop.example"}
    assert [one["device_id"] for one in told["devices.json"]] == ["D1"]
    assert {one["message_id"] for one in told["events.json"]} == {"m1", "m2"}
    assert [one["state"] for one in told["deliveries.json"]] == ["accepted"]
    assert [one["change"] for one in told["history.json"]] == ["registered"]


async def test_a_customer_is_suppressed_let_back_and_erased(service: Service) -> None:
    await send(service, *LIFE)
    assert (await service.get("/customers/ada"))["suppressed_at"] is None
    assert (await service.ask("POST", "/customers/ada/suppress")).status == 204
    assert (await service.get("/customers/ada"))["suppressed_at"] is not None
    assert (await service.ask("POST", "/customers/ada/unsuppress")).status == 204
    assert (await service.get("/customers/ada"))["suppressed_at"] is None
    erased = await service.ask("DELETE", "/customers/ada")
    assert erased.json == {"events": 2, "deliveries": 0, "refusals": 0}
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("GET", "/export"), ("POST", "/suppress"),
    ):  # fmt: skip
        assert_is(await service.ask(method, f"/customers/ada{path}"), ErrorCode.NOT_FOUND)
    assert (await service.ask("POST", "/customers/ada/unsuppress")).status == 204
    assert_is(await service.ask("POST", "/customers/ada/unsuppress"), ErrorCode.NOT_FOUND)
    await send(service, {"type": "identify", "messageId": "m9", "userId": "ada", "traits": {}})
    assert (await service.get("/customers/ada"))["traits"] == {}


async def test_only_an_admin_exports_suppresses_and_erases(service: Service) -> None:
    key = await service.make_key(Scope.WRITE)
    for method, path in (
        ("DELETE", ""), ("GET", "/export"), ("POST", "/suppress"), ("POST", "/unsuppress"),
    ):  # fmt: skip
        answer = await service.ask(method, f"/customers/ada{path}", key=key)
        assert_is(answer, ErrorCode.FORBIDDEN)


async def test_two_customers_are_merged_and_parted_again(service: Service) -> None:
    await send(service, *LIFE, register("m5", "D2", "token-of-hers", user="ada-2"))
    before = [await service.get(f"/customers/{one}") for one in ("ada", "ada-2")]
    made = await service.post("/customers/ada-2/merge", {"into": "ada"})
    assert (made["user_id"], made["into"], made["undone_at"]) == ("ada-2", "ada", None)
    both = await service.get("/customers/ada")
    assert [one["device_id"] for one in both["devices"]] == ["D1", "D2"]
    assert await service.get("/customers/ada-2") == both
    assert_is(await service.ask("POST", "/customers/ada/merge", {"into": "ada"}), ErrorCode.MERGE)
    answer = await service.ask("POST", "/customers/ada-2/merge", {"into": "nobody"})
    assert_is(answer, ErrorCode.MERGE)
    answer = await service.ask("POST", "/customers/nobody/merge", {"into": "ada"})
    assert_is(answer, ErrorCode.NOT_FOUND)
    assert (await service.post("/customers/ada-2/unmerge"))["undone_at"] is not None
    assert [await service.get(f"/customers/{one}") for one in ("ada", "ada-2")] == before
    assert_is(await service.ask("POST", "/customers/ada-2/unmerge"), ErrorCode.NOT_FOUND)
    assert [one["undone_at"] is None for one in await service.every("/merges", limit=1)] == [False]
    key = await service.make_key(Scope.WRITE)
    answer = await service.ask("POST", "/customers/ada-2/merge", {"into": "ada"}, key=key)
    assert_is(answer, ErrorCode.FORBIDDEN)
