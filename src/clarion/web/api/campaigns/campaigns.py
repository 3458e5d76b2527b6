"""/campaigns: what to say to whom, when, and what became of it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, patch, post
from litestar.params import PathParameter, QueryParameter

from clarion.accounts.actor import Actor, Scope
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.commands import (
    edit_campaign,
    pause_campaign,
)
from clarion.campaigns.queries import (
    forecast_campaign,
    forecast_new,
    forecast_resume,
    forecast_schedule,
    get_campaign,
    list_campaigns,
    preview_campaign,
)
from clarion.campaigns.reaching import create_reaching, schedule_reaching
from clarion.campaigns.timing.schedule import FIELDS
from clarion.deliveries.commands import cancel_campaign, resume_campaign
from clarion.deliveries.limits.forecast import forecast_limits
from clarion.faults import Fault
from clarion.reports.queries import Report, get_report
from clarion.web.api.bodies import read, read_object, wrong_field
from clarion.web.api.campaigns import wire
from clarion.web.api.campaigns.forecast_wire import Forecast, shown_forecast
from clarion.web.api.campaigns.wire import shown_campaign, shown_preview
from clarion.web.api.errors import invalid
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, Call, GivenCaller, GivenParts, Parts
from clarion.web.api.pages import LIMIT_DEFAULT, Cursor, Limit, Page, after_id, page

CampaignId = Annotated[UUID, PathParameter(description="The campaign's id.")]
Before = Annotated[
    UUID | None, QueryParameter(description="The `id` of the last one seen: older ones are listed.")
]
Archived = Annotated[bool, QueryParameter(description="List archived ones instead.")]
LaunchAt = Annotated[
    str | None,
    QueryParameter(
        description='As if it were scheduled for then: "now", or an ISO 8601 time with its offset. '
        "Without it: as if it were resumed."
    ),
]

Zone = Annotated[
    str | None, QueryParameter(description="The time zone of `at`, which has no offset then.")
]
InOwnTime = Annotated[
    bool, QueryParameter(description="As if `at` were each customer's own local time.")
]

RepeatRule = Annotated[
    str | None, QueryParameter(description="As if it repeated from `at` on: its rule.")
]


class Campaigns(Controller):
    path = "/campaigns"
    tags = ("campaigns",)

    @post("", summary="Make a campaign", opt={BODY: wire.NewCampaign, MAY_CONFLICT: True})
    async def create(self, request: Call, parts: GivenParts, caller: GivenCaller) -> wire.Campaign:
        """Creates a draft, or with `at` a scheduled campaign, which is refused where it would reach
        nobody now, unless `allow_empty`. Answers `warnings` of what is allowed but may not be
        meant. Everything is checked now, and all faults are reported at once."""
        body = await read_object(request)
        at, allow_empty = _take_when(body), _read_allow_empty(body)
        campaign = await parts.do(
            create_reaching, caller, body, parts.check, at=at, allow_empty=allow_empty
        )
        if at is msgspec.UNSET:
            return shown_campaign(campaign)
        return await _with_warnings(parts, caller, campaign, at)

    @get("", summary="List campaigns")
    async def list_all(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        before: Before = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        archived: Archived = False,
    ) -> Page[wire.Campaign]:
        """Campaigns, newest first."""
        last_seen = before if cursor is None else after_id(cursor)
        campaigns = await parts.ask(
            list_campaigns, caller, before=last_seen, limit=limit + 1, archived=archived
        )
        return page(campaigns, limit, shown_campaign, lambda campaign: campaign.id.bytes)

    @get("/{campaign_id:uuid}", summary="Show a campaign")
    async def show(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """A campaign with its state."""
        return shown_campaign(await parts.ask(get_campaign, caller, campaign_id))

    @patch(
        "/{campaign_id:uuid}",
        summary="Edit a draft",
        opt={BODY: wire.CampaignChange, MAY_CONFLICT: True},
    )
    async def edit(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Changes fields of a draft: what it says, to whom, its name, its spread."""
        change = await read_object(request)
        seen_at = _read_seen_at(change.pop("updated_at", None))
        edited = await parts.do(
            edit_campaign, caller, campaign_id, change, parts.check, seen_at=seen_at
        )
        return shown_campaign(edited)

    @post(
        "/{campaign_id:uuid}/schedule",
        summary="Schedule a campaign",
        opt={BODY: wire.Schedule, MAY_CONFLICT: True},
        status_code=200,
    )
    async def schedule(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Schedules a draft to launch now or at a time, or gives another time to a campaign that is
        scheduled or late. Refused where it would reach nobody now, unless `allow_empty`. `warnings`
        tell what is allowed but may not be meant."""
        wanted = msgspec.to_builtins(await read(request, wire.Schedule))
        allow_empty = wanted.pop("allow_empty")
        scheduled = await parts.do(
            schedule_reaching, caller, campaign_id, wanted, allow_empty=allow_empty
        )
        return await _with_warnings(parts, caller, scheduled, wanted)

    @post(
        "/{campaign_id:uuid}/cancel",
        summary="Cancel a campaign",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def cancel(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Cancels a campaign for good. Pushes that have left stay in its account; those that wait
        are settled as cancelled. Cancelling twice is cancelling once."""
        return shown_campaign(await parts.do(cancel_campaign, caller, campaign_id))

    @post(
        "/{campaign_id:uuid}/pause",
        summary="Pause a campaign",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def pause(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Pauses sending until the campaign is resumed. Requests to FCM that are under way are not
        stopped."""
        return shown_campaign(await parts.do(pause_campaign, caller, campaign_id))

    @post(
        "/{campaign_id:uuid}/resume",
        summary="Resume a campaign",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def resume(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Campaign:
        """Resumes a campaign in the state it was paused in. One whose time has passed launches
        now."""
        return shown_campaign(await parts.do(resume_campaign, caller, campaign_id))

    @post(
        "/{campaign_id:uuid}/preview",
        summary="Preview a campaign",
        opt={BODY: wire.PreviewFor, NEEDS: Scope.READ},
        status_code=200,
    )
    async def preview(
        self, request: Call, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> wire.Preview:
        """What one customer would see on each platform, what is wrong with that, and how many the
        audience reaches now; `warnings` tell of traits that nobody has and of audiences that reach
        nobody. Nothing is sent. The body may be empty."""
        wanted = await read(request, wire.PreviewFor, may_be_empty=True)
        preview = await parts.ask(
            preview_campaign,
            caller,
            campaign_id,
            parts.check,
            customer=wanted.user_id,
            now=parts.clock.now(),
        )
        return shown_preview(preview)

    @post(
        "/forecast",
        summary="Forecast a new campaign",
        opt={BODY: wire.NewCampaign, NEEDS: Scope.READ},
        status_code=200,
    )
    async def forecast_new(self, request: Call, parts: GivenParts, caller: GivenCaller) -> Forecast:
        """What a campaign with this body would do: its faults, or how many devices it reaches now
        and `warnings`. Nothing is created."""
        body = await read_object(request)
        at, now = _take_when(body), parts.clock.now()
        _read_allow_empty(body)
        expected = await parts.ask(forecast_new, caller, body, parts.check, at=at, now=now)
        limited = await parts.ask(forecast_limits, caller, expected, now=now)
        return shown_forecast(expected, limited, now)

    @get("/{campaign_id:uuid}/forecast", summary="Forecast a launch", opt={MAY_CONFLICT: True})
    async def forecast(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        campaign_id: CampaignId,
        at: LaunchAt = None,
        zone: Zone = None,
        own_time: InOwnTime = False,
        repeat: RepeatRule = None,
    ) -> Forecast:
        """What scheduling or resuming a campaign would do: how many devices it reaches now, and
        `warnings`. Nothing is changed."""
        now = parts.clock.now()
        if at is None:
            expected = await parts.ask(forecast_resume, caller, campaign_id, now=now)
        else:
            when: dict[str, Any] = {"at": at, "zone": zone, "own_time": {} if own_time else None}
            when["repeat"] = None if repeat is None else {"rule": repeat}
            expected = await parts.ask(forecast_schedule, caller, campaign_id, when, now=now)
        limited = await parts.ask(forecast_limits, caller, expected, now=now)
        return shown_forecast(expected, limited, now)

    @get("/{campaign_id:uuid}/report", summary="Show a campaign's report")
    async def report(
        self, parts: GivenParts, caller: GivenCaller, campaign_id: CampaignId
    ) -> Report:
        """What became of its pushes, an account that balances at every instant; and why those that
        are still in flight wait."""
        return await parts.ask(get_report, caller, campaign_id, now=parts.clock.now())


async def _with_warnings(parts: Parts, caller: Actor, campaign: Campaign, at: Any) -> wire.Campaign:
    """A campaign that will launch, at the time in `at`, with the warnings for its author."""
    now = parts.clock.now()
    expected = await parts.ask(forecast_campaign, caller, campaign.id, at=at, now=now)
    return shown_campaign(campaign, expected.warnings)


def _take_when(body: dict[str, Any]) -> Any:
    """What a body says of when it launches, taken out of it; UNSET: nothing."""
    when = {name: body.pop(name) for name in FIELDS if name in body}
    return when or msgspec.UNSET


def _read_allow_empty(body: dict[str, Any]) -> bool:
    """Takes it out of the body."""
    value = body.pop("allow_empty", False)
    if not isinstance(value, bool):
        raise invalid([Fault("allow_empty", "must be true or false")])
    return value


def _read_seen_at(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        return msgspec.convert(value, datetime)
    except msgspec.ValidationError as error:
        raise invalid([wrong_field(str(error), "updated_at")]) from None
