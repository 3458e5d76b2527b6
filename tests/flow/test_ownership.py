"""Whose a device is and was, and which event made it so, has an answer."""

from collections.abc import AsyncIterator

import pytest

from clarion.storage.database import Database
from clarion.web.api.errors import ErrorCode
from support.api import Service, assert_is, register
from support.clock import FakeClock

TOKEN = "registration-token-of-the-shared-tablet"


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        service.secrets.add(TOKEN)
        yield service


async def handed_on(service: Service) -> None:
    """A tablet before sign-in, then Ada's, then Bob's."""
    key = str((await service.get("/sources"))["data"][0]["write_key"])
    await service.send(key, register("m1", "tablet", TOKEN))
    service.clock.advance(60)
    await service.send(key, register("m2", "tablet", TOKEN, user="ada"))
    service.clock.advance(60)
    await service.send(key, register("m3", "tablet", TOKEN, user="bob"))


async def test_why_a_device_is_linked_to_its_customer(service: Service) -> None:
    await handed_on(service)
    told = await service.get("/devices/tablet/owner")
    assert told["customer"]["user_id"] == "bob"
    assert told["because"] == "named"
    assert (told["cause"]["message_id"], told["cause"]["event"]) == ("m3", "Register Push")
    assert [(one["user_id"], one["decided"]) for one in told["weighed"]] == [
        ("bob", True),
        ("ada", False),
        ("tablet", False),
    ]
    assert_is(await service.ask("GET", "/devices/none/owner"), ErrorCode.NOT_FOUND)


async def test_it_is_told_since_when_its_owner_has_left_a_device(service: Service) -> None:
    await handed_on(service)
    assert (await service.get("/devices/tablet/owner"))["left_at"] is None
    service.clock.advance(60)
    gone = {
        "type": "track",
        "event": "Device Deleted",
        "messageId": "m4",
        "userId": "bob",
        "context": {"device": {"id": "tablet", "token": TOKEN}},
    }
    key = str((await service.get("/sources"))["data"][0]["write_key"])
    await service.send(key, gone)
    told = await service.get("/devices/tablet/owner")
    assert (told["customer"]["user_id"], told["because"]) == ("bob", "named")
    (left,) = (one["at"] for one in told["weighed"] if one["message_id"] == "m4")
    assert told["left_at"] == left
    service.clock.advance(60)
    await service.send(key, register("m5", "tablet", TOKEN, user="bob"))
    assert (await service.get("/devices/tablet/owner"))["left_at"] is None


async def test_a_customers_devices_past_and_present(service: Service) -> None:
    await handed_on(service)
    (held,) = (await service.get("/customers/bob/devices"))["data"]
    assert (held["device_id"], held["until"], held["began_by"]) == ("tablet", None, "m3")
    (was,) = (await service.get("/customers/ada/devices"))["data"]
    assert (was["began_by"], was["ended_by"]) == ("m2", "m3")
    assert was["since"] < was["until"] == held["since"]
    assert was["next_customer"]["user_id"] == "bob"
    assert_is(await service.ask("GET", "/customers/nobody/devices"), ErrorCode.NOT_FOUND)


async def test_each_line_of_a_devices_history_names_its_event(service: Service) -> None:
    await handed_on(service)
    lines = (await service.get("/devices/tablet/history"))["data"]
    assert [(line["change"], line["message_id"]) for line in lines] == [
        ("registered", "m1"),
        ("moved", "m2"),
        ("moved", "m3"),
    ]
