"""Promises 1 and 8 over real HTTP: what an app may send, what it hears, and what is kept."""

import asyncio
import gzip
import zlib
from asyncio import IncompleteReadError
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from clarion.customers.profile.store import get_customer
from clarion.events.calls.body import BODY_BYTES_MAX
from clarion.events.calls.call import BATCH_EVENTS_MAX
from clarion.events.calls.check import EVENT_BYTES_MAX
from clarion.events.collector import CollectorOptions
from clarion.ingest_log.outcome import Outcome
from clarion.ingest_log.queries import Wanted, newest
from clarion.sources.authenticator import WriteKeyOptions
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import devices
from clarion.web.sdk.routes import ROUTES
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.sources import set_source
from support.station import KEY, Station, prepare, source_row, station_on_sqlite, track
from support.wire import basic, chunked, line, request


@pytest.fixture
async def station(database: Database, clock: FakeClock) -> AsyncIterator[Station]:
    """On each database: for what ends in rows."""
    await prepare(database, clock)
    async with Station(database, clock) as station:
        yield station


@pytest.fixture
async def wire(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Station]:
    """On SQLite alone: for what is decided before the database."""
    async with station_on_sqlite(tmp_path, clock) as station:
        yield station


# --- routes ---------------------------------------------------------------------------------


async def test_every_route_keeps_its_event(station: Station) -> None:
    expected = []
    for number, (path, kind) in enumerate(ROUTES.items()):
        for end in ("", "/"):
            message_id = f"m{number}{end}"
            one = track(message_id, type=kind or "track")
            reply = await station.post(path + end, one if kind else {"batch": [one]})
            assert (reply.status, reply.body) == (200, b'{"success":true}'), path
            assert reply.headers["content-type"] == "application/json"
            expected.append((message_id, kind or "track"))
    assert sorted((row.message_id, row.type) for row in await station.events()) == sorted(expected)


async def test_the_six_calls_of_the_spec_are_kept_as_they_came(station: Station) -> None:
    sent: dict[str, dict[str, Any]] = {
        "track": {"event": "Order Completed", "userId": "u", "properties": {"total": 9.95}},
        "identify": {"userId": "u", "traits": {"plan": "gold"}},
        "page": {"name": "Home", "anonymousId": "a"},
        "screen": {"name": "Start", "anonymousId": "a"},
        "group": {"groupId": "g", "userId": "u"},
        "alias": {"previousId": "a", "userId": "u"},
    }
    for kind, fields in sent.items():
        await station.post(f"/v1/{kind}", {"messageId": kind, **fields})
    rows = await station.events()
    assert [row.message_id for row in rows] == list(sent)
    assert [msgspec.json.decode(row.body) for row in rows] == [
        {"messageId": kind, **fields} for kind, fields in sent.items()
    ]
    assert [row.name for row in rows] == ["Order Completed", None, "Home", "Start", None, None]
    async with station.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "u")
    assert customer is not None
    assert customer.traits == {"plan": "gold"}
    assert {row.customer_id for row in rows} == {customer.id}


async def test_another_path_or_method_is_an_error_that_says_so(wire: Station) -> None:
    for path in ("/v1/", "/v1/nothing", "/v1/track/more", "/v1/%00", "/v1/Track"):
        reply = await wire.post(path, track("m"))
        assert (reply.status, reply.json["code"]) == (404, "not_found"), path
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        reply = await wire.ask(request("/v1/track", method=method))
        assert (reply.status, reply.json["code"]) == (405, "method_not_allowed"), method
        assert "POST" in reply.headers["allow"]
    assert await wire.events() == []


# --- write keys -----------------------------------------------------------------------------


