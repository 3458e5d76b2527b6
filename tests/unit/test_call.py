"""One HTTP call taken apart: its bytes, its events, what is wrong with them, its write key."""

import base64
import gzip
import json
import zlib
from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.events.calls.body import (
    BODY_BYTES_MAX,
    in_utf_8,
    is_damaged,
    readable,
    repaired,
    unpack,
)
from clarion.events.calls.call import (
    BATCH_EVENTS_MAX,
    CONTEXT_BYTES_MAX,
    CONTEXT_BYTES_TOTAL_MAX,
    WRITE_KEYS_MAX,
    Call,
    keys_in,
    read_call,
)
from clarion.faults import Rejected
from support.patience import growth

EVENT: dict[str, Any] = {"type": "track", "event": "Seen", "userId": "u", "messageId": "m1"}


def answer(body: bytes, kind: str | None = None) -> Call | Rejected:
    numbers = count(1)
    return read_call(body, type_hint=kind, new_message_id=lambda: f"new-{next(numbers)}")


def call(body: bytes, kind: str | None = None) -> Call:
    found = answer(body, kind)
    assert isinstance(found, Call), found
    return found


def fault(body: bytes, kind: str | None = None) -> str:
    found = answer(body, kind)
    assert isinstance(found, Rejected), found
    return found.code


def batch(*events: Any, **rest: Any) -> bytes:
    return msgspec.json.encode({"batch": events, **rest})


# --- bytes ----------------------------------------------------------------------------------


def test_a_body_without_encoding_is_taken_as_it_is() -> None:
    assert unpack(b"{}", "") == b"{}"
    assert unpack(b"{}", "identity") == b"{}"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_gzip_body_is_unpacked(encoding: str) -> None:
    assert unpack(gzip.compress(b"{}"), encoding) == b"{}"


def unpack_fault(body: bytes, encoding: str) -> str:
    found = unpack(body, encoding)
    assert isinstance(found, Rejected), found
    return found.code


