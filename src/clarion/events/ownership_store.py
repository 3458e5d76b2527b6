"""Which customer each stored event belongs to. No event is changed by it: what changes is told by
periods of keys, written by identity alone.

    event.key ─→ ownership_periods (key, start ≤ placed < end) ─→ customer

An event's key is its user id, or where it has none the device or browser that it came from. A real
user id is its customer's for all time, in one period; any other key is whoever's it was when the
event happened by its installation's own clock. Where that clock is known to be ahead, `clock_leads`
says by how much, and the event stands earlier by that (`customers/identity/claims/claim.py` says
the same of claims).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Delete,
    ScalarSelect,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.events.messages.timestamps import AHEAD_MIN, DELAY_MAX
from clarion.storage.bulk import in_parts, upsert
from clarion.storage.dialect import Id, Instant, among, moved, prepared, several, unindexed
from clarion.storage.schema import clock_leads, events, ownership_periods

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class Period(Struct, frozen=True, gc=False):
    """Events of a key with start ≤ placed < end (None: open) are the customer's."""

    start: datetime | None
    end: datetime | None
    customer_id: UUID


Decider = tuple[str, bool]
"""A key, and whether it decides as the user id of events, or of events without."""


class Ownership(Struct, frozen=True, kw_only=True):
    """Whose a key was, for all of time. `is_real`: it is a person's user id. `leads`: source → by
    how many µs its clock was ahead at most."""

    periods: Sequence[Period]
    is_real: bool
    leads: Mapping[UUID, int]


async def write_ownership(
    connection: AsyncConnection,
    workspace_id: UUID,
    ownership: Mapping[Decider, Ownership],
    *,
    outdated: Iterable[Decider] = (),
    led: Iterable[str] = (),
) -> None:
    """Write whose these are, over periods that begin when the new ones do. `outdated`: those of
    them that have other periods, which are removed. `led`: keys whose leads are removed: what is
    ahead counts for a key however it decides, but for a person's user id."""
    outdated = list(outdated)
    for as_user in (True, False):
        keys = [key for key, is_user in outdated if is_user is as_user]
        for part in in_parts(keys):
            values = {"workspace": workspace_id, "keys": part, "as_user": as_user}
            await connection.execute(_forget_periods(connection), values)
    for part in in_parts(led):
        values = {"workspace": workspace_id, "keys": part}
        await connection.execute(_forget_leads(connection), values)
    await upsert(
        connection,
        ownership_periods,
        [
            {
                "workspace_id": workspace_id,
                "key": key,
                "start_at": period.start or _FIRST,
                "end_at": period.end or _LAST,
                "customer_id": period.customer_id,
                "is_user": is_user,
                "is_real": periods.is_real,
            }
            for (key, is_user), periods in sorted(ownership.items(), key=_decider)
            for period in periods.periods
        ],
        key=("workspace_id", "key", "is_user", "start_at"),
    )
    ahead = {
        (key, source_id): lead
        for (key, _), periods in ownership.items()
        for source_id, lead in periods.leads.items()
    }
    await upsert(
        connection,
        clock_leads,
        [
            {"workspace_id": workspace_id, "key": key, "source_id": source_id, "lead": lead}
            for (key, source_id), lead in sorted(ahead.items())
        ],
        key=("workspace_id", "key", "source_id"),
    )


def _decider(item: tuple[Decider, Ownership]) -> Decider:
    return item[0]


