"""Rows of traces: what is kept of removed events, and read where a customer is made anew."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.ownership_store import is_in_period, owned_by
from clarion.events.seen_store import seqs_of
from clarion.events.trace import Trace
from clarion.storage.bulk import in_parts, insert_new, remove_each
from clarion.storage.dialect import among, unindexed
from clarion.storage.schema import event_traces, events, ownership_periods


async def traces_of(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> list[Trace]:
    """The traces of these keys."""
    traces: list[Trace] = []
    for part in in_parts(keys):
        rows = await connection.execute(
            select(event_traces, ownership_periods.c.start_at.label("owned_from")).where(
                event_traces.c.workspace_id == workspace_id,
                among(connection, event_traces.c.key, part),
                is_in_period(event_traces),
            )
        )
        traces += [
            Trace(**{name: getattr(row, name) for name in Trace.__struct_fields__}) for row in rows
        ]
    return traces


async def add_traces(
    connection: AsyncConnection, workspace_id: UUID, traces: Sequence[Trace]
) -> None:
    """Write these; one that is there stays."""
    await insert_new(
        connection,
        event_traces,
        [
            {"workspace_id": workspace_id, **{name: getattr(trace, name) for name in _KEPT}}
            for trace in traces
        ],
    )


async def remove_traces(
    connection: AsyncConnection, workspace_id: UUID, traces: Iterable[Trace]
) -> None:
    """Remove these."""
    await _remove(connection, workspace_id, ((trace.key, *trace.place) for trace in traces))


async def remove_some_traces_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID], limit: int
) -> int:
    """Remove up to `limit` traces of these customers; returns how many."""
    for whose in in_parts(customer_ids):
        rows = await connection.execute(
            select(event_traces.c.key, event_traces.c.at, event_traces.c.seq)
            .where(*owned_by(connection, workspace_id, whose, event_traces))
            .limit(limit)
        )
        if rows_read := rows.all():
            await _remove(connection, workspace_id, map(tuple, rows_read))
            return len(rows_read)
    return 0


async def stored_among(
    connection: AsyncConnection, workspace_id: UUID, message_ids: Iterable[str]
) -> set[str]:
    """Those of these messageIds whose events are stored still."""
    wanted = set(message_ids)
    stored: set[str] = set()
    for part in in_parts(await seqs_of(connection, workspace_id, wanted)):
        rows = await connection.execute(
            select(events.c.message_id).where(
                events.c.seq.in_(part), unindexed(events.c.workspace_id) == workspace_id
            )
        )
        stored |= wanted.intersection(rows.scalars())
    return stored


async def _remove(
    connection: AsyncConnection, workspace_id: UUID, places: Iterable[tuple[Any, ...]]
) -> None:
    await remove_each(
        connection,
        event_traces,
        [
            {"workspace_id": workspace_id, "key": key, "at": at, "seq": seq}
            for key, at, seq in places
        ],
    )


_KEPT = [name for name in Trace.__struct_fields__ if name != "owned_from"]
