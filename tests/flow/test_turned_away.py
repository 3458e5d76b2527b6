"""Calls that are turned away whole: their source is told, whoever's they are, and however many."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from clarion.events.collector import Collector, CollectorOptions, Taken
from clarion.ingest_log.rejected_call_log import RejectedCallLogOptions
from clarion.sources.authenticator import WriteKeyOptions
from clarion.sources.key_loader import KeyLoaderOptions
from clarion.storage.database import Database
from clarion.telemetry import Metrics
from support.api import Service, service_on_sqlite
from support.clock import FakeClock

OPTIONS = CollectorOptions(
    authenticator=WriteKeyOptions(
        remembered_seconds=0, key_loader=KeyLoaderOptions(pause_seconds=0)
    ),
    rejected_calls=RejectedCallLogOptions(write_seconds=60),
)
"""What is noted is written when the collector is closed; a key is read for each call, at once."""
LARGE = {"a": "b" * 9_000}
GZIP = {"content-encoding": "gzip"}
EVENT = {"event": "Seen", "userId": "u"}


class Door:
    """A source, and a browser, app or stranger that calls with its key."""

    def __init__(self, service: Service, source: Any) -> None:
        self.service = service
        self.key = source["write_key"]
        self.path = f"/sources/{source['id']}"
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=service.app), base_url="http://clarion.test"
        )

    async def call(self, path: str = "/v1/track", **rest: Any) -> int:
        """The answer's status. A body unless there is one, and the key by Basic authorization."""
        rest = {"method": "POST", "auth": (self.key, ""), "json": EVENT} | rest
        if "content" in rest:
            del rest["json"]
        answer = await self._client.request(url=path, **rest)
        return answer.status_code

    async def told(self) -> dict[str, tuple[int, dict[str, int]]]:
        """code → (calls, about what)."""
        await self.service.collector.close()
        counts = await self.service.get(f"{self.path}/counts?hours=1")
        assert all(count["cure"] for count in counts["calls"])
        assert counts["turned_away"] == sum(count["count"] for count in counts["calls"])
        assert counts["hours"][0]["turned_away"] == counts["turned_away"]
        return {count["code"]: (count["count"], count["about"]) for count in counts["calls"]}

    async def lines(self) -> list[dict[str, Any]]:
        await self.service.collector.close()
        page = await self.service.get(f"{self.path}/events?only=refused&limit=100")
        found: list[dict[str, Any]] = page["data"]
        return found


@asynccontextmanager
async def door_of(service: Service) -> AsyncIterator[Door]:
    yield Door(service, await service.post("/sources", {"name": "app"}))


@pytest.fixture
async def door(database: Database, clock: FakeClock) -> AsyncIterator[Door]:
    async with (
        Service(database, clock, collector_options=OPTIONS) as service,
        door_of(service) as door,
    ):
        yield door


@pytest.fixture
async def alone(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Door]:
    """For what does not depend on the database."""
    async with (
        service_on_sqlite(tmp_path, clock, collector_options=OPTIONS) as service,
        door_of(service) as door,
    ):
        yield door


async def test_a_call_that_is_turned_away_is_counted_and_told_with_its_cure(door: Door) -> None:
    assert await door.call(content=b"{'event': 1}") == 400
    assert await door.call(content=b"{'event': 1}") == 400
    assert await door.told() == {"not_json": (2, {})}
    (line,) = await door.lines()
    assert (line["outcome"], line["stage"], line["code"]) == ("refused", "call", "not_json")
    assert line["message"].startswith("The body is not valid JSON: expected '\"' (byte 1). 2 calls")
    assert "JSON library" in line["cure"]
    assert (line["message_id"], line["excerpt"]) == (None, None)


async def test_every_fault_of_a_call_is_logged_with_its_source(alone: Door) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("not_json", {"content": b'{"batch": ['}),
        ("not_an_object", {"content": b"[]"}),
        ("batch_missing", {"path": "/v1/batch", "json": {"batch": 3}}),
        ("batch_too_large", {"path": "/v1/b", "json": {"batch": [1] * 2_501}}),
        ("context_too_large", {"path": "/v1/b", "json": {"batch": [], "context": LARGE}}),
        ("nested_too_deeply", {"content": b"{" + b'"a":{' * 2_000}),
        ("body_too_large", {"content": b" " * 524_289}),
        ("gzip_broken", {"headers": GZIP, "content": b"hello"}),
        ("encoding_unknown", {"headers": {"content-encoding": "br"}, "content": b"hello"}),
        ("not_found", {"path": "/v1/tracks"}),
        ("method_not_allowed", {"method": "GET"}),
    ]  # fmt: skip
    for _, call in wrong:
        assert await alone.call(**call) >= 400
    assert await alone.told() == {code: (1, {}) for code, _ in wrong}
    bomb = gzip.compress(b" " * 524_289)
    assert await alone.call(content=bomb, headers=GZIP) == 400
    assert (await alone.told())["body_too_large"] == (2, {})


