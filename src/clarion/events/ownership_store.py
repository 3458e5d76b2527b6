"""Which customer each stored event belongs to: rows of `events`, written by identity alone.

An event is decided either by its user id (`owner_key` NULL) or by a key's timeline (`owner_key`).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.schema import events


async def refile_events(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    key: str,
    start: datetime | None,
    end: datetime | None,
    customer_id: UUID,
) -> None:
    """Events that `key` decides, with start ≤ at < end (None: open), belong to `customer_id`."""
    statement = update(events).where(
        events.c.workspace_id == workspace_id,
        events.c.owner_key == key,
        events.c.customer_id != customer_id,
    )
    if start is not None:
        statement = statement.where(events.c.at >= start)
    if end is not None:
        statement = statement.where(events.c.at < end)
    await connection.execute(statement.values(customer_id=customer_id))


async def decide_by_user(
    connection: AsyncConnection, workspace_id: UUID, *, user_id: str, customer_id: UUID
) -> None:
    """`user_id` is a person after all: events that carry it are that customer's."""
    await connection.execute(
        update(events)
        .where(
            events.c.workspace_id == workspace_id,
            events.c.owner_key == user_id,
            events.c.user_id == user_id,
        )
        .values(owner_key=None, customer_id=customer_id)
    )


async def decide_by_key(
    connection: AsyncConnection, workspace_id: UUID, *, user_id: str, customer_id: UUID
) -> None:
    """`user_id` is a device's id: its timeline decides the events that were `customer_id`'s."""
    await connection.execute(
        update(events)
        .where(
            events.c.workspace_id == workspace_id,
            events.c.customer_id == customer_id,
            events.c.user_id == user_id,
            events.c.owner_key.is_(None),
        )
        .values(owner_key=user_id)
    )
