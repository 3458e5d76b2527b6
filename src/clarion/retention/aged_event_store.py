"""Events that are old enough to go, and what is kept of them: traces (`events/trace.py`).

They are found source by source, by the index that knows the order of their arrival. A receipt that
waits to be attributed is left until it is; so is the newest event of all, since SQLite numbers the
next one from it. MessageIds that were seen have a lifetime of their own, and stay.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.erasure_store import messages_told
from clarion.customers.identity.person import ids_of_body
from clarion.customers.identity.store import read_flags
from clarion.events.action_store import last_before
from clarion.events.messages.message import read_identify
from clarion.events.ownership_store import period_start
from clarion.events.trace import Trace, fold
from clarion.events.trace_store import add_traces, remove_traces, traces_of
from clarion.sources.store import list_sources
from clarion.storage.bulk import in_parts
from clarion.storage.schema import conversions_due, events, receipts_due

ROWS_MAX = 200
"""Removed at once, whoever asks for more: each has its place in the index by key, and its trace
another one, so that as many pages are written twice over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldEvents:
    """Some of a source's events, and which traces come and go with them."""

    workspace_id: UUID
    seqs: Sequence[int]
    added: Sequence[Trace]
    removed: Sequence[Trace]


class AgedEvents:
    """Those that came before a time."""

    async def count(self, connection: AsyncConnection, workspace_id: UUID, before: datetime) -> int:
        """See Aged: by halving, as rows come in the order of their arrival. Receipts that wait are
        counted, too."""
        total = 0
        for source in await list_sources(connection, workspace_id):
            last = await last_before(connection, source.id, before)
            old = select(func.count()).where(events.c.source_id == source.id, events.c.seq <= last)
            total += int((await connection.execute(old)).scalar_one())
        return total

    async def find(
        self, connection: AsyncConnection, workspace_id: UUID, before: datetime, limit: int
    ) -> OldEvents | None:
        """See Aged. What is read of them here does not change any more, but that an erasure may
        remove some of them first."""
        newest = (await connection.execute(select(func.max(events.c.seq)))).scalar_one()
        for source in await list_sources(connection, workspace_id):
            oldest = _EVENTS.where(events.c.source_id == source.id)
            rows = await connection.execute(
                oldest.order_by(events.c.seq).limit(min(limit, ROWS_MAX))
            )
            old = [
                row
                for row in rows
                if row.received_at < before and not row.is_due and row.seq != newest
            ]
            if old:
                return await _with_traces(connection, workspace_id, old)
        return None

    async def remove(
        self, connection: AsyncConnection, old_events: OldEvents, now: datetime
    ) -> int:
        """See Aged. Where an erasure has removed some of them meanwhile, nothing: they are found
        anew, so that no trace is written of the others."""
        locked = 0
        for part in in_parts(old_events.seqs):
            rows = await connection.execute(
                select(events.c.seq)
                .where(events.c.seq.in_(part))
                .order_by(events.c.seq)
                .with_for_update()
            )
            locked += len(rows.all())
        if locked < len(old_events.seqs):
            return 0
        await add_traces(connection, old_events.workspace_id, old_events.added)
        await remove_traces(connection, old_events.workspace_id, old_events.removed)
        for part in in_parts(old_events.seqs):
            await connection.execute(delete(events).where(events.c.seq.in_(part)))
        return locked

    def removed(self, old_events: OldEvents) -> None:
        """See Aged: nothing is remembered of it."""


_EVENTS = select(
    *(
        events.c[name]
        for name in (
            "seq", "message_id", "type", "key", "user_id", "anonymous_id", "device_id", "source_id",
            "at", "clock_at", "order_at", "received_at", "body",
        )
    ),
    period_start().label("owned_from"),
    or_(
        exists().where(receipts_due.c.seq == events.c.seq),
        exists().where(conversions_due.c.seq == events.c.seq),
    ).label("is_due"),
)  # fmt: skip


async def _with_traces(
    connection: AsyncConnection, workspace_id: UUID, rows: Sequence[Any]
) -> OldEvents:
    message_ids = await messages_told(
        connection, workspace_id, set[str]().union(*map(_ids_in, rows))
    )
    fresh = [_trace_of(row, message_ids) for row in rows if row.owned_from is not None]
    keys = {trace.key for trace in fresh}
    kept = await traces_of(connection, workspace_id, keys)
    flags = await read_flags(
        connection, workspace_id, {trace.key for trace in fresh if trace.is_user}
    )
    added: list[Trace] = []
    removed: list[Trace] = []
    before = _by_key(kept)
    for (key, is_user), traces in _by_key(fresh).items():
        known = before.get((key, is_user), [])
        is_for_good = is_user and key in flags and flags[key].is_guarded and flags[key].is_real
        after = {trace.place: trace for trace in fold([*known, *traces], is_for_good=is_for_good)}
        had = {trace.place for trace in known}
        added += [trace for place, trace in after.items() if place not in had]
        removed += [trace for trace in known if trace.place not in after]
    return OldEvents(
        workspace_id=workspace_id, seqs=[row.seq for row in rows], added=added, removed=removed
    )


def _by_key(traces: Iterable[Trace]) -> dict[tuple[str, bool], list[Trace]]:
    traces_by_key: dict[tuple[str, bool], list[Trace]] = defaultdict(list)
    for trace in traces:
        traces_by_key[trace.key, trace.is_user].append(trace)
    return traces_by_key


def _ids_in(row: Any) -> set[str]:
    named = {id_ for id_ in (row.key, row.anonymous_id, row.device_id) if id_ is not None}
    return named | ids_of_body(row.body)


def _trace_of(row: Any, message_ids: set[str]) -> Trace:
    return Trace(
        key=row.key,
        is_user=row.user_id is not None,
        seq=row.seq,
        source_id=row.source_id,
        at=row.at,
        clock_at=row.clock_at,
        order_at=row.order_at,
        received_at=row.received_at,
        is_active=row.type != "identify" or read_identify(row.body).is_active,
        message_id=row.message_id if row.message_id in message_ids else None,
        owned_from=row.owned_from,
    )
