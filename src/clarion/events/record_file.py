"""Reads a file of records line by line, and knows where it is, so that reading can go on there."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from clarion.events.record import RecordFault, read_cells, typed
from clarion.events.record_text import LINE_BYTES_MAX, Encoding, Lines, Mark, RecordForm

DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record, or what is wrong with it; `text` is how it stands in the file, `line` its first
    line (from 1), `after` the place behind it."""

    record: dict[str, Any] | RecordFault
    text: str
    line: int
    after: Mark
    cells: Sequence[str] = ()
    """Of a line of CSV, whatever is wrong with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFormat:
    """How a file is written, and what its columns are called here: `names` by their own. A column
    without a name is left out."""

    form: RecordForm
    encoding: Encoding = Encoding.UTF_8
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a CSV file: its columns as they stand there."""

    columns: Sequence[str]
    delimiter: str


def read_records(file: BinaryIO, written: RecordFormat, start: Mark) -> Iterator[Found]:
    """The records from `start` on. Blank lines are none."""
    match written.form:
        case RecordForm.CSV:
            return _csv(file, written, start)
        case RecordForm.NDJSON:
            return _ndjson(file, written, start)


def read_header(file: BinaryIO, written: RecordFormat) -> Header | RecordFault | None:
    """The header of a CSV file; None where the file is empty."""
    return _header(Lines(file, Mark(), written.encoding), written)


def _header(lines: Lines, written: RecordFormat) -> Header | RecordFault | None:
    first = next(lines, None)
    if first is None:
        return None
    if lines.is_damaged:
        return _no_text(written)
    delimiter = max(DELIMITERS, key=first.count)
    try:
        columns = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    except csv.Error as error:  # lines that end with a bare CR, or no text at all
        return RecordFault(code="header_no_csv", message=f"The header is not valid CSV: {error}.")
    named = [one for one in renamed(columns, written.names) if one]
    twice = {one for one in named if named.count(one) > 1}
    if twice:
        return RecordFault(
            code="header_ambiguous",
            message=f"The header has several columns of one name: {', '.join(sorted(twice))}.",
        )
    return Header(columns=columns, delimiter=delimiter)


def renamed(columns: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """The columns by the names they have here."""
    return [names.get(column, column) for column in columns]


def _ndjson(file: BinaryIO, written: RecordFormat, start: Mark) -> Iterator[Found]:
    lines = Lines(file, start, written.encoding)
    while True:
        lines.begin()
        text = next(lines, None)
        if text is None:
            return
        if text.strip():
            record = _damage(lines, written) or _object(text, written.names)
            yield Found(record=record, text=text.strip(), line=lines.line, after=lines.mark)


def _csv(file: BinaryIO, written: RecordFormat, start: Mark) -> Iterator[Found]:
    lines = Lines(file, Mark(), written.encoding)
    header = _header(lines, written)
    if header is None:
        return
    if isinstance(header, RecordFault):
        yield _found(header, lines, 0)
        return
    columns = renamed(header.columns, written.names)
    if start.offset:
        lines = Lines(file, start, written.encoding)
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    while True:
        lines.begin()
        before = lines.line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = RecordFault(code="line_no_csv", message=f"The line is not valid CSV: {error}.")
            # A quote that nothing closes takes in all lines behind it: those are records, too.
            lines.back_to_first()
            yield _found(_damage(lines, written) or fault, lines, before)
            reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
            continue
        if any(cell.strip() for cell in cells):
            record = _damage(lines, written) or read_cells(columns, cells)
            yield _found(record, lines, before, () if lines.too_long else cells)


def _found(
    record: dict[str, Any] | RecordFault, lines: Lines, before: int, cells: Sequence[str] = ()
) -> Found:
    text = lines.text.rstrip("\r\n")
    return Found(record=record, text=text, line=before + 1, after=lines.mark, cells=cells)


def _object(text: str, names: Mapping[str, str]) -> dict[str, Any] | RecordFault:
    try:
        record = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        return RecordFault(code="line_no_json", message=f"The line is not valid JSON: {error}.")
    if not isinstance(record, dict):
        return RecordFault(code="line_no_object", message="The line is not a JSON object.")
    for name in names.keys() & record.keys():
        given = typed(names[name], record.pop(name))
        if isinstance(given, RecordFault):
            return given
        record.update([given])
    record.pop("", None)
    return record


def _damage(lines: Lines, written: RecordFormat) -> RecordFault | None:
    """Why the text of a record is not to be read at all."""
    if lines.too_long:
        return RecordFault(
            code="line_too_long", message=f"The line is longer than {LINE_BYTES_MAX} bytes."
        )
    return _no_text(written) if lines.is_damaged else None


def _no_text(written: RecordFormat) -> RecordFault:
    return RecordFault(
        code="line_no_text",
        message=f"The line is not {written.encoding.value}: save the file as UTF-8, or say how it "
        "is written (--encoding windows-1252).",
    )
