"""The sweeper: removes registrations that no app has refreshed for a workspace's number of days.

It also removes what was counted of sources, and messageIds that were seen, too long ago.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace import Workspace
from clarion.accounts.workspace_store import list_workspaces
from clarion.agent import Agent, AgentName
from clarion.clock import Clock
from clarion.customers.devices.device import STALE
from clarion.customers.devices.freshness.token_age import AGES, edges
from clarion.customers.devices.freshness.token_age_store import count_ages
from clarion.customers.devices.store import remove_stale
from clarion.events.seen_store import old_messages, remove_seen
from clarion.ingest_log.store import forget_counts
from clarion.sources.store import list_sources
from clarion.storage.database import Database
from clarion.storage.leader_lease import LeaderLease, check_leads
from clarion.telemetry import Metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperOptions:
    registrations_max: int = 1_000
    """Removed in one transaction."""
    counted_days: int = 30
    """So long is known what a source sent in an hour."""
    seen_days: int = 90
    """So long does a messageId that comes again change nothing."""
    seen_rows: int = 5_000
    """MessageIds looked at, and removed, at once: some milliseconds."""
    seen_every_seconds: float = 86_400.0
    every_seconds: float = 3_600.0


class Sweeper:
    """Removes what is stale. A registration that comes back later revives its device. `lease`: that
    of the sweeper; None where no other can run."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        options: SweeperOptions | None = None,
        lease: LeaderLease | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or SweeperOptions()
        self._lease = lease
        self._metrics = metrics
        self._looked_at: datetime | None = None

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [
            Agent(
                name=AgentName.SWEEPER,
                step=self._turn,
                idle_seconds=self._options.every_seconds,
                leadership=self._lease,
            )
        ]

    async def _turn(self) -> int:
        done = await self.step() + await self.trim() + await self.forget_messages()
        await self.count_registrations()
        return done

    async def count_registrations(self) -> None:
        """For the metrics: how many registrations are how old. Reads the index of all of them, so
        it is done here, once an hour, and not where metrics are asked for."""
        if self._metrics is None:
            return
        now = self._clock.now()
        totals: Counter[str] = Counter()
        async with self._database.read() as connection:
            for workspace in await list_workspaces(connection):
                at = edges(now, workspace.stale_after_days)
                totals.update(await count_ages(connection, workspace.id, at))
        for age in AGES:
            self._metrics.under_way.registrations.labels(age).set(totals[age])

    async def step(self) -> int:
        """Remove up to `registrations_max` in each workspace; returns how many were removed."""
        now = self._clock.now()
        removed = 0
        async with self._database.read() as connection:
            workspaces = await list_workspaces(connection)
        for workspace in workspaces:
            removed += await self._remove_stale(workspace, now)
        if removed:
            log.info("stale_registrations_removed", count=removed)
        return removed

    async def trim(self) -> int:
        """Remove what was counted of sources more than `counted_days` ago; returns how many rows
        were removed."""
        removed = 0
        before = self._clock.now() - timedelta(days=self._options.counted_days)
        async with self._database.read() as connection:
            sources = [
                source.id
                for workspace in await list_workspaces(connection)
                for source in await list_sources(connection, workspace.id)
            ]
        for source_id in sources:

            async def work(connection: AsyncConnection, source_id: UUID = source_id) -> int:
                await check_leads(connection, self._lease)
                return await forget_counts(connection, source_id, before)

            removed += await self._database.transact(work, self._clock)
        return removed

    async def forget_messages(self) -> int:
        """Remove messageIds that were seen more than `seen_days` ago, once in
        `seen_every_seconds`; returns how many were removed."""
        now = self._clock.now()
        every = timedelta(seconds=self._options.seen_every_seconds)
        if self._looked_at is not None and now - self._looked_at < every:
            return 0
        before = now - timedelta(days=self._options.seen_days)
        removed = 0
        after: bytes | None = b""
        while after is not None:
            async with self._database.read() as connection:
                old, after = await old_messages(
                    connection, before, after=after, limit=self._options.seen_rows
                )
            if old:
                removed += await self._database.transact(partial(self._forget, old), self._clock)
        self._looked_at = now
        return removed

    async def _forget(self, hashes: Sequence[bytes], connection: AsyncConnection) -> int:
        await check_leads(connection, self._lease)
        return await remove_seen(connection, hashes)

    async def _remove_stale(self, workspace: Workspace, now: datetime) -> int:
        async def work(connection: AsyncConnection) -> int:
            await check_leads(connection, self._lease)
            return await remove_stale(
                connection,
                workspace.id,
                registered_before=now - timedelta(days=workspace.stale_after_days),
                reason=STALE,
                limit=self._options.registrations_max,
                now=now,
            )

        return await self._database.transact(work, self._clock)
