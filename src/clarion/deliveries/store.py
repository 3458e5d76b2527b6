"""Rows of deliveries, as people see them and as planning writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Select, Update, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import DeliveryState, delivery_id
from clarion.storage.bulk import insert_new
from clarion.storage.dialect import Instant
from clarion.storage.schema import chunks, customers, deliveries, devices, launches


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One push to one device, as people see it."""

    id: UUID
    launch_id: UUID
    device_row_id: UUID
    device_id: str | None
    customer_id: UUID
    user_id: str | None
    platform: Platform
    state: DeliveryState
    reason: str | None
    attempts: int
    unanswered: int
    settled_at: datetime | None
    received_at: datetime | None
    opened_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An app's word that a push was received (or opened, which implies received)."""

    launch_id: UUID
    device_row_id: UUID
    at: datetime
    opened: bool


async def plan(
    connection: AsyncConnection,
    new_chunks: Sequence[Mapping[str, Any]],
    new_deliveries: Sequence[Mapping[str, Any]],
) -> None:
    """Insert chunks and deliveries; a delivery that is planned already stays as it is."""
    await insert_new(connection, chunks, new_chunks)
    await insert_new(connection, deliveries, new_deliveries)


async def list_deliveries(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    campaign_id: UUID,
    state: DeliveryState | None = None,
    after: tuple[UUID, UUID] | None = None,
    limit: int,
) -> list[Delivery]:
    """A page of a campaign's deliveries by (launch, device), those greater than `after`.

    Launch by launch, so that each page is read off the primary key and nothing is sorted.
    """
    first, device_row_id = after or (None, None)
    statement = (
        select(launches.c.id)
        .where(launches.c.workspace_id == workspace_id, launches.c.campaign_id == campaign_id)
        .order_by(launches.c.id)
    )
    if first is not None:
        statement = statement.where(launches.c.id >= first)
    found: list[Delivery] = []
    for launch_id in list((await connection.execute(statement)).scalars()):
        passed = device_row_id if launch_id == first else None
        page = _page(launch_id, state, passed).limit(limit - len(found))
        found += [_delivery(row) for row in await connection.execute(page)]
        if len(found) == limit:
            break
    return found


def _page(launch_id: UUID, state: DeliveryState | None, after: UUID | None) -> Select[Any]:
    statement = (
        select(deliveries, devices.c.device_id.label("public_id"), customers.c.user_id)
        .outerjoin_from(deliveries, devices, devices.c.id == deliveries.c.device_id)
        .outerjoin(customers, customers.c.id == deliveries.c.customer_id)
        .where(deliveries.c.launch_id == launch_id)
        .order_by(deliveries.c.device_id)
    )
    if state is not None:
        statement = statement.where(deliveries.c.state == state.value)
    return statement if after is None else statement.where(deliveries.c.device_id > after)


async def mark_seen(connection: AsyncConnection, workspace_id: UUID, seen: Sequence[Seen]) -> None:
    """Record what apps report. The earliest report counts; their order does not matter."""
    launch_ids = {one.launch_id for one in seen}
    rows = await connection.execute(
        select(launches.c.id).where(
            launches.c.workspace_id == workspace_id, launches.c.id.in_(launch_ids)
        )
    )
    ours = set(rows.scalars())
    received: dict[tuple[UUID, UUID], datetime] = {}
    opened: dict[tuple[UUID, UUID], datetime] = {}
    for one in seen:
        key = (one.launch_id, one.device_row_id)
        if one.launch_id in ours:
            received[key] = min(one.at, received.get(key, one.at))
            if one.opened:
                opened[key] = min(one.at, opened.get(key, one.at))
    # In the order of the key: two who do this at once wait for each other, and not in a circle.
    for column, reports in ((deliveries.c.received_at, received), (deliveries.c.opened_at, opened)):
        if reports:
            await connection.execute(
                _earliest(column),
                [
                    {"launch": key[0], "device": key[1], "at": at}
                    for key, at in sorted(reports.items())
                ],
            )


def _earliest(column: Column[Any]) -> Update:
    """Set `column` of one delivery to `at`, if it is not earlier already."""
    at = bindparam("at", type_=Instant)
    return (
        update(deliveries)
        .where(
            deliveries.c.launch_id == bindparam("launch"),
            deliveries.c.device_id == bindparam("device"),
            or_(column.is_(None), column > at),
        )
        .values({column: at})
    )


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=delivery_id(row.launch_id, row.device_id),
        launch_id=row.launch_id,
        device_row_id=row.device_id,
        device_id=row.public_id,
        customer_id=row.customer_id,
        user_id=row.user_id,
        platform=Platform(row.platform),
        state=DeliveryState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        unanswered=row.unanswered,
        settled_at=row.settled_at,
        received_at=row.received_at,
        opened_at=row.opened_at,
    )
