"""Rows of events, found by their action and their time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.messages.action import action_of
from clarion.events.ownership_store import owned_by, stored_event
from clarion.events.store import StoredEvent, events_in
from clarion.storage.schema import events, ownership_periods

LATE_SECONDS = 3_600
"""An event waits no longer than this from its arrival until it is stored, unless many do."""
LOOKED_AT_MAX = 100_000
"""How many events one call searches: some tenths of a second."""
NEAR = 100
"""The first look is at this part of them: what is frequent is found there."""
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
class EventPage:
    """A page of events; `further`: where the next one begins, None: there is nothing more."""

    events: list[StoredEvent]
    further: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """When a customer's events of one action happened."""

    action: str
    first_at: datetime
    last_at: datetime


async def find_events(
    connection: AsyncConnection,
    source_id: UUID,
    wanted: Wanted,
    *,
    skip: int = 0,
    scrolled_to: int | None = None,
    limit: int,
    looked_at_max: int = LOOKED_AT_MAX,
) -> EventPage:
    """A source's events by their arrival, the last first unless asked otherwise; from the one after
    `scrolled_to` on, or else `skip` of them later.

    No index knows actions: one that is rare is searched for among `looked_at_max` events at a time,
    and whoever asks goes on from `further`. Who skips has them all looked at, since what was
    skipped could not be told. With `start`, no row is looked at that is older by more than
    LATE_SECONDS.
    """
    statement = stored_event().where(events.c.source_id == source_id)
    if wanted.include:
        statement = statement.where(_action().in_(list(wanted.include)))
    if wanted.exclude:
        statement = statement.where(_action().not_in(list(wanted.exclude)))
    if wanted.start is not None:
        statement = statement.where(events.c.at >= wanted.start)
    if wanted.end is not None:
        statement = statement.where(events.c.at <= wanted.end)
    order = events.c.seq if wanted.oldest_first else events.c.seq.desc()
    own = await _from_here(connection, source_id, wanted, scrolled_to)
    statement = statement.where(*own).order_by(order).offset(skip).limit(limit + 1)
    if skip or not (wanted.include or wanted.exclude or wanted.start or wanted.end):
        return _page(await events_in(connection, statement), limit, None)
    among = select(events.c.seq).where(events.c.source_id == source_id, *own).order_by(order)
    for count in (max(1, looked_at_max // NEAR), looked_at_max):
        last = await connection.scalar(among.offset(count - 1).limit(1))
        within = statement
        if last is not None:
            is_near = events.c.seq <= last if wanted.oldest_first else events.c.seq >= last
            within = statement.where(is_near)
        page = _page(await events_in(connection, within), limit, last)
        if last is None or len(page.events) == limit:
            break
    return page


async def list_events_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_ids: Sequence[UUID],
    *,
    before_seq: int | None,
    limit: int,
) -> list[StoredEvent]:
    """A page of these customers' events in the reverse order of their arrival."""
    statement = select(events, ownership_periods.c.customer_id).where(
        *owned_by(connection, workspace_id, customer_ids)
    )
    if before_seq is not None:
        statement = statement.where(events.c.seq < before_seq)
    return await events_in(connection, statement.order_by(events.c.seq.desc()).limit(limit))


async def actions_of(
    connection: AsyncConnection, workspace_id: UUID, customer_id: UUID
) -> list[Action]:
    """Every action of a customer, in the order of its first time."""
    first, last = func.min(events.c.at), func.max(events.c.at)
    rows = await connection.execute(
        select(events.c.type, events.c.name, first.label("first"), last.label("last"))
        .where(*owned_by(connection, workspace_id, [customer_id]))
        .group_by(events.c.type, events.c.name)
        .order_by(first)
        .limit(ACTIONS_MAX)
    )
    action_by_name: dict[str, Action] = {}
    for row in rows:
        action = action_of(row.type, row.name)
        known = action_by_name.get(action)
        action_by_name[action] = Action(
            action=action,
            first_at=row.first if known is None else min(known.first_at, row.first),
            last_at=row.last if known is None else max(known.last_at, row.last),
        )
    return list(action_by_name.values())


def _action() -> ColumnElement[str]:
    """An event's action in SQL."""
    named = func.lower(func.replace(func.replace(events.c.name, " ", "_"), "-", "_"))
    return case(
        (events.c.type != "track", events.c.type), (events.c.name.is_(None), "track"), else_=named
    )


def _page(events_read: list[StoredEvent], limit: int, last: int | None) -> EventPage:
    """A page, of events that were asked for with one more; `last`: where the search ended."""
    if len(events_read) > limit:
        return EventPage(events=events_read[:limit], further=events_read[limit - 1].seq)
    return EventPage(events=events_read, further=last)


async def _from_here(
    connection: AsyncConnection, source_id: UUID, wanted: Wanted, scrolled_to: int | None
) -> list[ColumnElement[bool]]:
    """Where a page begins, and nothing that came well before `start`."""
    bounds: list[ColumnElement[bool]] = []
    if scrolled_to is not None:
        is_after = events.c.seq > scrolled_to if wanted.oldest_first else events.c.seq < scrolled_to
        bounds.append(is_after)
    if wanted.start is not None:
        early = wanted.start - timedelta(seconds=LATE_SECONDS)
        bounds.append(events.c.seq > await last_before(connection, source_id, early))
    return bounds


async def last_before(connection: AsyncConnection, source_id: UUID, early: datetime) -> int:
    """An event that arrived before `early`, as late as may be; 0: there is none.

    Found by halving, since rows come in the order of their arrival, but for LATE_SECONDS.
    """
    own = events.c.source_id == source_id
    low, high = 0, await connection.scalar(select(func.max(events.c.seq)).where(own)) or 0
    while low < high:
        middle = (low + high + 1) // 2
        at_most = select(events.c.seq, events.c.received_at).where(own, events.c.seq <= middle)
        row = (await connection.execute(at_most.order_by(events.c.seq.desc()).limit(1))).first()
        if row is None or row.received_at < early:
            low = middle
        else:
            high = row.seq - 1
    return low
