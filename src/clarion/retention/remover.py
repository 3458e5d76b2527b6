"""The remover: removes what is older than its workspace keeps it, in slices, and trait claims that
decide nothing (`claim_compactor.py`), and gives the space back.

Each slice is looked for by a reader and removed by its keys, so that the one writer of SQLite is
held for as short as a batch of events holds it. PostgreSQL gives space back by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.retention import Retained
from clarion.accounts.workspace_store import list_retentions
from clarion.agent import Agent, AgentName
from clarion.clock import Clock
from clarion.retention.claim_compactor import ClaimCompactor, CompactorOptions
from clarion.retention.tables import RetainedTable, retained_tables
from clarion.storage.database import Database
from clarion.storage.leader_lease import LeaderLease, check_leads

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoverOptions:
    rows_max: int = 500
    """Removed in one transaction."""
    slices_max: int = 100
    """Of one table and workspace in one step."""
    pages_max: int = 200
    """Of a SQLite file that are given back at once."""
    pause_seconds: float = 0.02
    """Between two slices: others write, too."""
    every_seconds: float = 3_600.0


class Remover:
    """`lease`: that of the remover; None where no other can run."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        options: RemoverOptions | None = None,
        lease: LeaderLease | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or RemoverOptions()
        self._lease = lease
        self._tables = retained_tables()
        compacting = CompactorOptions(pause_seconds=self._options.pause_seconds)
        self._compactor = ClaimCompactor(database, clock, compacting, lease)

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [
            Agent(
                name=AgentName.REMOVER,
                step=self.step,
                idle_seconds=self._options.every_seconds,
                leadership=self._lease,
            )
        ]

    async def step(self) -> int:
        """Remove what is old, some of it where it is much, and trait claims that decide nothing.
        Returns how many rows and pages; at least 1 where there is more to do."""
        now = self._clock.now()
        async with self._database.read() as connection:
            retentions = await list_retentions(connection)
        removed: dict[Retained, int] = {}
        is_more = False
        for workspace_id, retention in retentions.items():
            for table in self._tables:
                before = retention.keeps_from(table.kind, now)
                if before is None:
                    continue
                count, is_cut = await self._remove(workspace_id, table, before)
                is_more = is_more or is_cut
                removed[table.kind] = removed.get(table.kind, 0) + count
        total = sum(removed.values())
        if total:
            log.info("old_rows_removed", **{kind.value: count for kind, count in removed.items()})
        dropped = await self._compactor.step()
        return max(total + dropped + await self._give_back(), is_more)

    async def _remove(
        self, workspace_id: UUID, table: RetainedTable, before: datetime
    ) -> tuple[int, bool]:
        """How many rows, and whether there may be others."""
        count = 0
        for _ in range(self._options.slices_max):
            async with self._database.read() as connection:
                outdated = await table.rows.find(
                    connection, workspace_id, before, self._options.rows_max
                )
            if outdated is None:
                return count, False

            async def work(connection: AsyncConnection, old_rows: Any = outdated) -> int:
                await check_leads(connection, self._lease)
                return await table.rows.remove(connection, old_rows, self._clock.now())

            count += await self._database.transact(work, self._clock)
            table.rows.removed(outdated)
            await self._clock.sleep(self._options.pause_seconds)
        return count, True

    async def _give_back(self) -> int:
        total = 0
        for _ in range(self._options.slices_max):
            pages = await self._database.give_back(self._options.pages_max)
            if not pages:
                break
            total += pages
            await self._clock.sleep(self._options.pause_seconds)
        return total
