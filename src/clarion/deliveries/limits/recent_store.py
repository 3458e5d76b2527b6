"""Rows of recent pushes: one a customer, locked by whoever is about to push to them.

Two senders with pushes to the same customer take turns by the lock, each until its transaction has
ended: so the second sees what the first has reserved. Rows are locked in the order of the
customers, so that no two wait for each other.
"""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.limits.recent import Recent, pack, unpack
from clarion.storage.bulk import in_parts, insert_new, upsert
from clarion.storage.dialect import among
from clarion.storage.schema import recent_pushes


async def lock_recent(
    connection: AsyncConnection, customer_ids: Collection[UUID], *, makes_rows: bool
) -> dict[UUID, Recent]:
    """The recent pushes of these customers, which nobody else changes until this transaction ends.
    `makes_rows`: who has no row gets one, so that there is one to lock."""
    ordered = sorted(customer_ids)
    if makes_rows:
        new = [{"customer_id": customer_id, "pushes": b""} for customer_id in ordered]
        await insert_new(connection, recent_pushes, new)
    rows = await connection.execute(
        select(recent_pushes.c.customer_id, recent_pushes.c.pushes)
        .where(among(connection, recent_pushes.c.customer_id, ordered))
        .order_by(recent_pushes.c.customer_id)
        .with_for_update()
    )
    return {row.customer_id: unpack(row.pushes) for row in rows}


async def read_recent(
    connection: AsyncConnection, customer_ids: Collection[UUID]
) -> dict[UUID, Recent]:
    """The same of those who have a row, only to look at them."""
    rows = await connection.execute(
        select(recent_pushes.c.customer_id, recent_pushes.c.pushes).where(
            among(connection, recent_pushes.c.customer_id, sorted(customer_ids))
        )
    )
    return {row.customer_id: unpack(row.pushes) for row in rows}


async def save_recent(connection: AsyncConnection, changed: Mapping[UUID, Recent]) -> None:
    """Of customers whose rows this transaction has locked."""
    rows = [
        {"customer_id": customer_id, "pushes": pack(recent)}
        for customer_id, recent in sorted(changed.items())
    ]
    await upsert(connection, recent_pushes, rows, key=("customer_id",))


async def forget_recent(connection: AsyncConnection, customer_ids: Iterable[UUID]) -> None:
    """Nothing is kept of what was pushed to them."""
    for part in in_parts(customer_ids):
        await connection.execute(delete(recent_pushes).where(recent_pushes.c.customer_id.in_(part)))
