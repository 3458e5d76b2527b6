"""A person's events, and what was recorded of those that were refused: found and removed, as many
at once as hold nobody up."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import in_parts
from clarion.storage.schema import claims, events, refusals, repeats

REFUSALS_AT_ONCE = 1_000


async def some_events_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    customer_ids: Iterable[UUID],
    ids: Iterable[str],
    users: Iterable[str],
    limit: int,
) -> Sequence[Any]:
    """Up to `limit` rows (seq, message_id, type, body) of events of these customers, of these ids,
    or in which somebody else than `users` names one of the ids as a former one."""
    ids, users = list(ids), list(users)
    for whose in in_parts(customer_ids):
        if found := await _some(connection, workspace_id, events.c.customer_id.in_(whose), limit):
            return found
    for part in in_parts(ids):
        if found := await _some(connection, workspace_id, events.c.owner_key.in_(part), limit):
            return found
    for part in in_parts(ids):
        naming = select(claims.c.message_id).where(
            claims.c.workspace_id == workspace_id,
            claims.c.key.in_(part),
            claims.c.user_id.not_in([*part, *users]),
        )
        if found := await _some(connection, workspace_id, events.c.message_id.in_(naming), limit):
            return found
    return []


async def strangers_events(
    connection: AsyncConnection, workspace_id: UUID, *, after: int, limit: int
) -> Sequence[Any]:
    """A page (seq, message_id, type, body, owner_key, at) of the events that no user id decides:
    they may name a device that was somebody's."""
    rows = await connection.execute(
        select(*_EVENT, events.c.owner_key, *_WHEN)
        .where(
            events.c.seq > after,
            events.c.workspace_id == workspace_id,
            events.c.owner_key.is_not(None),
        )
        .order_by(events.c.seq)
        .limit(limit)
    )
    return rows.all()


async def remove_events(
    connection: AsyncConnection, workspace_id: UUID, found: Sequence[Any]
) -> None:
    """Remove these events, and what was recorded beside them. `found`: rows as they were read."""
    for part in in_parts(found):
        message_ids = [row.message_id for row in part]
        for table in (refusals, repeats):
            await connection.execute(
                delete(table).where(
                    table.c.workspace_id == workspace_id, table.c.message_id.in_(message_ids)
                )
            )
        await connection.execute(delete(events).where(events.c.seq.in_([row.seq for row in part])))


async def blank_refusals(
    connection: AsyncConnection, workspace_id: UUID, tells: Callable[[str], bool], *, after: int
) -> tuple[int, int | None]:
    """Take away what a page of refused events, those after `after`, showed of a person, where
    `tells` says that a text does; the refusal itself stays, to be counted. Returns how many there
    were, and after what to go on; None: that was the last page."""
    found = await connection.execute(
        select(refusals)
        .where(refusals.c.workspace_id == workspace_id, refusals.c.seq > after)
        .order_by(refusals.c.seq)
        .limit(REFUSALS_AT_ONCE)
    )
    rows = found.all()
    seqs = [row.seq for row in rows if tells(" ".join(str(row._mapping[one]) for one in _TELLING))]
    if seqs:
        await connection.execute(
            update(refusals)
            .where(refusals.c.seq.in_(seqs))
            .values(dict.fromkeys(_TELLING) | {"message": "Of somebody who was erased."})
        )
    return len(seqs), rows[-1].seq if len(rows) == REFUSALS_AT_ONCE else None


async def _some(
    connection: AsyncConnection, workspace_id: UUID, theirs: ColumnElement[bool], limit: int
) -> Sequence[Any]:
    rows = await connection.execute(
        select(*_EVENT).where(events.c.workspace_id == workspace_id, theirs).limit(limit)
    )
    return rows.all()


_WHEN = (
    events.c.at,
    events.c.clock_at,
    events.c.order_at,
    events.c.received_at,
    events.c.source_id,
)
_EVENT = (events.c.seq, events.c.message_id, events.c.type, events.c.body)
_TELLING = ("message_id", "message", "excerpt", "name", "user_id", "anonymous_id")
