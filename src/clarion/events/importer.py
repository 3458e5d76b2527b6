"""The importer: takes a file of records to the collector, batch by batch, and can go on later.

What an app sends and what a file says come in by the same door and meet the same rules. A batch is
durable before the place behind it is told; whoever keeps that place goes on from there.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, assert_never

import msgspec

from clarion.broker import Broker, BrokerUnavailable, JobKind
from clarion.clock import Clock
from clarion.events.body import BODY_BYTES_MAX, CallFault
from clarion.events.check import check
from clarion.events.collector import Collector, ComeAgain, Taken
from clarion.events.message import Refusal
from clarion.events.record import Judge, RecordFault, RecordKind, as_event
from clarion.events.record_file import Found, RecordFormat, read_records
from clarion.events.record_text import Mark
from clarion.events.source import Source

BATCH_RECORDS = 500
BATCH_BYTES = BODY_BYTES_MAX - 65_536
WAITING_JOBS_MAX = 20
"""Above this an import waits for the ingestors: what apps send meanwhile stands behind it."""
PATIENCE_SECONDS = 1.0
"""How long it waits without seeing them take in anything; then there are none."""
LOOK_SECONDS = 0.05


class ImportRefused(Exception):
    """The import can not go on: its source is revoked, or a whole batch is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A line that was not taken, why, and how it stands in the file."""

    line: int
    code: str
    message: str
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A batch that is durable. Reading goes on at `after`."""

    after: Mark
    taken: int
    refused: list[RefusedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file's lines are. `at`: when a record happened that does not say so."""

    kind: RecordKind
    at: datetime
    judge: Judge | None = None

    def event_of(self, found: Found, now: datetime) -> tuple[str, bytes] | RefusedLine:
        """The messageId and the event of a line; refused where nobody would take it."""
        if isinstance(found.record, RecordFault):
            return _refused(found, found.record)
        raw = as_event(self.kind, found.record, self.at, now)
        if isinstance(raw, RecordFault):
            return _refused(found, raw)
        checked = check(raw, None)
        if isinstance(checked, Refusal):
            return _refused(found, checked)
        fault = self.judge(raw) if self.judge is not None else None
        if fault is not None:
            return _refused(found, fault)
        return checked.message_id or "", raw


class Importer:
    """Imports one file, by an operator's own hand: no limit, no origin, no signature is asked for.
    It goes no faster than the ingestors, so that what apps send meanwhile waits behind little."""

    def __init__(
        self, collector: Collector, broker: Broker, clock: Clock, source: Source, reading: Reading
    ) -> None:
        self._collector = collector
        self._broker = broker
        self._clock = clock
        self._source = source
        self._reading = reading
        self._in_vain = 0
        """How many jobs waited when nobody took in any."""

    async def run(self, file: BinaryIO, written: RecordFormat, start: Mark) -> AsyncIterator[Step]:
        """Import what stands behind `start`. Raises ImportRefused."""
        if self._source.revoked_at is not None:
            raise ImportRefused("the source is revoked")
        batch: dict[str, Found] = {}
        bodies: list[msgspec.Raw] = []
        size = 0
        refused: list[RefusedLine] = []
        after = start
        for found in read_records(file, written, start):
            read = self._reading.event_of(found, self._clock.now())
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

    async def _let_take_in(self) -> None:
        """Wait while more waits than should, and somebody takes it in."""
        patience = PATIENCE_SECONDS
        waiting = least = await self._waiting()
        while max(WAITING_JOBS_MAX, self._in_vain) < waiting and patience > 0:
            await self._clock.sleep(LOOK_SECONDS)
            patience -= LOOK_SECONDS
            waiting = await self._waiting()
            if waiting < least:
                least, patience = waiting, PATIENCE_SECONDS
        # With nobody there, the next batch waits for nobody either.
        is_in_vain = patience <= 0 or 0 < waiting == self._in_vain
        self._in_vain = waiting + 1 if is_in_vain else 0

    async def _waiting(self) -> int:
        try:
            return await self._broker.depth(JobKind.EVENTS)
        except BrokerUnavailable:
            return 0  # to whom it is handed over will say so

    async def _take(
        self,
        bodies: list[msgspec.Raw],
        batch: dict[str, Found],
        refused: list[RefusedLine],
        after: Mark,
    ) -> Step:
        if not bodies:
            return Step(after=after, taken=0, refused=refused)
        await self._let_take_in()
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
                refused.append(_refused(found, one))
        refused.sort(key=lambda one: one.line)
        return Step(after=after, taken=collected.events, refused=refused)


def _refused(found: Found, why: RecordFault | Refusal) -> RefusedLine:
    return RefusedLine(line=found.line, code=why.code, message=why.message, found=found)
