"""Rows of the messageIds that were seen: what makes an event count once.

They have a lifetime of their own, so that events can be removed earlier or later. A row is a hash
and a time: it tells nobody what the messageId was.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import in_parts, insert_new, insert_unseen
from clarion.storage.dialect import has_one_writer
from clarion.storage.schema import seen_messages


def message_hash(workspace_id: UUID, message_id: str) -> bytes:
    """What a messageId is known by: 16 bytes, of a workspace's own."""
    return blake2b(message_id.encode(), digest_size=16, key=workspace_id.bytes).digest()


async def add_seen(
    connection: AsyncConnection, workspace_id: UUID, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Note the messageIds of these rows of events, which were not seen when it was looked; returns
    the rows that nobody else has stored since."""
    by_hash = {message_hash(workspace_id, row["message_id"]): row for row in rows}
    seen = [
        {"hash": hashed, "received_at": by_hash[hashed]["received_at"]}
        for hashed in sorted(by_hash)  # in one order: two transactions wait in a line
    ]
    if has_one_writer(connection):
        await insert_new(connection, seen_messages, seen)
        return rows
    fresh = set(map(bytes, await insert_unseen(connection, seen_messages, seen, returning="hash")))
    return rows if len(fresh) == len(rows) else [by_hash[one] for one in by_hash if one in fresh]


async def forget_messages(
    connection: AsyncConnection, workspace_id: UUID, message_ids: Sequence[str]
) -> None:
    """Remove these: nothing is left that says they were ever sent."""
    for part in in_parts(message_hash(workspace_id, one) for one in message_ids):
        await remove_seen(connection, part)


async def old_messages(
    connection: AsyncConnection, before: datetime, *, after: bytes, limit: int
) -> tuple[list[bytes], bytes | None]:
    """Of `limit` rows by their hash, those greater than `after`, the ones that were received before
    then; and where to go on, None: that was all. No index knows the time: it would be larger than
    the rows, and all of them are looked through but once a day."""
    rows = await connection.execute(
        select(seen_messages)
        .where(seen_messages.c.hash > after)
        .order_by(seen_messages.c.hash)
        .limit(limit)
    )
    page = rows.all()
    old = [bytes(row.hash) for row in page if row.received_at < before]
    return old, bytes(page[-1].hash) if len(page) == limit else None


async def remove_seen(connection: AsyncConnection, hashes: Sequence[bytes]) -> int:
    """Returns how many there were."""
    removed = await connection.execute(
        delete(seen_messages).where(seen_messages.c.hash.in_(hashes))
    )
    return removed.rowcount
