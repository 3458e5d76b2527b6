"""Rows of events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CompoundSelect,
    LargeBinary,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.ownership_store import owned_by, stored_event
from clarion.events.seen_store import add_seen, message_hashes, seqs_of
from clarion.storage.bulk import append, in_parts, insert_new, next_numbers
from clarion.storage.dialect import Id, Instant, among, prepared, several, unindexed
from clarion.storage.schema import (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An event that says a push was received or opened, not yet attributed."""

    seq: int
    workspace_id: UUID
    name: str
    at: datetime
    received_at: datetime
    body: str


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
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What every transaction that takes in events has to know before: those that were `stored`
    already, by messageId, with when they were received; the workspace's `salt` where it has people
    whose events are dropped; and its `merges`, user id → the one it counts as."""

    stored: Mapping[str, datetime]
    salt: bytes | None
    merges: Mapping[str, str]


async def look_before(
    connection: AsyncConnection, workspace_id: UUID, message_ids: Sequence[str]
) -> Before:
    """One look for all of it: hardly any workspace has such people or merges."""
    ids = dict(zip(message_hashes(workspace_id, message_ids), message_ids, strict=True))
    told = {"workspace": workspace_id, "hashes": list(ids)}
    rows = (await connection.execute(_before(connection), told)).all()
    return Before(
        stored={ids[bytes(hashed)]: at for hashed, at, _, _ in rows if at is not None},
        salt=next(
            (bytes(salt) for salt, at, _, _ in rows if salt is not None and at is None), None
        ),
        merges={from_user: into for _, _, from_user, into in rows if into is not None},
    )


async def insert_events(
    connection: AsyncConnection,
    workspace_id: UUID,
    rows: Sequence[dict[str, Any]],
    receipts: Collection[str] = (),
) -> None:
    """Rows of the events table, which get their numbers, but for those whose messageId was seen
    already. `receipts`: the messageIds of those which the attributor is to look at."""
    seqs = await next_numbers(connection, events, len(rows))
    for seq, row in zip(seqs, rows, strict=True):
        row["seq"] = seq
    fresh = await add_seen(connection, workspace_id, rows)
    await append(connection, events, fresh)
    due = [{"seq": row["seq"]} for row in fresh if row["message_id"] in receipts]
    await insert_new(connection, receipts_due, due)


async def get_event(
    connection: AsyncConnection, workspace_id: UUID, message_id: str
) -> StoredEvent | None:
    seqs = await seqs_of(connection, workspace_id, [message_id])
    rows = await connection.execute(
        stored_event().where(
            events.c.seq.in_(seqs),
            unindexed(events.c.workspace_id) == workspace_id,
            events.c.message_id == message_id,
        )
    )
    row = rows.one_or_none()
    return None if row is None else read_event(row)


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
    rows = await connection.execute(statement.order_by(events.c.seq.desc()).limit(limit))
    return [read_event(row) for row in rows]


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


def read_event(row: Any) -> StoredEvent:
    """A row of `stored_event`."""
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
