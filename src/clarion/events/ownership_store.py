"""Which customer each stored event belongs to: rows of `events`, written by identity alone.

An event is decided either by its user id (`owner_key` NULL) or by a key's timeline (`owner_key`),
at the time that its installation's own clock told.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.store import claimed_at
from clarion.storage.dialect import Instant
from clarion.storage.schema import events

EVENTS_AT_ONCE = 1_000

_MICROSECOND = timedelta(microseconds=1)
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
            claimed_at() >= bindparam("start", type_=Instant),
            claimed_at() < bindparam("end", type_=Instant),
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


class Standing(Struct, frozen=True, gc=False):
    """Where a stored event stands among those of its installation: when it happened by that one's
    own clock, and by how many µs that was ahead (None: it tells no time)."""

    at: datetime
    source_id: UUID
    ahead: int | None


def standing_of(row: Any) -> Standing:
    """Of a row of `events`."""
    ahead = None if row.clock_at is None else (row.clock_at - row.received_at) // _MICROSECOND
    return Standing(row.clock_at or row.order_at or row.at, row.source_id, ahead)


async def refile_each(
    connection: AsyncConnection,
    workspace_id: UUID,
    key: str,
    customer_of: Callable[[Standing], UUID | None],
) -> None:
    """Give every event that `key` decides to the customer that `customer_of` names; None: it stays
    where it is."""
    after = 0
    while True:
        rows = await connection.execute(
            select(
                events.c.seq,
                events.c.at,
                events.c.clock_at,
                events.c.order_at,
                events.c.received_at,
                events.c.source_id,
                events.c.customer_id,
            )
            .where(
                events.c.workspace_id == workspace_id,
                events.c.owner_key == key,
                events.c.seq > after,
            )
            .order_by(events.c.seq)
            .limit(EVENTS_AT_ONCE)
        )
        found = rows.all()
        moved: dict[UUID, list[int]] = defaultdict(list)
        for row in found:
            customer_id = customer_of(standing_of(row))
            if customer_id is not None and customer_id != row.customer_id:
                moved[customer_id].append(row.seq)
        for customer_id, seqs in moved.items():
            await connection.execute(
                update(events).where(events.c.seq.in_(seqs)).values(customer_id=customer_id)
            )
        if len(found) < EVENTS_AT_ONCE:
            return
        after = found[-1].seq


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
