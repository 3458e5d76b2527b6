"""Deliveries that are old enough to go: launch by launch, once the launch has ended so long ago.

From its first slice on the launch says since when its deliveries are gone. Then its lines in the
index by customer are removed in the order of that index, and then its deliveries in the order of
theirs: so each slice touches few pages, and SQLite's writer is not held for long. The launch stays,
with its counts: no report changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import first_id_after
from clarion.deliveries.customer_index.store import (
    Pair,
    customer_ranges,
    in_order,
    pairs_of,
    remove_from_index,
)
from clarion.deliveries.planning.chunk import SETTLED
from clarion.storage.aged import AgedRows
from clarion.storage.schema import chunks, deliveries, launch_counts, launches


@dataclass(frozen=True, slots=True)
class Begun:
    """A launch whose turn it is."""

    launch_id: UUID


@dataclass(frozen=True, slots=True)
class Lines:
    """Some of a launch's lines in the index by customer."""

    launch_id: UUID
    pairs: Sequence[Pair]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of a launch's deliveries, by device. `is_last`: it has no others."""

    launch_id: UUID
    device_ids: Sequence[UUID]
    is_last: bool


@dataclass(slots=True)
class _Unlisting:
    """How far a launch's lines are removed from the index: what is read of them, and what is to be
    read yet. Lost with the process: then it is read again, what is gone is not there."""

    ranges: Iterator[tuple[UUID, UUID] | None]
    pairs: list[Pair] = field(default_factory=list)
    is_done: bool = False


class AgedDeliveries:
    """Those of launches that have ended before a time, and are in the index by customer. One for
    each remover."""

    def __init__(self) -> None:
        self._unlisting: dict[UUID, _Unlisting] = {}
        """By launch: of each workspace one may be under way."""

    async def count(self, connection: AsyncConnection, workspace_id: UUID, before: datetime) -> int:
        """See Aged: from the launches' counts."""
        statement = (
            select(func.coalesce(func.sum(launch_counts.c["count"]), 0))
            .join_from(launches, launch_counts, launch_counts.c.launch_id == launches.c.id)
            .where(*_due(workspace_id, before))
        )
        return int((await connection.execute(statement)).scalar_one())

    async def find(
        self, connection: AsyncConnection, workspace_id: UUID, before: datetime, limit: int
    ) -> Begun | Lines | Rows | None:
        """See Aged."""
        # What is begun is finished, though somebody has meanwhile chosen to keep more.
        begun = await connection.execute(
            select(launches.c.id, launches.c.planned)
            .where(launches.c.workspace_id == workspace_id, *_IS_BEGUN)
            .limit(1)
        )
        launch = begun.one_or_none()
        if launch is None:
            oldest = select(launches.c.id).where(*_due(workspace_id, before))
            due = await connection.execute(oldest.order_by(launches.c.done_at).limit(1))
            launch_id = due.scalar_one_or_none()
            return None if launch_id is None else Begun(launch_id)
        unlisting = self._unlisting.get(launch.id)
        if unlisting is None:
            unlisting = _Unlisting(customer_ranges(launch.planned))
            self._unlisting[launch.id] = unlisting
        while not unlisting.pairs and not unlisting.is_done:
            try:
                between = next(unlisting.ranges)
            except StopIteration:
                unlisting.is_done = True
                break
            pairs = await pairs_of(connection, launch.id, between)
            unlisting.pairs = sorted(pairs, key=in_order, reverse=True)  # taken from its end
        if not unlisting.is_done:
            return Lines(launch.id, unlisting.pairs[-limit:])
        result = await connection.execute(
            select(deliveries.c.device_id)
            .where(deliveries.c.launch_id == launch.id)
            .order_by(deliveries.c.device_id)
            .limit(limit)
        )
        device_ids = list(result.scalars())
        return Rows(launch.id, device_ids, len(device_ids) < limit)

    async def remove(
        self, connection: AsyncConnection, old_rows: Begun | Lines | Rows, now: datetime
    ) -> int:
        """See Aged: deliveries are counted. An erasure in between gives a delivery another device
        id: it is found next."""
        match old_rows:
            case Begun(launch_id):
                # Not in the index from now on: who looks for its deliveries looks through it.
                await _set(connection, launch_id, deliveries_removed_at=now, indexed_at=None)
                return 0
            case Lines(launch_id, pairs):
                await remove_from_index(
                    connection, [(customer, launch_id, device) for customer, device in pairs]
                )
                return 0
            case Rows(launch_id, device_ids, is_last):
                rows = await connection.execute(
                    delete(deliveries).where(
                        deliveries.c.launch_id == launch_id, deliveries.c.device_id.in_(device_ids)
                    )
                )
                if is_last and rows.rowcount == len(device_ids):
                    await _set(connection, launch_id, emptied_at=now, indexed_at=now)
                return rows.rowcount
            case _:
                assert_never(old_rows)

    def removed(self, old_rows: Begun | Lines | Rows) -> None:
        """See Aged."""
        if isinstance(old_rows, Lines):
            del self._unlisting[old_rows.launch_id].pairs[-len(old_rows.pairs) :]
        elif isinstance(old_rows, Rows) and old_rows.is_last:
            self._unlisting.pop(old_rows.launch_id, None)


async def _set(connection: AsyncConnection, launch_id: UUID, **values: datetime | None) -> None:
    await connection.execute(update(launches).where(launches.c.id == launch_id).values(values))


_IS_BEGUN = (launches.c.deliveries_removed_at.is_not(None), launches.c.emptied_at.is_(None))


def _due(workspace_id: UUID, before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Launches whose turn comes."""
    return (
        launches.c.workspace_id == workspace_id,
        launches.c.done_at < before,
        launches.c.indexed_at.is_not(None),
        launches.c.deliveries_removed_at.is_(None),
    )


def _settled_before(before: datetime) -> Any:
    return (chunks.c.id < first_id_after(before)) & (chunks.c.state == SETTLED)


CHUNKS_BY_AGE = AgedRows(table=chunks, key=chunks.c.id, is_old=_settled_before)
"""Nobody reads a settled chunk any more."""
