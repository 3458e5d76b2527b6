"""The indexer: writes the deliveries of launches that have ended into the index by customer.

What it writes may be written again: one that is cut off begins the launch anew.
"""

from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.agent import Agent, AgentName
from clarion.clock import Clock
from clarion.deliveries.customer_index.store import (
    SORTED_MAX,
    EndedLaunch,
    add_pairs,
    customer_ranges,
    in_order,
    mark_indexed,
    next_to_index,
    pairs_of,
)
from clarion.storage.bulk import in_parts
from clarion.storage.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexerOptions:
    sorted_max: int = SORTED_MAX
    rows_max: int = 1_000
    """Written in one transaction."""
    pause_seconds: float = 0.01
    """Between two of them: others write, too."""
    idle_seconds: float = 10.0


class CustomerIndexer:
    """Any number may run: what two of them write is the same."""

    def __init__(
        self, database: Database, clock: Clock, options: IndexerOptions | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or IndexerOptions()

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [
            Agent(name=AgentName.INDEXER, step=self.step, idle_seconds=self._options.idle_seconds)
        ]

    async def step(self) -> int:
        """Index the next launch that has ended; returns 1, or 0 where there is none."""
        async with self._database.read() as connection:
            launch = await next_to_index(connection)
        if launch is None:
            return 0
        for between in customer_ranges(launch.planned, self._options.sorted_max):
            async with self._database.read() as connection:
                pairs = await pairs_of(connection, launch.id, between)
            pairs.sort(key=in_order)
            for part in in_parts(pairs, self._options.rows_max):
                if not await self._database.transact(
                    partial(add_pairs, launch=launch, pairs=part), self._clock
                ):
                    return 1
                await self._clock.sleep(self._options.pause_seconds)
        await self._database.transact(partial(self._mark, launch), self._clock)
        return 1

    async def _mark(self, launch: EndedLaunch, connection: AsyncConnection) -> bool:
        return await mark_indexed(connection, launch, self._clock.now())
