"""Rows of events, found by their action and their time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.action import action_of
from clarion.events.store import StoredEvent, read_event
from clarion.storage.schema import events

LATE_SECONDS = 3_600
"""An event waits no longer than this from its arrival until it is stored, unless many do."""
ACTIONS_MAX = 1_000
"""Of one customer, that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events of a source. Empty `include`: all but those in `exclude`."""

    include: Collection[str] = ()
    exclude: Collection[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """When a customer's events of one action happened."""

    action: str
    first_at: datetime
    last_at: datetime


async def find_events(
    connection: AsyncConnection, source_id: UUID, wanted: Wanted, *, skip: int, limit: int
) -> list[StoredEvent]:
    """A source's events by their arrival, the last first unless asked otherwise.

    With `start`, no row is looked at that is older by more than LATE_SECONDS, so that who asks for
    the last minutes does not have the whole table read.
    """
    statement = select(events).where(events.c.source_id == source_id)
    if wanted.include:
        statement = statement.where(_action().in_(list(wanted.include)))
    if wanted.exclude:
        statement = statement.where(_action().not_in(list(wanted.exclude)))
    if wanted.start is not None:
        statement = statement.where(
            events.c.at >= wanted.start,
            events.c.seq > func.coalesce(_before(source_id, wanted.start), 0),
        )
    if wanted.end is not None:
        statement = statement.where(events.c.at <= wanted.end)
    order = events.c.seq if wanted.oldest_first else events.c.seq.desc()
    rows = await connection.execute(statement.order_by(order).offset(skip).limit(limit))
    return [read_event(row) for row in rows]


async def list_events_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_ids: Sequence[UUID],
    *,
    before_seq: int | None,
    limit: int,
) -> list[StoredEvent]:
    """A page of these customers' events in the reverse order of their arrival."""
    statement = select(events).where(
        events.c.workspace_id == workspace_id, events.c.customer_id.in_(list(customer_ids))
    )
    if before_seq is not None:
        statement = statement.where(events.c.seq < before_seq)
    rows = await connection.execute(statement.order_by(events.c.seq.desc()).limit(limit))
    return [read_event(row) for row in rows]


async def actions_of(
    connection: AsyncConnection, workspace_id: UUID, customer_id: UUID
) -> list[Action]:
    """Every action of a customer, in the order of its first time."""
    first, last = func.min(events.c.at), func.max(events.c.at)
    rows = await connection.execute(
        select(events.c.type, events.c.name, first.label("first"), last.label("last"))
        .where(events.c.workspace_id == workspace_id, events.c.customer_id == customer_id)
        .group_by(events.c.type, events.c.name)
        .order_by(first)
        .limit(ACTIONS_MAX)
    )
    found: dict[str, Action] = {}
    for row in rows:
        action = action_of(row.type, row.name)
        known = found.get(action)
        found[action] = Action(
            action=action,
            first_at=row.first if known is None else min(known.first_at, row.first),
            last_at=row.last if known is None else max(known.last_at, row.last),
        )
    return list(found.values())


def _action() -> ColumnElement[str]:
    """An event's action in SQL."""
    named = func.lower(func.replace(func.replace(events.c.name, " ", "_"), "-", "_"))
    return case(
        (events.c.type != "track", events.c.type), (events.c.name.is_(None), "track"), else_=named
    )


def _before(source_id: UUID, start: datetime) -> Any:
    """The last event of a source that had arrived well before `start`."""
    early = start - timedelta(seconds=LATE_SECONDS)
    found: Select[tuple[int]] = (
        select(events.c.seq)
        .where(events.c.source_id == source_id, events.c.received_at < early)
        .order_by(events.c.seq.desc())
        .limit(1)
    )
    return found.scalar_subquery()
