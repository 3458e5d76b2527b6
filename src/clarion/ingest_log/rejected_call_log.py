"""The door log: writes down which calls were turned away, for those who wonder where they are.

A call that is turned away costs the collector a note in memory. What was noted is written aside,
every `write_seconds` while there is anything: one transaction, whatever the number of calls. A
process that is killed loses what it has not written.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Clock
from clarion.ingest_log import store as activity_store
from clarion.ingest_log.outcome import Stage
from clarion.ingest_log.rejected_calls import KIND, News, RejectedCallBuffer
from clarion.sources.auth_result import Place, RejectedCall
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
        self._book = RejectedCallBuffer()
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def count(self, code: str) -> None:
        """A call is turned away, whosever it is."""
        if self._metrics is not None:
            self._metrics.calls_turned_away.labels(code).inc()

    def note(self, place: Place, why: RejectedCall) -> None:
        """It was this source's: let it be told."""
        self._book.note(place, why, self._clock.now())
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_now_and_then())

    async def close(self) -> None:
        """Write what is noted; what can not be written is lost."""
        if self._writing is not None and not self._writing.done():
            self._hurry.set()
            await asyncio.shield(self._writing)
        self._hurry.clear()

    async def _write_now_and_then(self) -> None:
        while self._book.has_news:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._options.write_seconds):
                    await self._hurry.wait()
            news = self._book.take(self._clock.now())
            try:
                await self._database.transact(partial(self._write, news), self._clock)
            except StorageUnavailable as error:
                log.warning("turned_away_not_written", reason=str(error))
                if self._hurry.is_set():
                    return
                self._book.put_back(news)

    async def _write(self, news: News, connection: AsyncConnection) -> None:
        await activity_store.add_refusals(connection, self._rows(news))
        await activity_store.add_counts(
            connection,
            [
                {
                    "source_id": one.place.source_id,
                    "hour": one.hour,
                    "kind": KIND,
                    "label": one.code,
                    "name": one.about,
                    "count": one.calls,
                }
                for one in sorted(news.counts, key=lambda one: (one.place.source_id, *one[1:]))
            ],
        )

    def _rows(self, news: News) -> Sequence[dict[str, object]]:
        return [
            {
                "id": self._clock.new_id(),
                "workspace_id": one.place.workspace_id,
                "source_id": one.place.source_id,
                "message_id": None,
                "stage": Stage.CALL.value,
                "code": one.code,
                "message": one.message,
                "received_at": one.last_at,
                "excerpt": None,
            }
            for one in news.lines
        ]
