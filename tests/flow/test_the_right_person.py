"""Whose a device is, and who a customer is, seen from outside: over HTTP, to the API's answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from clarion.storage.database import Database
from support.api import Service
from support.clock import FakeClock

FIRST = "AAAAbbbbCCCCddddEEEE22:APA91bFirst"
SECOND = "BBBBccccDDDDeeeeFFFF22:APA91bSecond"


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


class App:
    def __init__(self, service: Service, key: str) -> None:
        self.service = service
        self.key = key
        self.count = 0

    def event(self, **fields: Any) -> dict[str, Any]:
        self.count += 1
        return {"type": "track", "messageId": f"m{self.count:03}", **fields}

    def register(self, user: str, device: str = "D", token: str = FIRST, **rest: Any) -> Any:
        properties = {"deviceId": device, "fcmToken": token, "deviceType": "Android"}
        return self.event(userId=user, event="Register Push", properties=properties, **rest)

    async def send(self, *events: dict[str, Any], **call: Any) -> None:
        self.service.clock.advance(0.001)
        await self.service.send(self.key, *events, **call)


@pytest.fixture
async def app(service: Service) -> App:
    source = await service.post("/sources", {"name": "app"})
    return App(service, source["write_key"])


async def owner(service: Service, device: str = "D") -> str | None:
    user_id: str | None = (await service.get(f"/devices/{device}"))["customer"]["user_id"]
    return user_id


async def test_two_files_that_were_closed_in_order_and_delivered_together(
    service: Service, app: App, clock: FakeClock
) -> None:
    began = clock.now()

    def at(minutes: float) -> str:
        return (began + timedelta(minutes=minutes)).isoformat()

    clock.advance(3 * 3_600)
    ada = [
        app.event(type="identify", userId="ada", anonymousId="D", timestamp=at(0)),
        app.register("ada", timestamp=at(0)),
    ]
    ben = [
        app.register("D", timestamp=at(10)),
        app.event(type="identify", userId="ben", anonymousId="D", timestamp=at(10.2)),
        app.register("ben", token=SECOND, timestamp=at(10.3)),
    ]
    await app.send(*ben, sentAt=at(10.4))
    await app.send(*ada, sentAt=at(0.03))
    assert await owner(service) == "ben"


@pytest.mark.parametrize(
    "other",
    [
        {"anonymousId": "x", "event": "Seen", "properties": {"deviceId": "ada"}},
        {"anonymousId": "x", "event": "Seen", "context": {"device": {"id": "ada"}}},
        {"userId": "mallory", "event": "Seen", "properties": {"deviceId": "ada"}},
        {
            "userId": "mallory",
            "event": "Register Push",
            "properties": {"deviceId": "ada", "fcmToken": "t", "deviceType": "Web"},
        },
    ],
    ids=["anonymous", "context", "somebody else", "registered by somebody else"],
)
async def test_a_known_customer_never_becomes_a_device_by_anothers_word(
    service: Service, app: App, other: dict[str, Any]
) -> None:
    await app.send(app.event(type="identify", userId="ada", traits={"first_name": "Ada"}))
    await app.send(app.event(**other))
    assert (await service.get("/customers/ada"))["traits"] == {"first_name": "Ada"}
    await app.send(app.event(userId="ada", event="Seen"))
    assert (await service.get("/customers/ada"))["user_id"] == "ada"


async def test_a_customer_who_was_only_seen_stays_one_whatever_an_anonymous_event_says(
    service: Service, app: App
) -> None:
    await app.send(app.event(userId="ada", event="Seen"))
    await app.send(app.event(anonymousId="x", event="Seen", properties={"deviceId": "ada"}))
    assert (await service.get("/customers/ada"))["user_id"] == "ada"


async def test_who_used_the_app_before_registering_is_still_taken_over(
    service: Service, app: App
) -> None:
    """Somebody who declined push, with the device id as userId, and accepts it once signed in."""
    await app.send(app.event(userId="D", event="Seen"))
    await app.send(app.register("ada"))
    events = (await service.get("/customers/ada/events"))["data"]
    assert {event["event"] for event in events} == {"Seen", "Register Push"}


async def test_two_installations_that_take_turns_under_one_device_id_are_warned_of(
    service: Service, app: App
) -> None:
    source = (await service.get("/sources"))["data"][-1]
    for number, token in enumerate([FIRST, SECOND, FIRST]):
        await app.send(app.register("ada", token=token))
        codes = [refusal["code"] for refusal in await refusals(service, source["id"])]
        assert ("device_id_of_two_installations" in codes) is (number == 2)


async def test_an_installation_that_took_the_place_of_another_is_not_warned_of(
    service: Service, app: App
) -> None:
    source = (await service.get("/sources"))["data"][-1]
    for token in [FIRST, FIRST, SECOND, SECOND]:
        await app.send(app.register("ada", token=token))
    assert await refusals(service, source["id"]) == []


async def test_no_more_devices_are_registered_than_one_customer_may_have(
    service: Service, app: App
) -> None:
    source = (await service.get("/sources"))["data"][-1]
    many = [app.register("ada", f"D{number}", f"token-{number}") for number in range(510)]
    await app.send(*many[:300])
    await app.send(*many[300:])
    await app.send(app.register("ada", "D0", "token-again"), app.register("ben", "E", "token-e"))
    told = await refusals(service, source["id"])
    assert {one["code"] for one in told} == {"too_many_devices"}
    assert len(told) == 10
    assert await owner(service, "D0") == "ada"
    assert await owner(service, "E") == "ben"


async def refusals(service: Service, source_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await service.get(f"/sources/{source_id}/refusals"))["data"]
    return found
