"""The indexer: writes the deliveries of launches that have ended into the index by customer.

What it writes may be written again: one that is cut off begins the launch anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.agent import Agent, AgentName
from clarion.clock import Clock
from clarion.deliveries.customer_index_store import (
    EndedLaunch,
    Pair,
    add_pairs,
    mark_indexed,
    next_to_index,
    pairs_after,
)
from clarion.storage.bulk import in_parts
from clarion.storage.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexerOptions:
    sorted_max: int = 100_000
    """Deliveries that are sorted at once; a larger launch is read once for each so many."""
    read_max: int = 5_000
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
        for between in _parts(launch.planned, self._options.sorted_max):
            pairs = await self._read(launch.id, between)
            pairs.sort(key=_in_order)
            for part in in_parts(pairs, self._options.rows_max):
                if not await self._database.transact(
                    partial(add_pairs, launch=launch, pairs=part), self._clock
                ):
                    return 1
                await self._clock.sleep(self._options.pause_seconds)
        await self._database.transact(partial(self._mark, launch), self._clock)
        return 1

    async def _read(self, launch_id: UUID, between: tuple[UUID, UUID] | None) -> list[Pair]:
        found: list[Pair] = []
        after: UUID | None = None
        while True:
            async with self._database.read() as connection:
                pairs, after = await pairs_after(
                    connection, launch_id, after, between=between, limit=self._options.read_max
                )
            found += pairs
            if after is None:
                return found

    async def _mark(self, launch: EndedLaunch, connection: AsyncConnection) -> bool:
        return await mark_indexed(connection, launch, self._clock.now())


def _in_order(pair: Pair) -> bytes:
    """The order of the index, so that what is written at once lies together."""
    customer_id, device_id = pair
    return customer_id.bytes + device_id.bytes


def _parts(count: int, size: int) -> Iterator[tuple[UUID, UUID] | None]:
    """Ranges of customers, of about `size` deliveries each: their ids are spread evenly. None: all
    of them at once."""
    number = -(-count // size)
    if number <= 1:
        yield None
        return
    edges = [(place << 128) // number for place in range(number + 1)]
    for lower, upper in pairwise(edges):
        yield UUID(int=lower), UUID(int=upper - 1)
