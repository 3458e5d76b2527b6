"""What is known of one customer and one launch."""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import Platform
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.planning.chunk_store import find_planned
from clarion.reports.timeline_store import device_rows_of
from clarion.reports.why import PushTold
from clarion.storage.dialect import among
from clarion.storage.schema import customers, deliveries, devices


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
