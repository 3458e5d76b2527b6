"""Rows of merges, and the devices that change hands by one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.history import HistoryEntry
from clarion.customers.devices.store import add_history
from clarion.storage.bulk import insert_new
from clarion.storage.schema import devices, merges


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Somebody's word that `from_user` is the same person as `into_user`, until it is undone."""

    id: UUID
    from_user: str
    into_user: str
    made_at: datetime
    made_by: str
    undone_at: datetime | None
    undone_by: str | None


async def add_merge(connection: AsyncConnection, workspace_id: UUID, merge: Merge) -> None:
    row = {name: getattr(merge, name) for name in _FIELDS}
    await insert_new(connection, merges, [{"workspace_id": workspace_id, **row}])


async def active_merges_of(
    connection: AsyncConnection, workspace_id: UUID, user_ids: Collection[str]
) -> list[Merge]:
    """The merges, not undone, that have to do with any of `user_ids`."""
    rows = await connection.execute(
        select(merges).where(
            merges.c.workspace_id == workspace_id,
            merges.c.undone_at.is_(None),
            or_(merges.c.from_user.in_(user_ids), merges.c.into_user.in_(user_ids)),
        )
    )
    return [_merge(row) for row in rows]


async def count_active(connection: AsyncConnection, workspace_id: UUID) -> int:
    rows = await connection.execute(
        select(func.count()).where(
            merges.c.workspace_id == workspace_id, merges.c.undone_at.is_(None)
        )
    )
    return int(rows.scalar_one())


async def list_merges(
    connection: AsyncConnection, workspace_id: UUID, *, after: UUID | None, limit: int
) -> list[Merge]:
    """A page of merges by id, the oldest first, those that were undone too."""
    statement = select(merges).where(merges.c.workspace_id == workspace_id)
    if after is not None:
        statement = statement.where(merges.c.id > after)
    rows = await connection.execute(statement.order_by(merges.c.id).limit(limit))
    return [_merge(row) for row in rows]


async def end_merge(connection: AsyncConnection, merge_id: UUID, at: datetime, by: str) -> None:
    await connection.execute(
        update(merges).where(merges.c.id == merge_id).values(undone_at=at, undone_by=by)
    )


async def forget_merges(
    connection: AsyncConnection, workspace_id: UUID, user_ids: Collection[str]
) -> None:
    """Remove every merge that names one of `user_ids`."""
    await connection.execute(
        delete(merges).where(
            merges.c.workspace_id == workspace_id,
            or_(merges.c.from_user.in_(user_ids), merges.c.into_user.in_(user_ids)),
        )
    )


async def hand_over(
    connection: AsyncConnection,
    workspace_id: UUID,
    device_ids: Sequence[str],
    *,
    customer_id: UUID,
    reason: str,
    now: datetime,
) -> None:
    """Give those devices to a customer, with a line in the history of each that was not theirs."""
    result = await connection.execute(
        select(devices)
        .where(
            devices.c.workspace_id == workspace_id,
            devices.c.device_id.in_(device_ids),
            devices.c.customer_id != customer_id,
        )
        .order_by(devices.c.id)  # as everybody locks devices
        .with_for_update()
    )
    rows = result.all()
    await connection.execute(
        update(devices)
        .where(devices.c.id.in_([row.id for row in rows]))
        .values(customer_id=customer_id)
    )
    await add_history(
        connection,
        workspace_id,
        [
            HistoryEntry(
                device_id=row.device_id,
                customer_id=customer_id,
                previous_customer_id=row.customer_id,
                change="moved",
                reason=reason,
                token_hash=row.token_hash,
                message_id=None,
                at=now,
            )
            for row in rows
        ],
    )


_FIELDS = ("id", "from_user", "into_user", "made_at", "made_by", "undone_at", "undone_by")


def _merge(row: Any) -> Merge:
    return Merge(**{name: getattr(row, name) for name in _FIELDS})
