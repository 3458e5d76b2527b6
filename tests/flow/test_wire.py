"""Further lines of the wire's specification over real HTTP: what SDKs send that few read."""

import base64
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from clarion.customers.profile.store import get_customer
from clarion.sources.store import create_source
from clarion.storage.schema import ingest_log
from support.book import SOURCE, WORKSPACE
from support.brand import server_of
from support.clock import FakeClock
from support.station import KEY, Station, source_row, station_on_sqlite, track
from support.wire import basic, request

ORIGIN = {"Origin": "https://shop.example"}


@pytest.fixture
async def wire(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Station]:
    async with station_on_sqlite(tmp_path, clock) as station:
        yield station


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


# --- bodies in other encodings than their headers say ----------------------------------------


async def test_a_body_is_read_as_its_bytes_say_whatever_its_header_says(wire: Station) -> None:
    plain = msgspec.json.encode({"batch": [track("m")], "writeKey": KEY})
    bodies_sent = [
        (gzip.compress(plain), {}),
        (plain, {"Content-Encoding": "gzip"}),
        (plain, {"Content-Encoding": "br"}),
        (zlib.compress(plain), {}),
        (zlib.compress(plain), {"Content-Encoding": "deflate"}),
        (zlib.compress(plain), {"Content-Encoding": "gzip"}),
        (gzip.compress(gzip.compress(plain)), {"Content-Encoding": "gzip"}),
        (base64.b64encode(plain), {}),
        (plain.decode().encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
    ]
    for number, (raw, headers) in enumerate(bodies_sent):
        for key in (KEY, None):
            reply = await wire.post("/v1/batch", raw, headers, key=key)
            assert reply.json == {"success": True}, (number, key)
    assert await wire.message_ids() == ["m"]


async def test_a_single_event_and_the_server_api_read_other_encodings_too(wire: Station) -> None:
    server = await server_of(wire)
    plain = msgspec.json.encode(track("m1"))
    assert (await wire.post("/v1/track", gzip.compress(plain))).json == {"success": True}
    screen = {"type": "Screen", "name": "Home", "userId": "u", "messageId": "m2", "writeKey": KEY}
    packed = zlib.compress(msgspec.json.encode(screen))
    reply = await wire.post("/cdp/events/segment/t", packed, key=None)
    assert reply.json == {"success": True}
    reply = await server.post("track", track("m3"), {"Content-Encoding": "gzip"})
    assert reply.json["success"] is True
    assert [(row.message_id, row.type) for row in await wire.events()] == [
        ("m1", "track"),
        ("m2", "screen"),
        ("m3", "track"),
    ]


async def test_latin_1_is_read_where_the_call_says_so_and_warned_of_where_not(
    wire: Station,
) -> None:
    raw = '{"event":"Seen","userId":"u","messageId":"m","properties":{"city":"Köln"}}'
    named = {"Content-Type": "application/json; charset=ISO-8859-1"}
    await wire.post("/v1/track", raw.encode("latin-1"), named)
    assert await wire.refusals() == []
    await wire.post("/v1/track", raw.replace('"m"', '"n"').encode("latin-1"))
    assert await wire.refusals() == [("advice", "text_damaged", "n")]
    cities = {one: body["properties"]["city"] for one, body in (await bodies(wire)).items()}
    assert cities == {"m": "Köln", "n": "K\ufffdln"}


async def test_damaged_text_is_never_stored_without_a_warning(
    wire: Station, clock: FakeClock
) -> None:
    damaged = [b'"caf\xe9"', b'"\\ud83d"', b'"\xef\xbf\xbd"', b'"\\ufffd"', '"CafÃ©"'.encode()]
    for number, value in enumerate(damaged):
        clock.advance(3_600)
        for place in ("properties", "traits", "context"):
            event = track(f"{place}-{number}", type="identify", **{place: {"x": 7}})
            raw = msgspec.json.encode(event).replace(b":7", b":" + value)
            assert (await wire.post("/v1/batch", b'{"batch":[%b]}' % raw)).status == 200
        assert (await wire.refusals())[-1] == ("advice", "text_damaged", f"properties-{number}")
    assert len(await wire.events()) == 3 * len(damaged)


# --- one answer for a single event and for one of a batch ------------------------------------


async def test_a_type_in_another_case_is_taken_alone_and_in_a_batch(wire: Station) -> None:
    for number, kind in enumerate(("Track", "TRACK", " track ", "Identify", "PAGE")):
        event = track(f"m{number}", type=kind)
        assert (await wire.post("/v1/batch", {"batch": [event]})).json == {"success": True}
    assert [row.type for row in await wire.events()] == ["track"] * 3 + ["identify", "page"]


async def test_events_of_one_batch_go_each_to_its_own_keys_source(wire: Station) -> None:
    async with wire.database.write() as connection:
        await create_source(connection, **source_row("other", 9, "other"), now=wire.clock.now())
        await create_source(connection, **source_row("third", 8, "third"), now=wire.clock.now())
    batch = [
        track("a1", writeKey=KEY),
        track("b1", writeKey="other"),
        track("a2", writeKey=KEY),
        track("c1", writeKey="third"),
        track("x1", writeKey="nobodys"),
        track("y1"),
        {"type": "page", "messageId": "b2", "writeKey": "other"},
    ]
    reply = await wire.post("/v1/batch", {"batch": batch}, key=None)
    assert reply.status == 200
    told = {(one["messageId"], one["code"]) for one in reply.json["refused"]}
    assert told == {
        ("x1", "write_key_unknown"),
        ("y1", "write_key_unknown"),
        ("b2", "no_user_anon_id"),
    }
    rows = {row.message_id: row.source_id for row in await wire.events()}
    assert rows == {"a1": SOURCE, "a2": SOURCE, "b1": UUID(int=9), "c1": UUID(int=8)}
    async with wire.database.read() as connection:
        (refused,) = (await connection.execute(select(ingest_log))).all()
    assert (refused.source_id, refused.message_id) == (UUID(int=9), "b2")


async def test_the_key_of_a_call_or_of_a_batch_counts_for_all_its_events(wire: Station) -> None:
    async with wire.database.write() as connection:
        await create_source(connection, **source_row("other", 9, "other"), now=wire.clock.now())
    batch = [track("m1", writeKey="other"), track("m2", writeKey="k:***"), track("m3")]
    assert (await wire.post("/v1/batch", {"batch": batch})).json == {"success": True}
    named = {"batch": [{**one, "messageId": one["messageId"] + "b"} for one in batch]}
    reply = await wire.post("/v1/batch", {**named, "writeKey": KEY}, key=None)
    assert reply.json == {"success": True}
    assert {row.source_id for row in await wire.events()} == {SOURCE}


async def test_events_without_a_key_go_with_the_only_one_that_others_name(wire: Station) -> None:
    batch = [track("m1"), track("m2", writeKey=KEY), track("m3", writeKey=KEY)]
    assert (await wire.post("/v1/batch", {"batch": batch}, key=None)).json == {"success": True}
    assert await wire.message_ids() == ["m1", "m2", "m3"]


async def test_a_batch_of_unknown_or_countless_keys_is_turned_away_whole(wire: Station) -> None:
    unknown = [track("m1", writeKey="x"), track("m2", writeKey="y")]
    reply = await wire.post("/v1/batch", {"batch": unknown}, key=None)
    assert (reply.status, reply.json["code"]) == (401, "write_key_unknown")
    countless = [track(f"m{number}", writeKey=f"k{number}") for number in range(50)]
    reply = await wire.post(
        "/v1/batch", {"batch": [track("m", writeKey=KEY), *countless]}, key=None
    )
    assert (reply.status, reply.json["code"]) == (400, "write_keys_too_many")
    assert await wire.events() == []


async def test_a_refused_registration_is_told_in_the_answer_and_the_event_is_kept(
    wire: Station,
) -> None:
    device = {"deviceId": "D", "fcmToken": "t" * 40, "deviceType": "iOS"}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("device_type_unknown", {"properties": {**device, "deviceType": "Symbian"}}),
        ("token_malformed", {"properties": {**device, "fcmToken": "<token>"}}),
        ("token_malformed", {"properties": {**device, "fcmToken": "null"}}),
        ("device_id_blocked", {"properties": {**device, "deviceId": "undefined"}}),
        ("token_missing", {"properties": {**device, "fcmToken": ""}}),
        ("device_type_unknown", {
            "event": "Device Created or Updated",
            "properties": {"token": "t" * 40, "deviceId": "D"},
        }),
        ("token_malformed", {
            "type": "identify",
            "traits": {"pushToken": "{{token}}", "deviceId": "D", "deviceType": "Android"},
        }),
    ]  # fmt: skip
    batch = [
        {
            "type": "track",
            "event": "register_push",
            "userId": "u",
            "messageId": f"m{number}",
            **said,
        }
        for number, (_, said) in enumerate(wrong)
    ]
    good = {**batch[0], "messageId": "good", "properties": device}
    reply = await wire.post("/v1/batch", {"batch": [*batch, good, track("seen")]})
    expected = [("registration", code, f"m{number}") for number, (code, _) in enumerate(wrong)]
    told = [(one["stage"], one["code"], one["messageId"]) for one in reply.json["refused"]]
    assert (reply.status, told) == (200, expected)
    assert all(one["message"] for one in reply.json["refused"])
    assert await wire.refusals() == expected
    assert len(await wire.events()) == len(wrong) + 2


