"""A cell is protected from spreadsheets and read back as it was; a damaged one is refused."""

import csv
from io import BytesIO, StringIO

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clarion.faults import Rejected
from clarion.importing.lines.cell import (
    damage_of_id,
    looks_rounded,
    protected,
    protected_json,
    safe,
    typed,
)
from clarion.importing.lines.row_reader import FileDivided, FileRecord, RecordFormat, read_records
from clarion.importing.lines.text_reader import Encoding, Mark, RecordForm, fault_of_file

FORMULAS = [
    '=HYPERLINK("https://x.example","click")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1",
    "＝1", "＠x", "＋1", "－1",
]  # fmt: skip
DAMAGED = [
    "1.23457E+11", "1,23457E+11", "1٫23457E+11", "1E+11", "-1.2E+15", "1.5E-05", "1.2345678901E11",
    "1.2345678901234568e+18", "#####", "########", "#N/A", "#REF!", "#NAME?", "#DIV/0!", "#BEZUG!",
    "Err:502", "02-Jan", "2-Jan-24", "Jan-24", "1-Mar", "01. Mrz", "1-janv.", "01/02/2024",
    "1/2/24", "01.02.2024", "2024-02-01 00:00:00", "2024-02-01", "4711.0", "4711,0", "4711.00",
    "1,234,567", "1 234 567", "1\u202f234", "1'234'567", "123456789012345000", "“u1”", "„u1“",
    "a\ufffdb",
]  # fmt: skip
GENUINE = [
    "1e5", "12e10", "4711", "007", "0.5", "1.2.3", "192.168.1.1", "v1.0", "#1", "#tag", "2024",
    "user-1", "mar", "jan-van-eyck", "Jan", "a1b2c3d4", "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "12.345.678-9", "100000000000000", "1234567890123450", "o'hara",
    "'quoted'", "''", "ada@x.example",
    "fingerprint:0a1b2c3d4e5f", "é", "a.0", "4711.5", "12-34", "x=1", "a-b", "a+b@x.example",
]  # fmt: skip
TEXTS = st.text() | st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "'", "''", "a;", "a;'", "|", "x\n", "x\n''"]),
    st.sampled_from([*FORMULAS, *DAMAGED, *GENUINE, "\ufeff"]),
    st.sampled_from(["", ";=1", "|'+x", "\n@y", "\r-z", "'"]),
)


@given(TEXTS)
@example("'=1")
@example("''=1")
@example("\ufeff")
def test_what_is_protected_is_read_as_it_was(text: str) -> None:
    text = text.strip()  # as ids are
    cell = protected(text)
    assert typed("user_id", cell) == ("user_id", text)
    assert not cell.startswith(tuple("=+-@\t\r＝＋－＠\ufeff"))
    file = StringIO(newline="")
    csv.writer(file).writerow([cell])
    assert next(csv.reader(StringIO(file.getvalue(), newline=""))) == [cell]


@given(st.recursive(st.text() | TEXTS | st.integers() | st.none(), st.lists, max_leaves=5))
def test_protected_json_is_the_same_json(value: object) -> None:
    cell = protected_json(msgspec.json.encode(value).decode())
    assert msgspec.json.decode(cell) == value
    assert not any(f"{one}{trigger}" in cell for one in ";|" for trigger in "=+-@")


@pytest.mark.parametrize("text", DAMAGED)
def test_an_id_that_a_spreadsheet_has_damaged_is_refused_with_the_cure(text: str) -> None:
    for column in ("user_id", "device_id", "anonymousId", "token", "user_id:number"):
        fault = typed(column, text)
        assert isinstance(fault, Rejected), text
        assert fault.code == "id_damaged"
        assert any(cure in fault.message for cure in ("as text", "apostrophe", '"', "UTF-8"))
    assert typed("user_id", f"'{text}") == ("user_id", text), "unless it is meant so"


@pytest.mark.parametrize("text", GENUINE)
def test_an_id_that_only_looks_odd_is_taken_as_it_is(text: str) -> None:
    assert damage_of_id(text) is None
    assert typed("user_id", text) == ("user_id", text)


