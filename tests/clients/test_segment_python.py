"""The real segment-analytics-python against the real collector: every event is found once."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from segment.analytics.client import Client

from clarion.customers.profile.store import get_customer
from clarion.events.collector import CollectorOptions
from clarion.storage.database import Database
from support.book import WORKSPACE
from support.clock import FakeClock
from support.patience import patience
from support.station import KEY, Station, prepare
from support.trouble import Calls, break_storage, mend_storage

RETRY_SECONDS = 1


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK goes straight to this machine, whatever proxy the environment names."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    logging.getLogger("segment").setLevel(logging.CRITICAL)


class Sdk:
    """A client of the SDK with what it could not deliver."""

    def __init__(self, port: int, key: str = KEY, **options: Any) -> None:
        self.faults: list[tuple[Exception, list[Any]]] = []
        self.sent: list[str] = []
        self.client = Client(
            key,
            host=f"http://127.0.0.1:{port}",
            on_error=lambda error, batch: self.faults.append((error, batch)),
            upload_interval=0.05,
            **options,
        )

    def track(self, count: int) -> None:
        """Queue `count` events, each with a messageId of the SDK's own."""
        for number in range(count):
            done, message = self.client.track(f"user-{number % 7}", "Seen", {"number": number})
            assert done
            self.sent.append(message["messageId"])

    async def flush(self) -> None:
        await asyncio.to_thread(self.client.flush)

    async def close(self) -> None:
        await asyncio.to_thread(self.client.join)


@asynccontextmanager
async def sdk(port: int, key: str = KEY, **options: Any) -> AsyncIterator[Sdk]:
    one = Sdk(port, key, **options)
    try:
        yield one
    finally:
        await one.close()


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def station(database: Database, clock: FakeClock, calls: Calls) -> AsyncIterator[Station]:
    await prepare(database, clock)
    options = CollectorOptions(retry_after_seconds=RETRY_SECONDS)
    async with Station(database, clock, collector_options=options, around=calls.around) as station:
        yield station


async def assert_found_once(station: Station, *sent: str) -> None:
    assert Counter(await station.message_ids()) == Counter(sent)


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
async def test_every_call_of_the_sdk_is_kept(station: Station, calls: Calls, gzip: bool) -> None:
    async with sdk(station.port, gzip=gzip) as one:
        client = one.client
        client.identify("u", {"plan": "gold", "score": float("nan")})
        client.track("u", "Order Completed", {"total": 9.95})
        client.page("u", "Shop", "Home")
        client.screen("u", "Shop", "Start")
        client.group("u", "g", {"name": "Group"})
        client.alias("a", "u")
        await one.flush()
    assert one.faults == []
    assert set(calls.statuses) == {200}
    assert {headers.get("content-encoding") for headers in calls.headers} == {
        "gzip" if gzip else None
    }
    rows = await station.events()
    assert [row.type for row in rows] == ["identify", "track", "page", "screen", "group", "alias"]
    body = msgspec.json.decode(rows[1].body)
    assert (rows[1].name, body["properties"]) == ("Order Completed", {"total": 9.95})
    assert body["context"]["library"]["name"] == "analytics-python"
    async with station.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "u")
    assert customer is not None
    assert customer.traits == {"plan": "gold"}
    assert await station.refusals() == []


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
async def test_a_thousand_events_are_found_once_each(station: Station, gzip: bool) -> None:
    async with sdk(station.port, gzip=gzip, thread=2) as one:
        one.track(1_000)
        await one.flush()
    assert one.faults == []
    await assert_found_once(station, *one.sent)


async def test_it_registers_a_device_before_and_after_signing_in(station: Station) -> None:
    push = {"deviceId": "D", "fcmToken": "T", "deviceType": "iOS"}
    async with sdk(station.port) as one:
        one.client.track("D", "Register Push", push)
        one.client.track("D", "Product Viewed")
        one.client.identify("u", anonymous_id="D")
        one.client.track("u", "Register Push", push)
        await one.flush()
    rows = await station.events()
    assert len(rows) == 4
    async with station.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "u")
    assert customer is not None
    assert {row.customer_id for row in rows} == {customer.id}


async def test_it_comes_again_when_it_is_told_to_and_loses_nothing(
    station: Station, calls: Calls
) -> None:
    async with sdk(station.port) as one:
        one.track(50)
        await one.flush()
        await break_storage(station.database)
        one.track(50)
        flushed = asyncio.create_task(one.flush())
        async with patience():
            await calls.refused.wait()
        await mend_storage(station.database)
        await flushed
    assert one.faults == []
    told = next(at for status, at in calls.answers if status == 503)
    came = next(at for status, at in calls.answers if status == 200 and at > told)
    assert came - told >= RETRY_SECONDS * 0.9
    await assert_found_once(station, *one.sent)


async def test_a_batch_sent_again_because_its_answer_was_lost_is_found_once(
    station: Station, calls: Calls
) -> None:
    async with sdk(station.port) as one:
        calls.losing = 2
        one.track(30)
        await one.flush()
    assert one.faults == []
    assert calls.statuses.count(200) >= 3
    assert "2" in {headers.get("x-retry-count") for headers in calls.headers}
    await assert_found_once(station, *one.sent)


async def test_it_survives_a_restart_of_the_server(database: Database, clock: FakeClock) -> None:
    await prepare(database, clock)
    async with Station(database, clock) as station:
        port = station.port
        async with sdk(port) as one:
            one.track(150)
            await one.flush()
    async with sdk(port) as other:
        other.track(150)
        flushed = asyncio.create_task(other.flush())
        done, _ = await asyncio.wait({flushed}, timeout=0.3)
        assert not done
        async with Station(database, clock, port=port) as station:
            await flushed
            assert (one.faults, other.faults) == ([], [])
            await assert_found_once(station, *one.sent, *other.sent)


async def test_an_unknown_write_key_is_told_once_and_not_tried_again(
    station: Station, calls: Calls
) -> None:
    async with sdk(station.port, key="nobody") as one:
        one.track(1)
        await one.flush()
    assert calls.statuses == [401]
    assert [str(error) for error, _ in one.faults] == [
        "[Segment] write_key_unknown: The write key is missing, unknown or revoked: send it as the "
        "user of Basic authorization, or as writeKey in the body. (401)"
    ]
    assert await station.events() == []
