"""What is shown of deliveries."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.campaigns.queries import get_campaign
from clarion.deliveries import store
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.store import Delivery
from clarion.faults import Rejected


async def list_deliveries(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    *,
    state: DeliveryState | None = None,
    after: tuple[UUID, UUID] | None = None,
    limit: int,
) -> list[Delivery] | Rejected:
    """At most `limit` of a campaign's deliveries by (launch, device), those greater than `after`;
    `state`: only those in it."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    gone_at = None if campaign.launch is None else campaign.launch.deliveries_removed_at
    if gone_at is not None:
        return Rejected(
            "deliveries_removed",
            f"The deliveries of this campaign were removed for their age on {gone_at:%Y-%m-%d}: "
            "its report keeps the totals.",
        )
    return await store.list_deliveries(
        connection,
        actor.workspace_id,
        campaign_id=campaign_id,
        state=state,
        after=after,
        limit=limit,
    )
