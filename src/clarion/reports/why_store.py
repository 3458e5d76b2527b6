"""What is known of one customer and one launch."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.planning.chunk_store import find_planned
from clarion.reports.timeline_store import device_rows_of
from clarion.reports.why import PushTold, Waits
from clarion.storage.dialect import among
from clarion.storage.schema import chunks, customers, deliveries, devices, firebase_apps, pushes


async def pushes_to(
    connection: AsyncConnection, workspace_id: UUID, customer_id: UUID, launch_id: UUID
) -> list[PushTold]:
    """The pushes of a launch that were planned for a customer, or for somebody who has signed in as
    them since, by device."""
    device_rows = await device_rows_of(connection, workspace_id, [customer_id])
    if not device_rows:
        return []
    # Before the rows: what is settled in between is among them.
    planned = await find_planned(connection, [launch_id], device_rows)
    has_customer = exists().where(customers.c.id == deliveries.c.customer_id)
    rows = await connection.execute(
        select(deliveries, devices.c.device_id.label("public_id"))
        .outerjoin_from(deliveries, devices, devices.c.id == deliveries.c.device_id)
        .where(
            deliveries.c.launch_id == launch_id,
            among(connection, deliveries.c.device_id, device_rows),
            or_(deliveries.c.customer_id == customer_id, ~has_customer.correlate(deliveries)),
        )
        .order_by(deliveries.c.device_id)
    )
    pushes = {row.device_id: _told(row) for row in rows}
    waiting = [
        delivery.member
        for delivery in planned
        if delivery.member.customer_id == customer_id and delivery.member.device_id not in pushes
    ]
    names = await connection.execute(
        select(devices.c.id, devices.c.device_id).where(
            among(connection, devices.c.id, [member.device_id for member in waiting])
        )
    )
    public_ids = {row.id: row.device_id for row in names}
    for member in waiting:
        pushes[member.device_id] = PushTold(
            device_id=public_ids.get(member.device_id),
            platform=Platform(member.platform),
            state=DeliveryState.PENDING,
            reason=None,
            settled_at=None,
            received_at=None,
            opened_at=None,
            converted_at=None,
        )
    return [pushes[device_id] for device_id in sorted(pushes)]


async def waits_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    customer_id: UUID,
    launch_id: UUID,
    now: datetime,
) -> Waits:
    """What the pushes of a launch wait for that are still to be sent to a customer."""
    device_rows = await device_rows_of(connection, workspace_id, [customer_id])
    planned = await find_planned(connection, [launch_id], device_rows)
    tried = await connection.execute(
        select(deliveries.c.chunk_id).where(
            deliveries.c.launch_id == launch_id,
            among(connection, deliveries.c.device_id, device_rows),
            deliveries.c.state == DeliveryState.PENDING.value,
        )
    )
    chunk_ids = {delivery.chunk_id for delivery in planned} | set(tried.scalars())
    rows = await connection.execute(
        select(
            func.min(chunks.c.due_at).label("due_at"),
            func.max(firebase_apps.c.paused_reason).label("app_paused"),
        )
        .select_from(chunks)
        .outerjoin(firebase_apps, firebase_apps.c.id == chunks.c.firebase_app_id)
        .where(among(connection, chunks.c.id, [chunk for chunk in chunk_ids if chunk is not None]))
    )
    row = rows.one()
    is_later = row.due_at is not None and row.due_at > now
    return Waits(until=row.due_at if is_later else None, app_paused=row.app_paused)


async def newest_push(
    connection: AsyncConnection, customer_id: UUID, campaign_id: UUID
) -> UUID | None:
    """The newest push to that customer alone that has the campaign's content."""
    rows = await connection.execute(
        select(pushes.c.id)
        .where(pushes.c.customer_id == customer_id, pushes.c.campaign_id == campaign_id)
        .order_by(pushes.c.id.desc())
        .limit(1)
    )
    return rows.scalar_one_or_none()


def _told(row: Any) -> PushTold:
    return PushTold(
        device_id=row.public_id,
        platform=Platform(row.platform),
        state=DeliveryState(row.state),
        reason=row.reason,
        settled_at=row.settled_at,
        received_at=row.received_at,
        opened_at=row.opened_at,
        converted_at=row.converted_at,
    )
