"""Leader leases: of an agent that must work alone, one process at a time holds the row.

No two clocks are compared. The holder counts the row's `renewals` up; whoever stands by watches
that number and takes the lease when it has not changed for the lease's length by its own monotonic
clock. The holder counts the same length from before its last renewal, so that it stops first.

That alone would still let a process that was stopped for a minute (a suspended machine, a long
garbage collection) finish a transaction it had begun. So every transaction of the agent asks by
`check` whether the fence is still the one it took; taking the lease waits for such a transaction.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.agent import LeadershipLost
from clarion.clock import Clock
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import leases

LEASE_SECONDS = 10.0
"""So long after a leader's death, and a little more, another process works on."""
RENEWALS_A_LEASE = 3


@dataclass(frozen=True, slots=True)
class _Seen:
    """The row as it was when its numbers last changed."""

    holder: str | None
    fence: int
    renewals: int
    at: float
    """By our monotonic clock."""


class LeaderLease:
    """One process's part in the lease of one agent."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        name: str,
        *,
        holder: str,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """`holder` names the process for people, and is unlike that of any other."""
        self._database = database
        self._clock = clock
        self._name = name
        self._holder = holder
        self._seconds = lease_seconds
        self._fence: int | None = None
        """Set while we hold it, as far as we know."""
        self._renewed_at = 0.0
        self._seen: _Seen | None = None
        self._turn = asyncio.Lock()

    @property
    def renew_seconds(self) -> float:
        return self._seconds / RENEWALS_A_LEASE

    async def hold(self) -> bool:
        """Take the lease if it is free, or renew it if that is due; False: another process has it.
        Between steps only: a step begun under one fence must not go on under another. Raises
        StorageUnavailable."""
        async with self._turn:
            now = self._clock.monotonic()
            return await self._renew_if_due(now) or await self._take_if_free(now)

    async def keep(self) -> bool:
        """Renews the lease if we hold it and that is due. Returns False if we do not hold it. May
        be called during a step. Raises StorageUnavailable."""
        async with self._turn:
            return await self._renew_if_due(self._clock.monotonic())

    async def release(self) -> None:
        """Give it back, so that another process need not wait. Raises StorageUnavailable."""
        async with self._turn:
            fence, self._fence = self._fence, None
            if fence is None:
                return
            async with self._database.write() as connection:
                await connection.execute(
                    update(leases)
                    .where(leases.c.name == self._name, leases.c.fence == fence)
                    .values(holder=None)
                )

    async def check(self, connection: AsyncConnection) -> None:
        """Raises LeadershipLost unless we hold the lease, and keeps it from being taken until this
        transaction ends. To be called first in every transaction of the agent that writes."""
        fence = self._fence
        if fence is not None:
            rows = await connection.execute(
                select(leases.c.fence)
                .where(leases.c.name == self._name, leases.c.fence == fence)
                .with_for_update(read=True)
            )
            if rows.one_or_none() is not None:
                return
            self._fence = None
        raise LeadershipLost(f"another process leads the {self._name}")

    async def _renew_if_due(self, now: float) -> bool:
        if self._fence is None:
            return False
        if now - self._renewed_at < self.renew_seconds:
            return True
        async with self._database.write() as connection:
            rows = await connection.execute(
                update(leases)
                .where(leases.c.name == self._name, leases.c.fence == self._fence)
                .values(renewals=leases.c.renewals + 1, renewed_at=self._clock.now())
                .returning(leases.c.fence)
            )
            renewed = rows.one_or_none() is not None
        if renewed:
            self._renewed_at = now
        else:
            self._fence = None
        return renewed

    async def _take_if_free(self, now: float) -> bool:
        seen = await self._look(now)
        is_free = seen.holder in (None, self._holder)  # ours: the answer to our taking it was lost
        if not is_free and now - seen.at < self._seconds:
            return False
        async with self._database.write() as connection:
            rows = await connection.execute(
                update(leases)
                .where(
                    leases.c.name == self._name,
                    leases.c.fence == seen.fence,
                    leases.c.renewals == seen.renewals,
                )
                .values(
                    holder=self._holder,
                    fence=seen.fence + 1,
                    renewals=0,
                    renewed_at=self._clock.now(),
                )
                .returning(leases.c.fence)
            )
            fence = rows.scalar_one_or_none()
        if fence is None:  # another process was faster, or its holder is alive
            return False
        self._fence, self._renewed_at = fence, now
        return True

    async def _look(self, now: float) -> _Seen:
        row = await self._read()
        if row is None:
            async with self._database.write() as connection:
                first = {"name": self._name, "fence": 0, "renewals": 0}
                await insert_new(connection, leases, [first])
            row = await self._read()
            assert row is not None, "rows of leases are never removed"
        holder, fence, renewals = row
        seen = self._seen
        if seen is None or (seen.holder, seen.fence, seen.renewals) != (holder, fence, renewals):
            seen = self._seen = _Seen(holder, fence, renewals, now)
        return seen

    async def _read(self) -> tuple[str | None, int, int] | None:
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(leases.c.holder, leases.c.fence, leases.c.renewals).where(
                    leases.c.name == self._name
                )
            )
            row = rows.one_or_none()
        return None if row is None else (row.holder, row.fence, row.renewals)


async def check_leads(connection: AsyncConnection, lease: LeaderLease | None) -> None:
    """`LeaderLease.check`; nothing where an agent runs without a lease, as in a test."""
    if lease is not None:
        await lease.check(connection)
