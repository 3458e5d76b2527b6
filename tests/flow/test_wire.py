"""Further lines of the wire's specification over real HTTP: what SDKs send that few read."""

import gzip
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clarion.customers.store import get_customer
from clarion.events.source_store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import metadata
from fakes.book import WORKSPACE
from fakes.brand import server_of
from fakes.clock import FakeClock
from fakes.station import KEY, Station, prepare, source_row, track
from fakes.wire import basic, request

ORIGIN = {"Origin": "https://shop.example"}


@pytest.fixture
async def wire(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Station]:
    database = Database(f"sqlite:///{tmp_path}/wire.db")
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await prepare(database, clock)
    async with Station(database, clock) as station:
        yield station
    await database.close()


async def bodies(wire: Station) -> dict[str, Any]:
    return {row.message_id: msgspec.json.decode(row.body) for row in await wire.events()}


# --- keys -----------------------------------------------------------------------------------


async def test_an_empty_header_leaves_the_word_to_the_body(wire: Station) -> None:
    for number, headers in enumerate(
        (basic(""), {"X-Write-Key": " "}, {"Authorization": "Bearer "}, {"Authorization": "Basic"})
    ):
        event = track(f"m{number}", writeKey=KEY)
        assert (await wire.post("/v1/track", event, headers, key=None)).status == 200, headers
    assert await wire.message_ids() == ["m0", "m1", "m2", "m3"]


async def test_of_two_keys_in_headers_the_one_of_basic_authorization_counts(wire: Station) -> None:
    async with wire.database.write() as connection:
        await create_source(connection, **source_row("other", 9, "other"), now=wire.clock.now())
    await wire.post("/v1/track", track("m", writeKey="k:***"), {"X-Write-Key": "other"})
    await wire.post("/v1/track?writeKey=other", track("n"))
    assert len({row.source_id for row in await wire.events()}) == 1
    reply = await wire.post(
        "/v1/track?writeKey=other", track("o", writeKey="k:***"), {"X-Write-Key": "x"}, key=None
    )
    assert reply.status == 401


async def test_dittofeeds_write_key_is_a_whole_header(wire: Station) -> None:
    sent = {"authorization": basic(KEY)["Authorization"], "content-type": "application/json"}
    raw = msgspec.json.encode({"batch": [{"type": "track", "event": "Seen", "userId": "u"}]})
    assert (await wire.ask(request("/api/public/apps/batch", raw, sent))).status == 200
    assert len(await wire.events()) == 1


async def test_jitsus_masked_key_is_overlooked_and_its_reply_is_json(wire: Station) -> None:
    event = {**track("m"), "writeKey": "k:***", "sentAt": "2026-03-01T12:00:00.000Z"}
    for path in ("/api/s/track", "/api/s/s2s/track"):
        reply = await wire.post(path, event, {"X-Write-Key": KEY}, key=None)
        assert (reply.status, reply.json) == (200, {"success": True})
    assert await wire.message_ids() == ["m"]


# --- browsers -------------------------------------------------------------------------------


async def test_a_preflight_allows_whatever_headers_it_asks_for(wire: Station) -> None:
    async def allowed(asked: str) -> set[str]:
        headers = {**ORIGIN, "Access-Control-Request-Headers": asked}
        reply = await wire.ask(request("/api/s/track", b"", headers, method="OPTIONS"))
        assert reply.status == 204
        return {one.strip() for one in reply.headers["access-control-allow-headers"].split(",")}

    usual = await allowed("")
    assert {"authorization", "x-retry-count", "x-write-key"} <= usual
    assert await allowed("content-type,x-enable-debug,x-ip-policy") >= {
        *usual, "x-enable-debug", "x-ip-policy",
    }  # fmt: skip
    for odd in ("x;y", "<script>", "x" * 2_000):
        assert await allowed(odd) == usual


# --- integrations ---------------------------------------------------------------------------


async def test_an_app_may_keep_an_event_from_here_by_our_name(wire: Station) -> None:
    kept: list[Any] = [{}, {"All": False}, {"All": False, "Segment.io": False}, {"Clarion": True}]
    kept += [{"clarion": {"session": 1}}, {"Clarion": None}, "Clarion", ["Clarion"], None]
    for number, said in enumerate(kept):
        reply = await wire.post("/v1/track", track(f"m{number}", integrations=said))
        assert reply.json == {"success": True}, said
    for said in ({"Clarion": False}, {"All": True, "CLARION": False}):
        reply = await wire.post("/v1/track", track("off", integrations=said))
        assert (reply.status, reply.json["success"]) == (200, True)
        assert [one["code"] for one in reply.json["refused"]] == ["event_switched_off"]
    assert await wire.message_ids() == [f"m{number}" for number in range(len(kept))]


async def test_a_batchs_integrations_count_below_those_of_its_events(wire: Station) -> None:
    events = [
        track("m1"),
        track("m2", integrations={"Other": True}),
        track("m3", integrations={"Clarion": True}),
    ]
    whole = {"batch": events, "integrations": {"Clarion": False}}
    reply = await wire.post("/v1/batch", whole)
    assert [one["messageId"] for one in reply.json["refused"]] == ["m1", "m2"]
    other = {"batch": [track("m4"), track("m5", integrations={"Clarion": False})]}
    await wire.post("/v1/batch", {**other, "integrations": {"Clarion": True}})
    assert await wire.message_ids() == ["m3", "m4"]


# --- where from -----------------------------------------------------------------------------


