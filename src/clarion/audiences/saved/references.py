"""What a rule names has to be there when it is saved."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.rule import GotCampaign, Rule, walk
from clarion.audiences.saved import store
from clarion.audiences.saved.audience import codes_in
from clarion.faults import Fault


async def wrong_references(
    connection: AsyncConnection, workspace_id: UUID, rule: Rule, field: str
) -> list[Fault]:
    """What is wrong with the audiences and campaigns that a rule names; empty: nothing."""
    faults = []
    resolved = await store.try_resolve(connection, workspace_id, rule, field)
    if isinstance(resolved, Fault):
        faults.append(resolved)
    for code in sorted(codes_in(rule)):
        audience = await store.get_audience(connection, workspace_id, code)
        if audience is not None and audience.archived_at is not None:
            faults.append(Fault(field, f"names the audience {code}, which is archived: restore it"))
    campaign_ids = {part.campaign_id for part in walk(rule) if isinstance(part, GotCampaign)}
    if campaign_ids:
        there = await store.campaigns_there(connection, workspace_id, campaign_ids)
        faults += [
            Fault(field, f"names the campaign {campaign_id}, which does not exist")
            for campaign_id in sorted(campaign_ids - there)
        ]
    return faults