async def sources_with_leads(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> set[UUID]:
    """The sources of which a lead is written for any of these keys."""
    rows = await connection.execute(
        select(clock_leads.c.source_id).where(
            clock_leads.c.workspace_id == workspace_id,
            among(connection, clock_leads.c.key, list(keys)),
        )
    )
    return set(rows.scalars())


async def forget_ownership(
    connection: AsyncConnection, workspace_id: UUID, keys: Iterable[str]
) -> None:
    """Remove what says whose these keys are."""
    for part in in_parts(keys):
        for table in (ownership_periods, clock_leads):
            of_keys = (table.c.workspace_id == workspace_id, among(connection, table.c.key, part))
            await connection.execute(delete(table).where(*of_keys))


@prepared
def _forget_periods(connection: AsyncConnection) -> Delete:
    as_user = bindparam("as_user", type_=Boolean)
    of_keys = _of_keys(connection, ownership_periods)
    return delete(ownership_periods).where(*of_keys, ownership_periods.c.is_user == as_user)


@prepared
def _forget_leads(connection: AsyncConnection) -> Delete:
    return delete(clock_leads).where(*_of_keys(connection, clock_leads))


def _of_keys(connection: AsyncConnection, table: Table) -> tuple[ColumnElement[bool], ...]:
    """Rows of the `keys`, which come as a parameter, as the `workspace` does."""
    keys = several(connection, "keys", table.c.key)
    workspace = bindparam("workspace", type_=Id)
    return table.c.workspace_id == workspace, among(connection, table.c.key, keys)


def placed_at(rows: Table = events) -> ColumnElement[datetime]:
    """Where a row of `events`, or of another table with its times, stands on the timeline of its
    key: `Timeline.placed`."""
    clock_at, received_at, lead = rows.c.clock_at, rows.c.received_at, clock_leads.c.lead
    moved_back = (
        select(
            case(
                (
                    or_(lead <= DELAY_MAX, clock_at >= moved(received_at, lead - DELAY_MAX)),
                    moved(clock_at, -lead),
                ),
                (clock_at > moved(received_at, AHEAD_MIN), received_at),
                else_=clock_at,
            )
        )
        .where(
            clock_leads.c.workspace_id == rows.c.workspace_id,
            clock_leads.c.key == rows.c.key,
            clock_leads.c.source_id == rows.c.source_id,
        )
        .correlate(rows)
        .scalar_subquery()
    )
    by_server = func.coalesce(rows.c.order_at, rows.c.at, type_=Instant())
    by_clock = func.coalesce(moved_back, clock_at, type_=Instant())
    return case((clock_at.is_(None), by_server), else_=by_clock)


def is_in_period(rows: Table = events) -> ColumnElement[bool]:
    """Joins a row of `events`, or of another table with its times, and the one period that says
    whose it is."""
    period, placed = ownership_periods.c, placed_at(rows)
    is_user = rows.c.user_id.is_not(None) if rows is events else rows.c.is_user
    return and_(
        period.workspace_id == rows.c.workspace_id,
        period.key == rows.c.key,
        period.is_user == is_user,
        period.start_at <= placed,
        period.end_at > placed,
    )


def customer_of() -> ScalarSelect[UUID]:
    """The customer of a row of `events`; NULL: it names nobody."""
    return (
        select(ownership_periods.c.customer_id)
        .where(is_in_period())
        .correlate(events)
        .scalar_subquery()
    )


def period_start() -> ScalarSelect[datetime]:
    """When the period begins in which a row of `events` is; NULL: it names nobody."""
    return (
        select(ownership_periods.c.start_at)
        .where(is_in_period())
        .correlate(events)
        .scalar_subquery()
    )


def owned_by(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_ids: Iterable[UUID],
    rows: Table = events,
) -> tuple[ColumnElement[bool], ...]:
    """Conditions on `events`, or another such table, joined with `ownership_periods`: the rows of
    these customers, found by the index of periods and then by key."""
    return (*periods_of(connection, workspace_id, customer_ids), is_in_period(rows))


def owned_by_each(customer_id: ColumnElement[UUID]) -> tuple[ColumnElement[bool], ...]:
    """Conditions on `events` joined with `ownership_periods`: the rows of the customer of each row
    of a statement over many. Where an event stands is only asked for keys that had several owners:
    nearly all have one for all of time."""
    is_theirs = or_(_of_whole_key(), _of_part_of_key())
    return (ownership_periods.c.customer_id == customer_id, *_of_one_key(), is_theirs)


def customers_with(*conditions: ColumnElement[bool]) -> CompoundSelect[UUID]:
    """Selects the customers with an event of which all conditions hold, each once. A part of it is
    what keys tell that have one owner for all of time: it asks for no event where it stands."""
    is_whole, is_part = _of_whole_key(), _of_part_of_key()
    return union(
        *(
            select(ownership_periods.c.customer_id).where(*_of_one_key(), *theirs, *conditions)
            for theirs in ([is_whole], [not_(is_whole), is_part])
        )
    )


def _of_one_key() -> tuple[ColumnElement[bool], ...]:
    """Joins events and the periods of their key."""
    period = ownership_periods.c
    return (
        events.c.workspace_id == period.workspace_id,
        events.c.key == period.key,
        period.is_user == events.c.user_id.is_not(None),
    )


def _of_whole_key() -> ColumnElement[bool]:
    """The period is all of time."""
    period = ownership_periods.c
    return and_(period.start_at == _FIRST, period.end_at == _LAST)


def _of_part_of_key() -> ColumnElement[bool]:
    """The event stands in the period."""
    period, placed = ownership_periods.c, placed_at()
    return and_(period.start_at <= placed, period.end_at > placed)


def periods_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> tuple[ColumnElement[bool], ...]:
    """Conditions on `ownership_periods`: those of these customers. Were the workspace a condition
    that an index can serve, SQLite would begin with all rows of the workspace."""
    return (
        unindexed(ownership_periods.c.workspace_id) == workspace_id,
        among(connection, ownership_periods.c.customer_id, list(customer_ids)),
    )


async def keys_of(connection: AsyncConnection, workspace_id: UUID, customer_id: UUID) -> list[str]:
    """The keys that are, or were for some time, this customer's."""
    rows = await connection.execute(
        select(ownership_periods.c.key).where(*periods_of(connection, workspace_id, [customer_id]))
    )
    return sorted(set(rows.scalars()))


def of_key(workspace_id: UUID, key: str, customer_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Conditions on `events`: those of a key, as far as it is this customer's. They are read in the
    order of the index, which is that of time, so that a page sorts nothing."""
    theirs = exists().where(ownership_periods.c.customer_id == customer_id, is_in_period())
    return (
        events.c.workspace_id == workspace_id,
        events.c.key == key,
        theirs.correlate(events),
    )


def stored_event(*more: Any) -> Select[Any]:
    """Selects the columns that `events.store.events_in` reads."""
    return select(events, customer_of().label("customer_id"), *more)