async def test_the_key_is_found_wherever_it_stands(alone: Door) -> None:
    broken = b'{"batch": [{"writeKey" : "%s", ' % alone.key.encode()
    assert await alone.call("/v1/batch", content=broken, auth=None) == 400
    in_query = f"/v1/batch?writeKey={alone.key}"
    assert await alone.call(in_query, content=b"{", auth=None) == 400
    bearer = {"authorization": f"Bearer {alone.key}"}
    assert await alone.call("/v1/batch", content=b"{", auth=None, headers=bearer) == 400
    pixel = f"/v1/pixel/track?writeKey={alone.key}&data=e30"
    assert await alone.call(pixel, method="GET", auth=None) == 200
    assert await alone.told() == {"not_json": (3, {})}
    (page,) = [await alone.service.get(f"{alone.path}/refusals")]
    assert {one["stage"] for one in page["data"]} == {"call"}


async def test_a_call_with_a_retired_key_is_logged_with_its_source(door: Door) -> None:
    former, shown = door.key, f"{door.key[:8]}…"
    made = await door.service.post(f"{door.path}/write-keys", {"retire_former_after_days": 0})
    assert await door.call() == 401
    assert await door.call(f"/v1/projects/{former}/settings", method="GET", auth=None) == 401
    assert await door.told() == {"write_key_retired": (2, {shown: 2})}
    door.key = made["write_key"]
    assert await door.call() == 200
    await door.service.post(f"{door.path}/revoke")
    assert await door.call() == 401
    told = await door.told()
    assert told["source_revoked"] == (1, {f"{door.key[:8]}…": 1})
    assert former not in str(await door.lines())


async def test_rejected_origins_and_rate_limited_calls_are_logged(door: Door) -> None:
    rules = {
        "allowed_origins": ["https://shop.example"],
        "rate_limit": {"events_per_second": 1, "burst": 2},
    }
    await door.service.ask("PATCH", door.path, rules)
    for origin in ("https://a.example", "https://b.example", "https://b.example"):
        assert await door.call(headers={"origin": origin}) == 403
    assert [await door.call() for _ in range(5)] == [200, 200, 429, 429, 429]
    assert await door.told() == {
        "origin_not_allowed": (3, {"https://b.example": 2, "https://a.example": 1}),
        "too_fast": (3, {}),
    }
    assert any("limit of 1 events a second" in line["message"] for line in await door.lines())


async def test_a_flood_is_one_line_each_time_and_hides_no_event(alone: Door) -> None:
    await alone.service.try_to_send(alone.key, {"type": "track", "userId": "u"})
    for number in range(30):
        alone.service.clock.advance(1)
        for _ in range(3):
            await alone.call(content=b"%d" % number)
        await alone.service.collector.close()
    assert await alone.told() == {"not_an_object": (90, {})}
    lines = await alone.lines()
    assert [line["stage"] for line in lines] == ["call"] * 30 + ["event"]


async def test_calls_with_unknown_keys_are_counted_in_metrics_alone(alone: Door) -> None:
    metrics, service = Metrics(), alone.service
    collector = Collector(
        service.database, service.world.broker, service.clock, OPTIONS, metrics=metrics
    )
    for key in ("nobody", "", alone.key):
        await collector.collect(b"{", write_key=key, type_hint="track")
        await collector.collect(b'{"event":"a","userId":"u"}', write_key=key, type_hint="track")
    await collector.close()
    text = metrics.text().decode()
    assert 'clarion_calls_turned_away_total{code="write_key_unknown"} 4.0' in text
    assert 'clarion_calls_turned_away_total{code="not_json"} 1.0' in text
    assert await alone.told() == {"not_json": (1, {})}


async def test_accepted_calls_are_not_logged_as_rejected(alone: Door) -> None:
    taken = await alone.service.collector.collect(
        b'{"event":"a","userId":"u"}', write_key=alone.key, type_hint="track"
    )
    assert isinstance(taken, Taken)
    assert await alone.told() == {}
