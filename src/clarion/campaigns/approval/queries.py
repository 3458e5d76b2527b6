"""What is shown of a campaign's approval."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.campaigns.approval import store
from clarion.campaigns.approval.approval import PUSHES, Approval
from clarion.campaigns.queries import get_campaign
from clarion.faults import Rejected, not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """`is_stale`: what the campaign would send now is not what was proposed."""

    approval: Approval
    is_stale: bool


async def get_approval(
    connection: AsyncConnection, actor: Actor, campaign_id: UUID
) -> ApprovalView | Rejected:
    """The last proposal of a campaign, and what was decided of it."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    approval = await store.get_approval(connection, campaign_id)
    if approval is None:
        return not_found("proposal")
    current = await store.fingerprint_of(connection, campaign, approval.at)
    may_be_stale = campaign.launched is None or approval.at == PUSHES
    is_stale = may_be_stale and current != approval.fingerprint
    return ApprovalView(approval=approval, is_stale=is_stale)
