"""The sweeper: removes registrations that no app has refreshed for a workspace's number of days."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from clarion.clock import Clock
from clarion.customers.device import STALE
from clarion.customers.device_store import remove_stale
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.workspace_store import list_workspaces

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperOptions:
    registrations_max: int = 1_000
    """Removed in one transaction."""
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
