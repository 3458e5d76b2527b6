"""Keeps a claimed chunk claimed for as long as the provider works on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Clock
from clarion.deliveries.planning.chunk import Chunk
from clarion.deliveries.planning.chunk_store import keep_chunk
from clarion.outage_log import OutageLog
from clarion.storage.database import Database, StorageUnavailable

log = structlog.get_logger(__name__)


class LeaseKeeper:
    """Extends the leases of chunks. A chunk whose lease ends is sent twice."""

    def __init__(
        self, database: Database, clock: Clock, *, lease_seconds: float, longest_seconds: float
    ) -> None:
        """`longest_seconds`: no lease is extended for longer."""
        self._database = database
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._longest_seconds = longest_seconds

    @asynccontextmanager
    async def keeping(self, chunk: Chunk) -> AsyncIterator[None]:
        """Extends the chunk's lease for as long as the block runs."""
        keeping = asyncio.create_task(self._keep(chunk))
        try:
            yield
        finally:
            keeping.cancel()

    async def _keep(self, chunk: Chunk) -> None:
        """Extends the lease again and again, whatever fails."""
        lease = self._lease_seconds

        async def work(connection: AsyncConnection) -> bool:
            until = self._clock.now() + timedelta(seconds=lease)
            return await keep_chunk(connection, chunk, lease_until=until)

        outage_log = OutageLog("lease_not_prolonged")
        for _ in range(int(self._longest_seconds / lease * 3)):
            await self._clock.sleep(lease / 3)
            try:
                if not await self._database.transact(work, self._clock):
                    return
                outage_log.is_there(chunk=str(chunk.id))
            except StorageUnavailable as error:
                outage_log.is_gone(chunk=str(chunk.id), reason=str(error))
            except Exception as error:
                log.error("lease_not_prolonged", chunk=str(chunk.id), exc_info=error)
