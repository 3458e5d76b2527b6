"""A customer's life in one list, the newest first: what they did, what became of their devices,
and what was pushed to them.

Three tables are read, each by the index it has, and merged. A push stands at the time of its
launch. The deliveries of launches that have ended are found in an index by customer; those of the
few others are looked up by key for the customer's devices, launch by launch, until the page is
full.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, and_, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.store import Change, changes_in
from clarion.customers.identity.identifier import device_row_id
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.planning.chunk_store import find_planned
from clarion.events.ownership_store import keys_of, of_key, stored_event
from clarion.events.store import StoredEvent, events_in
from clarion.storage.schema import (
    campaigns,
    customer_deliveries,
    deliveries,
    device_history,
    devices,
    events,
    launches,
)

LAUNCHES_AT_ONCE = 200

_PUSH, _CHANGE, _EVENT = 0, 1, 2
"""At one instant what caused something stands above (after) what it caused."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where something stands in the list: greater is newer. `key` is the row's own."""

    at: datetime
    rank: int
    key: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A push that was planned for a customer, and what became of it. `campaign_id` and `campaign`
    None: it had content of its own."""

    at: datetime
    campaign_id: UUID | None
    campaign: str | None
    launch_id: UUID
    device_row_id: UUID
    device_id: str | None
    state: DeliveryState
    reason: str | None
    settled_at: datetime | None
    received_at: datetime | None
    opened_at: datetime | None


Entry = StoredEvent | Change | Push


def position(entry: Entry) -> Position:
    """The position of `entry` in the list; what comes after it has a smaller one."""
    match entry:
        case StoredEvent():
            return Position(entry.at, _EVENT, (entry.seq, 0))
        case Change():
            return Position(entry.at, _CHANGE, (entry.seq, 0))
        case Push():
            return Position(entry.at, _PUSH, (entry.launch_id.int, entry.device_row_id.int))


async def timeline(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    *,
    before: Position | None = None,
    limit: int,
) -> list[Entry]:
    """A page of the customer's timeline, the newest first: the entries after `before`."""
    entries: list[Entry] = []
    entries += await events_of(connection, workspace_id, customer_id, before, limit)
    entries += await _changes(connection, workspace_id, customer_id, before, limit)
    entries += await pushes_of(connection, workspace_id, customer_id, before, limit)
    return sorted(entries, key=position, reverse=True)[:limit]


async def events_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    before: Position | None,
    limit: int,
) -> list[StoredEvent]:
    """A page of what a customer did, the newest first: read in the order of the index of each of
    their keys, so that no page is slower than the first."""
    events_read: list[StoredEvent] = []
    for key in await keys_of(connection, workspace_id, customer_id):
        events_read += await events_in(
            connection,
            stored_event()
            .where(
                *of_key(workspace_id, key, customer_id),
                _below(before, _EVENT, events.c.at, events.c.seq),
            )
            .order_by(events.c.at.desc(), events.c.seq.desc())
            .limit(limit),
        )
    return sorted(events_read, key=position, reverse=True)[:limit]


async def _changes(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    before: Position | None,
    limit: int,
) -> list[Change]:
    lines = device_history.c
    return await changes_in(
        connection,
        select(device_history)
        .where(
            lines.workspace_id == workspace_id,
            or_(lines.customer_id == customer_id, lines.previous_customer_id == customer_id),
            _below(before, _CHANGE, lines.at, lines.seq),
        )
        .order_by(lines.at.desc(), lines.seq.desc())
        .limit(limit),
    )


async def pushes_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    before: Position | None,
    limit: int,
) -> list[Push]:
    """A page of what was pushed to a customer, the newest first."""
    # First what is not in the index yet: what is indexed in between is found by both.
    not_indexed = await _not_indexed(connection, workspace_id, customer_id, before, limit)
    rows = await connection.execute(
        _pushes()
        .join(
            customer_deliveries,
            and_(
                customer_deliveries.c.launch_id == deliveries.c.launch_id,
                customer_deliveries.c.device_id == deliveries.c.device_id,
            ),
        )
        .where(
            customer_deliveries.c.customer_id == customer_id,
            launches.c.workspace_id == workspace_id,
            _pushes_below(before),
        )
        .order_by(
            launches.c.started_at.desc(),
            customer_deliveries.c.launch_id.desc(),
            customer_deliveries.c.device_id.desc(),
        )
        .limit(limit)
    )
    pushes = {position(push): push for push in (*not_indexed, *map(_push, rows))}
    return [pushes[place] for place in sorted(pushes, reverse=True)[:limit]]


async def _not_indexed(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    before: Position | None,
    limit: int,
) -> list[Push]:
    """The pushes of launches that are not in the index by customer yet."""
    device_ids: list[UUID] | None = None
    pushes_found: list[Push] = []
    top: tuple[datetime, UUID] | None = None
    while len(pushes_found) < limit:
        launched = await _launches(connection, workspace_id, before, top)
        if not launched:
            break
        if device_ids is None:
            device_ids = await device_rows_of(connection, workspace_id, [customer_id])
        if not device_ids:
            break
        top = (launched[-1].started_at, launched[-1].id)
        # Before the rows: what is settled in between is among them.
        pushes = await _planned(connection, launched, device_ids, customer_id)
        rows = await connection.execute(
            _pushes().where(
                deliveries.c.launch_id.in_([launch.id for launch in launched]),
                deliveries.c.device_id.in_(device_ids),
                deliveries.c.customer_id == customer_id,
            )
        )
        pushes |= {(row.launch_id, row.device_id): _push(row) for row in rows}
        pushes_found += [
            push for push in pushes.values() if before is None or position(push) < before
        ]
    return pushes_found