async def test_a_registration_is_judged_with_its_batchs_context_as_the_ingestor_does(
    wire: Station,
) -> None:
    push = {"deviceId": "D", "fcmToken": "t" * 40}
    events = [track("m1", event="Register Push", properties=push)]
    context = {"device": {"type": "android"}}
    reply = await wire.post("/v1/batch", {"batch": events, "context": context})
    assert reply.json == {"success": True}
    events[0]["messageId"] = "m2"
    reply = await wire.post("/v1/batch", {"batch": events})
    assert [one["code"] for one in reply.json["refused"]] == ["device_type_unknown"]
    assert await wire.refusals() == [("registration", "device_type_unknown", "m2")]


async def test_the_server_api_tells_of_a_refused_registration_too(wire: Station) -> None:
    server = await server_of(wire)
    push = {"deviceId": "D", "fcmToken": "t" * 40, "deviceType": "Symbian"}
    reply = await server.post("track", track("m", event="Register Push", properties=push))
    assert reply.json["success"] is True
    assert [one["code"] for one in reply.json["refused"]] == ["device_type_unknown"]


async def test_ids_that_are_numbers_name_one_person_or_are_refused_with_the_cure(
    wire: Station,
) -> None:
    for number, said in enumerate((b"42", b'"42"', b"42.0", b'"42.0"', b'"4.2e+1"', b"4.2E1")):
        raw = msgspec.json.encode(track(f"m{number}", userId=7)).replace(b":7,", b":" + said + b",")
        assert (await wire.post("/v1/track", raw)).json == {"success": True}, said
    assert {row.user_id for row in await wire.events()} == {"42"}
    for said in (b"1e+16", b'"1e+16"', b'"1,234"', b'"1.23457E+11"'):
        raw = msgspec.json.encode(track("x", userId=7, anonymousId="a")).replace(
            b":7,", b":" + said + b","
        )
        for path, body in (("/v1/track", raw), ("/v1/batch", b'{"batch":[%b]}' % raw)):
            reply = await wire.post(path, body)
            assert [one["code"] for one in reply.json["refused"]] == ["id_not_exact"], (path, said)