def test_a_gzip_body_may_be_put_together_of_several() -> None:
    members = [gzip.compress(part) for part in (b'{"a":', b"", b"1}")]
    assert unpack(b"".join(members), "gzip") == b'{"a":1}'
    assert unpack(b"".join(members) + b"\x00\x00", "gzip") == b'{"a":1}'
    assert unpack_fault(b"".join(members) + members[0][:-3], "gzip") == "gzip_broken"
    bombs = [gzip.compress(b"0" * (BODY_BYTES_MAX // 2))] * 3
    assert unpack_fault(b"".join(bombs), "gzip") == "body_too_large"


def test_a_gzip_body_of_countless_members_costs_no_time() -> None:
    some, many = gzip.compress(b"") * 6_000, gzip.compress(b"") * 24_000
    assert unpack_fault(many, "gzip") == "gzip_broken"
    assert growth(lambda: unpack_fault(some, "gzip"), lambda: unpack_fault(many, "gzip")) < 8


def test_a_broken_gzip_body_is_one_clear_error() -> None:
    whole = gzip.compress(b"x" * 10_000)
    assert unpack_fault(b"hello", "gzip") == "gzip_broken"
    assert unpack_fault(b"", "gzip") == "gzip_broken"
    assert unpack_fault(whole[:-9], "gzip") == "gzip_broken"
    assert unpack_fault(whole[:20] + b"\xff" * 20, "gzip") == "gzip_broken"
    assert unpack_fault(zlib.compress(b"{}")[:-3], "gzip") == "gzip_broken"
    assert unpack_fault(b"\x1f\x8b", "") == "gzip_broken"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "br, identity"])
def test_another_encoding_is_named_in_the_error(encoding: str) -> None:
    assert unpack_fault(b"\x0b\x02\x80{}\x03", encoding) == "encoding_unknown"
    assert unpack_fault(b"\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00{}", encoding) == "encoding_unknown"


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


JSON = b' {"batch": [{"type": "track", "event": "caf\xc3\xa9", "userId": "u"}]}'
PACKED = {
    "plain": JSON,
    "gzip": gzip.compress(JSON),
    "zlib": zlib.compress(JSON),
    "zlib, quick": zlib.compress(JSON, 1),
    "gzip twice": gzip.compress(gzip.compress(JSON)),
    "zlib in gzip": gzip.compress(zlib.compress(JSON, 9)),
    "base64": base64.b64encode(JSON.strip()),
    "base64 in lines": base64.encodebytes(JSON.strip() * 1),
    "base64url without padding": base64.urlsafe_b64encode(JSON.strip()).rstrip(b"="),
    "gzip in base64": base64.b64encode(gzip.compress(JSON)),
    "with a byte order mark": b"\xef\xbb\xbf" + JSON,
}


@pytest.mark.parametrize(
    "encoding", ["", "gzip", "deflate", "br", "identity", "gzip, gzip", "utf-8"]
)
@pytest.mark.parametrize("how", PACKED)
def test_what_the_first_bytes_say_counts_whatever_the_header_says(how: str, encoding: str) -> None:
    assert readable(bytes_of(unpack(PACKED[how], encoding))) in (JSON, JSON.strip())


def bytes_of(unpacked: bytes | Rejected) -> bytes:
    assert isinstance(unpacked, bytes), unpacked
    return unpacked


def test_deflate_without_a_head_is_read_where_it_is_announced() -> None:
    assert unpack(raw_deflate(JSON), "deflate") == JSON
    assert unpack(gzip.compress(raw_deflate(JSON)), "deflate, gzip") == JSON


def test_a_bomb_stays_small_however_it_is_packed() -> None:
    most = b"[" + b" " * BODY_BYTES_MAX
    inner = gzip.compress(most)
    for bomb in (
        zlib.compress(most),
        gzip.compress(inner),
        zlib.compress(zlib.compress(most)),
        base64.b64encode(inner),
        gzip.compress(base64.b64encode(zlib.compress(most))),
    ):
        assert unpack_fault(bomb, "") == "body_too_large"
    assert unpack_fault(raw_deflate(most), "deflate") == "body_too_large"
    for _ in range(3):
        inner = gzip.compress(inner)
    assert unpack_fault(inner, "gzip") == "gzip_broken"


@given(st.binary(max_size=40), st.sampled_from(["", "gzip", "deflate", "br", "gzip, deflate"]))
def test_no_packing_raises(body: bytes, encoding: str) -> None:
    for begin in (b"", b"\x1f\x8b\x08", b"\x78\x9c", b"eyJ", b"{", b"\xff\xfe"):
        assert isinstance(unpack(begin + body, encoding), bytes | Rejected)


def test_a_body_may_have_exactly_512_kib_unpacked() -> None:
    most = b"x" * BODY_BYTES_MAX
    assert unpack(most, "") == most
    assert unpack(gzip.compress(most), "gzip") == most
    assert unpack_fault(most + b"x", "") == "body_too_large"
    assert unpack_fault(gzip.compress(most + b"x"), "gzip") == "body_too_large"


def test_a_gzip_bomb_is_not_unpacked() -> None:
    small, bomb = (zeros(count) for count in (75, 300))
    assert len(bomb) < BODY_BYTES_MAX
    assert unpack_fault(bomb, "gzip") == "body_too_large"
    # Either is read until it is too large, and no further.
    assert growth(lambda: unpack_fault(small, "gzip"), lambda: unpack_fault(bomb, "gzip")) < 2


def zeros(mebibytes: int) -> bytes:
    """So much of nothing, packed as small as it goes."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(mebibytes)]
    return b"".join(parts) + packer.flush()


def test_a_byte_order_mark_is_overlooked() -> None:
    assert len(call(b"\xef\xbb\xbf" + batch(EVENT)).items) == 1
    assert len(call(b"\xef\xbb\xbf" + msgspec.json.encode(EVENT), "track").items) == 1


def test_nul_is_taken_out_and_an_escaped_backslash_is_not_mistaken_for_it() -> None:
    assert readable(rb'"a\u0000b"') == b'"ab"'
    assert readable(rb'"\u0000\u0000"') == b'""'
    assert readable(rb'"a\\u0000b"') == rb'"a\\u0000b"'
    assert readable(rb'"a\\\u0000b"') == rb'"a\\b"'


@given(st.text(alphabet="\\u0dD8cb\x00n", max_size=12))
def test_every_text_comes_through_without_its_nul(text: str) -> None:
    assert json.loads(readable(json.dumps(text).encode())) == text.replace("\x00", "")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_what_is_in_another_of_unicodes_encodings_is_read(encoding: str) -> None:
    text = JSON.decode().strip()
    assert readable(text.encode(encoding)) == JSON.strip()
    assert len(call(text.encode(encoding)).items) == 1
    assert readable(("\ufeff" + text).encode(encoding)) == JSON.strip()


def test_what_was_written_as_json_twice_is_read() -> None:
    twice = msgspec.json.encode(JSON.decode())
    assert readable(twice) == JSON
    assert keys_in(in_utf_8(msgspec.json.encode('{"writeKey":"k"}'))) == ("k",)
    for other in (b'"text"', b'"{', b'""', b'"[1]"'):
        assert readable(other) == other


def test_half_a_character_of_a_wide_encoding_is_damage() -> None:
    found = readable('{"a":"\U0001f600"}'.encode("utf-16-le")[:-1])
    assert is_damaged(found.decode())


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("Shift_JIS", "shift_jis"),
     ('"windows-1251"', "cp1251"), ("gbk", "gbk"), ("EUC-KR", "euc_kr")],
)  # fmt: skip
def test_a_charset_that_is_named_counts_for_what_is_no_utf_8(charset: str, encoding: str) -> None:
    text = {"cp1251": "\u041c\u0430\u0440", "shift_jis": "\u65e5\u672c", "gbk": "\u4e2d\u6587",
            "euc_kr": "\ud55c\uad6d"}.get(encoding, "caf\xe9")  # fmt: skip
    raw = f'{{"a":"{text}"}}'
    assert readable(raw.encode(encoding), charset).decode() == raw
    assert readable(raw.encode(), charset).decode() == raw


@pytest.mark.parametrize("charset", ["", "utf-8", "utf-7", "hex", "nothing", "x" * 99])
def test_a_charset_that_is_none_is_not_guessed(charset: str) -> None:
    assert readable(b'{"a":"caf\xe9"}', charset) == '{"a":"caf\ufffd"}'.encode()


def test_an_emoji_whose_halves_were_written_one_by_one_is_put_together() -> None:
    halves = b'{"a":"\xed\xa0\xbd\xed\xb8\x80"}'
    assert readable(halves) == '{"a":"\U0001f600"}'.encode()
    assert readable(halves.replace(b"\xed\xb8\x80", b"")) == '{"a":"\ufffd"}'.encode()


@pytest.mark.parametrize(
    "text",
    ["caf\ufffd", "\\ufffd", "\\uFFFD", "caf\xc3\xa9", "caf\\u00c3\\u00a9",
     "it\xe2\u20ac\u2122s", "\xc2\xa3"],
)  # fmt: skip
def test_text_that_lost_characters_is_seen(text: str) -> None:
    assert is_damaged(f'{{"a":"{text}"}}')


@pytest.mark.parametrize(
    "text",
    ["caf\xe9", "\U0001f600", "\xbb\xdf\xab Spa\xdf\xbb", "N\xc3O", "\xc3", "\\u00e9",
     "\\ud83d\\ude00", "\u65e5\u672c", "\u20ac 5", "se\xf1or", "\xc7\xbb"],
)  # fmt: skip
def test_text_that_is_whole_is_not_taken_for_damaged(text: str) -> None:
    assert not is_damaged(f'{{"a":"{text}"}}')


def test_bytes_that_are_not_utf_8_become_replacement_characters() -> None:
    raw = b'{"a":"caf\xe9","b":"\xf0\x9f\x98\x80"}'
    assert json.loads(readable(raw)) == {"a": "caf\ufffd", "b": "\U0001f600"}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (rb'"\ud83d"', '"\ufffd"'),
        (rb'"a\ude00b"', '"a\ufffdb"'),
        (rb'"\ud83d\ud83d\ude00"', '"\ufffd\U0001f600"'),
        (rb'"\uD83D\uDE00"', '"\U0001f600"'),
        (rb'"\ude00\ud83d"', '"\ufffd\ufffd"'),
        (rb'"\ud83dx\ude00"', '"\ufffdx\ufffd"'),
        (rb'"\\ud83d"', r'"\\ud83d"'),
        (rb'"\\\ud83d"', '"\\\\\ufffd"'),
        (b"[NaN,-Infinity,Infinity]", "[null,null,null]"),
        (b'{"NaN":NaN}', '{"NaN":null}'),
        (b'["NaN, \\" NaN",NaN]', '["NaN, \\" NaN",null]'),
        (b"[1, 2]", "[1, 2]"),
        (b"[1, 2]\0\0", "[1, 2]"),
    ],
)
def test_what_sdks_write_that_is_no_json_is_put_right(sent: bytes, read: str) -> None:
    assert msgspec.json.decode(repaired(sent)) == msgspec.json.decode(read)


@given(st.text(alphabet='\\ud83cDe0NaInfity,:[]"\ufffd', max_size=30))
def test_what_can_be_read_as_it_is_is_not_changed_by_a_repair(text: str) -> None:
    raw = json.dumps([text, 1.5]).encode()
    assert json.loads(repaired(raw)) == [text, 1.5]


# --- one event ------------------------------------------------------------------------------


def test_a_single_event_is_one_item_of_the_paths_type() -> None:
    found = call(msgspec.json.encode({**EVENT, "type": "page"}), "track")
    assert [(item.type, item.message_id) for item in found.items] == [("track", "m1")]
    assert json.loads(found.items[0].raw)["event"] == "Seen"


def test_an_event_without_a_message_id_gets_one() -> None:
    body = msgspec.json.encode({**EVENT, "messageId": None})
    assert call(body, "track").items[0].message_id == "new-1"


def test_a_single_event_that_is_refused_is_no_fault_of_the_call() -> None:
    found = call(msgspec.json.encode({**EVENT, "userId": None, "writeKey": "k"}), "track")
    assert (found.items, found.write_key) == ([], "k")
    assert [refusal.code for refusal in found.refusals] == ["no_user_anon_id"]


@pytest.mark.parametrize("kind", ["track", None])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"hello", "not_json"),
        (b"{", "not_json"),
        (b'{"batch":[}', "not_json"),
        (b"{} {}", "not_json"),
        (b'{"a":"\x01"}', "not_json"),
        (b'{"a":.5}', "not_json"),
        (b"\xff\xfe{\x00", "not_json"),
        (b"userId=u&event=Seen", "not_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"12", "not_an_object"),
        (b"NaN", "not_an_object"),
        (b"[" * 200_000, "nested_too_deeply"),
        (b'{"a":' * 80_000, "nested_too_deeply"),
        (b'{"a":' * 2_000, "nested_too_deeply"),
        (b'{"a":' * 65, "nested_too_deeply"),
        (b'{"a":' * 64, "not_json"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_one_clear_error(
    kind: str | None, body: bytes, code: str
) -> None:
    assert fault(body, kind) == code


def test_a_single_event_with_a_repaired_value_is_kept() -> None:
    body = b'{"event":"Seen","userId":"u","properties":{"n":NaN,"t":"\\ud83d"}}'
    raw = call(body, "track").items[0].raw
    assert json.loads(raw)["properties"] == {"n": None, "t": "\ufffd"}


def test_a_refused_event_that_can_not_be_read_to_its_end_is_still_a_refusal() -> None:
    for tail in (b'"caf\xe9"', b"1e999", b"1" * 5_000):
        found = call(b'{"writeKey":"k","event":"Seen","x":' + tail + b"}", "track")
        assert [refusal.code for refusal in found.refusals] == ["no_user_anon_id"]
        assert found.write_key == "k"


# --- a batch --------------------------------------------------------------------------------


def test_a_batch_brings_its_events_in_order() -> None:
    found = call(batch(EVENT, {**EVENT, "type": "page", "messageId": None}))
    assert [(item.type, item.message_id) for item in found.items] == [
        ("track", "m1"),
        ("page", "new-1"),
    ]
    assert found.refusals == []


def test_a_bad_event_in_a_batch_keeps_the_rest() -> None:
    big = {**EVENT, "messageId": "big", "x": "x" * 33_000}
    nobody = {"type": "page", "messageId": "nobody"}
    found = call(batch(EVENT, big, 5, None, [], nobody, {**EVENT, "messageId": "m2"}))
    assert [item.message_id for item in found.items] == ["m1", "m2"]
    assert [(refusal.message_id, refusal.code) for refusal in found.refusals] == [
        ("big", "event_too_large"),
        (None, "event_not_an_object"),
        (None, "event_not_an_object"),
        (None, "event_not_an_object"),
        ("nobody", "no_user_anon_id"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        b'{"type":"page","userId":"\xff"}',
        b'{"type":"page","userId":"caf\\ud83d"}',
        b'{"type":"page","userId":NaN}',
        b'{"type":"page","userId":' + b"1" * 5_000 + b"}",
        b'{"type":"page","userId":' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"type":"page","userId":"\\u0000"}',
    ],
)
def test_bytes_that_spoil_an_events_id_cost_that_event_alone(bad: bytes) -> None:
    found = call(batch(EVENT, 7, {**EVENT, "messageId": "m2"}).replace(b"7", bad))
    assert [item.message_id for item in found.items] == ["m1", "m2"]
    assert len(found.refusals) == 1


@pytest.mark.parametrize("value", [b'"caf\xe9"', b'"\\ud83d"', b"NaN", b"-Infinity", b'"\\u0000"'])
def test_bytes_that_spoil_another_value_cost_no_event(value: bytes) -> None:
    found = call(batch({**EVENT, "properties": {"x": 7}}, EVENT).replace(b"7", value))
    assert [item.message_id for item in found.items] == ["m1", "m1"]


@pytest.mark.parametrize("events", [None, "x", 5, {}, {"0": EVENT}])
def test_a_batch_that_is_no_list_is_one_clear_error(events: Any) -> None:
    assert fault(msgspec.json.encode({"batch": events})) == "batch_missing"
    assert fault(b"{}") == "batch_missing"


def test_who_sends_no_batch_is_told_so_in_words_of_the_wire() -> None:
    for body in (b"{}", b'{"batch":{}}', b'{"batch":"x"}'):
        call = read_call(body, type_hint=None, new_message_id=str)
        assert isinstance(call, Rejected)
        assert "list of events" in call.message
        assert "/v1/track" in call.message
        assert "$" not in call.message and "array" not in call.message


def test_an_empty_batch_is_no_error() -> None:
    found = call(batch(writeKey="k"))
    assert (found.items, found.refusals, found.write_key) == ([], [], "k")


def test_a_batch_may_have_2500_events_and_no_more() -> None:
    small = {"type": "page", "userId": "u"}
    assert len(call(batch(*[small] * BATCH_EVENTS_MAX)).items) == BATCH_EVENTS_MAX
    assert fault(batch(*[small] * (BATCH_EVENTS_MAX + 1))) == "batch_too_large"


def test_a_batch_tells_when_it_was_sent() -> None:
    assert call(batch(sentAt="2026-03-01T12:00:00Z")).sent_at == datetime(
        2026, 3, 1, 12, tzinfo=UTC
    )
    unreadable: tuple[Any, ...] = (None, "", "soon", {}, 1e300)
    for unknown in unreadable:
        assert call(batch(sentAt=unknown)).sent_at is None


def test_the_batchs_write_key_counts_before_those_of_its_events() -> None:
    own = {**EVENT, "writeKey": "own"}
    assert call(batch(own, writeKey="batch")).write_key == "batch"
    assert call(batch(EVENT, own)).write_key == "own"
    assert call(batch(EVENT, writeKey=5)).write_key is None


def test_a_write_key_is_found_in_a_refused_event_too() -> None:
    assert call(batch({"type": "page", "writeKey": "k"})).write_key == "k"
    assert call(batch({"type": "page", "writeKey": ["k"]}, 5)).write_key is None


def test_a_batchs_context_is_kept_where_it_is_an_object() -> None:
    assert json.loads(call(batch(EVENT, context={"ip": "x"})).context) == {"ip": "x"}
    for other in (None, "x", 5, [1]):
        assert call(batch(EVENT, context=other)).context == b""


def test_a_batchs_context_is_bounded_in_all_its_events_together() -> None:
    """13.7 KB on the wire could become 23.5 MB on the disk."""
    small = {"type": "page", "userId": "u"}
    context = {"x": "x" * 2_000}
    size = len(msgspec.json.encode(context))
    most = CONTEXT_BYTES_TOTAL_MAX // size
    found = call(batch(*[small] * most, context=context))
    assert found.size <= CONTEXT_BYTES_TOTAL_MAX + most * 100
    assert fault(batch(*[small] * (most + 1), context=context)) == "context_too_large"
    usual = {"library": {"name": "x" * 200, "version": "1"}, "app": {"name": "y" * 300}}
    assert len(call(batch(*[small] * BATCH_EVENTS_MAX, context=usual)).items) == BATCH_EVENTS_MAX


def test_the_keys_of_a_body_are_found_without_reading_it() -> None:
    assert keys_in(batch(writeKey="k")) == ("k",)
    own = [{**EVENT, "writeKey": key} for key in ("a", "b", "a")]
    assert keys_in(batch(*own)) == ("a", "b")
    assert keys_in(batch(*own)[:-9]) == ("a", "b")
    assert keys_in(batch(EVENT)) == ()
    many = [{**EVENT, "writeKey": f"k{number}"} for number in range(100)]
    assert len(keys_in(batch(*many))) == WRITE_KEYS_MAX + 1


def test_a_batchs_context_that_would_harm_its_events_is_one_clear_error() -> None:
    large = {"x": "x" * CONTEXT_BYTES_MAX}
    assert fault(batch(EVENT, context=large)) == "context_too_large"
    deep = batch(EVENT, context={"x": 7}).replace(b"7", b"[" * 100 + b"]" * 100)
    assert fault(deep) == "nested_too_deeply"
    endless = batch(EVENT, context={"x": 7}).replace(b"7", b"1e999")
    assert fault(endless) == "context_unreadable"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"NaN" + b'"\\' * 260_000, id="texts that never end"),
        pytest.param(b"NaN" + b'"' * 520_000, id="empty texts"),
        pytest.param(b"\\u0000" + b"\\" * 520_000, id="backslashes"),
        pytest.param(b'"' + b"\\ud83d" * 87_000, id="halves of emojis"),
        pytest.param(b"[" + b"NaN," * 130_000, id="no numbers"),
        pytest.param(b"[" * 520_000, id="lists in lists"),
        pytest.param(b"\xff" * 520_000, id="no text at all"),
    ],
)
def test_no_body_takes_longer_than_its_size_allows(body: bytes) -> None:
    quarter = body[: len(body) // 4]
    assert growth(lambda: answer(quarter), lambda: answer(body)) < 9


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.booleans())
def test_no_bytes_raise(body: bytes, single: bool) -> None:
    assert isinstance(answer(body, "track" if single else None), Call | Rejected)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["type", "event", "userId", "anonymousId", "messageId", "context", "writeKey"]
)


@given(
    st.lists(st.dictionaries(_NAMES, _VALUES) | _VALUES, max_size=5),
    st.dictionaries(st.sampled_from(["sentAt", "writeKey", "context", "integrations"]), _VALUES),
    st.binary(max_size=3),
    st.integers(min_value=0),
)
def test_no_batch_raises_however_it_is_spoilt(
    events: list[Any], rest: dict[str, Any], spoil: bytes, at: int
) -> None:
    body = json.dumps({"batch": events, **rest}).encode()
    at %= len(body)
    for raw in (body, body[:at] + spoil + body[at + len(spoil) :]):
        found = answer(raw)
        if isinstance(found, Call) and raw is body:
            assert len(found.items) + len(found.refusals) == len(events)