async def test_the_write_key_is_found_wherever_an_sdk_puts_it(station: Station) -> None:
    async def sent(message_id: str, path: str, body: Any, headers: dict[str, str]) -> None:
        raw = msgspec.json.encode(body)
        reply = await station.ask(request(path, raw, headers))
        assert reply.status == 200, (message_id, reply)

    keyed = {"writeKey": KEY}
    await sent("m1", "/v1/track", track("m1"), basic(KEY))
    await sent("m2", "/v1/track", track("m2"), basic(KEY, password=None))
    await sent("m3", "/v1/track", track("m3"), basic(KEY, password="ignored"))
    await sent("m4", "/v1/track", track("m4", **keyed), {})
    await sent("m5", "/v1/batch", {"batch": [track("m5")], **keyed}, {})
    await sent("m6", "/v1/batch", {"batch": [track("m6", **keyed)]}, {})
    await sent("m7", "/v1/track", track("m7"), {"X-Write-Key": KEY})
    await sent("m8", "/v1/track?writeKey=" + KEY, track("m8"), {})
    await sent("m9", "/v1/track", track("m9"), {"Authorization": f"Bearer {KEY}"})
    oauth = {"Authorization": "Bearer eyJhbGciOi.token"}
    await sent("m10", "/v1/batch", {"batch": [track("m10")], **keyed}, oauth)
    unpadded = {"Authorization": basic(KEY)["Authorization"].rstrip("=")}
    assert unpadded != basic(KEY)
    await sent("m11", "/v1/track", track("m11"), unpadded)
    await sent("m12", "/v1/track", track("m12"), {"X-Write-Key": f"{KEY}:secret"})
    assert await station.message_ids() == [f"m{number}" for number in range(1, 13)]


async def test_a_key_in_a_header_wins_over_one_in_the_body(station: Station) -> None:
    async with station.database.write() as connection:
        other = await create_source(
            connection, **source_row("other", 9, "other-key"), now=station.clock.now()
        )
    masked = {"writeKey": "other-key"}
    await station.post("/v1/track", track("m1", **masked))
    await station.post("/v1/batch", {"batch": [track("m2", **masked)], **masked})
    await station.post("/v1/track", track("m3", writeKey="k:***"), {"X-Write-Key": KEY}, key=None)
    await station.post("/v1/track", track("m4", **masked), key=None)
    sources = {row.message_id: row.source_id for row in await station.events()}
    assert sources == {"m1": SOURCE, "m2": SOURCE, "m3": SOURCE, "m4": other.id}


async def test_a_missing_or_unknown_key_is_401_and_keeps_nothing(wire: Station) -> None:
    bodies: list[Any] = [
        track("m"),
        track("m", writeKey="nobody"),
        track("m", writeKey=None),
        track("m", writeKey=7),
        track("m", writeKey="x" * 100_000),
    ]
    for body in bodies:
        reply = await wire.post("/v1/track", body, key=None)
        assert (reply.status, reply.json["code"]) == (401, "write_key_unknown")
        reply = await wire.post("/v1/batch", {"batch": [body]}, key=None)
        assert reply.status == 401
    for header in ("Basic", "Basic !!!", "Basic /////w==", "Bearer", "Basic bm9ib2R5Og==", "Odd x"):
        reply = await wire.post("/v1/track", track("m"), {"Authorization": header}, key=None)
        assert (reply.status, reply.json["success"]) == (401, False), header
    whole = {"batch": [track("m", writeKey=KEY)], "writeKey": "nobody"}
    assert (await wire.post("/v1/batch", whole, key=None)).status == 401
    assert await wire.events() == []
    assert await wire.refusals() == []


async def test_a_revoked_key_is_refused(database: Database, clock: FakeClock) -> None:
    await prepare(database, clock)
    at_once = CollectorOptions(authenticator=WriteKeyOptions(remembered_seconds=0))
    async with Station(database, clock, collector_options=at_once) as station:
        assert (await station.post("/v1/track", track("m1"))).status == 200
        async with database.write() as connection:
            await set_source(connection, WORKSPACE, SOURCE, revoked_at=clock.now())
        assert (await station.post("/v1/track", track("m2"))).status == 401
        assert await station.message_ids() == ["m1"]


async def test_a_preflight_needs_no_key_and_no_allowed_origin(wire: Station) -> None:
    async with wire.database.write() as connection:
        await set_source(connection, WORKSPACE, SOURCE, allowed_origins=("https://shop.example",))
    page = {"Origin": "https://evil.example"}
    asked = await wire.ask(request("/v1/track", b"", page, method="OPTIONS"))
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == page["Origin"]
    sent = await wire.post("/v1/track", track("m"), page)
    assert (sent.status, sent.json["code"]) == (403, "origin_not_allowed")


async def test_a_new_key_is_known_at_once(station: Station) -> None:
    await station.post("/v1/track", track("m1"))
    async with station.database.write() as connection:
        await create_source(connection, **source_row("new", 9, "new"), now=station.clock.now())
    assert (await station.post("/v1/track", track("m2"), key="new")).status == 200


