"""What is shown of deliveries."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.campaigns.queries import get_campaign, get_launch
from clarion.deliveries import store
from clarion.deliveries.store import EVERY, Delivery, Wanted
from clarion.faults import Rejected


async def list_deliveries(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    *,
    wanted: Wanted = EVERY,
    after: tuple[UUID, UUID] | None = None,
    limit: int,
) -> list[Delivery] | Rejected:
    """At most `limit` of a campaign's deliveries by (launch, device), those greater than
    `after`."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    gone_at = None if campaign.launch is None else campaign.launch.deliveries_removed_at
    if gone_at is not None:
        return _removed("campaign", gone_at)
    return await store.list_deliveries(
        connection,
        actor.workspace_id,
        campaign_id=campaign_id,
        wanted=wanted,
        after=after,
        limit=limit,
    )


async def list_launch_deliveries(
    connection: AsyncConnection,
    actor: Actor,
    launch_id: UUID,
    *,
    wanted: Wanted = EVERY,
    after: UUID | None = None,
    limit: int,
) -> list[Delivery] | Rejected:
    """At most `limit` of a launch's deliveries by device, those greater than `after`."""
    launch = await get_launch(connection, actor, launch_id)
    if isinstance(launch, Rejected):
        return launch
    if launch.deliveries_removed_at is not None:
        return _removed("launch", launch.deliveries_removed_at)
    return await store.list_of_launch(
        connection, launch_id, wanted=wanted, after=after, limit=limit
    )


def _removed(what: str, at: datetime) -> Rejected:
    return Rejected(
        "deliveries_removed",
        f"The deliveries of this {what} were removed for their age on {at:%Y-%m-%d}: its report "
        "keeps the totals.",
    )
