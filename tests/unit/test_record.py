"""A file's line becomes the event that says the same, or is refused with a reason."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.events.calls.check import Checked, check
from clarion.events.messages.push_preference import push_preference
from clarion.faults import Rejected
from clarion.importing.lines.row import RecordKind, as_events, read_cells
from clarion.importing.lines.row_reader import FileRecord, RecordFormat, read_records
from clarion.importing.lines.text_reader import (
    LINE_BYTES_MAX,
    Encoding,
    Mark,
    RecordForm,
    encoding_of,
    fault_of_file,
)
from support.sampling import examples

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


def as_event(kind: RecordKind, record: dict[str, Any], at: datetime) -> bytes | Rejected:
    """A line's own event, the last of `as_events`."""
    events = as_events(kind, record, at, at)
    return events if isinstance(events, Rejected) else events[-1]


def event_of(kind: RecordKind, **record: Any) -> dict[str, Any]:
    raw = as_event(kind, record, AT)
    assert isinstance(raw, bytes)
    event: dict[str, Any] = msgspec.json.decode(raw)
    return event


def fault_of(kind: RecordKind, **record: Any) -> str:
    fault = as_event(kind, record, AT)
    assert isinstance(fault, Rejected)
    return fault.code


def found(
    text: bytes, form: RecordForm, start: Mark = BEGINNING, encoding: Encoding | None = None
) -> list[FileRecord]:
    written = RecordFormat(form=form, encoding=encoding_of(text, encoding))
    return list(read_records(BytesIO(text), written, start))


def code_of(one: FileRecord) -> str:
    return one.record.code if isinstance(one.record, Rejected) else ""


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


@pytest.mark.parametrize("word", ["no", "false", 0])
def test_an_opt_out_is_kept_beside_exclusions_that_are_a_no(word: object) -> None:
    traits = {"exclusions": {"self": word}}
    out = event_of(RecordKind.CUSTOMERS, user_id="u1", traits=traits, push_opted_out=True)
    assert push_preference(out["traits"]) is False


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


@settings(max_examples=examples(100), deadline=None)
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
        ("age:number", "-7", -7),
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
    for column, cell in (
        ("n:number", "x"),
        ("n:number", "true"),
        ("b:boolean", "x"),
        ("j:json", "{"),
    ):
        fault = read_cells([column], [cell])
        assert isinstance(fault, Rejected)
        assert fault.message.startswith(column)
    assert isinstance(read_cells(["a"], ["1", "2"]), Rejected)
    assert isinstance(read_cells(["traits", "traits.plan"], ["x", "pro"]), Rejected)


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
    assert [code_of(line) for line in lines] == ["", "line_no_json", "line_no_object", ""]


@pytest.mark.parametrize("text", [b"user_id,age\ru1,3\r", b"user_id,\x00\rage\nu1,3\n"])
def test_a_header_that_is_no_csv_is_all_that_is_told_of_a_file(text: bytes) -> None:
    (only,) = found(text, RecordForm.CSV)
    assert isinstance(only.record, Rejected)
    assert (only.record.code, only.line) == ("header_no_csv", 1)


def test_an_endless_line_is_refused_without_being_kept() -> None:
    text = b'{"a": 1}\n' + b"x" * (LINE_BYTES_MAX * 3) + b'\n{"b": 2}\n'
    first, endless, last = found(text, RecordForm.NDJSON)
    assert isinstance(endless.record, Rejected)
    assert endless.record.code == "line_too_long"
    assert len(endless.text) <= LINE_BYTES_MAX
    assert (first.record, last.record, last.after.offset) == ({"a": 1}, {"b": 2}, len(text))


def test_a_quote_that_nothing_closes_costs_its_own_line_alone() -> None:
    text = b'user_id,note\nu1,a\nu2,"5 inch\nu3,b\nu4,c\n'
    lines = found(text, RecordForm.CSV)
    assert [(line.line, code_of(line)) for line in lines] == [
        (2, ""),
        (3, "line_no_csv"),
        (4, ""),
        (5, ""),
    ]
    assert lines[1].text == 'u2,"5 inch'
    assert found(text, RecordForm.CSV, lines[1].after) == lines[2:]


