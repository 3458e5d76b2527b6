"""Live Activities: started, updated and ended on the iPhones that have told a token for it."""

import json
from typing import Any

import pytest

from clarion.customers.devices.device import DeviceState
from clarion.customers.devices.store import get_device
from clarion.deliveries.provider import Platform, Rejected, Unregistered
from clarion.providers.fcm.message import Encoder
from clarion.providers.fcm.response import read_live
from clarion.storage.database import Database
from support.book import WORKSPACE
from support.clock import FakeClock
from support.world import World

START_TOKEN, TOKEN = "5a" * 80, "7b" * 80
START: dict[str, Any] = {
    "title": "Your order is on its way",
    "live_activity": {
        "event": "start",
        "attributes_type": "DeliveryAttributes",
        "attributes": {"order": "42"},
        "content_state": {"minutes": 12},
        "stale_seconds": 600,
    },
}
UPDATE: dict[str, Any] = {
    "live_activity": {
        "event": "update",
        "activity_id": "order-42",
        "content_state": {"minutes": 5},
    }
}
END: dict[str, Any] = {"live_activity": {"event": "end", "dismiss_seconds": 0}}


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    world = await World(database, clock).open()
    await world.devices("android")
    await world.take(
        told(world, "D-plain", "plain"),
        told(world, "D-start", "start", liveActivityStartToken=START_TOKEN),
        told(world, "D-runs", "runs", liveActivityToken=TOKEN, liveActivityId="order-42"),
        told(world, "D-other", "other", liveActivityToken=TOKEN[2:], liveActivityId="order-43"),
    )
    return world


def told(world: World, device_id: str, token: str, **more: str) -> Any:
    """A registration that tells tokens of Live Activities, too."""
    properties = {"deviceId": device_id, "fcmToken": token, "deviceType": "iOS", **more}
    return world.app.event(
        0,
        "track",
        name="Register Push",
        user=f"user-{token}",
        device=device_id,
        properties=properties,
    )


async def sent(world: World, content: dict[str, Any]) -> dict[str, str | None]:
    """By the registration's token: the activity's token that a push went to."""
    before = len(world.provider.pushes)
    found = await world.settle(await world.campaign(content=content))
    pushes = world.provider.pushes[before:]
    assert found.balances
    assert found.reasons.get("skipped") == {"no_live_activity": 5 - len(pushes)}
    return {push.token: push.live_activity_token for push in pushes}


async def test_each_event_goes_to_the_devices_that_told_a_token_for_it(world: World) -> None:
    assert await sent(world, START) == {"start": START_TOKEN}
    assert await sent(world, UPDATE) == {"runs": TOKEN}
    assert await sent(world, END) == {"runs": TOKEN, "other": TOKEN[2:]}


async def test_what_is_sent_is_what_firebase_and_apple_describe(
    world: World, clock: FakeClock
) -> None:
    await sent(world, START)
    [push] = world.provider.pushes
    seconds = int(clock.now().timestamp())
    message = json.loads(Encoder(clock.now()).encode(push))["message"]
    assert message["token"] == "start" and "data" not in message and "notification" not in message
    assert message["apns"] == {
        "live_activity_token": START_TOKEN,
        "headers": {"apns-priority": "10", "apns-expiration": str(seconds + 259_200)},
        "payload": {
            "aps": {
                "timestamp": seconds,
                "event": "start",
                "content-state": {"minutes": 12},
                "attributes-type": "DeliveryAttributes",
                "attributes": {"order": "42"},
                "stale-date": seconds + 600,
                "alert": {"title": "Your order is on its way"},
            }
        },
    }


async def test_an_activity_that_has_ended_ends_no_device(world: World) -> None:
    world.provider.answers["runs"] = Rejected(reason="live_activity_ended")
    found = await world.settle(await world.campaign(content=UPDATE))
    assert found.reasons["rejected"] == {"live_activity_ended": 1}
    async with world.database.read() as connection:
        device = await get_device(connection, WORKSPACE, "D-runs")
    assert device is not None and device.state is DeviceState.ACTIVE


@pytest.mark.parametrize("reason", ["Unregistered", "BadDeviceToken", "ExpiredToken"])
def test_what_apns_says_of_an_activity_is_not_said_of_the_device(reason: str) -> None:
    kind = "type.googleapis.com/google.firebase.fcm.v1"
    for code, status in (("INVALID_ARGUMENT", 400), ("UNREGISTERED", 404)):
        details = [
            {"@type": f"{kind}.FcmError", "errorCode": code},
            {"@type": f"{kind}.ApnsError", "reason": reason},
        ]
        body = json.dumps({"error": {"code": status, "message": "?", "details": details}}).encode()
        found = read_live(status, body, platform=Platform.IOS, retry_after_seconds=None)
        assert found == Rejected(reason="live_activity_ended")
    unregistered = {"@type": f"{kind}.FcmError", "errorCode": "UNREGISTERED"}
    body = json.dumps({"error": {"details": [unregistered]}}).encode()
    found = read_live(404, body, platform=Platform.IOS, retry_after_seconds=None)
    assert found == Unregistered(reason="unregistered")
