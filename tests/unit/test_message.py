"""One event as an app sent it: what is taken, what is refused, and how it is read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.events.calls.check import EVENT_BYTES_MAX, Checked, check
from clarion.events.messages.identifiers import ID_CHARACTERS_MAX, usable_id
from clarion.events.messages.json_limits import NESTING_MAX
from clarion.events.messages.message import (
    TIME_IMPOSSIBLE,
    Envelope,
    Event,
    context_device_of,
    read,
    read_identify,
)
from clarion.events.messages.timestamps import corrected, parse_time
from clarion.ingest_log.rejection import RejectedEvent
from support.history import App

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def wire(**fields: Any) -> bytes:
    return msgspec.json.encode({"type": "track", "event": "Seen", "userId": "u", **fields})


def checked(raw: bytes, type_hint: str | None = None) -> Checked:
    found = check(raw, type_hint)
    assert isinstance(found, Checked), found
    return found


def refused(raw: bytes, type_hint: str | None = None) -> RejectedEvent:
    found = check(raw, type_hint)
    assert isinstance(found, RejectedEvent), found
    return found


def event(
    raw: bytes,
    *,
    sent_at: datetime | None = None,
    context: dict[str, Any] | None = None,
) -> Event:
    members = {
        name: msgspec.Raw(msgspec.json.encode(value)) for name, value in (context or {}).items()
    }
    envelope = Envelope(received_at=RECEIVED, sent_at=sent_at, context=members)
    found = read(raw, type_=checked(raw).type, message_id="m", envelope=envelope)
    assert isinstance(found, Event), found
    return found


# --- ids (R0) -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "usable"),
    [
        ("u1", "u1"),
        ("  u1\t", "u1"),
        (42, "42"),
        ("42", "42"),
        ("J\u00fcrgen \U0001f600", "J\u00fcrgen \U0001f600"),
        ("x" * ID_CHARACTERS_MAX, "x" * ID_CHARACTERS_MAX),
        ("userId7", "userId7"),
        ("<b", "<b"),
        ("0-0-1", "0-0-1"),
    ],
)
def test_an_id_is_trimmed_text(value: Any, usable: str) -> None:
    assert usable_id(value) == usable


@pytest.mark.parametrize(
    "value",
    [
        None, "", "   ", "null", "NULL", "None", "nil", "undefined", "NaN", "true", "False",
        "unknown", "anonymous", "Guest", "id", "userId", "anonymousId", "deviceId",
        "[object Object]", "-1", -1, 0, "0", "0000", "00000000-0000-0000-0000-000000000000", "---",
        "<userId>", "<deviceId>", "< your id >", "{{user.id}}", "${userId}", "x" * 256,
        "Infinity", "-inf", "1.#QNAN", "-nan(ind)", "\u221e", "(null)", "0.0", "-0.0", "0e+00",
        "\u0660", "-1.0", True, False, 1.5, ["u"], {"id": "u"}, "caf\ufffd",
    ],
)  # fmt: skip
def test_what_names_nobody_is_no_id(value: Any) -> None:
    assert usable_id(value) is None


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("42.0", "42"),  # Java, Kotlin, Python, Gson
        ("42.000000", "42"),  # C
        ("42.", "42"),
        ("-7.0", "-7"),
        ("1.0E7", "10000000"),  # Java
        ("1.2345678E7", "12345678"),
        ("9.007199254740991E15", "9007199254740991"),
        ("1.2345678e+07", "12345678"),  # Go
        ("1.0e7", "10000000"),  # Erlang
        ("\u0664\u0662", "42"),  # Arabic-Indic
        ("\u0664\u0662\u066b\u0660", "42"),
        ("\uff14\uff12", "42"),  # full width
        ("\u096a\u0968", "42"),  # Devanagari
    ],
)
def test_a_number_that_another_language_prints_is_that_number(printed: str, number: str) -> None:
    assert usable_id(printed) == number
    assert event(wire(userId=printed)).user_id == number


@pytest.mark.parametrize(
    "printed",
    [
        "1e+16",  # Python, Go
        "1.0e+16",  # Ruby
        "1.0E+25",  # PHP
        "1.2345678901235E+16",
        "1.0E16",  # Java, beyond what a double tells apart
        "1e+21",  # JavaScript
        "1E+15",  # C#
        "1.23457E+11",  # Excel, C
        "1,23457E+11",
        "1.5e-7",
        "9007199254740993.0",
        "123456789012345680.0",
        "1,234",
        "1,234,567.00",
        "12,34,567",
        "1'234",
        "1\u2019234",
        "1\u00a0234",
        "1\u202f234",
        "\u0661\u066c\u0662\u0663\u0664",
    ],
)
def test_a_number_without_all_its_digits_is_refused_with_the_cure(printed: str) -> None:
    assert usable_id(printed) is None
    for where in (
        {"userId": printed},
        {"userId": "u", "anonymousId": printed},
        {"event": "Seen", "properties": {"deviceId": printed}},
        {"context": {"device": {"id": printed}}},
        {"type": "alias", "previousId": printed},
    ):
        assert refused(wire(**where)).code == "id_not_exact", where


@pytest.mark.parametrize(
    "text",
    ["1e5", "12e45678", "0e1234", "1.5", "1.234.567", "10.0.0.1", "007.0", "+4915112345",
     "943 476 591", "2026-03-01", "1-2", "12,5", "a,123", "caf\u00e9 1.0", "user\u0664", "1E16"],
)  # fmt: skip
def test_a_text_that_prints_no_number_stays_as_it_is(text: str) -> None:
    assert usable_id(text) == text


@pytest.mark.parametrize(
    ("number", "user_id"),
    [(b"42.0", "42"), (b"1.0E7", "10000000"), (b"1e5", "100000"), (b"1.2345678E7", "12345678"),
     (b"9007199254740991", "9007199254740991"), (b"12345678901234567890", "12345678901234567890")],
)  # fmt: skip
def test_a_number_of_json_names_whom_its_digits_name(number: bytes, user_id: str) -> None:
    raw = wire(userId=7, properties={"deviceId": 8, "price": 1.5}).replace(b"7", number)
    assert event(raw).user_id == user_id
    assert event(raw).properties["price"] == 1.5
    device = wire(properties={"deviceId": 7}).replace(b"7", number)
    assert event(device).device_id == user_id


@pytest.mark.parametrize(
    "number", [b"1e+16", b"1.5", b"1.23457e+07", b"1e999", b"9007199254740993.0"]
)
def test_a_number_of_json_that_is_not_exact_is_refused(number: bytes) -> None:
    for raw in (wire(userId=7), wire(anonymousId=7), wire(properties={"deviceId": 7})):
        code = refused(raw.replace(b"7", number)).code
        assert code == ("event_unreadable" if number == b"1e999" else "id_not_exact")


@given(st.integers(min_value=1, max_value=2**53 - 1))
def test_a_double_of_java_and_of_json_names_the_person_whose_id_it_is(number: int) -> None:
    digits = str(number)
    java = f"{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 1}"
    assert usable_id(java) == usable_id(f"{number}.0") == usable_id(number) == digits
    raw = wire(userId=-3).replace(b"-3", repr(float(number)).encode())
    assert event(raw).user_id == digits


def test_an_integer_id_is_the_same_as_its_text() -> None:
    assert event(wire(userId=42)).user_id == event(wire(userId="42")).user_id == "42"


# --- whether an event is taken --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["track", "identify", "page", "screen", "group", "alias"])
def test_every_type_is_taken_by_its_own_word_or_by_the_paths(kind: str) -> None:
    assert checked(wire(type=kind)).type == kind
    assert checked(wire(type=None), kind).type == kind


@pytest.mark.parametrize("kind", ["Track", "TRACK", " track\n", "Identify", "sCREEN", "ALIAS "])
def test_a_type_is_read_in_any_case_as_a_path_would_say_it(kind: str) -> None:
    plain = kind.strip().lower()
    assert checked(wire(type=kind)) == checked(wire(type=plain), plain)


def test_the_path_says_the_type_whatever_the_body_says() -> None:
    assert checked(wire(type="page"), "track").type == "track"


@pytest.mark.parametrize("kind", [None, "", "Tracks", "de lete", "ſcreen", 7, ["track"], {"a": 1}])
def test_an_unknown_type_is_refused(kind: Any) -> None:
    assert refused(wire(type=kind)).code == "event_type_unknown"


@pytest.mark.parametrize("name", [None, "", "  ", 5, ["Seen"]])
def test_a_track_event_without_a_name_is_refused(name: Any) -> None:
    assert refused(wire(event=name)).code == "event_name_missing"


def test_only_track_needs_a_name() -> None:
    assert checked(wire(type="page", event=None)).type == "page"


@pytest.mark.parametrize("raw", [b"1", b'"x"', b"null", b"[]", b"true"])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    assert refused(raw).code == "event_not_an_object"


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"userId": None, "anonymousId": None},
        {"userId": "", "anonymousId": " "},
        {"userId": "<userId>", "anonymousId": "null"},
        {"userId": ["u"], "anonymousId": {"a": 1}},
        {"previousId": "p"},
        {"groupId": "g"},
    ],
)
def test_an_event_that_names_nobody_is_refused(ids: dict[str, Any]) -> None:
    raw = msgspec.json.encode({"type": "alias", "messageId": "m1", **ids})
    assert refused(raw).code == "no_user_anon_id"
    assert refused(raw).message_id == "m1"


def test_an_event_whose_only_id_is_too_long_says_so() -> None:
    assert refused(wire(userId="x" * 256)).code == "id_too_long"
    assert checked(wire(userId="x" * 256, anonymousId="a")).type == "track"


@pytest.mark.parametrize(
    "ids",
    [
        {"anonymousId": "a"},
        {"properties": {"deviceId": "d"}},
        {"properties": {"device_id": "d"}},
        {"context": {"device": {"id": "d"}}},
    ],
)
def test_any_one_id_is_enough(ids: dict[str, Any]) -> None:
    assert checked(wire(userId=None, **ids)).type == "track"


@pytest.mark.parametrize("name", ["Register Push", "register_push", " REGISTER  PUSH "])
def test_a_registration_that_names_nobody_is_taken_to_be_looked_into(name: str) -> None:
    fields = {"event": name, "userId": "<deviceId>", "properties": {"deviceId": "<deviceId>"}}
    assert checked(wire(**fields)).type == "track"
    assert refused(wire(**{**fields, "type": "page"})).code == "no_user_anon_id"


def test_an_event_may_have_exactly_32_kib() -> None:
    padding = EVENT_BYTES_MAX - len(wire(x=""))
    assert checked(wire(x="x" * padding)).type == "track"
    found = refused(wire(x="x" * (padding + 1), messageId=None))
    assert found.code == "event_too_large"
    assert str(EVENT_BYTES_MAX) in found.message


def test_an_event_too_large_is_still_named_by_its_message_id() -> None:
    assert refused(wire(messageId="big", x="x" * EVENT_BYTES_MAX)).message_id == "big"


def test_a_number_out_of_range_is_refused_and_not_raised() -> None:
    raw = wire().replace(b'"u"', b"1" * 5000)
    assert refused(raw).code == "event_unreadable"


def test_half_an_emoji_in_an_id_is_refused_and_not_raised() -> None:
    assert refused(wire().replace(b'"u"', b'"\\ud83d"')).code == "event_unreadable"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("m1", "m1"),
        (" m1 ", "m1"),
        (17, "17"),
        ("x" * 100, "x" * 100),
        (None, None),
        ("", None),
        ("  ", None),
        (1.5, None),
        (True, None),
        ({"a": 1}, None),
        ("caf\ufffd", None),
    ],
)
def test_a_message_id_is_trimmed_text_or_none(sent: Any, kept: str | None) -> None:
    assert checked(wire(messageId=sent)).message_id == kept


def test_a_long_message_id_is_kept_as_its_hash() -> None:
    one, other = ("x" * 100 + tail for tail in ("a", "b"))
    kept = checked(wire(messageId=one)).message_id
    assert kept is not None
    assert len(kept) <= 100
    assert kept == checked(wire(messageId=f" {one}")).message_id
    assert kept != checked(wire(messageId=other)).message_id


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    raw = b'{"type":"track","event":"A","userId":"u1","event":"B","userId":"u2"}'
    assert (event(raw).name, event(raw).user_id) == ("B", "u2")


@pytest.mark.parametrize(
    "name", ["fcmToken", "fcm_token", "token", "deviceToken", "pushToken", "fid"]
)
def test_a_refusal_never_shows_a_token_or_a_key(name: str) -> None:
    raw = msgspec.json.encode(
        {"writeKey": "wk-secret", "properties": {name: "token-secret"}, "type": "nonsense"}
    )
    excerpt = refused(raw).excerpt
    assert "nonsense" in excerpt
    assert "secret" not in excerpt


def test_a_refusal_never_shows_the_beginning_of_a_token() -> None:
    raw = wire(type="nonsense", properties={"pad": "x" * 60, "fcmToken": "secret" * 200})
    assert "secret" not in refused(raw).excerpt


# --- how an event is read -------------------------------------------------------------------


def test_an_event_keeps_what_was_sent() -> None:
    raw = wire(anonymousId="a", properties={"deviceId": "d", "n": 1.5}, context={"x": 1})
    found = event(raw)
    assert (found.type, found.name, found.user_id, found.anonymous_id) == (
        "track",
        "Seen",
        "u",
        "a",
    )
    assert (found.device_id, found.properties["n"], found.context) == ("d", 1.5, {"x": 1})
    assert found.body == raw.decode()
    assert found.traits == {}


@pytest.mark.parametrize("odd", [None, "text", 5, [1], True])
def test_parts_of_an_unexpected_kind_are_read_as_empty(odd: Any) -> None:
    found = event(wire(properties=odd, context=odd, traits=odd))
    assert (found.properties, found.context, found.traits) == ({}, {}, {})


def test_a_long_name_is_cut() -> None:
    assert event(wire(event="n" * 2_000)).name == "n" * 1_000


def test_a_page_is_named_by_name_and_a_track_by_event() -> None:
    assert event(wire(type="page", name="Home")).name == "Home"
    assert event(wire(name="Home")).name == "Seen"


def test_an_identify_takes_its_traits_or_those_in_its_context() -> None:
    root = {"plan": "gold"}
    within = {"traits": {"plan": "silver", "age": 5}}
    assert event(wire(type="identify", traits=root, context=within)).traits == root
    assert event(wire(type="identify", context=within)).traits == within["traits"]
    assert event(wire(type="identify", traits={}, context=within)).traits == within["traits"]
    assert event(wire(type="identify", traits=None, context=within)).traits == within["traits"]


@pytest.mark.parametrize("kind", ["track", "page", "screen", "group", "alias"])
def test_only_an_identify_teaches_traits(kind: str) -> None:
    assert event(wire(type=kind, traits={"a": 1}, context={"traits": {"b": 2}})).traits == {}


def test_the_traits_of_a_stored_identify_are_those_it_was_taken_with() -> None:
    for raw in (
        wire(type="identify", traits={"a": 1}, context={"traits": {"a": 2}}),
        wire(type="identify", context={"traits": {"a": 2}}),
        wire(type="identify"),
    ):
        found = event(raw, context={"traits": {"a": 3}})
        assert read_identify(found.body).traits == found.traits


@pytest.mark.parametrize("device_id", [42, 42.0, "42", " d ", "", None, True, {}, "null"])
def test_the_device_of_a_stored_event_is_the_one_it_was_taken_with(device_id: Any) -> None:
    for raw in (wire(context={"device": {"id": device_id}}), wire(context=device_id), wire()):
        found = event(raw, context={"device": {"id": device_id}})
        assert context_device_of(found.body) == found.context_device_id


def test_a_batchs_context_counts_below_the_events_own() -> None:
    of_batch = {"library": {"name": "batch"}, "ip": "1.2.3.4", "device": {"id": "d"}}
    found = event(wire(context={"library": {"name": "own"}}), context=of_batch)
    assert found.context == {**of_batch, "library": {"name": "own"}}
    assert found.context_device_id == "d"
    assert msgspec.json.decode(found.body)["context"] == found.context


def test_a_batchs_context_changes_nothing_else_in_the_event() -> None:
    raw = wire(properties={"price": 1.10}, big="x").replace(b"1.1", b"1.10000000000000000001")
    found = event(raw, context={"ip": "1.2.3.4"})
    assert "1.10000000000000000001" in found.body
    assert event(wire(context=None), context={"ip": "x"}).context == {"ip": "x"}


def nested(levels: int) -> bytes:
    return wire(x=0).replace(b'"x":0', b'"x":' + b"[" * levels + b"]" * levels)


def test_lists_may_be_nested_as_deep_as_the_limit_and_no_deeper() -> None:
    assert event(nested(NESTING_MAX - 1)).user_id == "u"
    found = read(nested(NESTING_MAX), type_="track", message_id="m", envelope=Envelope(
        received_at=RECEIVED, sent_at=None
    ))  # fmt: skip
    assert isinstance(found, RejectedEvent)
    assert (found.code, found.message_id) == ("event_nested_too_deeply", "m")


def test_many_lists_beside_each_other_or_in_a_text_are_not_nested() -> None:
    assert event(wire(x=[[] for _ in range(500)], y='[{"\\' * 500)).user_id == "u"


@pytest.mark.parametrize("bad", [b"1e999", b"1" * 5000])
def test_a_number_nobody_can_store_is_refused_when_read(bad: bytes) -> None:
    raw = wire(type="identify", traits={"n": 0}).replace(b'"n":0', b'"n":' + bad)
    envelope = Envelope(received_at=RECEIVED, sent_at=None)
    found = read(raw, type_="identify", message_id="m", envelope=envelope)
    assert isinstance(found, RejectedEvent)
    assert found.code == "event_unreadable"
    assert bad.decode() not in found.message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    st.sampled_from(
        ["type", "messageId", "userId", "anonymousId", "previousId", "event", "name", "timestamp",
         "sentAt", "originalTimestamp", "context", "traits", "properties", "writeKey"]
    ),
)  # fmt: skip
def test_any_value_in_any_field_is_read_or_refused_and_never_raises(value: Any, name: str) -> None:
    raw = msgspec.json.encode({"type": "identify", "userId": "u", name: value})
    found = check(raw, None)
    if isinstance(found, Checked):
        envelope = Envelope(received_at=RECEIVED, sent_at=RECEIVED)
        taken = read(raw, type_=found.type, message_id="m", envelope=envelope)
        assert isinstance(taken, Event)
        assert taken.at.tzinfo is UTC
        assert taken.at <= RECEIVED + timedelta(seconds=60)


# --- when it happened -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-02-03T04:05:06Z", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03T04:05:06.123Z", datetime(2026, 2, 3, 4, 5, 6, 123_000, tzinfo=UTC)),
        ("2026-02-03T04:05:06.123456+00:00", datetime(2026, 2, 3, 4, 5, 6, 123_456, tzinfo=UTC)),
        ("2026-02-03T06:05:06+02:00", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03T04:05:06", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (" 2026-02-03T04:05:06Z ", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03", datetime(2026, 2, 3, tzinfo=UTC)),
        (1_770_091_506_000, datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (1_770_091_506_000.0, datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_the_sdks_write_them(text: Any, at: datetime) -> None:
    assert parse_time(text) == at


@pytest.mark.parametrize(
    "value",
    [
        None, "", "yesterday", "2015-2-02T00:30:08.276Z", "2026-13-01T00:00:00Z", 0, -5, 1e300,
        10**400, True, ["2026-02-03"], {}, "0001-01-01T00:00:00+14:00",
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(value: Any) -> None:
    assert parse_time(value) is None


def ago(**span: float) -> datetime:
    return RECEIVED - timedelta(**span)


def test_a_wrong_clock_is_corrected_by_when_the_call_was_sent() -> None:
    ahead = timedelta(days=3)
    assert corrected(ago(minutes=5) + ahead, RECEIVED + ahead, RECEIVED) == ago(minutes=5)
    assert corrected(ago(minutes=5) - ahead, RECEIVED - ahead, RECEIVED) == ago(minutes=5)


def test_without_a_time_it_happened_when_it_was_received() -> None:
    assert corrected(None, RECEIVED, RECEIVED) == RECEIVED


def test_without_the_time_of_sending_the_apps_time_stands() -> None:
    assert corrected(ago(hours=2), None, RECEIVED) == ago(hours=2)


def test_a_time_of_sending_before_the_event_is_ignored() -> None:
    assert corrected(ago(hours=2), ago(hours=3), RECEIVED) == ago(hours=2)
    assert corrected(ago(seconds=9), ago(seconds=10), RECEIVED) == RECEIVED + timedelta(seconds=1)


def test_an_old_event_of_an_import_keeps_its_time() -> None:
    old = datetime(2012, 5, 6, tzinfo=UTC)
    assert corrected(old, None, RECEIVED) == old
    assert corrected(old, RECEIVED, RECEIVED) == old


def test_nothing_happens_more_than_a_minute_ahead() -> None:
    ahead = RECEIVED + timedelta(seconds=60)
    assert corrected(ahead, None, RECEIVED) == ahead
    assert corrected(ahead + timedelta(microseconds=1), None, RECEIVED) == RECEIVED


def test_a_clock_that_was_never_set_is_ignored() -> None:
    assert corrected(datetime(1970, 1, 1, 0, 3, tzinfo=UTC), None, RECEIVED) == RECEIVED


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_any_pair_of_times_gives_one_that_is_not_ahead(
    original: datetime, sent_at: datetime | None
) -> None:
    assert corrected(original, sent_at, RECEIVED) <= RECEIVED + timedelta(seconds=60)


def test_the_events_own_time_of_sending_counts_before_the_batchs() -> None:
    raw = wire(timestamp="2026-03-01T11:00:00Z", sentAt="2026-03-01T11:10:00Z")
    assert event(raw, sent_at=RECEIVED).at == ago(minutes=10)


@pytest.mark.parametrize("sent_at", [None, "", "soon"])
def test_an_unreadable_time_of_sending_leaves_the_batchs(sent_at: Any) -> None:
    raw = wire(timestamp="2026-03-01T11:00:00Z", sentAt=sent_at)
    assert event(raw, sent_at=datetime(2026, 3, 1, 11, 20, tzinfo=UTC)).at == ago(minutes=20)


def test_a_timestamp_beside_the_original_one_has_been_corrected_already() -> None:
    """So Segment and RudderStack hand on, and replay, what they have taken in."""
    original = {"originalTimestamp": "2026-02-01T09:00:00Z", "sentAt": "2026-02-01T09:00:10Z"}
    assert event(wire(timestamp="2026-02-01T10:00:00Z", **original)).at == ago(days=28, hours=2)
    for unreadable in (None, "", "soon"):
        assert event(wire(timestamp=unreadable, **original)).at == ago(seconds=10)
    ahead = event(wire(timestamp="2026-03-02T10:00:00Z", **original))
    assert (ahead.at, ahead.time_fault) == (RECEIVED, TIME_IMPOSSIBLE)


@pytest.mark.parametrize("timestamp", [None, "", "soon", {}, "2015-2-02T00:30:08.276Z"])
def test_an_unreadable_timestamp_is_the_time_of_arrival(timestamp: Any) -> None:
    assert event(wire(timestamp=timestamp)).at == RECEIVED


def test_an_event_shows_its_token_to_nobody() -> None:
    event = App().register(1, "D", token="a-secret-token")
    assert "a-secret-token" not in repr(event)
    assert event.message_id in repr(event)
