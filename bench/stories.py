"""What apps send, for as many events as are wanted: the same for every run of one seed.

The **hard** story of an installation has ten events: installed, registered, used twice, signed in
(`identify` and a new registration), used four times more. Hundreds of stories go on at a time.
Three of ten events change who is who, far more than in a real app.

The **steady** story is an app on an ordinary day: people who are known and stay who they are use
it, and each event has the context that a mobile SDK sends.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

ACTIVE = 500
EVENTS_A_STORY = 10
EVENT_SECONDS = 0.05
STEADY_PEOPLE = 20_000

Wire = dict[str, Any]


def hard(count: int, *, seed: int = 1) -> Iterator[Wire]:
    """`count` events of many installations, in the order of time."""
    chance = random.Random(seed)
    begin = datetime.now(UTC) - timedelta(days=20)
    stories: list[Iterator[Wire]] = []
    made = 0
    for number in range(count):
        event = None
        while event is None:
            while len(stories) < ACTIVE:
                stories.append(_story(f"{seed}-{made}", chance))
                made += 1
            index = chance.randrange(len(stories))
            event = next(stories[index], None)
            if event is None:
                stories[index] = stories[-1]
                stories.pop()
        at = begin + timedelta(seconds=number * EVENT_SECONDS)
        event["messageId"] = f"{seed}-{number:09d}-{chance.getrandbits(64):016x}"
        event["timestamp"] = at.isoformat()
        yield event


def steady_people(count: int = STEADY_PEOPLE) -> Iterator[Wire]:
    """What makes the steady story's people known: a registration of each."""
    chance = random.Random(count)
    at = datetime.now(UTC) - timedelta(days=21)
    for number in range(count):
        properties = {
            "deviceId": f"steady-device-{number}",
            "fcmToken": token(chance),
            "deviceType": "Android",
        }
        yield {
            "type": "track", "event": "Register Push", "userId": f"steady-user-{number}",
            "anonymousId": f"steady-device-{number}", "properties": properties,
            "messageId": f"steady-{number:09d}", "timestamp": at.isoformat(),
        }  # fmt: skip


def steady(count: int, *, seed: int = 1, people: int = STEADY_PEOPLE) -> Iterator[Wire]:
    """`count` events of people whom `steady_people` made known, in the order of time."""
    chance = random.Random(seed)
    begin = datetime.now(UTC) - timedelta(days=20)
    for number in range(count):
        person = chance.randrange(people)
        at = begin + timedelta(seconds=number * EVENT_SECONDS)
        yield {
            "type": "track", "event": "Product Viewed", "userId": f"steady-user-{person}",
            "anonymousId": f"steady-device-{person}",
            "properties": {"sku": f"sku-{number % 1_000}", "price": 12.5, "currency": "EUR"},
            "context": _mobile_context(person),
            "messageId": f"{seed}-{number:09d}-{chance.getrandbits(64):016x}",
            "timestamp": at.isoformat(),
        }  # fmt: skip


def bodies(events: Iterable[Wire], size: int) -> Iterator[bytes]:
    """Bodies of `/v1/batch`, of `size` events each."""
    batch: list[Wire] = []
    for event in events:
        batch.append(event)
        if len(batch) == size:
            yield _body(batch)
            batch = []
    if batch:
        yield _body(batch)


def token(chance: random.Random) -> str:
    return f"{chance.getrandbits(88):022x}:APA91b{chance.getrandbits(536):0134x}"


def _body(batch: list[Wire]) -> bytes:
    return msgspec.json.encode({"batch": batch, "sentAt": datetime.now(UTC).isoformat()})


def _mobile_context(person: int) -> Wire:
    return {
        "app": {"name": "Shop", "version": "4.2.1", "build": "421", "namespace": "com.shop.app"},
        "device": {
            "id": f"steady-device-{person}", "manufacturer": "Google", "model": "Pixel 8",
            "name": "shiba", "type": "android",
        },
        "library": {"name": "analytics-kotlin", "version": "1.19.1"},
        "locale": "de-DE",
        "network": {"wifi": True, "cellular": False, "bluetooth": False},
        "os": {"name": "Android", "version": "15"},
        "screen": {"density": 2.625, "height": 2268, "width": 1080},
        "timezone": "Europe/Berlin",
    }  # fmt: skip


def _story(name: str, chance: random.Random) -> Iterator[Wire]:
    device_id = f"d-{name}-{chance.getrandbits(40):010x}"
    user_id = f"user-{name}"
    its_token = token(chance)

    def register(name: str) -> Wire:
        properties = {"deviceId": device_id, "fcmToken": its_token, "deviceType": "Android"}
        return {"type": "track", "event": "Register Push", "userId": name, "properties": properties}

    def use(turn: int, **ids: str) -> Wire:
        properties = {"sku": f"sku-{turn}", "price": 12.5, "currency": "EUR"}
        context = {"device": {"id": device_id}, "os": {"name": "Android", "version": "15"}}
        return {
            "type": "track", "event": "Product Viewed", "properties": properties,
            "context": context, **ids,
        }  # fmt: skip

    yield {"type": "track", "event": "Application Installed", "anonymousId": device_id}
    yield register(device_id)
    for turn in range(2):
        yield use(turn, userId=device_id)
    traits = {"email": f"{user_id}@example.org", "plan": "pro", "first_name": "Ada"}
    yield {"type": "identify", "userId": user_id, "anonymousId": device_id, "traits": traits}
    yield register(user_id)
    for turn in range(4):
        yield use(turn, userId=user_id, anonymousId=device_id)