@pytest.mark.parametrize(
    "text", ["4,91701E+11", "1.23457E+11", "#####", "#N/A", "“Lovelace", "J\ufffdrg"]
)
def test_a_trait_that_was_damaged_is_refused(text: str) -> None:
    fault = typed("phone", text)
    assert isinstance(fault, Rejected)
    assert fault.code == "cell_damaged"
    assert isinstance(typed("amount:number", "1.23457E+11"), Rejected)


@pytest.mark.parametrize(
    "text", ["2024-02-01", "4711.0", "“Ada” she said", "1,234", "02-Jan", "0049"]
)
def test_a_trait_is_not_an_id(text: str) -> None:
    assert typed("note", text) == ("note", text)


def test_long_numbers_are_refused_where_all_of_them_look_rounded() -> None:
    assert looks_rounded(["1234567890123450", "1234567890123460", "17"])
    assert not looks_rounded(["1234567890123450", "1234567890123456"])
    assert not looks_rounded(["1234567890123450"])
    codes = [code for _, code in read(b"user_id,n\n1234567890123450,1\n1234567890123460,2\nu3,3\n")]
    assert codes == ["id_damaged", "id_damaged", ""]
    assert not any(code for _, code in read(b"user_id,n\n1234567890123450,1\n1234567890123461,2\n"))


@pytest.mark.parametrize("cell", [*FORMULAS, "'=1", "-5", "x", ""])
def test_a_refused_line_is_safe_to_look_at_and_says_the_same(cell: str) -> None:
    assert typed("n", safe(cell)) == typed("n", cell)
    assert safe("-5") == "-5"
    assert not safe(cell).startswith(("=", "+", "@"))


# --- files ----------------------------------------------------------------------------------


def found(
    text: bytes, form: RecordForm = RecordForm.CSV, start: Mark | None = None
) -> list[FileRecord]:
    encoding = Encoding.UTF_16_LE if text.startswith(b"\xff\xfe") else Encoding.UTF_8
    return list(
        read_records(BytesIO(text), RecordFormat(form=form, encoding=encoding), start or Mark())
    )


def read(text: bytes, form: RecordForm = RecordForm.CSV) -> list[tuple[object, str]]:
    """(Record, code) of each line."""
    return [
        (None, one.record.code) if isinstance(one.record, Rejected) else (one.record, "")
        for one in found(text, form)
    ]


ADA, BEN = {"user_id": "u1", "name": "Ada"}, {"user_id": "u2", "name": "Ben"}
BOM = "\ufeff".encode()


@pytest.mark.parametrize(
    "text",
    [
        b"user_id,name\nu1,Ada\nuser_id,name\nu2,Ben\n",  # cat a.csv b.csv
        BOM + b"user_id,name\r\nu1,Ada\r\n" + BOM + b"user_id,name\r\nu2,Ben\r\n",
        BOM + b'"user_id","name"\nu1,Ada\n' + BOM + b'"user_id","name"\nu2,Ben\n',
        b"user_id,name\nu1,Ada\n" + BOM + b"u2,Ben\n",
        BOM + BOM + b"user_id,name\nu1,Ada\nu2,Ben",
        b"sep=;\nuser_id;name\nu1;Ada\nu2;Ben\n",
        b'"sep=;"\r\nuser_id;name\r\nu1;Ada\r\nu2;Ben\r\n',
        b"sep=\t\nuser_id\tname\nu1\tAda\nu2\tBen\n",
        b"user_id;name\r\nu1;Ada\r\nu2;Ben\r\n",
        b"user_id,name,,,\nu1,Ada,,,\nu2,Ben,,,\n,,,,\n",
        b"user_id,name\nu1,Ada,,\nu2,Ben,\n",
        b'user_id,name,"a,b,c;d"\nu1,Ada,\nu2,Ben\n',
        b"user_id,name\nu1,Ada\n\n  \nu2,Ben",
        "user_id;name\r\nu1;Ada\r\nu2;Ben\r\n".encode("utf-16"),
    ],
)
def test_a_file_is_read_right_whatever_it_went_through(text: bytes) -> None:
    lines = found(text)
    assert [line.record for line in lines] == [ADA, BEN]
    for number, one in enumerate(lines):
        assert found(text, start=one.after) == lines[number + 1 :]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (b"user_id,name\nu1;Ada\n", ["cells_missing"]),
        (b"user_id,name,city\nu1,Ada,Rome\nu2,Be", ["", "cells_missing"]),
        (b'user_id,name\nu1,"Ada', ["line_no_csv"]),
        (b"user_id,name\nu1,Ada\nu2,Benuser_id,name\nu3,Cy\n", ["", "cells_too_many", ""]),
        ("user_id,name,x\nu1,“Lovelace, Ada”\n".encode(), ["cell_damaged"]),
        ("user_id,name\n“u1”,“Ada”\n".encode(), ["id_damaged"]),
        (b"user_id,age\ru1,3\r", ["header_no_csv"]),
        (b"user_id,name\nu1,Ada\ru2,Ben\nu3,Cy\n", ["line_no_csv", ""]),
        ('user_id,tags:json\nu1,"[“a”]"\n'.encode(), ["cell_no_json"]),
    ],
)
def test_what_can_not_be_read_right_is_refused_line_by_line(text: bytes, codes: list[str]) -> None:
    assert [code for _, code in read(text)] == codes


