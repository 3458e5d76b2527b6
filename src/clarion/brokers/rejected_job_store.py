"""Rows of jobs that were put aside: they can never be done, and are kept for a person to read."""

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import JobKind
from clarion.storage.schema import jobs

REJECTED_AT_ONCE = 20


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
