"""The importer: hands a file of records over, batch by batch, and can go on later.

What an app sends and what a file says come in by the same door and meet the same rules. A batch is
durable before the place behind it is told; whoever keeps that place goes on from there.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol

import msgspec

from clarion.clock import Clock
from clarion.events.calls.body import BODY_BYTES_MAX
from clarion.events.calls.check import check
from clarion.faults import Rejected
from clarion.importing.columns import SOURCE
from clarion.importing.row import Judge, RecordKind, as_events, without_refusal
from clarion.importing.row_reader import FileDivided, Found, RecordFormat, read_records
from clarion.importing.services.formats import ServiceFormat
from clarion.importing.text_reader import Mark
from clarion.ingest_log.rejection import RejectedEvent

BATCH_RECORDS = 500
BATCH_BYTES = BODY_BYTES_MAX - 65_536
WAITING_JOBS_MAX = 20
"""Above this an import waits for the ingestors: what apps send meanwhile stands behind it."""
PATIENCE_SECONDS = 1.0
"""How long it waits without seeing them take in anything; then there are none."""
LOOK_SECONDS = 0.05


Events = list[tuple[str, bytes]]
"""(messageId, event as JSON) of each that a line becomes."""


class ImportRefused(Exception):
    """The import can not go on: its source is revoked, or a whole batch is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """An event of a batch that was not kept, and why."""

    message_id: str | None
    code: str
    message: str


class Door(Protocol):
    """Where batches are handed over: for one source, which is asked neither for signatures nor for
    origins, and has no limit."""

    async def take(self, body: bytes) -> Sequence[RefusedEvent]:
        """Hand over `{"batch": [event, …]}`. Durable when this returns, but for what is refused.
        Raises ImportRefused."""

    async def waiting(self) -> int:
        """How many jobs of events wait for an ingestor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A line that was not taken, why, and how it stands in the file."""

    line: int
    code: str
    message: str
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """What a line becomes, and what of it is refused: one of the two, or, of another service's
    export, both."""

    events: Events = field(default_factory=list)
    refused: RefusedLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A batch that is durable. Reading goes on at `after`."""

    after: Mark
    taken: int
    refused: list[RefusedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file's lines are: records of one kind, or rows of another service. `at`: when a record
    happened that does not say so. `judge`: of registrations."""

    kind: RecordKind | ServiceFormat
    at: datetime
    judge: Judge | None = None
    other_sources: frozenset[str] = frozenset()
    """The names of those that the events do not come from."""

    def read(self, found: Found, now: datetime) -> ReadLine:
        """The messageIds and events of a line, or why the ingestor would reject them."""
        if isinstance(found.record, Rejected):
            return ReadLine(refused=_refused(found, found.record))
        if isinstance(self.kind, ServiceFormat):
            return self._read_service(self.kind, found, found.record, now)
        body = found.record.get("body")
        source = found.record.get(SOURCE) or (body.get(SOURCE) if isinstance(body, dict) else None)
        if isinstance(source, str) and source in self.other_sources:
            fault = Rejected(
                code="other_source",
                message=f"The line is of the source {source[:100]!r}: import it --source that, or "
                f"leave the column out, --rename {SOURCE}=.",
            )
            return ReadLine(refused=_refused(found, fault))
        events = self._events_of(self.kind, found.record, now)
        if isinstance(events, Rejected):
            return ReadLine(refused=_refused(found, events))
        return ReadLine(events=events)

    def _read_service(
        self, written: ServiceFormat, found: Found, record: Mapping[str, Any], now: datetime
    ) -> ReadLine:
        """Each part of a row is taken or refused by itself, a customer before their devices: an
        opt-out is known before there is anything to send to."""
        row = written.read(without_refusal(record))
        if isinstance(row, Rejected):
            return ReadLine(refused=_refused(found, row))
        parts = [] if row.customer is None else [(RecordKind.CUSTOMERS, row.customer)]
        parts += [(RecordKind.DEVICES, device) for device in row.devices]
        read: Events = []
        refused = list(row.refused)
        for kind, part in parts:
            events = self._events_of(kind, part, now)
            if isinstance(events, Rejected):
                refused.append(events)
            else:
                read += events
        if not refused:
            return ReadLine(events=read)
        why = Rejected(
            code=refused[0].code,
            message=" ".join(dict.fromkeys(fault.message for fault in refused)),
        )
        return ReadLine(events=read, refused=_refused(found, why))

    def _events_of(
        self, kind: RecordKind, record: Mapping[str, Any], now: datetime
    ) -> Events | Rejected:
        events = as_events(kind, record, self.at, now)
        if isinstance(events, Rejected):
            return events
        read: Events = []
        for raw in events:
            checked = check(raw, None)
            if isinstance(checked, RejectedEvent):
                return checked
            read.append((checked.message_id or "", raw))
        if self.judge is not None and kind is RecordKind.DEVICES:
            return self.judge(events[-1]) or read
        return read