# --- bodies ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense", ""],
)
async def test_any_content_type_is_read_as_json(wire: Station, content_type: str) -> None:
    reply = await wire.post("/v1/track", track("m"), {"Content-Type": content_type})
    assert reply.status == 200
    assert await wire.message_ids() == ["m"]


async def test_gzip_and_chunked_bodies_and_a_byte_order_mark_are_read(wire: Station) -> None:
    raw = msgspec.json.encode({"batch": [track("m1")]})
    headers = basic(KEY)
    zipped = {**headers, "Content-Encoding": "gzip", "Content-Type": "text/plain"}
    parted = {**headers, "Transfer-Encoding": "chunked"}
    pieces = [raw[at : at + 7] for at in range(0, len(raw), 7)]
    packed = gzip.compress(raw)
    for whole in (
        request("/v1/batch", packed, zipped),
        request("/v1/batch", packed, {**zipped, "Content-Encoding": " GZip "}),
        request("/v1/batch", chunked(*pieces), parted),
        request("/v1/b", chunked(packed[:9], packed[9:]), {**zipped, **parted}),
        request("/v1/batch", b"\xef\xbb\xbf" + raw, headers),
    ):
        assert (await wire.ask(whole)).status == 200, whole
    assert await wire.message_ids() == ["m1"]


async def test_what_can_not_be_read_is_one_clear_error(wire: Station) -> None:
    zipped = {"Content-Encoding": "gzip"}
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    cases: list[tuple[bytes, dict[str, str], str]] = [
        (b"", {}, "not_json"),
        (b"hello", {}, "not_json"),
        (b'{"batch":[', {}, "not_json"),
        (b"[]", {}, "not_an_object"),
        (b"null", {}, "not_an_object"),
        (b"{}", {}, "batch_missing"),
        (b'{"batch":{}}', {}, "batch_missing"),
        (b'{"batch":' + b"[" * 100_000, {}, "nested_too_deeply"),
        (b"hello", zipped, "gzip_broken"),
        (gzip.compress(b"{}" * 999)[:-5], zipped, "gzip_broken"),
        (b"hello", {"Content-Encoding": "br"}, "encoding_unknown"),
        (b"x" * (BODY_BYTES_MAX + 1), {}, "body_too_large"),
        (gzip.compress(b"x" * (BODY_BYTES_MAX + 1)), zipped, "body_too_large"),
        (bomb, zipped, "body_too_large"),
    ]
    for body, headers, code in cases:
        reply = await wire.post("/v1/batch", body, headers)
        assert (reply.status, reply.json["code"]) == (400, code)
        assert reply.json["success"] is False
        assert reply.json["message"]
    parted = request("/v1/batch", chunked(*[b"x" * 60_000] * 9), {"Transfer-Encoding": "chunked"})
    assert (await wire.ask(parted)).json["code"] == "body_too_large"
    assert await wire.events() == []
    assert await wire.refusals() == []


async def test_a_call_may_have_2500_events_and_no_more(station: Station) -> None:
    many = [track(f"m{number}", properties={}) for number in range(BATCH_EVENTS_MAX)]
    assert (await station.post("/v1/batch", {"batch": many})).status == 200
    reply = await station.post("/v1/batch", {"batch": [*many, track("more")]})
    assert (reply.status, reply.json["code"]) == (400, "batch_too_large")
    assert len(await station.events()) == BATCH_EVENTS_MAX


async def test_the_largest_call_is_kept_even_where_every_event_is_refused(
    station: Station,
) -> None:
    nobody = {"type": "page", "messageId": "m" * 36, "x": "x" * 120}
    reply = await station.post("/v1/batch", {"batch": [nobody] * BATCH_EVENTS_MAX})
    assert reply.status == 200
    assert len(await station.refusals()) == BATCH_EVENTS_MAX


# --- one bad event --------------------------------------------------------------------------


