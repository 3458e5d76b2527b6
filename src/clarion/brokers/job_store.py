"""The statements of the embedded broker over its table of jobs."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Delete, Integer, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import JobKind
from clarion.clock import SKEW
from clarion.storage.dialect import Instant, among, prepared, several
from clarion.storage.schema import job_keys, jobs

REJECTED_AT_ONCE = 20
MOVED_AT_ONCE = 500

# Statements are made once: once for each chunk would be felt.
_IS_DUE = (
    jobs.c.kind == bindparam("wanted"),
    jobs.c.rejected_reason.is_(None),
    jobs.c.available_at <= bindparam("now", type_=Instant),
)
WAITING = select(jobs.c.id).where(*_IS_DUE).limit(1)
CLAIM = (
    update(jobs)
    .where(
        jobs.c.id.in_(
            select(jobs.c.id)
            .where(*_IS_DUE)
            .order_by(jobs.c.available_at)
            .limit(bindparam("most", type_=Integer))
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
    )
    .values(
        available_at=bindparam("until", type_=Instant), delivery_count=jobs.c.delivery_count + 1
    )
    .returning(jobs.c.id, jobs.c.payload, jobs.c.delivery_count)
)


@prepared
def acked_jobs(connection: AsyncConnection) -> Delete:
    return delete(jobs).where(among(connection, jobs.c.id, several(connection, "acked", jobs.c.id)))


def not_rejected(*kinds: JobKind) -> tuple[ColumnElement[bool], ...]:
    """What waits of these kinds, or is leased."""
    words = [kind.value for kind in kinds]
    is_kind = jobs.c.kind == words[0] if len(words) == 1 else jobs.c.kind.in_(words)
    return is_kind, jobs.c.rejected_reason.is_(None)


async def rewrite_some(
    kind: JobKind, change: Callable[[bytes], bytes | None], after: int, connection: AsyncConnection
) -> tuple[int, int | None]:
    """How many rejected jobs were rewritten, and the last one looked at; None: that was all."""
    rows = await connection.execute(
        select(jobs.c.id, jobs.c.payload)
        .where(jobs.c.kind == kind.value, jobs.c.rejected_reason.is_not(None), jobs.c.id > after)
        .order_by(jobs.c.id)
        .limit(REJECTED_AT_ONCE)
    )
    rejected, changed = rows.all(), 0
    for row in rejected:
        payload = change(bytes(row.payload))
        if payload is not None:
            changed += 1
            await connection.execute(
                update(jobs).where(jobs.c.id == row.id).values(payload=payload)
            )
    return changed, rejected[-1].id if rejected else None


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
