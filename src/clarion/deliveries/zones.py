"""In which zones the dates of a chunk's pushes are written."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.content.templates.template import Template
from clarion.campaigns.content.templates.zone_store import zones_for
from clarion.deliveries.planning.chunk import OpenDelivery


async def tell_zones(
    connection: AsyncConnection,
    workspace_id: UUID,
    template: Template | None,
    deliveries: Sequence[OpenDelivery],
) -> str | None:
    """Returns the workspace's zone, and gives each delivery that of its customer, where the
    content's dates ask for them. Most contents write no date: they cost no statement."""
    if template is None or not template.has_dates:
        return None
    ids = {delivery.customer_id for delivery in deliveries if delivery.customer_id is not None}
    zone, zones = await zones_for(connection, workspace_id, template, ids)
    for delivery in deliveries if zones else ():
        if delivery.customer_id is not None:
            delivery.zone = zones.get(delivery.customer_id)
    return zone
