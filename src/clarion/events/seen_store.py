"""Rows of the messageIds that were seen: what makes an event count once.

They outlive their events by days of their own, so that events can be removed. A row is a hash, a
time and a place: it tells nobody what the messageId was. It is also how an event is found by its
messageId, which no index of events knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import in_parts, insert_new, insert_unseen
from clarion.storage.dialect import among, has_one_writer
from clarion.storage.schema import events, seen_messages


def message_hashes(workspace_id: UUID, message_ids: Iterable[str]) -> list[bytes]:
    """What messageIds are known by, in their order: 16 bytes each, of a workspace's own."""
    empty = blake2b(digest_size=16, key=workspace_id.bytes)
    hashes = []
    for message_id in message_ids:
        state = empty.copy()
        state.update(message_id.encode())
        hashes.append(state.digest())
    return hashes


async def add_seen(
    connection: AsyncConnection, by_hash: Mapping[bytes, Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Note the messageIds of these rows of events by their hash. The rows have their `seq`, and
    were not seen when it was looked; returns those that nobody else has stored since."""
    seen = [
        {"hash": hashed, "received_at": row["received_at"], "seq": row["seq"]}
        for hashed, row in sorted(by_hash.items(), key=_first)  # so that two wait in a line
    ]
    if has_one_writer(connection):
        await insert_new(connection, seen_messages, seen)
        return list(by_hash.values())
    fresh = set(map(bytes, await insert_unseen(connection, seen_messages, seen, returning="hash")))
    return [row for hashed, row in by_hash.items() if hashed in fresh]


_first = itemgetter(0)


async def seqs_of(
    connection: AsyncConnection, workspace_id: UUID, message_ids: Iterable[str]
) -> list[int]:
    """Where the events of these messageIds are, as far as they are stored. Whoever reads them looks
    at the messageId again: of one that is gone another event may have the place."""
    seqs: list[int] = []
    for part in in_parts(message_hashes(workspace_id, message_ids)):
        rows = await connection.execute(
            select(seen_messages.c.seq).where(among(connection, seen_messages.c.hash, part))
        )
        seqs += rows.scalars()
    return seqs


async def forget_messages(
    connection: AsyncConnection, workspace_id: UUID, message_ids: Sequence[str]
) -> None:
    """Remove these: nothing is left that says they were ever sent."""
    for part in in_parts(message_hashes(workspace_id, message_ids)):
        await remove_seen(connection, part)


async def old_messages(
    connection: AsyncConnection, before: datetime, *, after: bytes, limit: int
) -> tuple[list[bytes], bytes | None]:
    """Of `limit` rows by their hash, those greater than `after`, the ones that were received before
    then and whose events are stored no more; and where to go on, None: that was all. No index knows
    the time: it would be larger than the rows, and all of them are looked through but once a day.
    """
    is_stored = exists().where(events.c.seq == seen_messages.c.seq)
    rows = await connection.execute(
        select(seen_messages.c.hash, seen_messages.c.received_at, is_stored.label("is_stored"))
        .where(seen_messages.c.hash > after)
        .order_by(seen_messages.c.hash)
        .limit(limit)
    )
    page = rows.all()
    old = [bytes(row.hash) for row in page if row.received_at < before and not row.is_stored]
    return old, bytes(page[-1].hash) if len(page) == limit else None


async def remove_seen(connection: AsyncConnection, hashes: Sequence[bytes]) -> int:
    """Returns how many there were."""
    removed = await connection.execute(
        delete(seen_messages).where(seen_messages.c.hash.in_(hashes))
    )
    return removed.rowcount