def _pushes() -> Select[Any]:
    """Deliveries, with the columns that a timeline shows of them."""
    return (
        select(
            deliveries,
            launches.c.started_at,
            campaigns.c.id.label("campaign_id"),
            campaigns.c.name,
            devices.c.device_id.label("public_id"),
        )
        .join_from(deliveries, launches, launches.c.id == deliveries.c.launch_id)
        .outerjoin(campaigns, campaigns.c.id == launches.c.campaign_id)
        .outerjoin(devices, devices.c.id == deliveries.c.device_id)
    )


def _pushes_below(before: Position | None) -> ColumnElement[bool]:
    at = launches.c.started_at
    if before is None:
        return true()
    if before.rank != _PUSH:
        return at <= before.at
    launch_id, device_id = (UUID(int=key) for key in before.key)
    is_below = tuple_(deliveries.c.launch_id, deliveries.c.device_id) < (launch_id, device_id)
    return or_(at < before.at, and_(at == before.at, is_below))


async def _planned(
    connection: AsyncConnection,
    launched: Sequence[Any],
    device_ids: Sequence[UUID],
    customer_id: UUID,
) -> dict[tuple[UUID, UUID], Push]:
    """Of these launches what is planned for a customer and not settled, by launch and device."""
    of = {row.id: row for row in launched}
    planned = [
        delivery
        for delivery in await find_planned(connection, list(of), device_ids)
        if delivery.member.customer_id == customer_id
    ]
    if not planned:
        return {}
    rows = await connection.execute(
        select(devices.c.id, devices.c.device_id).where(
            devices.c.id.in_([delivery.member.device_id for delivery in planned])
        )
    )
    public_ids = {row.id: row.device_id for row in rows}
    return {
        (delivery.launch_id, delivery.member.device_id): Push(
            at=of[delivery.launch_id].started_at,
            campaign_id=of[delivery.launch_id].campaign_id,
            campaign=of[delivery.launch_id].name,
            launch_id=delivery.launch_id,
            device_row_id=delivery.member.device_id,
            device_id=public_ids.get(delivery.member.device_id),
            state=DeliveryState.PENDING,
            reason=None,
            settled_at=None,
            received_at=None,
            opened_at=None,
        )
        for delivery in planned
    }


async def _launches(
    connection: AsyncConnection,
    workspace_id: UUID,
    before: Position | None,
    top: tuple[datetime, UUID] | None,
) -> Sequence[Any]:
    """The next launches that are not in the index yet, the newest first: those below `top`, none
    newer than `before`."""
    statement = (
        select(launches.c.id, launches.c.started_at, launches.c.campaign_id, campaigns.c.name)
        .join(campaigns, campaigns.c.id == launches.c.campaign_id)
        .where(launches.c.workspace_id == workspace_id, launches.c.indexed_at.is_(None))
    )
    if before is not None:
        statement = statement.where(launches.c.started_at <= before.at)
    if top is not None:
        at, launch_id = top
        statement = statement.where(
            launches.c.started_at <= at,
            or_(launches.c.started_at < at, launches.c.id < launch_id),
        )
    rows = await connection.execute(
        statement.order_by(launches.c.started_at.desc(), launches.c.id.desc()).limit(
            LAUNCHES_AT_ONCE
        )
    )
    return rows.all()


async def device_rows_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> list[UUID]:
    """The rows' ids of every device that is or was one of theirs."""
    ids = list(customer_ids)
    lines = device_history.c
    had = await connection.execute(
        select(lines.device_id)
        .where(
            lines.workspace_id == workspace_id,
            or_(lines.customer_id.in_(ids), lines.previous_customer_id.in_(ids)),
        )
        .distinct()
    )
    now = await connection.execute(
        select(devices.c.device_id).where(
            devices.c.workspace_id == workspace_id, devices.c.customer_id.in_(ids)
        )
    )
    return sorted(
        device_row_id(workspace_id, device_id) for device_id in {*had.scalars(), *now.scalars()}
    )


def _below(
    before: Position | None, rank: int, at: Column[Any], key: Column[Any]
) -> ColumnElement[bool]:
    if before is None:
        return true()
    if rank > before.rank:
        return at < before.at
    if rank < before.rank:
        return at <= before.at
    return and_(at <= before.at, or_(at < before.at, key < before.key[0]))


def _push(row: Any) -> Push:
    return Push(
        at=row.started_at,
        campaign_id=row.campaign_id,
        campaign=row.name,
        launch_id=row.launch_id,
        device_row_id=row.device_id,
        device_id=row.public_id,
        state=DeliveryState(row.state),
        reason=row.reason,
        settled_at=row.settled_at,
        received_at=row.received_at,
        opened_at=row.opened_at,
    )
