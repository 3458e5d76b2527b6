"""/campaigns: what to say to whom, when, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, patch, post
from litestar.params import PathParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Scope
from clarion.campaigns import campaign as steps
from clarion.campaigns.campaign import Campaign, CampaignState, Refused
from clarion.campaigns.draft import Draft, DraftFault, parse_draft, rewrite
from clarion.campaigns.preview import forecast, preview
from clarion.campaigns.schedule import ScheduleFault, parse_at
from clarion.campaigns.store import create_campaign, get_campaign, list_campaigns
from clarion.deliveries.steering import Step, publish, take_step
from clarion.reports import funnel
from clarion.reports.waiting import waiting
from clarion.web.api import campaign_wire as wire
from clarion.web.api.bodies import read, read_object, wrong_field
from clarion.web.api.campaign_wire import shown_campaign, shown_preview, shown_report
from clarion.web.api.errors import ApiError, ErrorCode, Fault, invalid, not_found
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, GivenCaller, GivenParts, Parts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, page

CampaignId = Annotated[UUID, PathParameter(description="The campaign's id.")]


class Campaigns(Controller):
    path = "/campaigns"
    tags = ("campaigns",)

    @post("", summary="Make a campaign", opt={BODY: wire.NewCampaign})
    async def create(
        self, request: Request[Actor, Any, Any], parts: GivenParts, caller: GivenCaller
    ) -> wire.Campaign:
        """A draft, or with `at` a scheduled campaign, with `warnings` of what may not be meant.
        Everything is checked now, and everything that is wrong is told at once."""
        body = await read_object(request)
        now = parts.clock.now()
        at = _read_at(body.pop("at"), now) if "at" in body else None
        draft = _read_draft(parts, body)
        campaign = Campaign(
            id=parts.clock.new_id(),
            workspace_id=caller.workspace_id,
            name=draft.name,
            state=CampaignState.DRAFT if at is None else CampaignState.SCHEDULED,
            content=draft.content,
            audience=draft.audience,
            scheduled_at=at,
            spread_minutes=draft.spread_minutes,
            created_at=now,
            updated_at=now,
        )
        async with parts.database.write() as connection:
            await create_campaign(connection, campaign)
        if at is None:
            return shown_campaign(campaign)
        return await _with_warnings(parts, campaign)

    @get("", summary="List campaigns")
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[wire.Campaign]:
        """Campaigns, newest first."""
        async with parts.database.read() as connection:
            found = await list_campaigns(
                connection, caller.workspace_id, before=after_id(cursor), limit=limit + 1
            )
        return page(found, limit, shown_campaign, lambda one: one.id.bytes)

    @get("/{campaign_id:uuid}", summary="Show a campaign")
    async def show(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """A campaign with its state."""
        async with parts.database.read() as connection:
            return shown_campaign(await _find(connection, caller, campaign_id))

    @patch(
        "/{campaign_id:uuid}",
        summary="Edit a draft",
        opt={BODY: wire.CampaignChange, MAY_CONFLICT: True},
    )
    async def edit(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        campaign_id: CampaignId,
    ) -> wire.Campaign:
        """Say something else, or to others, while it is a draft."""
        change = await read_object(request)
        seen_at = _read_seen_at(change.pop("updated_at", None))
        now = parts.clock.now()

        def step(campaign: Campaign) -> Campaign | Refused:
            edited = rewrite(campaign, change, parts.provider.check, now)
            if isinstance(edited, list):
                raise _invalid(edited)
            return edited

        return shown_campaign(await _take(parts, caller, campaign_id, step, seen_at=seen_at))

    @post(
        "/{campaign_id:uuid}/schedule",
        summary="Schedule a campaign",
        opt={BODY: wire.Schedule, MAY_CONFLICT: True},
        status_code=200,
    )
    async def schedule(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        campaign_id: CampaignId,
    ) -> wire.Campaign:
        """Let a draft launch now or at a time, or give a scheduled campaign, or one that is late,
        another time. `warnings` tell what is not refused, but may not be meant."""
        wanted = await read(request, wire.Schedule)
        now = parts.clock.now()
        at = _read_at(wanted.at, now)
        campaign = await _take(parts, caller, campaign_id, lambda one: steps.schedule(one, at, now))
        return await _with_warnings(parts, campaign)

    @post(
        "/{campaign_id:uuid}/cancel",
        summary="Cancel a campaign",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def cancel(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Send nothing more of it, for good. What has left stays in its account; what is waiting
        is settled as cancelled. Cancelling twice is once."""
        now = parts.clock.now()
        step = partial(steps.cancel, now=now)
        return shown_campaign(await _take(parts, caller, campaign_id, step))

    @post(
        "/{campaign_id:uuid}/pause",
        summary="Pause a campaign",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def pause(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Send nothing more of it until it is resumed. What is under way to FCM now still goes."""
        now = parts.clock.now()
        step = partial(steps.pause, now=now)
        return shown_campaign(await _take(parts, caller, campaign_id, step))

    @post(
        "/{campaign_id:uuid}/resume",
        summary="Resume a campaign",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def resume(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Go on from where it was paused. One whose time has passed launches now."""
        now = parts.clock.now()
        step = partial(steps.resume, now=now)
        return shown_campaign(await _take(parts, caller, campaign_id, step))

    @post(
        "/{campaign_id:uuid}/preview",
        summary="Preview a campaign",
        opt={BODY: wire.PreviewFor, NEEDS: Scope.READ},
        status_code=200,
    )
    async def preview(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        campaign_id: CampaignId,
    ) -> wire.Preview:
        """What one customer would see on each platform, what is wrong with that, and how many the
        audience reaches now; `warnings` tell of traits that nobody has and of audiences that reach
        nobody. Nothing is sent. The body may be empty."""
        wanted = await read(request, wire.PreviewFor, may_be_empty=True)
        async with parts.database.read() as connection:
            campaign = await _find(connection, caller, campaign_id)
            found = await preview(
                connection,
                campaign,
                parts.provider.check,
                name=wanted.user_id,
                now=parts.clock.now(),
            )
        if found is None:
            raise not_found("customer")
        return shown_preview(found)

    @get("/{campaign_id:uuid}/report", summary="Show a campaign's report")
    async def report(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Report:
        """What became of its pushes, an account that balances at every instant; and why those that
        are still in flight wait."""
        async with parts.database.read() as connection:
            campaign = await _find(connection, caller, campaign_id)
            account = await funnel.report(connection, caller.workspace_id, campaign_id)
            held_up = await waiting(connection, campaign, parts.clock.now())
        return shown_report(campaign, account, held_up)


async def _find(connection: AsyncConnection, caller: Actor, campaign_id: UUID) -> Campaign:
    campaign = await get_campaign(connection, caller.workspace_id, campaign_id)
    if campaign is None:
        raise not_found("campaign")
    return campaign


async def _take(
    parts: Parts,
    caller: Actor,
    campaign_id: UUID,
    step: Step,
    *,
    seen_at: datetime | None = None,
) -> Campaign:
    taken = await take_step(
        parts.database,
        caller.workspace_id,
        campaign_id,
        step,
        now=parts.clock.now(),
        seen_at=seen_at,
    )
    if taken is None:
        raise not_found("campaign")
    if isinstance(taken, Refused):
        raise ApiError(ErrorCode(taken.code), taken.message)
    await publish(parts.broker, taken.jobs)
    return taken.campaign


async def _with_warnings(parts: Parts, campaign: Campaign) -> wire.Campaign:
    """A campaign that will launch, with what its author should be told."""
    async with parts.database.read() as connection:
        _, warnings = await forecast(connection, campaign)
    return shown_campaign(campaign, warnings)


def _read_draft(parts: Parts, body: Mapping[str, Any]) -> Draft:
    draft = parse_draft(body, parts.provider.check)
    if isinstance(draft, list):
        raise _invalid(draft)
    return draft


def _invalid(faults: Sequence[DraftFault]) -> ApiError:
    found = [Fault(field=one.field, message=one.message) for one in faults]
    return invalid(found, ErrorCode.INVALID_CAMPAIGN)


def _read_at(text: Any, now: datetime) -> datetime:
    at = parse_at(text, now)
    if isinstance(at, ScheduleFault):
        raise invalid([Fault(field=at.field, message=at.message)], ErrorCode.SCHEDULE)
    return at


def _read_seen_at(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        return msgspec.convert(value, datetime)
    except msgspec.ValidationError as error:
        raise invalid([wrong_field(str(error), "updated_at")]) from None
