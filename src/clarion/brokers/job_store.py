"""Rows of jobs, as every batch of every agent asks for them: the statements are made once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, Update, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import JobKind
from clarion.clock import SKEW
from clarion.storage.dialect import Instant, among, prepared, several
from clarion.storage.schema import job_keys, jobs

MOVED_AT_ONCE = 500


async def is_any_due(connection: AsyncConnection, kind: JobKind, now: datetime) -> bool:
    """Whether there is a job to fetch now."""
    rows = await connection.execute(_one_due(connection), {"of_kind": kind.value, "now": now})
    return rows.one_or_none() is not None


@prepared
def _one_due(connection: AsyncConnection) -> Select[Any]:
    return select(jobs.c.id).where(*_is_due()).limit(1)


async def claim_due(
    connection: AsyncConnection, kind: JobKind, limit: int, *, now: datetime, until: datetime
) -> Sequence[Any]:
    """Rows (id, payload, delivery_count) of the jobs that are due the longest, by their ids. Nobody
    else finds them before `until`."""
    rows = await connection.execute(
        _claim_due(connection),
        {"of_kind": kind.value, "now": now, "most": limit, "until": until},
    )
    return sorted(rows, key=_id)


@prepared
def _claim_due(connection: AsyncConnection) -> Update:
    due_ids = (
        select(jobs.c.id)
        .where(*_is_due())
        .order_by(jobs.c.available_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return (
        update(jobs)
        .where(jobs.c.id.in_(due_ids.scalar_subquery()))
        .values(
            available_at=bindparam("until", type_=Instant),
            delivery_count=jobs.c.delivery_count + 1,
        )
        .returning(jobs.c.id, jobs.c.payload, jobs.c.delivery_count)
    )


async def remove_jobs(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """They are done."""
    await connection.execute(_remove_jobs(connection), {"ids": list(ids)})


@prepared
def _remove_jobs(connection: AsyncConnection) -> Delete:
    return delete(jobs).where(among(connection, jobs.c.id, several(connection, "ids", jobs.c.id)))


async def bring_some_forward(now: datetime, connection: AsyncConnection) -> list[datetime]:
    """When those were published, by the clock of before, that were brought forward."""
    rows = await connection.execute(
        select(jobs.c.id, jobs.c.available_at, jobs.c.published_at)
        .where(jobs.c.published_at > now + SKEW)
        .limit(MOVED_AT_ONCE)
    )
    jobs_ahead = rows.all()
    for row in jobs_ahead:
        waits = row.available_at - row.published_at
        await connection.execute(
            update(jobs)
            .where(jobs.c.id == row.id)
            .values(available_at=now + waits, published_at=now)
        )
    await connection.execute(delete(job_keys).where(job_keys.c.published_at > now + SKEW))
    return [row.published_at for row in jobs_ahead]


def not_rejected(*kinds: JobKind) -> tuple[ColumnElement[bool], ...]:
    """What waits of these kinds, or is leased."""
    words = [kind.value for kind in kinds]
    is_kind = jobs.c.kind == words[0] if len(words) == 1 else jobs.c.kind.in_(words)
    return is_kind, jobs.c.rejected_reason.is_(None)


def _is_due() -> tuple[ColumnElement[bool], ...]:
    now = bindparam("now", type_=Instant)
    is_kind = jobs.c.kind == bindparam("of_kind")
    return is_kind, jobs.c.rejected_reason.is_(None), jobs.c.available_at <= now


def _id(row: Any) -> int:
    return int(row.id)
