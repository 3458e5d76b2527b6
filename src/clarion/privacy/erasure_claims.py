"""Who works on an erasure: its claim, which one process has until another takes it, and the fence.

An erasure is claimed by its row's `attempt`. While somebody works on it the row is touched again
and again; not touched for `lost_seconds`, it was cut off, and may be claimed by another process.
Every transaction begins by touching it: where the attempt is not ours any more it changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import SKEW, Clock
from clarion.outage_log import OutageLog
from clarion.privacy.erasure_request_store import Erasure, claim_erasure, get_erasure, touch_erasure
from clarion.storage.database import Database, StorageUnavailable

TOUCHES = 4
"""So often in `lost_seconds` is an erasure touched that somebody works on."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class TakenOver(Exception):
    """Another process has claimed the erasure; the transaction has changed nothing."""


class ErasureClaims:
    """Claims erasures, and holds what is done for one to its claim."""

    def __init__(self, database: Database, clock: Clock, *, lost_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._lost_seconds = lost_seconds

    def is_lost(self, erasure: Erasure) -> bool:
        """Whether its process seems to be dead. What was touched later than now was so by a clock
        that has been set back since."""
        now = self._clock.now()
        lost = now - timedelta(seconds=self._lost_seconds)
        return erasure.touched_at <= lost or erasure.touched_at > now + SKEW

    async def claim(self, erasure: Erasure) -> Erasure | None:
        """See `claim_erasure`, in a transaction of its own."""

        async def work(connection: AsyncConnection) -> Erasure | None:
            return await claim_erasure(connection, erasure, self._clock.now())

        return await self._database.transact(work, self._clock)

    async def wait(self, erasure: Erasure, look_seconds: float) -> tuple[Erasure, bool]:
        """Return when nobody works any more on an erasure that another process has taken over:
        with how far it was when last seen, and whether it is ours now, as it was cut off again.
        Otherwise it is finished."""
        while True:
            await self._clock.sleep(look_seconds)
            async with self._database.read() as connection:
                seen = await get_erasure(connection, erasure.id)
            if seen is None:
                return erasure, False
            erasure = seen
            claimed = await self.claim(seen) if self.is_lost(seen) else None
            if claimed is not None:
                return claimed, True

    async def transact(
        self, erasure: Erasure, work: Callable[[AsyncConnection, Erasure], Awaitable[T]]
    ) -> T:
        """`Database.transact` of work on an erasure that is ours. Raises TakenOver if it is not."""

        async def fenced(connection: AsyncConnection) -> T:
            if not await touch_erasure(connection, erasure, self._clock.now()):
                raise TakenOver
            return await work(connection, erasure)

        return await self._database.transact(fenced, self._clock)

    @asynccontextmanager
    async def keeping(self, erasure: Erasure) -> AsyncIterator[None]:
        """Touch it meanwhile: what only reads may take longer than `lost_seconds`."""
        keeping = asyncio.create_task(self._keep(erasure))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self, erasure: Erasure) -> None:
        outage_log = OutageLog("erasure_not_kept")
        while True:
            await self._clock.sleep(self._lost_seconds / TOUCHES)
            try:
                await self.transact(erasure, _nothing)
                outage_log.is_there()
            except TakenOver:
                return
            except StorageUnavailable as error:
                outage_log.is_gone(reason=str(error))
            except Exception as error:
                log.error("erasure_not_kept", exc_info=error)


async def _nothing(_connection: AsyncConnection, _erasure: Erasure) -> None: ...
