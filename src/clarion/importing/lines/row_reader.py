"""Reads a file of records line by line, and knows where it is, so that reading can go on there.
Pure."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from clarion.faults import Rejected
from clarion.importing.lines.cell import ID_COLUMNS, looks_rounded, name_and_kind, typed
from clarion.importing.lines.row import read_cells
from clarion.importing.lines.text_reader import (
    BOM,
    LINE_BYTES_MAX,
    Encoding,
    Lines,
    Mark,
    RecordForm,
)

DELIMITERS = (",", ";", "\t")
SCANNED_ROWS = 1_000
"""From the first ones is told whether a column's long numbers are rounded."""
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""A first line for Excel alone: what separates the cells."""
_QUOTED = re.compile(r'"[^"]*"')


class FileDivided(Exception):
    """The file is put together of several that have different columns: what stands behind this can
    not be read by its header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A record, or what is wrong with it; `text` is how it stands in the file, `line` its first
    line (from 1), `after` the place behind it."""

    record: dict[str, Any] | Rejected
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
    has_repeated_columns: bool = False
    """Columns of one name hold the parts of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a CSV file: its columns as they stand there."""

    columns: Sequence[str]
    delimiter: str
    ends: Mark = field(default_factory=Mark)
    """Where the first record begins."""


def read_records(file: BinaryIO, written: RecordFormat, start: Mark) -> Iterator[FileRecord]:
    """The records from `start` on. Blank lines are none."""
    match written.form:
        case RecordForm.CSV:
            return _csv(file, written, start)
        case RecordForm.NDJSON:
            return _ndjson(file, written, start)


def read_header(file: BinaryIO, written: RecordFormat) -> Header | Rejected | None:
    """The header of a CSV file; None where the file is empty."""
    return _header(Lines(file, Mark(), written.encoding), written)


def _header(lines: Lines, written: RecordFormat) -> Header | Rejected | None:
    first = next(lines, None)
    separator = _SEPARATOR.fullmatch(first) if first is not None else None
    if separator is not None:
        first = next(lines, None)
    if first is None:
        return None
    if lines.is_damaged:
        return _no_text(written)
    first = first.lstrip(BOM)
    delimiter = separator[1] if separator else max(DELIMITERS, key=_QUOTED.sub("", first).count)
    if "\r" in first.rstrip("\r\n"):
        return Rejected(
            code="header_no_csv",
            message="The lines end with CR alone, as on an old Mac: save the file as “CSV UTF-8”, "
            "or tr '\\r' '\\n' < FILE > NEW.csv",
        )
    try:
        columns = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    except (csv.Error, TypeError) as error:  # no text at all
        return Rejected(code="header_no_csv", message=f"The header is not valid CSV: {error}.")
    named = [column for column in renamed(columns, written.names) if column]
    twice = {column for column in named if named.count(column) > 1}
    if twice and not written.has_repeated_columns:
        return Rejected(
            code="header_ambiguous",
            message=f"The header has several columns of one name: {', '.join(sorted(twice))}.",
        )
    return Header(columns=columns, delimiter=delimiter, ends=lines.mark)


def renamed(columns: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """The columns by the names they have here."""
    return [names.get(column, column) for column in columns]


def _ndjson(file: BinaryIO, written: RecordFormat, start: Mark) -> Iterator[FileRecord]:
    lines = Lines(file, start, written.encoding)
    while True:
        lines.begin()
        text = next(lines, None)
        if text is None:
            return
        if text.strip():
            record = _damage(lines, written) or _object(text, written.names)
            if isinstance(record, Rejected) and record.code == "line_unfinished":
                record, text = _unfinished(lines, record, text)
            yield FileRecord(record=record, text=text.strip(), line=lines.line, after=lines.mark)


def _csv(file: BinaryIO, written: RecordFormat, start: Mark) -> Iterator[FileRecord]:
    lines = Lines(file, Mark(), written.encoding)
    header = _header(lines, written)
    if header is None:
        return
    if isinstance(header, Rejected):
        yield _found(header, lines, 0)
        return
    columns = renamed(header.columns, written.names)
    rounded = _rounded(file, written, header, columns)
    lines = Lines(file, max(start, header.ends), written.encoding)
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    while True:
        lines.begin()
        before = lines.line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            broken = Rejected(code="line_no_csv", message=f"The line is not valid CSV: {error}.")
            # A quote that nothing closes takes in all lines behind it: those are records, too.
            lines.back_to_first()
            yield _found(_damage(lines, written) or broken, lines, before)
            reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
            continue
        cells = _without_mark(cells)
        if _is_header(cells, header):
            continue
        if any(cell.strip() for cell in cells):
            fault = _damage(lines, written) or _cut_short(lines, header, cells)
            record = fault or read_cells(
                columns, cells, rounded, may_repeat=written.has_repeated_columns
            )
            yield _found(record, lines, before, () if lines.too_long else cells)


def _found(
    record: dict[str, Any] | Rejected, lines: Lines, before: int, cells: Sequence[str] = ()
) -> FileRecord:
    text = lines.text.rstrip("\r\n")
    return FileRecord(record=record, text=text, line=before + 1, after=lines.mark, cells=cells)


def _without_mark(cells: list[str]) -> list[str]:
    """`cat` puts a file's byte order mark into the middle. What is exported never begins so."""
    if not cells or not cells[0].startswith(BOM):
        return cells
    first = cells[0].lstrip(BOM)
    if len(first) > 1 and first[0] == first[-1] == '"':  # the mark had kept it from being a quote
        first = first[1:-1].replace('""', '"')
    return [first, *cells[1:]]


