"""What is shown of what became of a campaign."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.queries import get_campaign
from clarion.faults import Rejected
from clarion.reports import funnel
from clarion.reports.waiting import Waiting, waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """A campaign, its account, and why what is still in flight waits."""

    campaign: Campaign
    account: funnel.Report
    waiting: list[Waiting]


async def get_report(
    connection: AsyncConnection, actor: Actor, campaign_id: UUID, *, now: datetime
) -> CampaignReport | Rejected:
    """The report at `now`."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    return CampaignReport(
        campaign=campaign,
        account=await funnel.report(connection, actor.workspace_id, campaign_id),
        waiting=await waiting(connection, campaign, now),
    )
