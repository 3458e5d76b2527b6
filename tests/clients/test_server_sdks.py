"""The real SDKs for servers against the real collector: what is said is found once, as it was said.

Each is held to what it does when it is refused: most come again, some tell their app and give up.
"""

from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from sqlalchemy import select

from clarion.customers.profile.store import get_customer
from clarion.storage.schema import devices
from support.book import WORKSPACE
from support.patience import patience
from support.place import RETRY_SECONDS, Place, numbered
from support.processes import until
from support.relay import relay
from support.sdks import Call, Sdk, sdk
from support.station import KEY
from support.trouble import break_storage, mend_storage

KEYS = {"jitsu-node": f"{KEY}:secret"}
"""An SDK's own way to write a key."""
PYTHON = ["segment-python", "rudderstack-python", "customerio-python"]
NODE = ["segment-node", "rudderstack-node", "customerio-node"]
GIVING_UP = ["jitsu-node", "dittofeed-node"]
WAITING_AS_TOLD = {"segment-python", "segment-node", "rudderstack-node"}
"""The others have a backoff of their own and never look at Retry-After."""
WAITING_AS_TOLD_BY_503 = {"segment-python", "rudderstack-node"}

TRAITS = {"email": "ada@example.org", "plan": "gold", "age": 36, "vip": True, "tags": ["a", "b"]}
ORDER = {"total": 9.95, "currency": "EUR", "products": [{"sku": "1", "quantity": 2}], "note": None}
PUSH = {"deviceId": "D", "fcmToken": "token-of-D", "deviceType": "Android"}
CALLS: list[Call] = [
    {"type": "identify", "userId": "u", "traits": TRAITS},
    {"type": "track", "userId": "u", "event": "Order Completed", "properties": ORDER},
    {"type": "track", "userId": "u", "event": "Register Push", "properties": PUSH},
    {"type": "page", "userId": "u", "name": "Home", "properties": {"path": "/"}},
    {"type": "screen", "userId": "u", "name": "Start", "properties": {"tab": 1}},
    {"type": "group", "userId": "u", "groupId": "g", "traits": {"name": "Group"}},
    {"type": "alias", "userId": "u", "previousId": "before"},
]
UNKNOWN = {"jitsu-node": {"screen", "alias"}, "dittofeed-node": {"group", "alias"}}
"""Types of call that an SDK does not have."""


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SDK goes straight to this machine, whatever proxy the environment names."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize("name", PYTHON + NODE + GIVING_UP)
async def test_what_an_sdk_says_is_stored_as_it_was_said(place: Place, name: str) -> None:
    said = [call for call in CALLS if call["type"] not in UNKNOWN.get(name, set())]
    async with sdk(name, place.port, KEYS.get(name, KEY)) as one:
        one.say(*said)
        rows = await place.rows(len(said))
    assert one.faults == []
    assert set(place.calls.statuses) == {200}
    bodies = [msgspec.json.decode(row.body) for row in rows]
    found = {(body["type"], body.get("event")): body for body in bodies}
    assert len(rows) == len(found) == len(said)
    for call in said:
        body = found[call["type"], call.get("event")]
        properties = body.get("properties", {})
        for part in ("userId", "groupId", "previousId", "name"):
            # Jitsu has a page's name among its properties.
            assert body.get(part, properties.get(part)) == call.get(part), part
        assert call.get("properties", {}).items() <= properties.items()
    async with place.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "u")
        registered = select(devices.c.device_id, devices.c.token, devices.c.customer_id)
        [device] = (await connection.execute(registered)).all()
    assert customer is not None
    assert customer.traits == TRAITS
    assert device == ("D", "token-of-D", customer.id)


