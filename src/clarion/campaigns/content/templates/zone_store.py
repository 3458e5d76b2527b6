"""In which time zones a content's dates are written, read as far as they ask for it."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace_store import zone_of
from clarion.campaigns.content.templates.template import Template
from clarion.customers.profile.zone_store import zones_of


async def zones_for(
    connection: AsyncConnection,
    workspace_id: UUID,
    template: Template,
    customer_ids: Collection[UUID],
) -> tuple[str | None, Mapping[UUID, str]]:
    """The workspace's zone, None where no date is written; and that of each customer, where dates
    may ask for it. Three statements at most, whatever the number of customers."""
    if not template.has_dates:
        return None, {}
    zone = await zone_of(connection, workspace_id)
    if not template.has_dates_of_customers or not customer_ids:
        return zone, {}
    return zone, await zones_of(connection, workspace_id, sorted(customer_ids), fallback=zone)