async def test_an_event_straight_from_a_device_is_given_its_callers_address(wire: Station) -> None:
    direct = {"context": {"direct": True}}
    proxied = {"X-Forwarded-For": "203.0.113.7, 10.0.0.1"}
    await wire.post("/v1/track", track("socket", **direct))
    await wire.post("/v1/track", track("proxied", **direct), proxied)
    await wire.post("/v1/track", track("odd", **direct), {"X-Forwarded-For": "unknown"})
    own = {"context": {"direct": True, "ip": "198.51.100.9"}}
    await wire.post("/v1/track", track("own", **own), proxied)
    await wire.post("/v1/track", track("not", context={"direct": False}), proxied)
    await wire.post("/v1/track", track("elsewhere", properties={"direct": True}), proxied)
    packed = gzip.compress(msgspec.json.encode({**direct, "batch": [track("m1"), track("m2")]}))
    await wire.post("/v1/batch", packed, {**proxied, "Content-Encoding": "gzip"})
    ips = {one: body.get("context", {}).get("ip") for one, body in (await bodies(wire)).items()}
    assert ips == {
        "socket": "127.0.0.1",
        "proxied": "203.0.113.7",
        "odd": None,
        "own": "198.51.100.9",
        "not": None,
        "elsewhere": None,
        "m1": "203.0.113.7",
        "m2": "203.0.113.7",
    }


async def test_a_server_may_pass_on_a_callers_address_too(wire: Station) -> None:
    server = await server_of(wire)
    event = track("m", context={"direct": True})
    await server.post("track", event, {"X-Forwarded-For": "2001:db8::7"})
    assert (await bodies(wire))["m"]["context"]["ip"] == "2001:db8::7"


# --- ids and repeats ------------------------------------------------------------------------


async def test_a_long_message_id_is_kept_as_one_and_repeats_as_one(wire: Station) -> None:
    for message_id in ("x" * 101, "x" * 101, " " + "x" * 101 + " ", "x" * 100 + "y", "x" * 100):
        assert (await wire.post("/v1/track", track(message_id))).json == {"success": True}
    kept = await wire.message_ids()
    assert len(kept) == 3
    assert all(len(one) <= 100 for one in kept)


async def test_a_retry_with_another_time_of_sending_is_the_same_event(wire: Station) -> None:
    for number in range(3):
        stamped = track("m", sentAt=f"2026-03-01T12:00:0{number}Z", timestamp="2026-03-01T11:59Z")
        again = await wire.post("/v1/t", {**stamped, "_metadata": {"retryCount": number}},
                                {"X-Retry-Count": str(number)})  # fmt: skip
        assert again.json == {"success": True}
    assert len(await wire.events()) == 1


async def test_rudderstacks_empty_user_id_and_original_timestamp_are_read(wire: Station) -> None:
    event = {
        "type": "page",
        "name": "Home",
        "messageId": "m",
        "userId": "",
        "anonymousId": "a",
        "originalTimestamp": "2026-03-01T10:00:00.000Z",
        "sentAt": "2026-03-01T11:00:00.000Z",
        "channel": "web",
    }
    raw = gzip.compress(msgspec.json.encode({"batch": [event]}))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    assert (await wire.post("/v1/batch", raw, headers)).status == 200
    (row,) = await wire.events()
    assert (row.user_id, row.anonymous_id, row.at.hour) == (None, "a", 11)


async def test_groups_and_aliases_without_a_user_are_kept(wire: Station) -> None:
    await wire.post("/v1/alias", {"previousId": "p", "anonymousId": "a", "messageId": "m1"})
    await wire.post("/v1/group", {"groupId": "g", "anonymousId": "a", "messageId": "m2"})
    assert await wire.message_ids() == ["m1", "m2"]
    reply = await wire.post("/v1/group", {"groupId": "g", "messageId": "m3"})
    assert [one["code"] for one in reply.json["refused"]] == ["no_user_anon_id"]


async def test_what_is_told_of_an_absent_person_teaches_and_is_not_their_being_here(
    wire: Station, clock: FakeClock
) -> None:
    absent = {"type": "identify", "userId": "U", "context": {"active": False}}
    await wire.post("/v1/identify", {**absent, "messageId": "m1", "traits": {"plan": "free"}})
    first = clock.now()
    clock.advance(3_600)
    await wire.post("/v1/identify", {**absent, "messageId": "m2", "traits": {"plan": "gold"}})
    assert await known(wire) == ("gold", first, first)
    clock.advance(3_600)
    await wire.post("/v1/track", {**track("m3", context={"active": False}), "userId": "U"})
    assert await known(wire) == ("gold", first, clock.now())
    clock.advance(3_600)
    here = {**absent, "context": {"active": True}, "messageId": "m4", "traits": {"plan": "free"}}
    await wire.post("/v1/identify", here)
    assert await known(wire) == ("free", first, clock.now())


async def known(wire: Station) -> tuple[Any, datetime, datetime]:
    """U's plan, and when U was first and last seen."""
    await wire.take_in()
    async with wire.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "U")
    assert customer is not None
    return customer.traits["plan"], customer.first_seen_at, customer.last_seen_at


# --- what is no JSON ------------------------------------------------------------------------


async def test_a_batch_that_is_no_json_is_refused_whole_and_may_be_sent_again(
    wire: Station,
) -> None:
    good = [msgspec.json.encode(track(f"m{number}")) for number in range(3)]
    for spoilt in (good[1][:-1], good[1] + b"}", b'{"type":}', b"{'type':'track'}", b"undefined"):
        body = b'{"batch":[' + b",".join([good[0], spoilt, good[2]]) + b"]}"
        reply = await wire.post("/v1/batch", body)
        assert (reply.status, reply.json["code"]) == (400, "not_json")
    assert await wire.events() == []
    assert (await wire.post("/v1/batch", b'{"batch":[' + b",".join(good) + b"]}")).status == 200
    assert await wire.message_ids() == ["m0", "m1", "m2"]
