"""A broker that is connected to when somebody asks something of it: most commands ask nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from clarion.broker import Backlog, Broker, JobKind, Lease, NewJob


class OnDemandBroker:
    """Implements `broker.Broker` by one that `connect` makes, once."""

    def __init__(self, connect: Callable[[], Awaitable[Broker]]) -> None:
        self._connect = connect
        self._connected: Broker | None = None
        self._lock = asyncio.Lock()

    async def publish(self, *jobs: NewJob) -> None:
        """See `Broker.publish`."""
        await (await self._broker()).publish(*jobs)

    async def fetch(
        self, kind: JobKind, *, limit: int, wait_seconds: float, lease_seconds: float
    ) -> Sequence[Lease]:
        """See `Broker.fetch`."""
        broker = await self._broker()
        return await broker.fetch(
            kind, limit=limit, wait_seconds=wait_seconds, lease_seconds=lease_seconds
        )

    async def depth(self, kind: JobKind) -> int:
        """See `Broker.depth`."""
        return await (await self._broker()).depth(kind)

    async def oldest_at(self, kind: JobKind) -> datetime | None:
        """See `Broker.oldest_at`."""
        return await (await self._broker()).oldest_at(kind)

    async def backlog(self, kind: JobKind) -> Backlog:
        """See `Broker.backlog`."""
        return await (await self._broker()).backlog(kind)

    async def rewrite_rejected(self, kind: JobKind, change: Callable[[bytes], bytes | None]) -> int:
        """See `Broker.rewrite_rejected`."""
        return await (await self._broker()).rewrite_rejected(kind, change)

    async def close(self) -> None:
        """End the connection, where there is one."""
        if self._connected is not None:
            await self._connected.close()

    async def _broker(self) -> Broker:
        async with self._lock:
            if self._connected is None:
                self._connected = await self._connect()
            return self._connected
