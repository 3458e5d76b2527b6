"""What a source sends, read from the rows: the newest, and what is new since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.ingest_log.outcome import (
    END,
    Activity,
    Lane,
    Outcome,
    Position,
    Stage,
    lanes_of,
    merged,
)
from clarion.ingest_log.rejection import library_of
from clarion.storage.schema import events, refusals, repeats

SCANNED_MAX = 10_000
"""Events looked through for a name, a page: there may be a thousand others for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose activity, and what of it. `name`: of the event, in any case; None: of any."""

    workspace_id: UUID
    source_id: UUID
    outcomes: frozenset[Outcome] = frozenset(Outcome)
    name: str | None = None

    @property
    def lanes(self) -> list[Lane]:
        return lanes_of(self.outcomes)


class _Body(msgspec.Struct):
    context: Any = None


_body = msgspec.json.Decoder(_Body)
_TABLES = {Lane.EVENTS: events, Lane.REFUSALS: refusals, Lane.REPEATS: repeats}


async def newest(
    connection: AsyncConnection, wanted: Wanted, before: Position | None, limit: int
) -> tuple[list[Activity], Position | None]:
    """A page of what a source sent, newest first, and where the next one begins; None: nowhere.

    Where a name is asked for, a page may hold less than there is room for, and yet not be the last:
    it looks through `SCANNED_MAX` events.
    """
    begin = before or END
    rows: dict[Lane, list[Activity]] = {}
    floors: dict[Lane, int] = {}
    for lane in wanted.lanes:
        table = _TABLES[lane]
        older = and_(_of(lane, wanted), table.c.seq < begin.of(lane))
        if lane is Lane.EVENTS and wanted.name is not None:
            scanned = select(table.c.seq).where(older).order_by(table.c.seq.desc())
            floor = await connection.scalar(scanned.offset(SCANNED_MAX).limit(1))
            if floor is not None:
                floors[lane] = floor + 1
                older &= table.c.seq > floor
        statement = _statement(lane).where(older)
        if wanted.name is not None:
            statement = statement.where(_named(lane, wanted.name))
        found = await connection.execute(statement.order_by(table.c.seq.desc()).limit(limit + 1))
        rows[lane] = [_activity(lane, row) for row in found]
    page, position = merged(rows, begin, limit)
    if sum(len(many) for many in rows.values()) > limit:
        return page, position
    return page, begin.moved(dict.fromkeys(rows, 0) | floors) if floors else None


async def seqs_after(
    connection: AsyncConnection, wanted: Wanted, lane: Lane, seq: int, limit: int
) -> list[int]:
    """The numbers of the newest rows after `seq`, the last first."""
    table = _TABLES[lane]
    rows = await connection.execute(
        select(table.c.seq)
        .where(_of(lane, wanted), table.c.seq > seq)
        .order_by(table.c.seq.desc())
        .limit(limit)
    )
    return list(rows.scalars())


async def activities(
    connection: AsyncConnection, wanted: Wanted, lane: Lane, seqs: Sequence[int]
) -> list[Activity]:
    """Those rows, if they have the wanted name."""
    table = _TABLES[lane]
    statement = _statement(lane).where(_of(lane, wanted), table.c.seq.in_(seqs))
    if wanted.name is not None:
        statement = statement.where(_named(lane, wanted.name))
    rows = await connection.execute(statement.order_by(table.c.seq))
    return [_activity(lane, row) for row in rows]


def _statement(lane: Lane) -> Select[Any]:
    match lane:
        case Lane.EVENTS:
            return select(events)
        case Lane.REFUSALS:
            return select(refusals)
        case Lane.REPEATS:
            same = and_(
                events.c.workspace_id == repeats.c.workspace_id,
                events.c.message_id == repeats.c.message_id,
            )
            return select(
                repeats.c.seq,
                repeats.c.message_id,
                repeats.c.received_at,
                *(events.c[name] for name in _FROM_EVENT),
            ).select_from(repeats.outerjoin(events, same))


_FROM_EVENT = ("type", "name", "user_id", "anonymous_id", "device_id", "at", "body")


def _of(lane: Lane, wanted: Wanted) -> ColumnElement[bool]:
    of_source = _TABLES[lane].c.source_id == wanted.source_id
    if lane is Lane.REFUSALS:
        of_source &= refusals.c.workspace_id == wanted.workspace_id
        stages = [
            stage.value
            for stage in Stage
            if (Outcome.WARNING if stage.is_warning else Outcome.REFUSED) in wanted.outcomes
        ]
        of_source &= refusals.c.stage.in_(stages) if stages else false()
    return of_source


def _named(lane: Lane, name: str) -> ColumnElement[bool]:
    column = (refusals if lane is Lane.REFUSALS else events).c.name
    return or_(column == name, func.lower(column) == name.lower())


def _activity(lane: Lane, row: Any) -> Activity:
    if lane is Lane.REFUSALS:
        stage = Stage(row.stage)
        return Activity(
            lane=lane,
            seq=row.seq,
            outcome=Outcome.WARNING if stage.is_warning else Outcome.REFUSED,
            message_id=row.message_id,
            type=row.type,
            name=row.name,
            user_id=row.user_id,
            anonymous_id=row.anonymous_id,
            device_id=None,
            library=row.library,
            library_version=row.library_version,
            at=None,
            received_at=row.received_at,
            stage=stage,
            code=row.code,
            message=row.message,
            excerpt=row.excerpt or None,
        )
    context = None if row.body is None else _body.decode(row.body).context
    library, version = library_of(context)
    return Activity(
        lane=lane,
        seq=row.seq,
        outcome=Outcome.ACCEPTED if lane is Lane.EVENTS else Outcome.DUPLICATE,
        message_id=row.message_id,
        type=row.type,
        name=row.name,
        user_id=row.user_id,
        anonymous_id=row.anonymous_id,
        device_id=row.device_id,
        library=library,
        library_version=version,
        at=row.at,
        received_at=row.received_at,
    )
