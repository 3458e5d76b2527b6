"""The sweeper: removes registrations that no app has refreshed for a workspace's number of days.

It also removes what was counted of sources too long ago.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace import Workspace
from clarion.accounts.workspace_store import list_workspaces
from clarion.agent import Agent, AgentName
from clarion.clock import Clock
from clarion.customers.devices.device import STALE
from clarion.customers.devices.store import remove_stale
from clarion.ingest_log.store import forget_counts
from clarion.sources.store import list_sources
from clarion.storage.database import Database
from clarion.storage.leader_lease import LeaderLease, check_leads

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperOptions:
    registrations_max: int = 1_000
    """Removed in one transaction."""
    counted_days: int = 30
    """So long is known what a source sent in an hour."""
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
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or SweeperOptions()
        self._lease = lease

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
        return await self.step() + await self.trim()

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
