"""Rows that tell what a source sends, beside its events: refusals, repeats, counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import insert_new, upsert
from clarion.storage.schema import refusals, repeats, source_counts

IDS_MAX = 10_000
"""Asked for in one statement: the drivers have a limit of 32,767 values."""


async def recorded(connection: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of `ids` that are refusals or repeats already."""
    found: set[UUID] = set()
    for start in range(0, len(ids), IDS_MAX):
        some = ids[start : start + IDS_MAX]
        for table in (refusals, repeats):
            rows = await connection.execute(select(table.c.id).where(table.c.id.in_(some)))
            found.update(rows.scalars())
    return found


async def add_refusals(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of the refusals table; one that is there already stays as it is."""
    await insert_new(connection, refusals, rows)


async def add_repeats(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of the repeats table; one that is there already stays as it is."""
    await insert_new(connection, repeats, rows)


async def add_counts(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to what is counted. In the order of the key, so that two never wait for each other."""
    key = ("source_id", "hour", "kind", "label", "name")
    await upsert(connection, source_counts, rows, key=key, combine={"count": "sum"})


async def trim_activity(
    connection: AsyncConnection,
    workspace_id: UUID,
    source_id: UUID,
    *,
    counted_before: datetime,
    refusals_max: int,
    repeats_max: int,
    limit: int,
) -> int:
    """Remove what is too old, or too much, of one source: at most `limit` refusals and as many
    repeats, the oldest first. Returns how many rows were removed."""
    old = delete(source_counts).where(
        source_counts.c.source_id == source_id, source_counts.c.hour < counted_before
    )
    removed = len((await connection.execute(old.returning(source_counts.c.hour))).all())
    of_refusals = and_(refusals.c.workspace_id == workspace_id, refusals.c.source_id == source_id)
    for table, of_source, kept in (
        (refusals, of_refusals, refusals_max),
        (repeats, repeats.c.source_id == source_id, repeats_max),
    ):
        newest = select(table.c.seq).where(of_source).order_by(table.c.seq.desc())
        last = newest.offset(kept).limit(1).scalar_subquery()
        oldest = select(table.c.seq).where(of_source, table.c.seq <= last)
        doomed = oldest.order_by(table.c.seq).limit(limit)
        rows = await connection.execute(
            delete(table).where(table.c.seq.in_(doomed)).returning(table.c.seq)
        )
        removed += len(rows.all())
    return removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many of one kind; label and name say of what; the last of them came in `hour`."""

    kind: str
    label: str
    name: str
    count: int
    hour: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedHour:
    """How many of one kind came in the hour that begins at `hour`."""

    hour: datetime
    kind: str
    count: int


async def totals(connection: AsyncConnection, source_id: UUID, since: datetime) -> list[Counted]:
    """What was counted of a source since then, the most frequent first."""
    count = func.sum(source_counts.c.count).label("count")
    names = (source_counts.c.kind, source_counts.c.label, source_counts.c.name)
    rows = await connection.execute(
        select(*names, count, func.max(source_counts.c.hour))
        .where(source_counts.c.source_id == source_id, source_counts.c.hour >= since)
        .group_by(*names)
        .order_by(count.desc(), *names)
    )
    return [
        Counted(kind=kind, label=label, name=name, count=int(count), hour=hour)
        for kind, label, name, count, hour in rows
    ]


async def hours(connection: AsyncConnection, source_id: UUID, since: datetime) -> list[CountedHour]:
    """The same by hour, the last first."""
    count = func.sum(source_counts.c.count)
    rows = await connection.execute(
        select(source_counts.c.hour, source_counts.c.kind, count)
        .where(source_counts.c.source_id == source_id, source_counts.c.hour >= since)
        .group_by(source_counts.c.hour, source_counts.c.kind)
        .order_by(source_counts.c.hour.desc())
    )
    return [CountedHour(hour=row[0], kind=row[1], count=int(row[2])) for row in rows]
