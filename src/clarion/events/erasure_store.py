"""A person's events: found and removed, as many at once as hold nobody up."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.ownership_store import is_in_period, owned_by
from clarion.events.seen_store import forget_messages, seqs_of
from clarion.events.store import remove_conversions, remove_receipts
from clarion.ingest_log.erasure_store import remove_entries
from clarion.storage.bulk import in_parts
from clarion.storage.dialect import unindexed
from clarion.storage.schema import claims, events, ownership_periods


class RemovableEvent(Protocol):
    """What has to be known of an event to remove it."""

    @property
    def seq(self) -> int: ...
    @property
    def message_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def key(self) -> str | None: ...


class NamingEvent(Struct, frozen=True, gc=False):
    """A stored event, as far as it tells whom it names."""

    seq: int
    message_id: str
    key: str | None
    type: str
    body: str


class StrangersEvent(NamingEvent, frozen=True, gc=False):
    """One that no person's user id decides."""

    user_id: str | None
    at: datetime
    clock_at: datetime | None
    order_at: datetime | None
    received_at: datetime
    source_id: UUID


async def some_events_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    customer_ids: Iterable[UUID],
    ids: Iterable[str],
    users: Iterable[str],
    limit: int,
) -> list[NamingEvent]:
    """Up to `limit` events of these customers, of these ids,
    or in which somebody else than `users` names one of the ids as a former one."""
    ids, users = list(ids), list(users)
    for whose in in_parts(customer_ids):
        owned = owned_by(connection, workspace_id, whose)
        rows = await connection.execute(select(*_EVENT).where(*owned).limit(limit))
        if rows_read := [NamingEvent(*row) for row in rows]:
            return rows_read
    for part in in_parts(ids):
        keyed = (events.c.workspace_id == workspace_id, events.c.key.in_(part))
        rows = await connection.execute(select(*_EVENT).where(*keyed).limit(limit))
        if rows_read := [NamingEvent(*row) for row in rows]:
            return rows_read
    for part in in_parts(ids):
        naming = await connection.execute(
            select(claims.c.message_id).where(
                claims.c.workspace_id == workspace_id,
                claims.c.key.in_(part),
                claims.c.user_id.not_in([*part, *users]),
            )
        )
        message_ids = set(naming.scalars())
        for seqs in in_parts(await seqs_of(connection, workspace_id, message_ids)):
            rows = await connection.execute(
                select(*_EVENT).where(
                    events.c.seq.in_(seqs), unindexed(events.c.workspace_id) == workspace_id
                )
            )
            if rows_read := [NamingEvent(*row) for row in rows if row.message_id in message_ids]:
                return rows_read[:limit]
    return []


async def strangers_events(
    connection: AsyncConnection,
    workspace_id: UUID,
    key: str,
    *,
    after: StrangersEvent | None,
    limit: int,
) -> list[StrangersEvent]:
    """A page of the events of a key that no person's user id decides, by time; the ones that stand
    behind `after`. They may name a device that was somebody's."""
    of_person = exists().where(ownership_periods.c.is_real, is_in_period()).correlate(events)
    statement = select(*_EVENT, events.c.user_id, *_WHEN).where(
        events.c.workspace_id == workspace_id, events.c.key == key, ~of_person
    )
    if after is not None:
        later = or_(events.c.at > after.at, events.c.seq > after.seq)
        statement = statement.where(events.c.at >= after.at, later)
    rows = await connection.execute(statement.order_by(events.c.at, events.c.seq).limit(limit))
    return [StrangersEvent(*row) for row in rows]


async def remove_events(
    connection: AsyncConnection, workspace_id: UUID, removed: Sequence[RemovableEvent]
) -> None:
    """Remove these events, and what was recorded beside them."""
    message_ids = [event.message_id for event in removed]
    await remove_entries(connection, workspace_id, message_ids)
    await forget_messages(connection, workspace_id, message_ids)
    seqs = [event.seq for event in removed]
    await remove_receipts(connection, seqs)
    await remove_conversions(connection, seqs)
    for part in in_parts(seqs):
        await connection.execute(delete(events).where(events.c.seq.in_(part)))


_WHEN = (
    events.c.at,
    events.c.clock_at,
    events.c.order_at,
    events.c.received_at,
    events.c.source_id,
)
_EVENT = (events.c.seq, events.c.message_id, events.c.key, events.c.type, events.c.body)
