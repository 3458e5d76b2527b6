"""SEND_PUSH, the command of the modelled product's server API: an event that sends a push."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from clarion.accounts.actor import Scope
from clarion.broker import JobKind
from clarion.storage.database import Database
from support.api import Service
from support.clock import FakeClock

BASE = "/track/client/account/APP/v1"
COMMAND = {
    "userId": "ada",
    "event": "SEND_PUSH",
    "assetId": "order-sent",
    "order": {"id": 4711, "total": 9.95},
    "messageId": "m1",
}
CAMPAIGN = {
    "name": "Order sent",
    "code": "order-sent",
    "content": {"title": "Order {{ event.order.id }}: {{ event.order.total }}"},
    "audience": {"user_ids": []},
}


class Shop:
    """A server of a customer's, with an API key."""

    def __init__(self, service: Service, token: str) -> None:
        self.service = service
        transport = httpx.ASGITransport(app=service.app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://clarion.test")
        self._token = token

    async def post(self, call: str, body: Any, token: str | None = None) -> tuple[int, Any]:
        headers = {"auth-token": token or self._token}
        answer = await self._client.post(f"{BASE}/{call}", json=body, headers=headers)
        return answer.status_code, answer.json()

    async def titles(self) -> list[str | None]:
        while await self.service.world.sender.step(JobKind.PUSH):
            pass
        return [push.content.title for push in self.service.world.provider.pushes]


@pytest.fixture
async def shop(database: Database, clock: FakeClock) -> AsyncIterator[Shop]:
    async with Service(database, clock) as service:
        await service.world.devices("ok-1", user="ada")
        await service.post("/campaigns", {**CAMPAIGN, "audience": {"everyone": True}})
        yield Shop(service, await service.make_key(Scope.WRITE))


async def test_it_sends_the_campaign_with_its_further_fields_once(shop: Shop) -> None:
    for _ in range(2):
        status, answer = await shop.post("track", COMMAND)
        assert (status, answer["success"], answer["eventId"]) == (200, True, "m1")
    [push] = answer["pushes"]
    assert (push["eventId"], push["skipped"]) == ("m1", None)
    assert await shop.titles() == ["Order 4711: 9.95"]
    await shop.service.ingestor.step()
    events = (await shop.service.get("/customers/ada/timeline"))["data"]
    kinds = {entry["kind"] for entry in events}
    assert {"push", "event"} <= kinds, "the event is kept like any other"


async def test_its_name_may_be_in_any_letters_and_so_may_the_code(shop: Shop) -> None:
    for number, name in enumerate(("send_push", "Send Push", "SEND-PUSH")):
        command = {**COMMAND, "event": name, "assetId": "Order-Sent", "messageId": f"n{number}"}
        assert (await shop.post("track", command))[0] == 200
    assert len(await shop.titles()) == 3


async def test_what_can_not_be_sent_is_refused_by_field_and_the_event_is_kept(shop: Shop) -> None:
    for change, field in (
        ({"assetId": "nowhere"}, "assetId"),
        ({"assetId": None}, "assetId"),
        ({"userId": "nobody"}, "userId"),
    ):
        command = {**COMMAND, **change, "messageId": f"r-{change}"}
        status, answer = await shop.post("track", command)
        assert (status, answer["success"], answer["code"]) == (400, False, "invalid")
        assert answer["message"].startswith(field)
    await shop.post("track", COMMAND)
    status, answer = await shop.post("track", {**COMMAND, "order": {"id": 1}})
    assert (status, answer["code"]) == (409, "conflict")
    assert len(await shop.titles()) == 1


async def test_in_a_batch_each_is_answered_by_itself(shop: Shop) -> None:
    items = [
        COMMAND,
        {"event": "Seen", "userId": "ada", "messageId": "m2"},
        {**COMMAND, "messageId": "m3", "assetId": "nowhere"},
    ]
    status, answer = await shop.post("batch", {"batch": items})
    assert (status, answer["success"]) == (200, True)
    assert [push["eventId"] for push in answer["pushes"]] == ["m1"]
    assert [refused["messageId"] for refused in answer["refused"]] == ["m3"]
    assert len(await shop.titles()) == 1


async def test_only_a_key_that_may_publish_sends_and_no_write_key_does(shop: Shop) -> None:
    reader = await shop.service.make_key(Scope.READ)
    assert (await shop.post("track", COMMAND, reader))[0] == 403
    source = (await shop.service.get("/sources"))["data"][0]
    keys = (await shop.service.get(f"/sources/{source['id']}/write-keys"))["data"]
    event = {**COMMAND, "type": "track"}
    await shop.service.send(keys[0]["write_key"], event)
    assert await shop.titles() == []
    events = (await shop.service.get("/customers/ada/timeline"))["data"]
    assert "SEND_PUSH" in str(events), "it is an event like any other"