async def test_a_bad_event_is_refused_with_a_recorded_reason_and_the_rest_is_kept(
    station: Station,
) -> None:
    reply = await station.post(
        "/v1/batch",
        {
            "batch": [
                track("m1"),
                track("big", x="x" * EVENT_BYTES_MAX),
                "text",
                track("nobody", userId=None),
                track("nameless", event=""),
                {"type": "delete", "userId": "u", "messageId": "odd"},
                track("m2"),
            ]
        },
    )
    assert reply.status == 200
    assert reply.json["success"] is True
    assert [(one["messageId"], one["code"]) for one in reply.json["refused"]] == [
        ("big", "event_too_large"),
        (None, "event_not_an_object"),
        ("nobody", "no_user_anon_id"),
        ("nameless", "event_name_missing"),
        ("odd", "event_type_unknown"),
    ]
    assert all(one["message"] for one in reply.json["refused"])
    assert await station.message_ids() == ["m1", "m2"]
    assert await station.refusals() == [
        ("event", "event_too_large", "big"),
        ("event", "event_not_an_object", None),
        ("event", "no_user_anon_id", "nobody"),
        ("event", "event_name_missing", "nameless"),
        ("event", "event_type_unknown", "odd"),
    ]
    async with station.database.read() as connection:
        refused = Wanted(source_id=SOURCE, outcomes=frozenset({Outcome.REFUSED}))
        [last], _ = await newest(connection, refused, None, 1)
    assert last.excerpt is not None
    assert "delete" in last.excerpt
    assert last.received_at == station.clock.now()


async def test_a_single_event_that_is_refused_is_recorded_too(station: Station) -> None:
    reply = await station.post("/v1/track", track("nobody", userId="null"))
    assert reply.status == 200
    assert [one["code"] for one in reply.json["refused"]] == ["no_user_anon_id"]
    assert await station.refusals() == [("event", "no_user_anon_id", "nobody")]


async def test_awkward_values_are_kept_or_refused_but_lose_no_other_event(
    station: Station,
) -> None:
    def awkward(name: str, value: bytes) -> bytes:
        traits = b'{"n":%b}' % value
        return b'{"type":"identify","userId":"u-%b","messageId":"%b","traits":%b}' % (
            name.encode(), name.encode(), traits,
        )  # fmt: skip

    kept = {
        "large integer": b"1" * 60,
        "precise": b"0.1234567890123456789",
        "small": b"1e-400",
        "nul": b'"a\\u0000b"',
        "half an emoji": b'"\\ud83d"',
        "latin-1": b'"caf\xe9"',
        "nan": b"NaN",
        "infinity": b"-Infinity",
        "control": b'"\\u0001\\u001f\\u007f\\u2028"',
        "nested": b"[" * 60 + b"]" * 60,
        "twice": b'1,"n":2',
        "empty name": b'{"":{"":""}}',
    }
    refused = {
        "out of range": b"1e999",
        "endless integer": b"1" * 5_000,
        "nested too deeply": b"[" * 70 + b"]" * 70,
    }
    events = [awkward(name, value) for name, value in {**kept, **refused}.items()]
    body = b'{"batch":[' + b",".join([*events, msgspec.json.encode(track("last"))]) + b"]}"
    assert (await station.post("/v1/batch", body)).status == 200
    assert await station.message_ids() == [*kept, "last"]
    told = await station.refusals()
    assert [message_id for stage, _, message_id in told if stage == "event"] == list(refused)
    assert told[len(refused) :] == [("advice", "text_damaged", "half an emoji")]
    async with station.database.read() as connection:
        assert (await get_customer(connection, WORKSPACE, "u-nul")).traits == {"n": "ab"}  # type: ignore[union-attr]
        assert (await get_customer(connection, WORKSPACE, "u-nan")).traits == {}  # type: ignore[union-attr]
        large = await get_customer(connection, WORKSPACE, "u-large integer")
    assert large is not None
    assert large.traits == {"n": int("1" * 60)}


# --- ids, traits, context, time -------------------------------------------------------------


async def test_an_integer_id_is_the_same_person_as_its_text(station: Station) -> None:
    await station.post("/v1/identify", {"userId": 42, "traits": {"a": 1}, "messageId": 1})
    await station.post("/v1/identify", {"userId": "42", "traits": {"b": 2}, "messageId": "2"})
    rows = await station.events()
    assert [(row.message_id, row.user_id) for row in rows] == [("1", "42"), ("2", "42")]
    assert len({row.customer_id for row in rows}) == 1


