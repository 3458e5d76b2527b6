"""Writes down which calls were turned away, for those who wonder where they are.

A call that is turned away costs the collector a note in memory. What was noted is written aside,
every `write_seconds` while there is anything: one transaction, whatever the number of calls. A
process that is killed loses what it has not written.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from clarion.clock import Clock
from clarion.faults import Rejected
from clarion.ingest_log.rejected_calls import RejectedCallBuffer
from clarion.ingest_log.store import IngestLog
from clarion.ingest_log.tally import Kind, Tally
from clarion.outage_log import OutageLog
from clarion.sources.auth_result import Place
from clarion.storage.database import Database, StorageUnavailable
from clarion.telemetry import Metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCallLogOptions:
    write_seconds: float = 2.0
    """Between two transactions; so long nobody sees what was noted."""


class RejectedCallLog:
    """One per collector."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: Metrics | None,
        options: RejectedCallLogOptions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._options = options
        self._log = IngestLog()
        self._buffer = RejectedCallBuffer()
        self._unwritten: Tally | None = None
        self._outage = OutageLog("turned_away_not_written")
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def count(self, code: str) -> None:
        """A call is turned away, whosever it is."""
        if self._metrics is not None:
            self._metrics.calls_turned_away.labels(code).inc()

    def note(self, place: Place, why: Rejected, about: str = "") -> None:
        """See `RejectedCalls.note`. Written to the log after a while."""
        self._buffer.note(place, why, self._clock.now(), about)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_now_and_then())

    async def close(self) -> None:
        """Write what is noted; what can not be written is lost."""
        if self._writing is not None and not self._writing.done():
            self._hurry.set()
            await asyncio.shield(self._writing)
        self._hurry.clear()

    async def _write_now_and_then(self) -> None:
        while self._unwritten is not None or len(self._buffer):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._options.write_seconds):
                    await self._hurry.wait()
            if self._unwritten is None:
                self._unwritten = self._taken()
            write = partial(self._log.write, tally=self._unwritten, again=False)
            try:
                await self._database.transact(write, self._clock)
                self._unwritten = None
                self._outage.is_there()
            except StorageUnavailable as error:
                self._outage.is_gone(reason=str(error))
                if self._hurry.is_set():
                    return

    def _taken(self) -> Tally:
        tally = self._log.tally()
        for entry, about in self._buffer.take():
            calls = tally.counter(entry.source_id, entry.received_at, Kind.TURNED_AWAY)
            calls[entry.code, about] += entry.count
            tally.add_once(entry, self._clock.new_id())
        return tally