class Importer:
    """Imports one file, no faster than the ingestors, so that what apps send meanwhile waits behind
    little."""

    def __init__(self, door: Door, clock: Clock, reading: Reading) -> None:
        self._door = door
        self._clock = clock
        self._reading = reading
        self._in_vain = 0
        """How many jobs waited when nobody took in any."""

    async def run(self, file: BinaryIO, written: RecordFormat, start: Mark) -> AsyncIterator[Step]:
        """Import what stands behind `start`. Raises ImportRefused."""
        batch = _Batch(after=start)
        divided: FileDivided | None = None
        try:
            for record in read_records(file, written, start):
                read = self._reading.read(record, self._clock.now())
                if not batch.has_room_for(read):
                    yield await self._take(batch)
                    batch = _Batch(after=batch.after)
                batch.add(record, read)
                if batch.is_full:
                    yield await self._take(batch)
                    batch = _Batch(after=batch.after)
        except FileDivided as error:
            divided = error
        if batch.bodies or batch.refused:
            yield await self._take(batch)
        if divided is not None:
            raise ImportRefused(str(divided))

    async def _let_take_in(self) -> None:
        """Wait while more waits than should, and somebody takes it in."""
        patience = PATIENCE_SECONDS
        waiting = least = await self._door.waiting()
        while max(WAITING_JOBS_MAX, self._in_vain) < waiting and patience > 0:
            await self._clock.sleep(LOOK_SECONDS)
            patience -= LOOK_SECONDS
            waiting = await self._door.waiting()
            if waiting < least:
                least, patience = waiting, PATIENCE_SECONDS
        # With nobody there, the next batch waits for nobody either.
        is_in_vain = patience <= 0 or 0 < waiting == self._in_vain
        self._in_vain = waiting + 1 if is_in_vain else 0

    async def _take(self, batch: "_Batch") -> Step:
        if not batch.bodies:
            return Step(after=batch.after, taken=0, refused=batch.refused)
        await self._let_take_in()
        body = msgspec.json.encode({"batch": batch.bodies})
        refused: dict[int, RefusedLine] = {}
        for rejected in await self._door.take(body):
            line = batch.found.get(rejected.message_id or "")
            if line is not None:
                refused.setdefault(line.line, _refused(line, rejected))
        every = sorted([*batch.refused, *refused.values()], key=lambda line: line.line)
        return Step(after=batch.after, taken=batch.lines - len(refused), refused=every)


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Lines that are taken together."""

    after: Mark
    lines: int = 0
    """Whose events are in it."""
    size: int = 0
    bodies: list[msgspec.Raw] = field(default_factory=list)
    found: dict[str, Found] = field(default_factory=dict)
    """The line of each event."""
    refused: list[RefusedLine] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.bodies) >= BATCH_RECORDS or len(self.refused) >= BATCH_RECORDS

    def has_room_for(self, read: ReadLine) -> bool:
        return not read.events or self.size + _size(read.events) <= BATCH_BYTES

    def add(self, found: Found, read: ReadLine) -> None:
        self.after = found.after
        if read.refused is not None:
            self.refused.append(read.refused)
        if not read.events:
            return
        self.lines += 1
        self.size += _size(read.events)
        for message_id, raw in read.events:
            self.found[message_id] = found
            self.bodies.append(msgspec.Raw(raw))


def _size(events: Events) -> int:
    return sum(len(raw) + 1 for _, raw in events)


def _refused(found: Found, why: Rejected | RefusedEvent) -> RefusedLine:
    return RefusedLine(line=found.line, code=why.code, message=why.message, found=found)
