"""Reads a file of records line by line, and knows where it is, so that reading can go on there."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

import msgspec

from clarion.events.message import EVENT_BYTES_MAX
from clarion.events.record import RecordFault, read_cells

LINE_BYTES_MAX = EVENT_BYTES_MAX * 4
"""A longer line can not become an event, and is not read into memory."""
DELIMITERS = (",", ";", "\t")
_BOM = b"\xef\xbb\xbf"


class RecordForm(StrEnum):
    """How the lines are written."""

    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place between two records: bytes and lines before it."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record, or what is wrong with it; `text` is how it stands in the file, `line` its first
    line (from 1), `after` the place behind it."""

    record: dict[str, Any] | RecordFault
    text: str
    line: int
    after: Mark


def read_records(file: BinaryIO, form: RecordForm, start: Mark) -> Iterator[Found]:
    """The records from `start` on. Blank lines are none."""
    return _csv(file, start) if form is RecordForm.CSV else _ndjson(file, start)


class _Lines:
    """The lines of a file, as text; remembers where it is and what it gave since `begin`."""

    def __init__(self, file: BinaryIO, start: Mark) -> None:
        self._file = file
        file.seek(start.offset)
        self.offset = start.offset
        self.line = start.line
        self.too_long = False
        self.text = ""

    def begin(self) -> None:
        self.text = ""
        self.too_long = False

    @property
    def mark(self) -> Mark:
        return Mark(offset=self.offset, line=self.line)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._file.readline(LINE_BYTES_MAX)
        if not raw:
            raise StopIteration
        if self.offset == 0:
            self.offset += len(_BOM) if raw.startswith(_BOM) else 0
            raw = raw.removeprefix(_BOM)
        self.offset += len(raw)
        if not raw.endswith(b"\n") and len(raw) >= LINE_BYTES_MAX - len(_BOM):
            self.too_long = True
            while (rest := self._file.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
                self.offset += len(rest)
            self.offset += len(rest)
        self.line += 1
        text = raw.decode(errors="replace")
        if len(self.text) < LINE_BYTES_MAX:
            self.text += text
        return text


def _ndjson(file: BinaryIO, start: Mark) -> Iterator[Found]:
    lines = _Lines(file, start)
    while True:
        lines.begin()
        text = next(lines, None)
        if text is None:
            return
        if text.strip():
            record = _too_long() if lines.too_long else _object(text)
            yield Found(record=record, text=text.strip(), line=lines.line, after=lines.mark)


def _csv(file: BinaryIO, start: Mark) -> Iterator[Found]:
    lines = _Lines(file, Mark())
    first = next(lines, None)
    if first is None:
        return
    delimiter = max(DELIMITERS, key=first.count)
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    except csv.Error as error:  # lines that end with a bare CR, or no text at all
        fault = RecordFault(code="header_no_csv", message=f"The header is not valid CSV: {error}.")
        yield _found(fault, lines, 0)
        return
    if start.offset:
        lines = _Lines(file, start)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        before = lines.line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = RecordFault(code="line_no_csv", message=f"The line is not valid CSV: {error}.")
            yield _found(fault, lines, before)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if any(cell.strip() for cell in cells):
            record = _too_long() if lines.too_long else read_cells(header, cells)
            yield _found(record, lines, before)


def _found(record: dict[str, Any] | RecordFault, lines: _Lines, before: int) -> Found:
    return Found(record=record, text=lines.text.rstrip("\r\n"), line=before + 1, after=lines.mark)


def _object(text: str) -> dict[str, Any] | RecordFault:
    try:
        record = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        return RecordFault(code="line_no_json", message=f"The line is not valid JSON: {error}.")
    if not isinstance(record, dict):
        return RecordFault(code="line_no_object", message="The line is not a JSON object.")
    return record


def _too_long() -> RecordFault:
    return RecordFault(
        code="line_too_long", message=f"The line is longer than {LINE_BYTES_MAX} bytes."
    )
