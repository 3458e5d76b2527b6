"""How far an import has come, kept beside its file, so that it can go on after anything."""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, BinaryIO

import msgspec

from clarion.importing.importer import Step
from clarion.importing.lines.cell import safe
from clarion.importing.lines.reading import RefusedLine
from clarion.importing.lines.row import REFUSED
from clarion.importing.lines.row_reader import Header
from clarion.importing.lines.text_reader import Mark

HEAD_BYTES = 65_536


class Progress(msgspec.Struct, kw_only=True):
    """What is durable of an import. `head` and `size` tell whether the file is still the same."""

    kind: str
    source_id: str
    size: int
    head: str
    at: datetime
    names: dict[str, str] = {}
    offset: int = 0
    line: int = 0
    taken: int = 0
    refused: int = 0
    refused_bytes: int = 0

    @property
    def mark(self) -> Mark:
        return Mark(offset=self.offset, line=self.line)

    def goes_on_as(self, other: "Progress") -> bool:
        """Whether an import of this file, by these options, goes on where this one is."""
        mine = (self.kind, self.source_id, self.head, self.names)
        theirs = (other.kind, other.source_id, other.head, other.names)
        return mine == theirs and other.size >= self.offset


@dataclass(frozen=True, slots=True)
class ProgressFile:
    """`FILE.import.json`, and beside it `FILE.refused.csv` (or `.ndjson`) with the lines that were
    not taken: written as the file is, so that it can be mended and imported itself."""

    path: Path
    refused_path: Path
    header: Header | None
    """Of a CSV file."""

    @classmethod
    def of(cls, file: Path, header: Header | None) -> "ProgressFile":
        form = "ndjson" if header is None else "csv"
        return cls(
            path=file.with_name(f"{file.name}.import.json"),
            refused_path=file.with_name(f"{file.name}.{REFUSED}.{form}"),
            header=header,
        )

    def load(self) -> Progress | None:
        """None: nothing was imported yet. A file that can not be read counts as none: importing
        again changes nothing."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Progress)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def open_refused(self, progress: Progress) -> IO[bytes]:
        """The file of refused lines, cut to what belongs to `progress`; only its owner may read
        it."""
        descriptor = os.open(self.refused_path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "r+b")
        if file.seek(0, os.SEEK_END) < progress.refused_bytes:
            progress.refused_bytes = 0  # somebody has taken it away, to mend its lines
        file.truncate(progress.refused_bytes)
        file.seek(progress.refused_bytes)
        if self.header is not None and not progress.refused_bytes:
            # With a byte order mark: without one Excel takes UTF-8 for something else.
            columns = [*(f"{REFUSED}.{name}" for name in _WHY), *self._own(self.header.columns)]
            file.write(b"\xef\xbb\xbf" + _cells(columns, self.header))
        return file

    def advance(self, progress: Progress, step: Step, refused: IO[bytes]) -> None:
        """Write down a step: first its refused lines, then the place behind it."""
        for line in step.refused:
            refused.write(self._line_of(line))
        refused.flush()
        progress.offset, progress.line = step.after.offset, step.after.line
        progress.taken += step.taken
        progress.refused += len(step.refused)
        progress.refused_bytes = refused.tell()
        beside = self.path.with_suffix(".part")
        beside.write_bytes(msgspec.json.encode(progress))
        beside.replace(self.path)

    def _line_of(self, refused_line: RefusedLine) -> bytes:
        why = {
            "line": refused_line.line,
            "code": refused_line.code,
            "message": refused_line.message,
        }
        if self.header is not None:
            cells = self._own(refused_line.file_record.cells) or [refused_line.file_record.text]
            return _cells([*map(str, why.values()), *map(safe, cells)], self.header)
        try:
            record = msgspec.json.decode(refused_line.file_record.text, type=dict[str, Any])
        except ValueError:
            record = {"text": refused_line.file_record.text}
        record.pop(REFUSED, None)
        return msgspec.json.encode({REFUSED: why, **record}) + b"\n"

    def _own(self, cells: Sequence[str]) -> list[str]:
        """Without what an import before said of the line."""
        assert self.header is not None
        are_reasons = [column.startswith(f"{REFUSED}.") for column in self.header.columns]
        return [
            cell
            for cell, is_said in zip_longest(cells, are_reasons)
            if cell is not None and not is_said
        ]


_WHY = ("line", "code", "message")


def _cells(cells: list[str], header: Header) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=header.delimiter, lineterminator="\n").writerow(cells)
    return line.getvalue().encode(errors="replace")


def head_of(file: BinaryIO) -> str:
    """A fingerprint of how the file begins."""
    file.seek(0)
    return sha256(file.read(HEAD_BYTES)).hexdigest()
