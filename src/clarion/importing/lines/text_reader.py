"""The bytes of a file of records as lines of text, whoever wrote it; and where one is in it. but
for the file it reads. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from clarion.events.calls.check import EVENT_BYTES_MAX

LINE_BYTES_MAX = EVENT_BYTES_MAX * 4
"""A longer line can not become an event, and is not read into memory."""
BOM = "\ufeff"
"""A byte order mark as text."""
HEAD_BYTES = 4_096
"""Of a file's beginning, from which is told what it is."""


class RecordForm(StrEnum):
    """How the lines are written."""

    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """A place between two records: bytes and lines before it."""

    offset: int = 0
    line: int = 0


class Encoding(StrEnum):
    """How a file's text is written."""

    UTF_8 = "utf-8"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    WINDOWS_1252 = "windows-1252"
    """What Excel writes in western Europe and America, unless it is told otherwise."""


_MARKS = {
    b"\xef\xbb\xbf": Encoding.UTF_8,
    b"\xff\xfe": Encoding.UTF_16_LE,
    b"\xfe\xff": Encoding.UTF_16_BE,
}
_NO_TEXT = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive: save it as “CSV UTF-8”, or unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV",
    b"\x1f\x8b": "packed: gunzip it",
    b"BZh": "packed: bunzip2 it",
    b"\x28\xb5\x2f\xfd": "packed: unzstd it",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
}


def encoding_of(head: bytes, said: Encoding | None) -> Encoding:
    """By the byte order mark; without one as `said`, or else UTF-8."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    return said or Encoding.UTF_8


def fault_of_file(head: bytes, form: RecordForm, said: Encoding | None = None) -> str | None:
    """What a file is that is no file of records, by its first bytes; None: it may be one.
    `said`: how its text is written, where it does not begin with a mark."""
    for start, what in _NO_TEXT.items():
        if head.startswith(start):
            return f"This is {what}."
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "This is UTF-32: save the file as UTF-8."
    is_wide = said in (Encoding.UTF_16_LE, Encoding.UTF_16_BE)
    if not head.startswith(tuple(_MARKS)) and b"\x00" in head and not is_wide:
        odd, even = head[1::2].count(0), head[::2].count(0)
        if max(odd, even) > len(head) // 4:
            name = Encoding.UTF_16_LE if odd > even else Encoding.UTF_16_BE
            return f"This is no text, or UTF-16 without its mark: add --encoding {name.value}."
        return "This is no text."
    if form is RecordForm.NDJSON and encoding_of(head, None) is Encoding.UTF_8:
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if begins.startswith(b"["):
            return "This is one JSON list. Give each object a line: jq -c '.[]' FILE > NEW.ndjson"
        first, line_end, _ = begins.partition(b"\n")
        if b"}\r{" in begins.split(b"\n")[0]:
            return "The lines end with CR alone: tr '\\r' '\\n' < FILE > NEW.ndjson"
        if line_end and first.startswith(b"{") and first.rstrip()[-1:] in b"{[,:":
            return "A JSON object goes over several lines. Give each one line: jq -c . FILE"
    return None


class Lines:
    """The lines from `start` on; remembers where it is and what it gave since `begin`."""

    def __init__(self, file: BinaryIO, start: Mark, encoding: Encoding) -> None:
        self._file = file
        self._encoding = encoding
        file.seek(start.offset)
        self.offset = start.offset
        self.line = start.line
        self.begin()

    def begin(self) -> None:
        """A record begins here."""
        self.text = ""
        self.too_long = False
        self.is_damaged = False
        """Whether something was no text in the file's encoding."""
        self._first: tuple[Mark, str] | None = None

    def back_to_first(self) -> None:
        """Take back all since `begin` but its first line."""
        if self._first is not None:
            mark, self.text = self._first
            self.offset, self.line = mark.offset, mark.line
            self._file.seek(mark.offset)

    @property
    def mark(self) -> Mark:
        return Mark(offset=self.offset, line=self.line)

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        raw = self._read()
        if not raw:
            raise StopIteration
        if self.offset == 0:
            for mark, encoding in _MARKS.items():
                if encoding is self._encoding and raw.startswith(mark):
                    self.offset, raw = len(mark), raw.removeprefix(mark)
        self.offset += len(raw)
        if len(raw) >= LINE_BYTES_MAX - 3 and not self._ends(raw):
            self.too_long = True
            while rest := self._read():
                self.offset += len(rest)
                if self._ends(rest):
                    break
        self.line += 1
        text = self._decode(raw)
        if len(self.text) < LINE_BYTES_MAX:
            self.text += text
        if self._first is None:
            self._first = (self.mark, self.text)
        return text

    def _read(self) -> bytes:
        """Up to the end of a line, of UTF-16 never half a character."""
        raw = self._file.readline(LINE_BYTES_MAX)
        if self._encoding not in (Encoding.UTF_16_LE, Encoding.UTF_16_BE):
            return raw
        while raw:
            raw += self._file.read(len(raw) % 2)
            if len(raw) >= LINE_BYTES_MAX or self._ends(raw):
                return raw
            more = self._file.readline(LINE_BYTES_MAX - len(raw))
            if not more:
                return raw
            raw += more
        return raw

    def _ends(self, raw: bytes) -> bool:
        match self._encoding:
            case Encoding.UTF_16_LE:
                return len(raw) % 2 == 0 and raw.endswith(b"\n\x00")
            case Encoding.UTF_16_BE:
                return len(raw) % 2 == 0 and raw.endswith(b"\x00\n")
            case _:
                return raw.endswith(b"\n")

    def _decode(self, raw: bytes) -> str:
        try:
            return raw.decode(self._encoding)
        except UnicodeDecodeError:
            # Most of what is no UTF-8 is Windows-1252: so a person can see whether it is.
            self.is_damaged = True
            return raw.decode(Encoding.WINDOWS_1252, errors="replace")
