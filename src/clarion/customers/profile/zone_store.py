"""In which time zone customers are, in one statement for their devices and one for their traits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.dialect import among
from clarion.storage.json_dialect import json_text
from clarion.storage.schema import customers, devices
from clarion.time_zone import customer_zone

TIME_ZONE = "timezone"
"""What the fact of a device and the trait are called, as SDKs say it."""


async def zones_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Sequence[UUID], *, fallback: str
) -> Mapping[UUID, str]:
    """The zone of each of these customers, as `time_zone.customer_zone` has it. Devices that are
    removed count, too: what matters is where somebody was seen last."""
    zones_by_customer: dict[UUID, list[str]] = defaultdict(list)
    zone: Any = json_text(devices.c.facts, [TIME_ZONE])
    rows = await connection.execute(
        select(devices.c.customer_id, zone)
        .where(
            devices.c.workspace_id == workspace_id,
            among(connection, devices.c.customer_id, customer_ids),
            zone.is_not(None),
        )
        .order_by(devices.c.last_seen_at.desc(), devices.c.id)
    )
    for customer_id, name in rows:
        zones_by_customer[customer_id].append(name)
    of_traits = json_text(customers.c.traits, [TIME_ZONE])
    rows = await connection.execute(
        select(customers.c.id, of_traits).where(
            customers.c.workspace_id == workspace_id,
            among(connection, customers.c.id, customer_ids),
        )
    )
    traits: dict[UUID, Any] = {row[0]: row[1] for row in rows}
    return {
        customer_id: customer_zone(
            zones_by_customer.get(customer_id, ()), traits.get(customer_id), fallback
        )
        for customer_id in customer_ids
    }
