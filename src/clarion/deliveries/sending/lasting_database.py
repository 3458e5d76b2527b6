"""The database as a sender uses it once the provider has answered: it is waited for, however long
it is away. If the answers were dropped, the pushes would be sent again.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Clock
from clarion.deliveries.planning.chunk import Chunk
from clarion.storage.database import Database, StorageUnavailable

Answer = TypeVar("Answer")
Query = Callable[[AsyncConnection], Awaitable[Answer]]

log = structlog.get_logger(__name__)


class LastingDatabase:
    """Tries again what fails because the database is away."""

    def __init__(self, database: Database, clock: Clock, *, pause_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._pause_seconds = pause_seconds

    async def read(self, chunk: Chunk, query: Query[Answer]) -> Answer:
        """Runs a query whose result is needed for settling `chunk`."""

        async def ask() -> Answer:
            async with self._database.read() as connection:
                return await query(connection)

        return await self._last(chunk, ask)

    async def transact(self, chunk: Chunk, work: Query[Answer]) -> Answer:
        """Runs `work` in one transaction, which settles `chunk` and perhaps others."""
        first = chunk.is_transactional
        return await self._last(
            chunk, lambda: self._database.transact(work, self._clock, first=first)
        )

    async def _last(self, chunk: Chunk, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        began = self._clock.monotonic()
        is_told = False
        while True:
            try:
                answer = await ask()
                break
            except StorageUnavailable as error:
                if not is_told:
                    log.warning("settling_waits", chunk=str(chunk.id), reason=str(error))
                    is_told = True
            await self._clock.sleep(self._pause_seconds)
        if is_told:
            waited = round(self._clock.monotonic() - began, 1)
            log.info("settling_goes_on", chunk=str(chunk.id), after_seconds=waited)
        return answer
