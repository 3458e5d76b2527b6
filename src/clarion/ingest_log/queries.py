"""What is shown of what a source sent: the newest, what is new since, and what was counted.

Accepted events are read from `events`, everything else from `ingest_log`; so it is the same
whichever process took them in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Table, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.ingest_log.outcome import Entry, Outcome, Position
from clarion.ingest_log.rejection import library_of
from clarion.storage.schema import events, ingest_log, source_counts

SCANNED_MAX = 10_000
"""Events looked through for a name, a page: there may be a thousand others for each."""
SEQ_MAX = 2**63 - 1
END = Position(SEQ_MAX, SEQ_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose activity, and what of it. `name`: of the event, in any case; None: of any."""

    source_id: UUID
    outcomes: frozenset[Outcome] = frozenset(Outcome)
    name: str | None = None

    @property
    def tables(self) -> list[Table]:
        """Which hold any of it."""
        wants_events = Outcome.ACCEPTED in self.outcomes
        wants_log = bool(self.outcomes - {Outcome.ACCEPTED})
        return [events] * wants_events + [ingest_log] * wants_log


class _Body(msgspec.Struct):
    context: Any = None


_body = msgspec.json.Decoder(_Body)


async def newest(
    connection: AsyncConnection, wanted: Wanted, before: Position | None, limit: int
) -> tuple[list[Entry], Position | None]:
    """A page of what a source sent, newest first, and where the next one begins; None: nowhere.
    Between the two tables the time of arrival decides; within one its own order.

    Where a name is asked for, a page may hold less than there is room for, and yet not be the last:
    it looks through `SCANNED_MAX` events.
    """
    begin = before or END
    rows: list[list[Entry]] = []
    is_whole = True
    end = begin
    for table in wanted.tables:
        older = _of(table, wanted) & (table.c.seq < getattr(begin, place_of(table)))
        if table is events and wanted.name is not None:
            scanned = select(table.c.seq).where(older).order_by(table.c.seq.desc())
            floor = await connection.scalar(scanned.offset(SCANNED_MAX).limit(1))
            if floor is not None:
                is_whole = False
                older &= table.c.seq > floor
                end = end._replace(events=floor + 1)
        statement = select(table).where(older, _named(table, wanted.name))
        selected = await connection.execute(statement.order_by(table.c.seq.desc()).limit(limit + 1))
        rows.append([_entry(table, row) for row in selected])
    page = list(islice(merge(*rows, key=lambda entry: entry.received_at, reverse=True), limit))
    if sum(map(len, rows)) > limit:
        position = begin
        for entry in page:
            position = position._replace(**{entry.place: entry.seq})
        return page, position
    return page, None if is_whole else end._replace(log=0)


async def seqs_after(
    connection: AsyncConnection, wanted: Wanted, table: Table, seq: int, limit: int
) -> list[int]:
    """The numbers of the newest rows after `seq`, the last first."""
    rows = await connection.execute(
        select(table.c.seq)
        .where(_of(table, wanted), table.c.seq > seq)
        .order_by(table.c.seq.desc())
        .limit(limit)
    )
    return list(rows.scalars())


async def entries(
    connection: AsyncConnection, wanted: Wanted, table: Table, seqs: Sequence[int]
) -> list[Entry]:
    """Those rows, if they have the wanted name."""
    rows = await connection.execute(
        select(table)
        .where(_of(table, wanted), table.c.seq.in_(seqs), _named(table, wanted.name))
        .order_by(table.c.seq)
    )
    return [_entry(table, row) for row in rows]


async def count_refused(connection: AsyncConnection, workspace_id: UUID) -> int:
    """How many refusals and warnings of a workspace there are."""
    refused = ingest_log.c.workspace_id == workspace_id, ingest_log.c.stage.is_not(None)
    return await connection.scalar(select(func.count()).where(*refused)) or 0


def place_of(table: Table) -> str:
    """Of `Position`."""
    return "events" if table is events else "log"


def _of(table: Table, wanted: Wanted) -> ColumnElement[bool]:
    of_source = table.c.source_id == wanted.source_id
    if table is ingest_log and wanted.outcomes != frozenset(Outcome):
        of_source &= table.c.outcome.in_(sorted(wanted.outcomes))
    return of_source


def _named(table: Table, name: str | None) -> ColumnElement[bool]:
    if name is None:
        return true()
    return or_(table.c.name == name, func.lower(table.c.name) == name.lower())


def _entry(table: Table, row: Any) -> Entry:
    if table is ingest_log:
        return msgspec.convert(
            {name: row._mapping[name] for name in Entry.__struct_fields__}, Entry
        )
    library, version = library_of(_body.decode(row.body).context)
    return Entry(
        seq=row.seq,
        workspace_id=row.workspace_id,
        source_id=row.source_id,
        received_at=row.received_at,
        outcome=Outcome.ACCEPTED,
        message_id=row.message_id,
        type=row.type,
        name=row.name,
        user_id=row.user_id,
        anonymous_id=row.anonymous_id,
        device_id=row.device_id,
        library=library,
        library_version=version,
        at=row.at,
    )


# --- counts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many of one kind; label and name say of what; the last of them came in `hour`."""

    kind: str
    label: str
    name: str
    count: int
    hour: datetime


async def totals(connection: AsyncConnection, source_id: UUID, since: datetime) -> list[Counted]:
    """What was counted of a source since then, the most frequent first."""
    count = func.sum(source_counts.c.count).label("count")
    names = (source_counts.c.kind, source_counts.c.label, source_counts.c.name)
    rows = await connection.execute(
        select(*names, count, func.max(source_counts.c.hour))
        .where(source_counts.c.source_id == source_id, source_counts.c.hour >= since)
        .group_by(*names)
        .order_by(count.desc(), *names)
    )
    return [
        Counted(kind=kind, label=label, name=name, count=int(count), hour=hour)
        for kind, label, name, count, hour in rows
    ]


async def hours(
    connection: AsyncConnection, source_id: UUID, since: datetime
) -> Mapping[tuple[datetime, str], int]:
    """How many of each kind came in each hour."""
    rows = await connection.execute(
        select(source_counts.c.hour, source_counts.c.kind, func.sum(source_counts.c.count))
        .where(source_counts.c.source_id == source_id, source_counts.c.hour >= since)
        .group_by(source_counts.c.hour, source_counts.c.kind)
    )
    return {(hour, kind): int(count) for hour, kind, count in rows}
