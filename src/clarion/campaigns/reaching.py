"""The steps that let a campaign launch, behind a look at whom it reaches: one that would reach
nobody is refused, unless that is meant.

The look is a read of its own before the command's transaction: it may take as long as a count, and
what writes is not to wait for it. Nobody is promised that somebody is there when it launches.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import UNSET

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import Services
from clarion.accounts.workspace_store import zone_of
from clarion.audiences.query import reaches_anybody
from clarion.audiences.saved.references import wrong_references
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns import store
from clarion.campaigns.campaign import Campaign, schedule
from clarion.campaigns.commands import create_campaign, schedule_campaign
from clarion.campaigns.draft import ContentCheck, new_campaign
from clarion.campaigns.preview import forecast
from clarion.campaigns.timing.schedule import parse_when
from clarion.customers.devices.device import Platform
from clarion.faults import Fault, Rejected, invalid

CURE = "to schedule it all the same, say so with allow_empty"


async def create_reaching(
    services: Services,
    actor: Actor,
    wire: Mapping[str, Any],
    check: ContentCheck,
    *,
    at: Any = UNSET,
    allow_empty: bool = False,
) -> Campaign | Rejected:
    """`create_campaign`; refused where it is scheduled and would reach nobody now, unless
    `allow_empty`."""
    if at is not UNSET and not allow_empty and actor.may(Permission.PUBLISH):
        campaign = new_campaign(
            wire,
            at,
            check,
            campaign_id=UUID(int=0),
            workspace_id=actor.workspace_id,
            now=services.clock.now(),
            zone=await _zone(services, actor),
        )
        empty = await _empty(services, campaign)
        if empty is not None:
            return empty
    return await create_campaign(services, actor, wire, check, at=at)


async def schedule_reaching(
    services: Services,
    actor: Actor,
    campaign_id: UUID,
    at: str | Mapping[str, Any],
    *,
    allow_empty: bool = False,
) -> Campaign | Rejected:
    """`schedule_campaign`; refused where it would reach nobody now, unless `allow_empty`."""
    if not allow_empty and actor.may(Permission.PUBLISH):
        now = services.clock.now()
        trigger = parse_when(at, now, await _zone(services, actor))
        async with services.database.read() as connection:
            campaign = await store.get_campaign(connection, actor.workspace_id, campaign_id)
        if campaign is not None and not isinstance(trigger, Rejected):
            empty = await _empty(services, schedule(campaign, trigger, now))
            if empty is not None:
                return empty
    return await schedule_campaign(services, actor, campaign_id, at)


async def _zone(services: Services, actor: Actor) -> str:
    async with services.database.read() as connection:
        return await zone_of(connection, actor.workspace_id)


async def _empty(services: Services, campaign: Campaign | Rejected) -> Rejected | None:
    """Why the campaign would reach nobody. What else is wrong with it is the command's to say."""
    if not isinstance(campaign, Campaign):
        return None
    now, workspace_id = services.clock.now(), campaign.workspace_id
    is_silent = all(campaign.content.for_platform(platform).is_silent for platform in Platform)
    async with services.database.read() as connection:
        if await wrong_references(connection, workspace_id, campaign.audience, "audience"):
            return None
        rule = await resolve_rule(connection, workspace_id, campaign.audience)
        if await reaches_anybody(connection, workspace_id, rule, now=now, is_silent=is_silent):
            return None
        expected = await forecast(connection, campaign, now=now)
    messages = [warning.message for warning in expected.warnings if warning.field == "audience"]
    reason = messages[0] if messages else "reaches nobody now"
    return invalid(Fault("audience", f"{reason}; {CURE}"), code="invalid_campaign")
