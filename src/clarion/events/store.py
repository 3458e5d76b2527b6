"""Rows of events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CompoundSelect,
    LargeBinary,
    Select,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.before import Before
from clarion.events.messages.message import Event
from clarion.events.ownership_store import customer_of, owned_by, stored_event
from clarion.events.seen_store import add_seen, message_hashes, seqs_of
from clarion.storage.bulk import append, in_parts, insert_new, next_numbers
from clarion.storage.dialect import Id, Instant, among, prepared, several, unindexed
from clarion.storage.schema import (
    awaited_events,
    conversions_due,
    events,
    merges,
    ownership_periods,
    receipts_due,
    seen_messages,
    suppressions,
    workspaces,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    seq: int
    message_id: str
    source_id: UUID
    type: str
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    customer_id: UUID | None
    at: datetime
    received_at: datetime
    body: str


NewEvent = tuple[str | None, UUID, Event]
"""The key that decides whose it is, its source, and the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An event that says a push was received or opened, not yet attributed."""

    seq: int
    workspace_id: UUID
    name: str
    at: datetime
    received_at: datetime
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedEvent:
    """An event that a launch waits for. `customer_id`: whose it is by now; None: it names nobody.
    `due_at`: when it was to be looked at; at first that is when it came."""

    seq: int
    workspace_id: UUID
    name: str
    at: datetime
    received_at: datetime
    due_at: datetime
    customer_id: UUID | None


# --- events ---------------------------------------------------------------------------------


@prepared
def _before(connection: AsyncConnection) -> CompoundSelect[Any]:
    workspace = bindparam("workspace", type_=Id)
    no_text, no_time = cast(null(), Text()), cast(null(), Instant())
    no_salt = cast(null(), LargeBinary())
    hashes = several(connection, "hashes", seen_messages.c.hash)
    return union_all(
        select(seen_messages.c.hash, seen_messages.c.received_at, no_text, no_text).where(
            among(connection, seen_messages.c.hash, hashes)
        ),
        select(workspaces.c.salt, no_time, no_text, no_text).where(
            workspaces.c.id == workspace,
            exists().where(suppressions.c.workspace_id == workspace),
        ),
        select(no_salt, no_time, merges.c.from_user, merges.c.into_user).where(
            merges.c.workspace_id == workspace, merges.c.undone_at.is_(None)
        ),
        select(no_salt, no_time, awaited_events.c.name, no_text).where(
            awaited_events.c.workspace_id == workspace
        ),
    )


async def look_before(
    connection: AsyncConnection, workspace_id: UUID, message_ids: Sequence[str]
) -> Before:
    """One look for all of it: hardly any workspace has such people or merges."""
    hashes = message_hashes(workspace_id, message_ids)
    ids = dict(zip(hashes, message_ids, strict=True))
    parameters = {"workspace": workspace_id, "hashes": hashes}
    rows = (await connection.execute(_before(connection), parameters)).all()
    return Before(
        hashes=dict(zip(message_ids, hashes, strict=True)),
        stored={ids[bytes(hashed)]: at for hashed, at, _, _ in rows if at is not None},
        salt=next(
            (bytes(salt) for salt, at, _, _ in rows if salt is not None and at is None), None
        ),
        merges={from_user: into for _, _, from_user, into in rows if into is not None},
        awaited={name for _, _, name, into in rows if name is not None and into is None},
    )


async def insert_events(
    connection: AsyncConnection,
    workspace_id: UUID,
    came: Sequence[NewEvent],
    hashes: Mapping[str, bytes],
    receipts: Collection[str] = (),
    awaited: Collection[str] = (),
) -> None:
    """Store these events, which get their numbers, but for those whose messageId was seen
    already. `hashes`: as `look_before` tells them. `receipts`: the messageIds of those which the
    attributor is to look at; `awaited`: the names of tracks that it is to look at, since a launch
    waits for them."""
    seqs = await next_numbers(connection, events, len(came))
    rows = [
        {
            "workspace_id": workspace_id,
            "message_id": event.message_id,
            "source_id": source_id,
            "type": event.type,
            "name": event.name,
            "user_id": event.user_id,
            "anonymous_id": event.anonymous_id,
            "device_id": event.device_id,
            "key": key,
            "at": event.at,
            "clock_at": event.clock_at,
            "order_at": event.order_at,
            "received_at": event.received_at,
            "body": event.body,
            "seq": seq,
        }
        for seq, (key, source_id, event) in zip(seqs, came, strict=True)
    ]
    fresh = await add_seen(
        connection,
        {hashes[event.message_id]: row for (_, _, event), row in zip(came, rows, strict=True)},
    )
    await append(connection, events, fresh)
    due = [{"seq": row["seq"]} for row in fresh if row["message_id"] in receipts]
    await insert_new(connection, receipts_due, due)
    hoped_for = [
        {"seq": row["seq"], "due_at": row["received_at"]}
        for row in fresh
        if awaited and row["type"] == "track" and row["name"] in awaited
    ]
    await insert_new(connection, conversions_due, hoped_for)


async def get_event(
    connection: AsyncConnection, workspace_id: UUID, message_id: str
) -> StoredEvent | None:
    seqs = await seqs_of(connection, workspace_id, [message_id])
    stored = await events_in(
        connection,
        stored_event().where(
            events.c.seq.in_(seqs),
            unindexed(events.c.workspace_id) == workspace_id,
            events.c.message_id == message_id,
        ),
    )
    return stored[0] if stored else None


async def list_events(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    customer_id: UUID | None = None,
    before_seq: int | None = None,
    limit: int,
) -> list[StoredEvent]:
    """A page of events in the reverse order of their arrival."""
    if customer_id is None:
        statement = stored_event().where(unindexed(events.c.workspace_id) == workspace_id)
    else:
        statement = select(events, ownership_periods.c.customer_id).where(
            *owned_by(connection, workspace_id, [customer_id])
        )
    if before_seq is not None:
        statement = statement.where(events.c.seq < before_seq)
    return await events_in(connection, statement.order_by(events.c.seq.desc()).limit(limit))


async def events_in(connection: AsyncConnection, statement: Select[Any]) -> list[StoredEvent]:
    """The events that `statement` selects, which is made of `stored_event`."""
    return [_event(row) for row in await connection.execute(statement)]


# --- receipts -------------------------------------------------------------------------------


async def pending_receipts(connection: AsyncConnection, limit: int) -> list[Receipt]:
    """The oldest receipts not yet attributed."""
    rows = await connection.execute(
        select(
            events.c.seq,
            events.c.workspace_id,
            events.c.name,
            events.c.at,
            events.c.received_at,
            events.c.body,
        )
        .join_from(receipts_due, events, events.c.seq == receipts_due.c.seq)
        .order_by(receipts_due.c.seq)
        .limit(limit)
    )
    return [Receipt(**row._mapping) for row in rows]


async def remove_receipts(connection: AsyncConnection, seqs: Sequence[int]) -> None:
    """Of these events nothing is left to be done."""
    for part in in_parts(seqs):
        await connection.execute(delete(receipts_due).where(receipts_due.c.seq.in_(part)))


# --- events that launches wait for ----------------------------------------------------------


async def due_conversions(
    connection: AsyncConnection, now: datetime, limit: int
) -> list[AwaitedEvent]:
    """The events that a launch waits for, whose turn it is, the longest due first."""
    rows = await connection.execute(
        select(
            events.c.seq,
            events.c.workspace_id,
            events.c.name,
            events.c.at,
            events.c.received_at,
            conversions_due.c.due_at,
            customer_of().label("customer_id"),
        )
        .join_from(conversions_due, events, events.c.seq == conversions_due.c.seq)
        .where(conversions_due.c.due_at <= now)
        .order_by(conversions_due.c.due_at, conversions_due.c.seq)
        .limit(limit)
    )
    return [AwaitedEvent(**row._mapping) for row in rows]


async def put_off_conversions(
    connection: AsyncConnection, seqs: Sequence[int], due_at: datetime
) -> None:
    """These events are looked at again at `due_at`."""
    for part in in_parts(seqs):
        await connection.execute(
            update(conversions_due).where(conversions_due.c.seq.in_(part)).values(due_at=due_at)
        )


async def remove_conversions(connection: AsyncConnection, seqs: Sequence[int]) -> None:
    """Nobody looks at these events any more."""
    for part in in_parts(seqs):
        await connection.execute(delete(conversions_due).where(conversions_due.c.seq.in_(part)))


def _event(row: Any) -> StoredEvent:
    return StoredEvent(
        seq=row.seq,
        message_id=row.message_id,
        source_id=row.source_id,
        type=row.type,
        name=row.name,
        user_id=row.user_id,
        anonymous_id=row.anonymous_id,
        customer_id=row.customer_id,
        at=row.at,
        received_at=row.received_at,
        body=row.body,
    )
