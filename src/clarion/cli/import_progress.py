"""How far an import has come, kept beside its file, so that it can go on after anything."""

import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO

import msgspec

from clarion.events.importer import Step
from clarion.events.record_file import Mark

HEAD_BYTES = 65_536


class Progress(msgspec.Struct, kw_only=True):
    """What is durable of an import. `head` and `size` tell whether the file is still the same."""

    kind: str
    source_id: str
    size: int
    head: str
    at: datetime
    offset: int = 0
    line: int = 0
    taken: int = 0
    refused: int = 0
    refused_bytes: int = 0

    @property
    def mark(self) -> Mark:
        return Mark(offset=self.offset, line=self.line)


@dataclass(frozen=True, slots=True)
class ProgressFile:
    """`FILE.import.json`, and `FILE.refused.ndjson` with the lines that were not taken."""

    path: Path
    refused_path: Path

    @classmethod
    def of(cls, file: Path) -> "ProgressFile":
        return cls(
            file.with_name(f"{file.name}.import.json"),
            file.with_name(f"{file.name}.refused.ndjson"),
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
        file.truncate(progress.refused_bytes)
        file.seek(progress.refused_bytes)
        return file

    def advance(self, progress: Progress, step: Step, refused: IO[bytes]) -> None:
        """Write down a step: first its refused lines, then the place behind it."""
        for one in step.refused:
            line: dict[str, Any] = {
                "line": one.line,
                "code": one.code,
                "message": one.message,
                "record": one.text,
            }
            refused.write(msgspec.json.encode(line) + b"\n")
        refused.flush()
        progress.offset, progress.line = step.after.offset, step.after.line
        progress.taken += step.taken
        progress.refused += len(step.refused)
        progress.refused_bytes = refused.tell()
        beside = self.path.with_suffix(".part")
        beside.write_bytes(msgspec.json.encode(progress))
        beside.replace(self.path)


def head_of(file: BinaryIO) -> str:
    """A fingerprint of how the file begins."""
    file.seek(0)
    return sha256(file.read(HEAD_BYTES)).hexdigest()
