"""The sweeper: removes registrations that no app has refreshed for a workspace's number of days.

It also trims what is kept of sources beside their events: refusals, repeats and counts.
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
from clarion.ingest_log.store import trim_activity
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
    refusals_max: int = 10_000
    """Of a source, the newest: refusals and warnings."""
    repeats_max: int = 1_000
    """Of a source, the newest: events that came again."""
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
        """Remove what is kept of sources beyond its time or number, a part at a time; returns how
        many rows were removed."""
        removed = 0
        async with self._database.read() as connection:
            workspaces = await list_workspaces(connection)
            sources = [
                (workspace.id, source.id)
                for workspace in workspaces
                for source in await list_sources(connection, workspace.id)
            ]
        for workspace_id, source_id in sources:
            removed += await self._trim_source(workspace_id, source_id)
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

    async def _trim_source(self, workspace_id: UUID, source_id: UUID) -> int:
        options = self._options

        async def work(connection: AsyncConnection) -> int:
            await check_leads(connection, self._lease)
            return await trim_activity(
                connection,
                workspace_id,
                source_id,
                counted_before=self._clock.now() - timedelta(days=options.counted_days),
                refusals_max=options.refusals_max,
                repeats_max=options.repeats_max,
                limit=options.registrations_max,
            )

        return await self._database.transact(work, self._clock)