TEXT = 'user_id;name\r\nu1;Jörg\r\nu2;"ਊ Ċ\n😀"\r\nu3;\r\n'
NAMES_OF_TEXT = [{"user_id": "u1", "name": "Jörg"}, {"user_id": "u2", "name": "ਊ Ċ\n😀"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_a_file_is_read_however_excel_has_written_it(encoding: str) -> None:
    """Also where half a character of UTF-16 looks like the end of a line."""
    text = TEXT.encode(encoding)
    if encoding == "utf-16-be":
        text = b"\xfe\xff" + text
    lines = found(text, RecordForm.CSV)
    assert [line.record for line in lines] == [*NAMES_OF_TEXT, {"user_id": "u3"}]
    assert [line.line for line in lines] == [2, 3, 5]
    for number, one in enumerate(lines):
        assert found(text, RecordForm.CSV, one.after) == lines[number + 1 :]


def test_what_is_no_utf_8_is_refused_and_never_stored_spoilt() -> None:
    text = "user_id,name\nu1,Jörg\nu2,Ann\n".encode("windows-1252")
    spoilt, good = found(text, RecordForm.CSV)
    assert (code_of(spoilt), list(spoilt.cells)) == ("line_no_text", ["u1", "Jörg"])
    assert good.record == {"user_id": "u2", "name": "Ann"}
    said = found(text, RecordForm.CSV, encoding=Encoding.WINDOWS_1252)
    assert said[0].record == {"user_id": "u1", "name": "Jörg"}


@pytest.mark.parametrize(
    ("head", "form", "word"),
    [
        (b"PK\x03\x04\x14\x00", RecordForm.CSV, "Excel"),
        (b"\x1f\x8b\x08", RecordForm.CSV, "gunzip"),
        (b'\n [{"user_id": "u"}]', RecordForm.NDJSON, "jq"),
        (b'{\n  "user_id": "u"', RecordForm.NDJSON, "jq"),
        (b"u\x00s\x00e\x00r\x00", RecordForm.CSV, "no text"),
        (b"\xff\xfeu\x00s\x00", RecordForm.CSV, None),
        (b'{"user_id": "u"}\n', RecordForm.NDJSON, None),
        (b"", RecordForm.CSV, None),
    ],
)
def test_a_file_of_another_kind_is_known_by_how_it_begins(
    head: bytes, form: RecordForm, word: str | None
) -> None:
    fault = fault_of_file(head, form)
    assert fault is None if word is None else fault is not None and word in fault


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2024-03-01T09:00:00.000Z", "2024-03-01T09:00:00.000Z"),
        ("2024-03-01", "2024-03-01"),
        ("20240301", "20240301"),
        ("2024-03-01 09:00:00 UTC", "2024-03-01T09:00:00+00:00"),
        (1709283600, "2024-03-01T09:00:00+00:00"),
        ("1709283600", "2024-03-01T09:00:00+00:00"),
        ("1709283600000", "2024-03-01T09:00:00+00:00"),
    ],
)
def test_a_time_is_read_in_the_forms_that_exports_have(said: Any, at: str) -> None:
    assert event_of(RecordKind.CUSTOMERS, user_id="u", timestamp=said)["timestamp"] == at


@pytest.mark.parametrize(
    "said", ["01/03/2024", "yesterday", "1970-01-01", "2026-03-02", 0, True, "9" * 400, 1e300]
)
def test_a_time_that_is_none_never_becomes_the_time_of_the_import(said: Any) -> None:
    code = fault_of(RecordKind.CUSTOMERS, user_id="u", timestamp=said)
    assert code in ("time_unreadable", "time_impossible")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("2025-02-29T10:00:00Z", "February 2025 has 28 days; or leave it out."),
        ("2025-13-01", "names the month 13"),
        ("2025-02-20T24:00:00Z", "write midnight as 00:00"),
        ("yesterday", "'yesterday' is no time: write 2026-03-01T09:00:00Z"),
    ],
)
def test_a_time_that_there_is_not_is_told_as_what_it_is(said: str, why: str) -> None:
    fault = as_event(RecordKind.CUSTOMERS, {"user_id": "u", "timestamp": said}, AT)
    assert isinstance(fault, Rejected) and why in fault.message


def test_columns_of_no_name_say_nothing_and_two_of_one_name_are_refused() -> None:
    (one,) = found(b"user_id,,plan,\nu1,7,pro,,\n", RecordForm.CSV)
    assert one.record == {"user_id": "u1", "plan": "pro"}
    (only,) = found(b"user_id,plan,plan\nu1,a,b\n", RecordForm.CSV)
    assert code_of(only) == "header_ambiguous"


def test_a_column_is_known_by_another_name() -> None:
    names = {"external_id": "user_id", "Alter": "age:number", "note": ""}
    for form, text in (
        (RecordForm.CSV, b"external_id,Alter,note\nu1,42,x\n"),
        (RecordForm.NDJSON, b'{"external_id": "u1", "Alter": "42", "note": "x"}\n'),
    ):
        written = RecordFormat(form=form, names=names)
        (one,) = read_records(BytesIO(text), written, BEGINNING)
        assert one.record == {"user_id": "u1", "age": 42}


def test_what_an_import_said_of_a_line_is_no_part_of_it() -> None:
    said = {"line": 3, "code": "cell_no_number", "message": "…"}
    with_it = event_of(RecordKind.CUSTOMERS, user_id="u", refused=said)
    assert with_it == event_of(RecordKind.CUSTOMERS, user_id="u")
    assert event_of(RecordKind.CUSTOMERS, user_id="u", refused=2)["traits"] == {"refused": 2}


LINES = st.lists(
    st.sampled_from(["u1,x", 'u2,"a\nb"', "", "u3,", '"u,4",é', "u5,y,z", " ", 'u6,"q""q"']),
    max_size=8,
)


@settings(max_examples=examples(100), deadline=None)
@given(LINES)
def test_reading_goes_on_from_any_mark_as_if_it_had_never_stopped(lines: list[str]) -> None:
    text = "\n".join(["user_id,note", *lines]).encode()
    whole = found(text, RecordForm.CSV)
    for number, one in enumerate(whole):
        assert found(text, RecordForm.CSV, one.after) == whole[number + 1 :]
    offsets = [one.after.offset for one in whole]
    assert offsets == sorted(set(offsets))