@pytest.mark.parametrize(
    "text",
    [
        b"user_id,name\nu1,Ada\nname,user_id\nBen,u2\n",
        b"user_id,name,age\nu1,Ada,3\n" + BOM + b"user_id,name\nu2,Ben\n",
        b"user_id\nu1\nu2user_id\nu3\n",
    ],
)
def test_behind_another_header_nothing_is_read(text: bytes) -> None:
    records = read_records(BytesIO(text), RecordFormat(form=RecordForm.CSV), Mark())
    assert isinstance(next(records).record, dict)
    with pytest.raises(FileDivided, match="together of files"):
        next(records)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"user_id":"u1"}\n' + BOM + b'{"user_id":"u2"}\n', ["u1", "u2"]),
        (b'{"user_id":"u1"},\n{"user_id":"u2"}', ["u1", "u2"]),
        (b'{"user_id":"u1"}\r\n{"user_id":"u2"}\r\n', ["u1", "u2"]),
        (b'{"user_id":"u1"}{"user_id":"u2"}\n{"user_id":"u3"}\n', ["line_no_json", "u3"]),
        (
            b'{"user_id":"u1"}\n{\n  "user_id": "u2",\n  "traits": [\n{"user_id": "no"}\n  ]\n}\n'
            b'{"user_id":"u3"}\n',
            ["u1", "line_unfinished", "u3"],
        ),
        (b'{"user_id":"u1"}\n{"user_id":\n{"user_id":"u3"}\n', ["u1", "line_unfinished", "u3"]),
        (b'{"user_id":"u1"}\n{"user_id":"u', ["u1", "line_unfinished"]),
        (b'{"user_id":"u1", "x": "a\n{"user_id":"u2"}\n', ["line_unfinished", "u2"]),
        ('{“user_id”: “u1”}\n{"user_id":"u2"}\n'.encode(), ["line_no_json", "u2"]),
    ],
)
def test_lines_of_json_are_read_right_or_refused(text: bytes, told: list[str]) -> None:
    lines = found(text, RecordForm.NDJSON)
    assert [
        line.record.code if isinstance(line.record, Rejected) else line.record["user_id"]
        for line in lines
    ] == told
    for number, one in enumerate(lines):
        assert found(text, RecordForm.NDJSON, one.after) == lines[number + 1 :]


@pytest.mark.parametrize(
    ("head", "form", "said", "word"),
    [
        ("user_id,name\n".encode("utf-16-le"), RecordForm.CSV, None, "utf-16-le"),
        ("user_id,name\n".encode("utf-16-be"), RecordForm.CSV, None, "utf-16-be"),
        ("user_id,name\n".encode("utf-16-le"), RecordForm.CSV, Encoding.UTF_16_LE, None),
        ("user_id\n".encode("utf-32"), RecordForm.CSV, None, "UTF-32"),
        (b'{"user_id": "u1",\n "x": 1}\n', RecordForm.NDJSON, None, "jq"),
        (b'{"a": 1}\r{"b": 2}\r', RecordForm.NDJSON, None, "tr "),
    ],
)
def test_a_file_that_is_written_otherwise_is_refused_with_the_cure(
    head: bytes, form: RecordForm, said: Encoding | None, word: str | None
) -> None:
    fault = fault_of_file(head, form, said)
    assert fault is None if word is None else fault is not None and word in fault
