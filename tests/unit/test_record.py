"""A file's line becomes the event that says the same, or is refused with a reason."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.events.message import Checked, check
from clarion.events.record import RecordFault, RecordKind, as_event, read_cells
from clarion.events.record_file import LINE_BYTES_MAX, Found, Mark, RecordForm, read_records

AT = datetime(2026, 3, 1, tzinfo=UTC)
BEGINNING = Mark()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["user_id", "traits", "device_id", "token", "fid", "timestamp", "type", "event", "body", "x"]
)


def event_of(kind: RecordKind, **record: Any) -> dict[str, Any]:
    raw = as_event(kind, record, AT)
    assert isinstance(raw, bytes)
    event: dict[str, Any] = msgspec.json.decode(raw)
    return event


def fault_of(kind: RecordKind, **record: Any) -> str:
    fault = as_event(kind, record, AT)
    assert isinstance(fault, RecordFault)
    return fault.code


def found(text: bytes, form: RecordForm, start: Mark = BEGINNING) -> list[Found]:
    return list(read_records(BytesIO(text), form, start))


def test_a_customer_is_an_identify_with_every_other_column_as_a_trait() -> None:
    event = event_of(
        RecordKind.CUSTOMERS, user_id="u1", email="a@b.example", traits={"plan": "pro"}
    )
    assert (event["type"], event["userId"]) == ("identify", "u1")
    assert event["traits"] == {"plan": "pro", "email": "a@b.example"}
    assert event["timestamp"] == AT.isoformat()


def test_an_opt_out_is_imported_and_its_absence_says_nothing() -> None:
    out = event_of(RecordKind.CUSTOMERS, user_id="u1", push_opted_out=True)
    (channel,) = out["traits"]["marketingPreferences"]["channels"]
    assert channel == {"channel": "push", "subscribed": False}
    assert event_of(RecordKind.CUSTOMERS, user_id="u1", push_opted_out=False)["traits"] == {}


def test_a_device_is_a_registration_of_its_owner_or_of_itself() -> None:
    owned = event_of(RecordKind.DEVICES, device_id="d", token="t", platform="iOS", user_id="u")
    assert (owned["event"], owned["userId"]) == ("Register Push", "u")
    assert owned["properties"] == {"deviceId": "d", "fcmToken": "t", "deviceType": "iOS"}
    assert event_of(RecordKind.DEVICES, device_id="d", fid="f")["userId"] == "d"
    by_kind = event_of(RecordKind.DEVICES, device_id="d", token="f", token_kind="fid")
    assert by_kind["properties"] == {"deviceId": "d", "fid": "f"}


def test_an_event_is_itself_without_the_clock_of_its_sender() -> None:
    event = event_of(
        RecordKind.EVENTS,
        type="track",
        event="Paid",
        user_id="u",
        sentAt="x",
        timestamp="2020-01-01",
    )
    assert event["userId"] == "u"
    assert event["timestamp"] == "2020-01-01"
    assert "sentAt" not in event
    assert event_of(RecordKind.EVENTS, body={"type": "page", "userId": "u"})["type"] == "page"


def test_what_is_no_record_is_refused_with_its_reason() -> None:
    assert fault_of(RecordKind.CUSTOMERS, email="a@b.example") == "user_id_missing"
    assert fault_of(RecordKind.CUSTOMERS, user_id="u", traits="x") == "traits_no_object"
    assert fault_of(RecordKind.DEVICES, token="t") == "device_id_missing"
    assert fault_of(RecordKind.DEVICES, device_id="d") == "token_missing"
    assert fault_of(RecordKind.DEVICES, device_id="d", state="removed") == "device_removed"


def test_the_same_line_has_the_same_message_id_whenever_it_is_imported() -> None:
    record = {"user_id": "u1", "plan": "pro"}
    first = as_event(RecordKind.CUSTOMERS, record, AT)
    later = as_event(RecordKind.CUSTOMERS, record, datetime(2027, 1, 1, tzinfo=UTC))
    assert isinstance(first, bytes)
    assert isinstance(later, bytes)
    ids = [msgspec.json.decode(raw)["messageId"] for raw in (first, later)]
    assert ids[0] == ids[1]
    assert event_of(RecordKind.CUSTOMERS, user_id="u1", plan="free")["messageId"] != ids[0]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(RecordKind)), st.dictionaries(NAMES, JSON, max_size=6))
def test_any_record_is_an_event_or_refused(kind: RecordKind, record: dict[str, Any]) -> None:
    made = as_event(kind, record, AT)
    if isinstance(made, bytes):
        checked = check(made, None)
        assert not isinstance(checked, Checked) or checked.message_id is not None


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("age", "42", "42"),
        ("age:number", "42", 42),
        ("age:number", "4.5", 4.5),
        ("vip:boolean", "Yes", True),
        ("vip:boolean", "0", False),
        ("tags:json", '["a"]', ["a"]),
        ("a:b", "x", "x"),
    ],
)
def test_a_column_says_what_its_cells_are(column: str, cell: str, value: Any) -> None:
    record = read_cells([column], [cell])
    assert isinstance(record, dict)
    assert list(record.values()) == [value]


def test_a_cell_that_is_not_what_its_column_says_is_refused() -> None:
    for column, cell in (("n:number", "x"), ("b:boolean", "x"), ("j:json", "{")):
        fault = read_cells([column], [cell])
        assert isinstance(fault, RecordFault)
        assert fault.message.startswith(column)
    assert isinstance(read_cells(["a"], ["1", "2"]), RecordFault)


def test_a_dotted_column_goes_into_its_object_and_an_empty_cell_says_nothing() -> None:
    record = read_cells(["properties.sku", "properties.n:number", "x"], ["T1", "2", " "])
    assert record == {"properties": {"sku": "T1", "n": 2}}


def test_a_csv_file_is_read_with_quotes_breaks_and_any_usual_delimiter() -> None:
    text = '\ufeffuser_id;note\r\nu1;"a\nb"\r\n\r\nu2;"c;d"\r\n'.encode()
    first, second = found(text, RecordForm.CSV)
    assert (first.record, first.line) == ({"user_id": "u1", "note": "a\nb"}, 2)
    assert (second.record, second.line) == ({"user_id": "u2", "note": "c;d"}, 5)


def test_a_broken_line_costs_only_itself() -> None:
    lines = found(b'{"a": 1}\n{oops\n[1]\n{"b": 2}', RecordForm.NDJSON)
    codes = [one.record.code if isinstance(one.record, RecordFault) else "" for one in lines]
    assert codes == ["", "line_no_json", "line_no_object", ""]


@pytest.mark.parametrize("text", [b"user_id,age\ru1,3\r", b"user_id,\x00\rage\nu1,3\n"])
def test_a_header_that_is_no_csv_is_all_that_is_told_of_a_file(text: bytes) -> None:
    (only,) = found(text, RecordForm.CSV)
    assert isinstance(only.record, RecordFault)
    assert (only.record.code, only.line) == ("header_no_csv", 1)


def test_an_endless_line_is_refused_without_being_kept() -> None:
    text = b'{"a": 1}\n' + b"x" * (LINE_BYTES_MAX * 3) + b'\n{"b": 2}\n'
    first, endless, last = found(text, RecordForm.NDJSON)
    assert isinstance(endless.record, RecordFault)
    assert endless.record.code == "line_too_long"
    assert len(endless.text) <= LINE_BYTES_MAX
    assert (first.record, last.record, last.after.offset) == ({"a": 1}, {"b": 2}, len(text))


LINES = st.lists(
    st.sampled_from(["u1,x", 'u2,"a\nb"', "", "u3,", '"u,4",é', "u5,y,z", " ", 'u6,"q""q"']),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(LINES)
def test_reading_goes_on_from_any_mark_as_if_it_had_never_stopped(lines: list[str]) -> None:
    text = "\n".join(["user_id,note", *lines]).encode()
    whole = found(text, RecordForm.CSV)
    for number, one in enumerate(whole):
        assert found(text, RecordForm.CSV, one.after) == whole[number + 1 :]
    offsets = [one.after.offset for one in whole]
    assert offsets == sorted(set(offsets))
