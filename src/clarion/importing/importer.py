"""The importer: hands a file of records over, batch by batch, and can go on later.

What an app sends and what a file says come in by the same door and meet the same rules. A batch is
durable before the place behind it is told; whoever keeps that place goes on from there.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

import msgspec

from clarion.clock import Clock
from clarion.events.calls.body import BODY_BYTES_MAX
from clarion.importing.lines.reading import (
    Events,
    Reading,
    ReadLine,
    RefusedEvent,
    RefusedLine,
    refused_line,
)
from clarion.importing.lines.row_reader import FileDivided, FileRecord, RecordFormat, read_records
from clarion.importing.lines.text_reader import Mark

BATCH_RECORDS = 500
BATCH_BYTES = BODY_BYTES_MAX - 65_536
WAITING_JOBS_MAX = 20
"""Above this an import waits for the ingestors: what apps send meanwhile stands behind it."""
PATIENCE_SECONDS = 1.0
"""How long it waits without seeing them take in anything; then there are none."""
LOOK_SECONDS = 0.05


class ImportRefused(Exception):
    """The import can not go on: its source is revoked, or a whole batch is refused."""


class Door(Protocol):
    """Where batches are handed over: for one source, which is asked neither for signatures nor for
    origins, and has no limit."""

    async def take(self, body: bytes) -> Sequence[RefusedEvent]:
        """Hand over `{"batch": [event, …]}`. Durable when this returns, but for what is refused.
        Raises ImportRefused."""

    async def waiting(self) -> int:
        """How many jobs of events wait for an ingestor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A batch that is durable. Reading goes on at `after`."""

    after: Mark
    taken: int
    refused: list[RefusedLine]


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
            line = batch.records.get(rejected.message_id or "")
            if line is not None:
                refused.setdefault(line.line, refused_line(line, rejected))
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
    records: dict[str, FileRecord] = field(default_factory=dict)
    """The line of each event."""
    refused: list[RefusedLine] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.bodies) >= BATCH_RECORDS or len(self.refused) >= BATCH_RECORDS

    def has_room_for(self, read: ReadLine) -> bool:
        return not read.events or self.size + _size(read.events) <= BATCH_BYTES

    def add(self, record: FileRecord, read: ReadLine) -> None:
        self.after = record.after
        if read.refused is not None:
            self.refused.append(read.refused)
        if not read.events:
            return
        self.lines += 1
        self.size += _size(read.events)
        for message_id, raw in read.events:
            self.records[message_id] = record
            self.bodies.append(msgspec.Raw(raw))


def _size(events: Events) -> int:
    return sum(len(raw) + 1 for _, raw in events)