async def test_placeholder_ids_are_treated_as_missing(station: Station) -> None:
    for number, nothing in enumerate(
        [None, "", " ", "null", "<userId>", 0, True, ["u"], "x" * 256]
    ):
        await station.post("/v1/track", track(f"m{number}", userId=nothing, anonymousId="a"))
    rows = await station.events()
    assert len(rows) == 9
    assert {(row.user_id, row.anonymous_id) for row in rows} == {(None, "a")}
    assert await station.refusals() == []


async def test_an_identify_teaches_the_traits_of_its_context_where_it_has_none(
    station: Station,
) -> None:
    within = {"userId": "u", "context": {"traits": {"plan": "gold"}}}
    await station.post("/v1/identify", within)
    await station.post("/v1/track", track("m", context={"traits": {"plan": "silver"}}))
    await station.events()
    async with station.database.read() as connection:
        customer = await get_customer(connection, WORKSPACE, "u")
    assert customer is not None
    assert customer.traits == {"plan": "gold"}


async def test_a_batchs_context_is_kept_with_each_of_its_events(station: Station) -> None:
    await station.post(
        "/v1/batch",
        {
            "context": {"ip": "1.2.3.4", "library": {"name": "batch"}},
            "batch": [track("m1"), track("m2", context={"library": {"name": "own"}})],
        },
    )
    bodies = [msgspec.json.decode(row.body) for row in await station.events()]
    assert [body["context"] for body in bodies] == [
        {"ip": "1.2.3.4", "library": {"name": "batch"}},
        {"ip": "1.2.3.4", "library": {"name": "own"}},
    ]


async def test_a_wrong_clock_is_corrected(station: Station) -> None:
    now = station.clock.now()
    day_behind = {"sentAt": "2026-02-28T12:00:00Z"}
    times = [
        track("clock a day behind", timestamp="2026-02-28T11:00:00.000Z"),
        track("no time"),
        track("unreadable", timestamp="2015-2-02T00:30:08.276Z"),
        track("import", timestamp="2012-05-06T00:00:00Z", sentAt="2026-03-01T12:00:00Z"),
        track("next year", timestamp="2027-01-01T00:00:00Z", sentAt="2027-01-01T00:00:00Z"),
        track("far ahead", timestamp="2027-01-01T00:00:00Z"),
    ]
    await station.post("/v1/batch", {"batch": times, **day_behind})
    at = {row.message_id: row.at for row in await station.events()}
    assert at["clock a day behind"].hour == 11
    assert at["clock a day behind"].date() == now.date()
    assert at["import"].year == 2012
    assert at["no time"] == at["unreadable"] == at["next year"] == at["far ahead"] == now
    assert {row.received_at for row in await station.events()} == {now}


# --- once -----------------------------------------------------------------------------------


async def test_a_repeated_message_id_changes_nothing(station: Station) -> None:
    first = track("m", properties={"n": 1})
    again = track("m", properties={"n": 2}, sentAt="2026-03-01T12:00:09Z", type="page")
    await station.post("/v1/batch", {"batch": [first, again]})
    await station.post("/v1/track", again)
    rows = await station.events()
    await station.post("/v1/track", again)
    await station.post("/v1/batch", {"batch": [again, track("n")]})
    assert [row for row in await station.events() if row.message_id == "m"] == rows
    assert [msgspec.json.decode(row.body)["properties"] for row in rows] == [{"n": 1}]
    assert await station.message_ids() == ["m", "n"]


async def test_a_repeated_message_id_changes_nothing_after_a_restart(
    database: Database, clock: FakeClock
) -> None:
    await prepare(database, clock)
    for _ in range(2):
        async with Station(database, clock) as station:
            assert (await station.post("/v1/track", track("m"))).status == 200
    async with Station(database, clock) as station:
        assert (await station.post("/v1/track", track("m"))).status == 200
        assert await station.message_ids() == ["m"]


async def test_the_same_message_id_in_another_workspace_is_another_event(
    station: Station,
) -> None:
    async with station.database.write() as connection:
        row = {**source_row("theirs", 9, "theirs"), "workspace_id": UUID(int=99)}
        await create_source(connection, **row, now=station.clock.now())
    await station.post("/v1/track", track("m"))
    await station.post("/v1/track", track("m"), key="theirs")
    rows = await station.events()
    assert [row.message_id for row in rows] == ["m", "m"]
    assert len({row.customer_id for row in rows}) == 2


