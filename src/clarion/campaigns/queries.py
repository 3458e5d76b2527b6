"""What is shown of campaigns, and of what they would do."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.audit_store import AuditFilter, list_entries
from clarion.accounts.workspace_store import zone_of
from clarion.audiences.saved.references import wrong_references
from clarion.campaigns import preview, store
from clarion.campaigns.campaign import Campaign, CampaignState, launches_on_resume, schedule
from clarion.campaigns.draft import ContentCheck, new_campaign
from clarion.campaigns.launches import store as launch_store
from clarion.campaigns.launches.launch import Launch
from clarion.campaigns.preview import Forecast, Preview, Rendering, forecast, warnings_of_time
from clarion.campaigns.timing.schedule import parse_when
from clarion.faults import Rejected, invalid, not_found
from clarion.time_zone import DEFAULT


async def list_campaigns(
    connection: AsyncConnection,
    actor: Actor,
    *,
    before: UUID | None,
    limit: int,
    states: Collection[CampaignState] = (),
    words: str = "",
    archived: bool = False,
) -> list[Campaign]:
    """At most `limit` campaigns, newest first; `before`: those older than this one; `states`: only
    those in one of them; `words`: only those whose name holds this, in any case; `archived`: those
    that are, instead of the others."""
    return await store.list_campaigns(
        connection,
        actor.workspace_id,
        before=before,
        limit=limit,
        states=states,
        words=words,
        archived=archived,
    )


async def get_campaign(
    connection: AsyncConnection, actor: Actor, campaign_id: UUID
) -> Campaign | Rejected:
    campaign = await store.get_campaign(connection, actor.workspace_id, campaign_id)
    return campaign or not_found("campaign")


async def who_changed(connection: AsyncConnection, actor: Actor, campaign_id: UUID) -> str | None:
    """Who has changed a campaign last, as they were called then; None: the audit log does not tell
    it any more. For who writes on it, too, and needs to know with whom."""
    if not actor.may(Permission.WRITE):
        return None
    wanted = AuditFilter(thing_kind="campaign", thing_id=str(campaign_id))
    entries = await list_entries(connection, actor.workspace_id, wanted, limit=1)
    return entries[0].actor_name if entries else None


async def list_launches(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    *,
    before: UUID | None = None,
    limit: int,
) -> list[Launch] | Rejected:
    """At most `limit` launches of a campaign, the newest first; `before`: those older than this
    one."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    return await launch_store.list_launches(connection, campaign_id, before=before, limit=limit)


async def get_launch(
    connection: AsyncConnection, actor: Actor, launch_id: UUID
) -> Launch | Rejected:
    launch = await launch_store.get_launch(connection, launch_id)
    if launch is None or launch.workspace_id != actor.workspace_id:
        return not_found("launch")
    return launch


async def preview_campaign(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    check: ContentCheck,
    *,
    customer: str | None,
    now: datetime,
) -> Preview | Rejected:
    """A campaign as the customer with that user id or id would see it at `now`; None: as somebody
    in its audience would."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    shown = await preview.preview(connection, campaign, check, name=customer, now=now)
    return shown or not_found("customer")


async def render_campaign(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    check: ContentCheck,
    *,
    customer: str | None = None,
    now: datetime,
) -> Rendering | Rejected:
    """`preview_campaign` without how many it reaches, which takes longer the more they are."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    shown = await preview.rendering(connection, campaign, check, name=customer, now=now)
    return shown or not_found("customer")


async def check_new(
    connection: AsyncConnection,
    actor: Actor,
    wire: Mapping[str, Any],
    check: ContentCheck,
    *,
    now: datetime,
) -> Campaign | Rejected:
    """The draft that would be made of `wire`, or everything that is wrong with it; nobody is
    counted."""
    campaign = new_campaign(
        wire, UNSET, check, campaign_id=UUID(int=0), workspace_id=actor.workspace_id, now=now
    )
    if isinstance(campaign, Rejected):
        return campaign
    wrong = await wrong_references(connection, campaign.workspace_id, campaign.audience, "audience")
    return invalid(*wrong, code="invalid_campaign") if wrong else campaign


async def forecast_new(
    connection: AsyncConnection,
    actor: Actor,
    wire: Mapping[str, Any],
    check: ContentCheck,
    *,
    at: Any = UNSET,
    now: datetime,
) -> Forecast | Rejected:
    """What a campaign would do that is not made yet; the arguments are those of
    `create_campaign`."""
    zone = await zone_of(connection, actor.workspace_id)
    campaign = new_campaign(
        wire,
        at,
        check,
        campaign_id=UUID(int=0),
        workspace_id=actor.workspace_id,
        now=now,
        zone=zone,
    )
    return await _forecast(connection, campaign, now, at, zone)


async def forecast_campaign(
    connection: AsyncConnection, actor: Actor, campaign_id: UUID, *, at: Any = UNSET, now: datetime
) -> Forecast | Rejected:
    """What a campaign would do at the time that it has; `at`: as that was written."""
    campaign = await get_campaign(connection, actor, campaign_id)
    is_written = isinstance(at, Mapping)
    zone = await zone_of(connection, actor.workspace_id) if is_written else DEFAULT
    return await _forecast(connection, campaign, now, at, zone)


async def forecast_schedule(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    at: str | Mapping[str, Any],
    *,
    now: datetime,
) -> Forecast | Rejected:
    """What a campaign would do that is scheduled for `at`, as `parse_when` reads it."""
    zone = await zone_of(connection, actor.workspace_id)
    trigger = parse_when(at, now, zone)
    if isinstance(trigger, Rejected):
        return trigger
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Campaign):
        campaign = schedule(campaign, trigger, now)
    return await _forecast(connection, campaign, now, at, zone)


async def forecast_resume(
    connection: AsyncConnection, actor: Actor, campaign_id: UUID, *, now: datetime
) -> Forecast | Rejected:
    """What a campaign would do that is resumed: most go on, and do not launch by that."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    expected = await forecast(connection, campaign, now=now)
    return expected if launches_on_resume(campaign, now) else replace(expected, launches_at=None)


async def _forecast(
    connection: AsyncConnection, campaign: Campaign | Rejected, now: datetime, at: Any, zone: str
) -> Forecast | Rejected:
    """`at`: when it launches, as that was written; UNSET: nobody has just written it. `zone`: the
    workspace's."""
    if isinstance(campaign, Rejected):
        return campaign
    wrong = await wrong_references(connection, campaign.workspace_id, campaign.audience, "audience")
    if wrong:
        return invalid(*wrong, code="invalid_campaign")
    expected = await forecast(connection, campaign, now=now)
    if not isinstance(at, Mapping):
        return expected
    of_time = warnings_of_time(at, zone, now)
    return replace(expected, warnings=[*of_time, *expected.warnings])
