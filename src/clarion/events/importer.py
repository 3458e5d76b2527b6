"""The importer: takes a file of records to the collector, batch by batch, and can go on later.

What an app sends and what a file says come in by the same door and meet the same rules. A batch is
durable before the place behind it is told; whoever keeps that place goes on from there.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, assert_never

import msgspec

from clarion.clock import Clock
from clarion.events.body import BODY_BYTES_MAX, CallFault
from clarion.events.collector import Collector, ComeAgain, Taken
from clarion.events.message import Refusal, check
from clarion.events.record import RecordFault, RecordKind, as_event
from clarion.events.record_file import Found, Mark, RecordForm, read_records
from clarion.events.source import Source

BATCH_RECORDS = 500
BATCH_BYTES = BODY_BYTES_MAX - 65_536


class ImportRefused(Exception):
    """The import can not go on: its source is revoked, or a whole batch is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A line that was not taken, why, and how it stands in the file."""

    line: int
    code: str
    message: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A batch that is durable. Reading goes on at `after`."""

    after: Mark
    taken: int
    refused: list[RefusedLine]


class Importer:
    """Imports one file, by an operator's own hand: no limit, no origin, no signature is asked for.
    `at`: when a record happened that does not say so."""

    def __init__(
        self, collector: Collector, clock: Clock, *, source: Source, kind: RecordKind, at: datetime
    ) -> None:
        self._collector = collector
        self._clock = clock
        self._source = source
        self._kind = kind
        self._at = at

    async def run(self, file: BinaryIO, form: RecordForm, start: Mark) -> AsyncIterator[Step]:
        """Import what stands behind `start`. Raises ImportRefused."""
        if self._source.revoked_at is not None:
            raise ImportRefused("the source is revoked")
        batch: dict[str, Found] = {}
        bodies: list[msgspec.Raw] = []
        size = 0
        refused: list[RefusedLine] = []
        after = start
        for found in read_records(file, form, start):
            read = self._read(found)
            if isinstance(read, RefusedLine):
                refused.append(read)
            else:
                message_id, raw = read
                if size + len(raw) > BATCH_BYTES:
                    yield await self._take(bodies, batch, refused, after)
                    batch, bodies, refused, size = {}, [], [], 0
                batch[message_id] = found
                bodies.append(msgspec.Raw(raw))
                size += len(raw) + 1
            after = found.after
            if len(bodies) >= BATCH_RECORDS or len(refused) >= BATCH_RECORDS:
                yield await self._take(bodies, batch, refused, after)
                batch, bodies, refused, size = {}, [], [], 0
        if bodies or refused:
            yield await self._take(bodies, batch, refused, after)

    def _read(self, found: Found) -> tuple[str, bytes] | RefusedLine:
        """The messageId and the event of a line; refused where no collector would take it."""
        if isinstance(found.record, RecordFault):
            return _refused(found, found.record.code, found.record.message)
        raw = as_event(self._kind, found.record, self._at)
        if isinstance(raw, RecordFault):
            return _refused(found, raw.code, raw.message)
        checked = check(raw, None)
        if isinstance(checked, Refusal):
            return _refused(found, checked.code, checked.message)
        return checked.message_id or "", raw

    async def _take(
        self,
        bodies: list[msgspec.Raw],
        batch: dict[str, Found],
        refused: list[RefusedLine],
        after: Mark,
    ) -> Step:
        if not bodies:
            return Step(after=after, taken=0, refused=refused)
        body = msgspec.json.encode({"batch": bodies})
        while True:
            collected = await self._collector.take(
                body,
                workspace_id=self._source.workspace_id,
                source_id=self._source.id,
                type_hint=None,
            )
            match collected:
                case Taken():
                    break
                case ComeAgain(retry_after_seconds=seconds):
                    await self._clock.sleep(seconds)
                case CallFault(message=message):
                    raise ImportRefused(message)
                case _:
                    assert_never(collected)
        for one in collected.refused:
            found = batch.get(one.message_id or "")
            if found is not None:
                refused.append(_refused(found, one.code, one.message))
        refused.sort(key=lambda one: one.line)
        return Step(after=after, taken=collected.events, refused=refused)


def _refused(found: Found, code: str, message: str) -> RefusedLine:
    return RefusedLine(line=found.line, code=code, message=message, text=found.text)