async def test_events_without_a_message_id_are_all_kept(station: Station) -> None:
    for _ in range(3):
        await station.post("/v1/batch", {"batch": [track(None), track("")]})
    assert len(set(await station.message_ids())) == 6


# --- registrations --------------------------------------------------------------------------


def register(message_id: str, **properties: Any) -> dict[str, Any]:
    whole = {"deviceId": f"D-{message_id}", "fcmToken": "T", "deviceType": "iOS", **properties}
    return track(message_id, event="Register Push", properties=whole)


async def test_a_bad_registration_is_kept_as_an_event_and_refused_with_a_reason(
    station: Station,
) -> None:
    faults: dict[str, list[dict[str, Any]]] = {
        "device_id_missing": [{"deviceId": None}, {"deviceId": ""}, {"deviceId": "  "}],
        "device_id_too_long": [{"deviceId": "x" * 256}],
        "device_id_not_exact": [{"deviceId": 1.5}, {"deviceId": "1e+16"}],
        "device_id_blocked": [{"deviceId": "<deviceId>"}, {"deviceId": "0000"}, {"deviceId": []}],
        "token_missing": [{"fcmToken": None}, {"fcmToken": ""}, {"fcmToken": " "}, {"fcmToken": 5}],
        "token_malformed": [{"fcmToken": "<token>"}, {"fcmToken": "a b"}, {"fcmToken": "x" * 5000}],
        "device_type_unknown": [{"deviceType": "Symbian"}, {"deviceType": None}, {"deviceType": 7}],
    }  # fmt: skip
    expected = []
    for code, many in faults.items():
        for number, changed in enumerate(many):
            expected.append(("registration", code, f"{code}-{number}"))
            reply = await station.post("/v1/track", register(f"{code}-{number}", **changed))
            (told,) = reply.json["refused"]
            assert (reply.status, reply.json["success"]) == (200, True)
            assert (told["stage"], told["code"], told["messageId"]) == expected[-1]
    reply = await station.post("/v1/track", register("good"))
    assert reply.body == b'{"success":true}'
    assert await station.message_ids() == [*(message_id for _, _, message_id in expected), "good"]
    assert await station.refusals() == expected
    async with station.database.read() as connection:
        registered = (await connection.execute(select(devices.c.device_id))).scalars().all()
    assert registered == ["D-good"]


async def test_a_registration_that_names_nobody_is_kept_as_nobodys_event(
    station: Station,
) -> None:
    nobody = {"userId": "<deviceId>", "anonymousId": None}
    await station.post("/v1/track", {**register("m1", deviceId="<deviceId>"), **nobody})
    await station.post(
        "/v1/batch",
        {"batch": [track("m2"), {**register("m3", deviceId="x" * 300), "userId": "x" * 300}]},
    )
    rows = await station.events()
    assert [row.message_id for row in rows] == ["m1", "m2", "m3"]
    assert [row.customer_id is None for row in rows] == [True, False, True]
    assert await station.refusals() == [
        ("registration", "device_id_blocked", "m1"),
        ("registration", "device_id_too_long", "m3"),
    ]


# --- browsers -------------------------------------------------------------------------------

ORIGIN = {"Origin": "https://shop.example"}


async def test_a_preflight_allows_what_the_sdks_send(wire: Station) -> None:
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-retry-count",
    }
    for path in ROUTES:
        reply = await wire.ask(request(path, b"", asked, method="OPTIONS"))
        assert (reply.status, reply.body) == (204, b"")
        assert reply.headers["access-control-allow-origin"] == "https://shop.example"
        assert "POST" in reply.headers["access-control-allow-methods"]
        assert int(reply.headers["access-control-max-age"]) >= 600
        allowed = {one.strip() for one in reply.headers["access-control-allow-headers"].split(",")}
        assert allowed >= {
            "authorization", "content-type", "x-retry-count",
            "x-write-key", "anonymousid", "sentat",
        }  # fmt: skip


