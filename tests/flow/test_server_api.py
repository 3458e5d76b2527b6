"""Events sent to the modelled product's paths, by its apps and by its customers' servers."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from clarion.accounts.actor import Scope
from clarion.clock import Clock
from clarion.events.calls.check import EVENT_BYTES_MAX
from clarion.ingest_log.outcome import Stage
from clarion.sources.rate_limit import Limit
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import ingest_log
from clarion.web.intilery.ingest import CALL_BYTES_MAX
from clarion.web.server import TRACK_PREFIXES
from support.book import SOURCE, WORKSPACE
from support.brand import BASE, Server, server_of
from support.clock import FakeClock
from support.sources import set_source
from support.station import KEY, Station, source_row, station_on_sqlite, track
from support.wire import request


@pytest.fixture
async def station(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Station]:
    async with station_on_sqlite(tmp_path, clock) as station:
        yield station


@pytest.fixture
async def server(station: Station) -> Server:
    return await server_of(station)


# --- apps -----------------------------------------------------------------------------------


async def test_a_mobile_batch_has_its_write_key_in_every_event(station: Station) -> None:
    for number, path in enumerate(
        ("/cdp/events/segment/mobile/batch", "//cdp/events/segment/mobile/batch")
    ):
        events = [track(f"m{number}-{index}", writeKey=KEY) for index in range(2)]
        body = gzip.compress(
            msgspec.json.encode({"batch": events, "sentAt": "2026-03-01T12:00:00Z"})
        )
        reply = await station.post(path, body, {"Content-Encoding": "gzip"}, key=None)
        assert (reply.status, reply.json) == (200, {"success": True})
    assert await station.message_ids() == ["m0-0", "m0-1", "m1-0", "m1-1"]


async def test_a_single_event_is_what_it_says_and_else_what_its_path_says(
    station: Station,
) -> None:
    said = {"type": "screen", "name": "Start", "userId": "u", "writeKey": KEY, "messageId": "m1"}
    silent = {"event": "Seen", "userId": "u", "writeKey": KEY, "messageId": "m2"}
    odd = {"type": "delete", "event": "Seen", "userId": "u", "writeKey": KEY, "messageId": "m3"}
    packed = {**said, "messageId": "m4"}
    for body in (said, silent, odd):
        assert (await station.post("/cdp/events/segment/t", body, key=None)).status == 200
    raw = gzip.compress(msgspec.json.encode(packed))
    reply = await station.post("/cdp/events/segment/t", raw, {"Content-Encoding": "gzip"}, key=None)
    assert reply.status == 200
    assert [row.type for row in await station.events()] == ["screen", "track", "track", "screen"]
    assert (await station.post("/cdp/events/segment/t", b"{", key=None)).status == 400


# --- servers: what is kept ------------------------------------------------------------------


async def test_each_call_keeps_its_event_and_tells_its_id(station: Station, server: Server) -> None:
    calls: dict[str, dict[str, Any]] = {
        "identify": {"event": "identify", "traits": {"plan": "gold"}},
        "track": {"event": "Order Completed", "properties": {"total": 9.95}},
        "page": {"event": "page", "properties": {"path": "/"}},
        "screen": {"name": "Start"},
        "group": {"event": "group", "groupId": "g"},
    }
    told = []
    for call, fields in calls.items():
        reply = await server.post(call, {"userId": "u", **fields})
        assert reply.status == 200, reply
        assert reply.json["success"] is True
        told.append(reply.json["eventId"])
    rows = await station.events()
    assert [row.type for row in rows] == list(calls)
    assert [row.message_id for row in rows] == told
    assert {row.source_id for row in rows} == {SOURCE}
    assert len({row.customer_id for row in rows}) == 1


async def test_an_event_sent_twice_with_one_message_id_is_kept_once(
    station: Station, server: Server
) -> None:
    for _ in range(2):
        reply = await server.post("track", track("mine"))
        assert reply.json == {"success": True, "eventId": "mine"}
    assert await station.message_ids() == ["mine"]


async def test_items_of_a_batch_name_their_kind_in_event(station: Station, server: Server) -> None:
    items = [
        {"event": "identify", "userId": "u", "traits": {"a": 1}},
        {"event": "page", "userId": "u", "properties": {"path": "/"}},
        {"event": "Identified", "userId": "u"},
        {"event": "identify", "type": "track", "userId": "u"},
        {"event": "Screen", "type": None, "userId": "u", "messageId": "m5"},
    ]
    reply = await server.post("batch", {"batch": items, "context": {"ip": "1.2.3.4"}})
    assert (reply.status, reply.json["success"]) == (200, True)
    rows = await station.events()
    assert [row.type for row in rows] == ["identify", "page", "track", "track", "screen"]
    assert [row.message_id for row in rows] == reply.json["eventIds"]
    assert reply.json["eventId"] == reply.json["eventIds"][0]
    assert rows[4].message_id == "m5"
    assert {msgspec.json.decode(row.body)["context"]["ip"] for row in rows} == {"1.2.3.4"}


async def test_a_commands_further_fields_are_kept(station: Station, server: Server) -> None:
    command = {
        "userId": "u",
        "event": "send_push",
        "assetId": "spring-sale",
        "discount": {"percent": 20},
        "timestamp": "2026-03-01T11:00:00Z",
    }
    assert (await server.post("track", command)).status == 200
    (row,) = await station.events()
    assert row.name == "send_push"
    assert msgspec.json.decode(row.body).items() >= command.items()
    assert row.at.hour == 11


async def test_a_call_may_have_a_megabyte(station: Station, server: Server) -> None:
    items = [track(f"m{number}", x="x" * 30_000) for number in range(33)]
    raw = msgspec.json.encode({"batch": items})
    assert 900_000 < len(raw) < CALL_BYTES_MAX
    assert (await server.post("batch", raw)).status == 200
    assert len(await station.events()) == 33


# --- servers: what is refused ---------------------------------------------------------------


async def test_an_event_without_an_id_is_refused_in_the_words_of_the_model(
    station: Station, server: Server
) -> None:
    for fields in ({}, {"userId": ""}, {"userId": None, "anonymousId": " "}):
        reply = await server.post("track", {"event": "Seen", "messageId": "m", **fields})
        assert (reply.status, reply.json["success"]) == (400, False)
        assert reply.json["message"] == "userId must not be empty"
        assert reply.json["code"] == "no_user_anon_id"
    reply = await server.post("track", {"userId": "u"})
    assert (reply.status, reply.json["code"]) == (400, "event_name_missing")
    assert await station.events() == []
    assert [code for _, code, _ in await station.refusals()] == [
        *["no_user_anon_id"] * 3,
        "event_name_missing",
    ]


async def test_a_bad_item_costs_no_other(station: Station, server: Server) -> None:
    reply = await server.post("batch", {"batch": [track("m1"), {"event": "Seen"}, 5, track("m2")]})
    assert (reply.status, reply.json["success"]) == (200, True)
    assert reply.json["refused"][0]["message"] == "userId must not be empty"
    assert [one["code"] for one in reply.json["refused"]] == [
        "no_user_anon_id",
        "event_not_an_object",
    ]
    assert await station.message_ids() == ["m1", "m2"]
    every = await server.post("batch", {"batch": [{"event": "Seen"}]})
    assert (every.status, every.json["success"]) == (400, False)


async def test_what_is_too_large_is_413(station: Station, server: Server) -> None:
    zipped = {"Content-Encoding": "gzip"}
    for call, body, headers in (
        ("batch", b"x" * (CALL_BYTES_MAX + 1), {}),
        ("batch", gzip.compress(b"x" * (CALL_BYTES_MAX + 1)), zipped),
        ("track", msgspec.json.encode(track("m", x="x" * EVENT_BYTES_MAX)), {}),
        ("batch", msgspec.json.encode({"batch": [0] * 2_501}), {}),
    ):
        reply = await server.post(call, body, headers)
        assert (reply.status, reply.json["success"]) == (413, False)
        assert reply.json["message"]
    assert await station.events() == []


async def test_what_can_not_be_read_is_400(station: Station, server: Server) -> None:
    zipped = {"Content-Encoding": "gzip"}
    cases: list[tuple[str, bytes, dict[str, str], str]] = [
        ("track", b"", {}, "not_json"),
        ("track", b"{", {}, "not_json"),
        ("track", b"[]", {}, "not_an_object"),
        ("batch", b"{}", {}, "batch_missing"),
        ("batch", b'{"batch":{}}', {}, "batch_missing"),
        ("batch", b'{"batch":' + b"[" * 100_000, {}, "nested_too_deeply"),
        ("batch", b'{"batch":[' + b'{"a":' * 90_000, {}, "nested_too_deeply"),
        ("track", b"hello", zipped, "gzip_broken"),
        ("track", b"hello", {"Content-Encoding": "br"}, "encoding_unknown"),
    ]
    for call, body, headers, code in cases:
        reply = await server.post(call, body, headers)
        assert (reply.status, reply.json["code"]) == (400, code), body[:20]
        assert reply.json["success"] is False
    assert await station.events() == []


async def test_a_token_must_be_a_key_that_may_write(station: Station, server: Server) -> None:
    reading = await server_of(station, Scope.READ)
    for token, code in (("", "unauthorized"), ("clk_nobody", "unauthorized"), (KEY, "unauthorized"),
                        (reading.token, "forbidden")):  # fmt: skip
        reply = await server.post("track", track("m"), {"auth-token": token})
        assert (reply.status, reply.json["code"]) == (403, code)
        assert reply.json["success"] is False
        assert reply.json["message"].endswith(".")
    raw = msgspec.json.encode(track("m"))
    assert (await station.ask(request(f"{BASE}/track", raw, {}))).status == 403
    assert await station.events() == []


async def test_calls_that_are_turned_away_are_told_to_the_source_of_their_brand(
    station: Station,
) -> None:
    server = await server_of(station)
    for body in (b"{", b'{"batch": 7}'):
        assert (await server.post("batch", body)).status == 400
    assert (await server.post("track", b"x" * 1_100_000)).status == 413
    await station.collector.close()
    async with station.database.read() as connection:
        rows = await connection.execute(
            select(ingest_log.c.code).where(
                ingest_log.c.source_id == SOURCE, ingest_log.c.stage == Stage.CALL.value
            )
        )
        assert set(rows.scalars()) == {"not_json", "batch_missing", "body_too_large"}


async def test_a_server_keeps_to_the_limit_of_its_source_with_each_of_its_keys(
    station: Station, clock: FakeClock
) -> None:
    async with station.database.write() as connection:
        limit = Limit(events_per_second=2, burst=3)
        await set_source(connection, WORKSPACE, SOURCE, limit=limit)
    server, another = await server_of(station), await server_of(station)
    batch = {"batch": [{"event": "Seen", "userId": "u"}] * 7}
    one = {"event": "Seen", "userId": "u"}
    assert (await server.post("batch", batch)).status == 200, "larger than the burst"
    refused = await server.post("track", one)
    assert (refused.status, refused.headers["retry-after"]) == (429, "3")
    assert refused.json["success"] is False
    assert refused.json["code"] == "too_fast"
    assert refused.json["message"]
    assert (await another.post("track", one)).status == 200
    clock.advance(3)
    assert (await server.post("track", one)).status == 200
    assert len(await station.events()) == 9, "nothing of a refused call is kept"


async def test_a_brand_is_a_source_of_the_keys_workspace_by_name(
    station: Station, server: Server
) -> None:
    clock = station.clock
    async with station.database.write() as connection:
        await create_source(connection, **source_row("Shop Ünited", 8, "k8"), now=clock.now())
        await create_source(connection, **source_row("gone", 9, "k9"), now=clock.now())
        gone = source_row("gone", 9, "")["source_id"]
        await set_source(connection, WORKSPACE, gone, revoked_at=clock.now())
        theirs = {**source_row("theirs", 10, "k10"), "workspace_id": gone}
        await create_source(connection, **theirs, now=clock.now())
    shop = "/track/c/a/SHOP%20%C3%9CNITED/v1"
    assert (await server.post("track", track("m1"), base=shop)).status == 200
    assert (await server.post("track", track("m2"), base=f"/{BASE}")).status == 200
    for brand in ("GONE", "THEIRS", "NONE"):
        reply = await server.post("track", track("m"), base=f"/track/c/a/{brand}/v1")
        assert (reply.status, reply.json["code"]) == (403, "brand_unknown")
        assert "create" in reply.json["message"]
    sources = {row.message_id: row.source_id for row in await station.events()}
    assert sources == {"m1": source_row("", 8, "")["source_id"], "m2": SOURCE}


async def test_an_unknown_path_or_method_is_answered_as_such(
    station: Station, server: Server
) -> None:
    paths = ["/track/", "/track/c/a/APP/v2/track", "/track/c/a/APP/v1", "/track/c/a/%00/v1/track"]
    for path in (*paths, f"{BASE}/nothing", f"{BASE}/track/more", "/track/%FF/a/b/v1/x"):
        reply = await station.post(path, track("m"), {"auth-token": server.token})
        assert (reply.status, reply.json["code"]) == (404, "not_found"), path
    reply = await server.get("track")
    assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
    assert await station.events() == []


async def test_an_outage_is_answered_as_unavailable(tmp_path: Path, clock: Clock) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    async with Station(database, clock) as station:
        reply = await Server(station, "clk_x").post("track", track("m"))
    await database.close()
    assert (reply.status, reply.json["code"]) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) >= 1


def test_the_paths_of_the_server_api_are_sent_to_it() -> None:
    assert BASE.startswith(TRACK_PREFIXES)
