"""What apps send, for as many events as are wanted: the same for every run of one seed.

An installation's story has ten events: installed, registered, used twice, signed in (`identify` and
a new registration), used four times more. Hundreds of stories go on at a time. Three of ten events
change who is who, far more than in a real app: this is ingestion's hard case.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

ACTIVE = 500
EVENTS_A_STORY = 10
EVENT_SECONDS = 0.05

Wire = dict[str, Any]


def events(count: int, *, seed: int = 1) -> Iterator[Wire]:
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


def bodies(count: int, size: int, *, seed: int = 1) -> Iterator[bytes]:
    """The same as bodies of `/v1/batch`, `size` events each."""
    batch: list[Wire] = []
    for event in events(count, seed=seed):
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
