"""Which customer each stored event belongs to: rows of `events`, written by identity alone.

An event is decided either by its user id (`owner_key` NULL) or by a key's timeline (`owner_key`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.schema import events

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class Filing(Struct, frozen=True, kw_only=True, gc=False):
    """Events that `key` decides, with start ≤ at < end (None: open), belong to `customer_id`."""

    key: str
    start: datetime | None
    end: datetime | None
    customer_id: UUID


async def refile_events(
    connection: AsyncConnection, workspace_id: UUID, filings: Sequence[Filing]
) -> None:
    """Give the events of each filing to its customer."""
    if not filings:
        return
    statement = (
        update(events)
        .where(
            events.c.workspace_id == bindparam("workspace"),
            events.c.owner_key == bindparam("key"),
            events.c.at >= bindparam("start"),
            events.c.at < bindparam("end"),
        )
        .values(customer_id=bindparam("owner"))
    )
    await connection.execute(
        statement,
        [
            {
                "workspace": workspace_id,
                "key": filing.key,
                "start": filing.start or _FIRST,
                "end": filing.end or _LAST,
                "owner": filing.customer_id,
            }
            for filing in filings
        ],
    )


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


async def file_users(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    user_id: str,
    among: Sequence[UUID],
    customer_id: UUID,
) -> None:
    """Give the events that carry `user_id`, filed with one of `among`, to `customer_id`."""
    await connection.execute(
        update(events)
        .where(
            events.c.workspace_id == workspace_id,
            events.c.customer_id.in_(among),
            events.c.user_id == user_id,
            events.c.owner_key.is_(None),
        )
        .values(customer_id=customer_id)
    )