async def test_every_reply_to_a_browser_may_be_read_by_it(wire: Station) -> None:
    replies = [
        await wire.post("/v1/track", track("m"), ORIGIN),
        await wire.post("/v1/track", track("m", userId=""), ORIGIN),
        await wire.post("/v1/track", b"hello", ORIGIN),
        await wire.post("/v1/track", b"x" * (BODY_BYTES_MAX + 1), ORIGIN),
        await wire.post("/v1/track", track("m"), ORIGIN, key="nobody"),
        await wire.post("/v1/nothing", track("m"), ORIGIN),
        await wire.ask(request("/v1/track", b"", ORIGIN, method="GET")),
    ]
    assert [reply.status for reply in replies] == [200, 200, 400, 400, 401, 404, 405]
    for reply in replies:
        assert reply.headers["access-control-allow-origin"] == "https://shop.example"
        assert "Retry-After" in reply.headers["access-control-expose-headers"]
        assert reply.headers["vary"] == "Origin"


async def test_a_server_side_app_hears_nothing_of_origins(wire: Station) -> None:
    reply = await wire.post("/v1/track", track("m"))
    assert "access-control-allow-origin" not in reply.headers


# --- connections ----------------------------------------------------------------------------


async def test_one_connection_carries_many_calls_even_at_once(wire: Station) -> None:
    async with line(wire.port) as one:
        for number in range(3):
            raw = msgspec.json.encode(track(f"a{number}"))
            assert (await one.ask(request("/v1/track", raw, basic(KEY)))).status == 200
        together = [msgspec.json.encode(track(f"b{number}")) for number in range(20)]
        await one.send(b"".join(request("/v1/track", raw, basic(KEY)) for raw in together))
        assert [(await one.reply()).status for _ in together] == [200] * 20
    assert len(await wire.events()) == 23


async def test_a_refused_call_leaves_its_connection_usable(wire: Station) -> None:
    async with line(wire.port) as one:
        for body in (b"hello", b"x" * (BODY_BYTES_MAX + 200_000), gzip.compress(b"{}")[:-4]):
            assert (await one.ask(request("/v1/track", body, basic(KEY)))).status == 400
            raw = msgspec.json.encode(track("m"))
            assert (await one.ask(request("/v1/track", raw, basic(KEY)))).status == 200
    assert await wire.message_ids() == ["m"]


async def test_a_slow_body_is_waited_for_and_holds_up_nobody(wire: Station) -> None:
    raw = request("/v1/track", msgspec.json.encode(track("slow")), basic(KEY))
    async with line(wire.port) as slow:
        await slow.send(raw[:-9])
        assert (await wire.post("/v1/track", track("quick"))).status == 200
        assert await wire.message_ids() == ["quick"]
        for byte in raw[-9:-1]:
            await slow.send(bytes([byte]))
        assert (await slow.ask(raw[-1:])).status == 200
    assert await wire.message_ids() == ["quick", "slow"]


async def test_a_body_that_does_not_come_is_given_up(database: Database, clock: FakeClock) -> None:
    await prepare(database, clock)
    async with Station(database, clock, body_seconds=0.1) as station:
        async with line(station.port) as slow:
            raw = request("/v1/track", msgspec.json.encode(track("slow")), basic(KEY))
            reply = await slow.ask(raw[:-9])
        assert (reply.status, reply.json["code"]) == (408, "body_too_slow")
        assert await station.events() == []


async def test_a_caller_who_goes_in_the_middle_leaves_nothing_behind(wire: Station) -> None:
    raw = request("/v1/track", msgspec.json.encode(track("gone")), basic(KEY))
    for size in (20, len(raw) - 40, len(raw) - 1):
        async with line(wire.port) as one:
            await one.send(raw[:size])
    assert (await wire.post("/v1/track", track("m"))).status == 200
    assert await wire.message_ids() == ["m"]


async def test_what_is_not_http_harms_no_other_connection(wire: Station) -> None:
    for noise in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"POST /v1/\xff HTTP/1.1\r\n\r\n",
    ):
        async with line(wire.port) as one:
            await one.send(noise)
            with suppress(IncompleteReadError, ConnectionResetError):
                assert (await one.reply()).status in (400, 404)
    assert (await wire.post("/v1/track", track("m"))).status == 200


async def test_a_hundred_callers_at_once_are_all_answered(station: Station) -> None:
    async def call(number: int) -> int:
        events = [track(f"{number}-{index}", userId=f"u{number}") for index in range(5)]
        return (await station.post("/v1/batch", {"batch": events})).status

    assert await asyncio.gather(*(call(number) for number in range(100))) == [200] * 100
    assert len(set(await station.message_ids())) == 500
