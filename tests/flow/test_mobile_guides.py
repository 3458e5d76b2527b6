"""What the guides for mobile apps say to send does what they say, with the SDKs' anonymousIds."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from clarion.customers.profile.store import get_customer
from clarion.storage.schema import devices
from support.book import WORKSPACE
from support.place import Place, new_place

PUSH = {"deviceId": "D", "fcmToken": "token-of-D", "deviceType": "iOS"}
INSTALLED = {"type": "track", "event": "Application Installed"}
SEEN = {"type": "track", "event": "Seen"}
REGISTERED = {"type": "track", "event": "Register Push", "properties": PUSH}
IDENTIFIED = {"type": "identify", "traits": {"email": "ada@example.org"}}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with new_place(tmp_path) as found:
        yield found


async def say(place: Place, *events: dict[str, Any]) -> UUID:
    """Whose the one device is after these events, each in a call of its own."""
    assert place.station is not None
    for event in events:
        assert (await place.station.post("/v1/batch", {"batch": [event]})).status == 200
    await place.station.take_in()
    async with place.database.read() as connection:
        [owner] = (await connection.execute(select(devices.c.customer_id))).scalars()
    assert isinstance(owner, UUID)
    return owner


async def test_a_device_is_signed_in_and_out_by_an_sdk_that_resets_its_anonymous_id(
    place: Place,
) -> None:
    before = {"anonymousId": "A"}
    signed_in = {"anonymousId": "A", "userId": "ada"}
    signed_out = {"anonymousId": "B", "userId": "D"}  # reset(), then identify(deviceId)
    await say(place, INSTALLED | before, REGISTERED | before)
    ada = await say(place, IDENTIFIED | signed_in, REGISTERED | signed_in)
    nobody = await say(place, {"type": "identify"} | signed_out, REGISTERED | signed_out)
    await say(place, SEEN | signed_out)
    async with place.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "ada")
        assert await get_customer(connection, WORKSPACE, "D") is None
    assert customer is not None
    assert ada == customer.id != nobody
    owners = [row.customer_id for row in await place.rows(7)]
    assert (owners[:4], owners[5:]) == ([ada] * 4, [nobody] * 2)


async def test_the_next_to_sign_in_takes_the_device_over(place: Place) -> None:
    ada = {"anonymousId": "A", "userId": "ada"}
    nobody = {"anonymousId": "B", "userId": "D"}
    bob = {"anonymousId": "B", "userId": "bob"}
    await say(place, REGISTERED | ada)
    await say(place, {"type": "identify"} | nobody, REGISTERED | nobody)
    owner = await say(place, {"type": "identify"} | bob, REGISTERED | bob)
    async with place.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "bob")
    assert customer is not None
    assert owner == customer.id
