"""Rows of deliveries, as people see them and as planning writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.device import Platform
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
    """A page of a campaign's deliveries by (launch, device), those greater than `after`."""
    statement = (
        select(deliveries, devices.c.device_id.label("public_id"), customers.c.user_id)
        .join_from(deliveries, launches, launches.c.id == deliveries.c.launch_id)
        .outerjoin(devices, devices.c.id == deliveries.c.device_id)
        .outerjoin(customers, customers.c.id == deliveries.c.customer_id)
        .where(launches.c.workspace_id == workspace_id, launches.c.campaign_id == campaign_id)
        .order_by(deliveries.c.launch_id, deliveries.c.device_id)
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(deliveries.c.state == state.value)
    if after is not None:
        key = tuple_(deliveries.c.launch_id, deliveries.c.device_id)
        statement = statement.where(key > tuple_(*after, types=[deliveries.c.launch_id.type] * 2))
    return [_delivery(row) for row in await connection.execute(statement)]


async def mark_seen(connection: AsyncConnection, workspace_id: UUID, seen: Sequence[Seen]) -> None:
    """Record what apps report. The earliest report counts; their order does not matter."""
    launch_ids = {one.launch_id for one in seen}
    rows = await connection.execute(
        select(launches.c.id).where(
            launches.c.workspace_id == workspace_id, launches.c.id.in_(launch_ids)
        )
    )
    ours = set(rows.scalars())
    for one in seen:
        if one.launch_id not in ours:
            continue
        values: dict[str, Any] = {"received_at": _earlier(deliveries.c.received_at, one.at)}
        if one.opened:
            values["opened_at"] = _earlier(deliveries.c.opened_at, one.at)
        await connection.execute(
            update(deliveries)
            .where(
                deliveries.c.launch_id == one.launch_id,
                deliveries.c.device_id == one.device_row_id,
            )
            .values(values)
        )


def _earlier(column: Any, at: datetime) -> Any:
    return case((or_(column.is_(None), column > at), literal(at, Instant)), else_=column)


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