@pytest.mark.parametrize("name", PYTHON + NODE)
async def test_an_sdk_comes_again_after_503_and_loses_nothing(place: Place, name: str) -> None:
    async with sdk(name, place.port, KEYS.get(name, KEY)) as one:
        await break_storage(place.database)
        one.say(*numbered(0))
        async with patience():
            await place.calls.refused.wait()
        await mend_storage(place.database)
        found = await place.numbers(10)
    assert one.faults == []
    assert found == Counter(range(10))
    if name in WAITING_AS_TOLD_BY_503:
        assert place.calls.waited() >= RETRY_SECONDS * 0.9


@pytest.mark.parametrize("name", PYTHON + NODE)
async def test_an_sdk_comes_again_after_429_and_loses_nothing(place: Place, name: str) -> None:
    async with sdk(name, place.port, KEY) as one:
        await place.limit(5)
        one.say(*numbered(0))
        await place.numbers(10)
        one.say(*numbered(10))
        found = await place.numbers(20)
    assert one.faults == []
    assert found == Counter(range(20))
    if name in WAITING_AS_TOLD:
        assert place.calls.came_as_told()


@pytest.mark.parametrize("name", PYTHON + NODE)
async def test_what_an_sdk_sends_again_after_a_cut_connection_is_stored_once(
    place: Place, name: str
) -> None:
    """It was stored, but the SDK never heard so."""
    async with relay(place.port) as wire, sdk(name, wire.port, KEY) as one:
        wire.cutting = 1
        one.say(*numbered(0))
        repeated = await until(place.repeated, bool)
        rows = await place.rows(10)
        found = await place.numbers(10)
    assert one.faults == []
    assert found == Counter(range(10))
    assert repeated <= {row.message_id for row in rows}


@pytest.mark.parametrize("name", PYTHON + NODE)
async def test_an_sdk_survives_a_restart_of_the_server(place: Place, name: str) -> None:
    async with sdk(name, place.port, KEY) as one:
        one.say(*numbered(0))
        await place.numbers(10)
        await place.close()
        one.say(*numbered(10))
        await place.missed()
        await place.open()
        found = await place.numbers(20)
    assert one.faults == []
    assert found == Counter(range(20))


@pytest.mark.parametrize("name", GIVING_UP)
async def test_an_sdk_that_gives_up_says_so_and_goes_on(place: Place, name: str) -> None:
    """It has no retries at all: what is refused or never arrives is lost, and its app is told."""
    async with relay(place.port) as wire, sdk(name, wire.port, KEYS.get(name, KEY)) as one:
        await break_storage(place.database)
        one.say(*numbered(0, 1))
        assert "503" in await told(one)
        await mend_storage(place.database)

        await place.close()
        one.say(*numbered(1, 1))
        await told(one)
        await place.open()

        wire.cutting = 1
        one.say(*numbered(2, 1))  # stored, but it never hears so
        await told(one)

        one.say(*numbered(3, 1))
        assert await place.numbers(2) == Counter([2, 3])
    assert one.faults == []
    assert place.calls.statuses == [503, 200, 200]


@pytest.mark.parametrize("name", GIVING_UP)
async def test_an_sdk_that_gives_up_loses_what_is_too_fast_and_says_so(
    place: Place, name: str
) -> None:
    await place.limit(1)
    async with sdk(name, place.port, KEYS.get(name, KEY)) as one:
        one.say(*numbered(0, 5))  # one call of Dittofeed's, five of Jitsu's
        await place.rows(1)
        one.say(*numbered(5, 1))
        lost = 1 if name == "dittofeed-node" else 5
        faults = await until(faults_of(one), lambda told: len(told) == lost)
        found = await place.numbers(1)
    assert found == Counter(range(6 - lost))
    assert place.calls.statuses == [200] + [429] * lost
    assert all("429" in fault for fault in faults)


async def told(one: Sdk) -> str:
    """What its app was told, once it was: one fault."""
    [fault] = await until(faults_of(one), bool)
    one.faults.clear()
    return fault


def faults_of(one: Sdk) -> Callable[[], Awaitable[list[str]]]:
    async def faults() -> list[str]:
        return one.faults

    return faults