def _is_header(cells: Sequence[str], header: Header) -> bool:
    """Whether this is the header once more, of a file that was put behind another.

    Raises FileDivided where it is the header of a file with other columns.
    """
    names_here = [cell.strip() for cell in cells]
    while names_here and not names_here[-1]:
        names_here.pop()
    own = list(header.columns)
    while own and not own[-1]:
        own.pop()
    if names_here == own:
        return bool(own)
    names = {name_and_kind(name)[0] for name in names_here if name}
    known_names = {name_and_kind(name)[0] for name in own if name} | ID_COLUMNS
    if len(names) > 1 and names <= known_names and names & ID_COLUMNS:
        raise FileDivided(
            f"behind it stands another header ({', '.join(names_here)[:200]}). The file was put "
            "together of files with different columns: import each by itself."
        )
    if len(own) == 1 and len(names_here) == 1 and names_here[0].endswith(own[0]):
        raise FileDivided(
            f"{names_here[0][:40]!r} is a value and the header in one line: the file was put "
            "together of files, of which one did not end with a line break. Put one between them."
        )
    return False


def _cut_short(lines: Lines, header: Header, cells: Sequence[str]) -> Rejected | None:
    """Whether the last line of a file has been cut off."""
    named = [column for column in header.columns[len(cells) :] if column]
    if not named or lines.text.endswith(("\n", "\r")):
        return None
    return Rejected(
        code="cells_missing",
        message=f"The file ends in the middle of this line, before {named[0]}: was it written or "
        "copied whole?",
    )


def _rounded(
    file: BinaryIO, written: RecordFormat, header: Header, columns: Sequence[str]
) -> set[str]:
    """Columns of ids all of whose long numbers end as a spreadsheet rounds them."""
    ids = {
        at: column for at, column in enumerate(columns) if name_and_kind(column)[0] in ID_COLUMNS
    }
    texts_of_column: dict[str, set[str]] = {column: set() for column in ids.values()}
    lines = Lines(file, header.ends, written.encoding)
    reader = csv.reader(lines, delimiter=header.delimiter)
    for _ in range(SCANNED_ROWS):
        lines.begin()
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            break
        for at, column in ids.items():
            if at < len(cells):
                texts_of_column[column].add(cells[at].strip())
    return {column for column, texts in texts_of_column.items() if looks_rounded(texts)}


def _unfinished(lines: Lines, fault: Rejected, text: str) -> tuple[Rejected, str]:
    """An object that goes over several lines is told of once, whole: a line within it may look like
    a record. Where it is none, its first line is all that is refused."""
    whole = text
    for more in lines:
        whole += more
        if lines.too_long or len(whole) > LINE_BYTES_MAX:
            break
        try:
            msgspec.json.decode(whole)
        except (ValueError, RecursionError) as error:
            if str(error) == _TRUNCATED:
                continue
            break
        return fault, whole
    lines.back_to_first()
    return fault, text


_TRUNCATED = "Input data was truncated"
_JQ = "Give each object a line of its own: jq -c . FILE > NEW.ndjson"


def _object(text: str, names: Mapping[str, str]) -> dict[str, Any] | Rejected:
    text = text.strip().lstrip(BOM)
    if text.startswith("{") and text.endswith("},"):
        text = text[:-1]  # an item of a list, each on a line
    try:
        record = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        is_cut = str(error) == _TRUNCATED
        code = "line_unfinished" if is_cut else "line_no_json"
        cure = f" {_JQ}" if is_cut or "trailing characters" in str(error) else ""
        return Rejected(code=code, message=f"The line is not valid JSON: {error}.{cure}")
    if not isinstance(record, dict):
        return Rejected(code="line_no_object", message="The line is not a JSON object.")
    return with_names(record, names)


def with_names(record: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any] | Rejected:
    """A JSON record with its members called as they are here; `record` is changed."""
    for name in names.keys() & record.keys():
        given = typed(names[name], record.pop(name))
        if isinstance(given, Rejected):
            return given
        record.update([given])
    if "" in names.values():
        record.pop("", None)
    return record


def _damage(lines: Lines, written: RecordFormat) -> Rejected | None:
    """Why the text of a record is not to be read at all."""
    if lines.too_long:
        return Rejected(
            code="line_too_long", message=f"The line is longer than {LINE_BYTES_MAX} bytes."
        )
    return _no_text(written) if lines.is_damaged else None


def _no_text(written: RecordFormat) -> Rejected:
    return Rejected(
        code="line_no_text",
        message=f"The line is not {written.encoding.value}: save the file as UTF-8, or say how it "
        "is written (--encoding windows-1252).",
    )
