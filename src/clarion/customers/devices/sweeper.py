"""The sweeper: removes registrations that no app has refreshed for a workspace's number of days.

It also trims what is kept of sources beside their events: refusals, repeats and counts.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from clarion.accounts.workspace_store import list_workspaces
from clarion.clock import Clock
from clarion.customers.devices.device import STALE
from clarion.customers.devices.store import remove_stale
from clarion.ingest_log.store import trim_activity
from clarion.sources.store import list_sources
from clarion.storage.database import Database, StorageUnavailable

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
    backoff_seconds: float = 5.0


class Sweeper:
    """Removes what is stale. A registration that comes back later revives its device."""

    def __init__(
        self, database: Database, clock: Clock, options: SweeperOptions | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or SweeperOptions()

    async def run(self) -> None:
        """Sweep every `every_seconds` until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
                while await self.trim():
                    pass
                await self._clock.sleep(self._options.every_seconds)
            except StorageUnavailable as error:
                log.warning("sweeper_waits", reason=str(error))
                await self._clock.sleep(self._options.backoff_seconds)

    async def step(self) -> int:
        """Remove up to `registrations_max` in each workspace; returns how many were removed."""
        now = self._clock.now()
        removed = 0
        async with self._database.read() as connection:
            workspaces = await list_workspaces(connection)
        for workspace in workspaces:
            async with self._database.write() as connection:
                removed += await remove_stale(
                    connection,
                    workspace.id,
                    registered_before=now - timedelta(days=workspace.stale_after_days),
                    reason=STALE,
                    limit=self._options.registrations_max,
                    now=now,
                )
        if removed:
            log.info("stale_registrations_removed", count=removed)
        return removed

    async def trim(self) -> int:
        """Remove what is kept of sources beyond its time or number, a part at a time; returns how
        many rows were removed."""
        options = self._options
        removed = 0
        async with self._database.read() as connection:
            workspaces = await list_workspaces(connection)
            sources = [
                (workspace.id, source.id)
                for workspace in workspaces
                for source in await list_sources(connection, workspace.id)
            ]
        for workspace_id, source_id in sources:
            async with self._database.write() as connection:
                removed += await trim_activity(
                    connection,
                    workspace_id,
                    source_id,
                    counted_before=self._clock.now() - timedelta(days=options.counted_days),
                    refusals_max=options.refusals_max,
                    repeats_max=options.repeats_max,
                    limit=options.registrations_max,
                )
        return removed
