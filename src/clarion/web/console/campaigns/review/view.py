"""`/console/campaigns/{id}/review`: the number, the checks, the word of a second person, and the
button that says the number."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.campaigns.approval.approval import PUSHES, trigger_of
from clarion.campaigns.approval.commands import (
    approve_campaign,
    propose_campaign,
    reject_campaign,
)
from clarion.campaigns.approval.queries import ApprovalView, get_approval
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import unschedule_campaign
from clarion.campaigns.content_check.sample import check_campaign
from clarion.campaigns.limits.queries import get_limits
from clarion.campaigns.queries import (
    forecast_campaign,
    forecast_schedule,
    get_campaign,
    preview_campaign,
    render_campaign,
)
from clarion.campaigns.reaching import schedule_reaching
from clarion.campaigns.timing.calendar import Upcoming
from clarion.campaigns.timing.trigger import next_at
from clarion.deliveries.apps.queries import list_apps
from clarion.deliveries.limits.forecast import LimitsForecast, forecast_limits
from clarion.faults import Fault, Rejected, invalid
from clarion.impossible_date import why_impossible
from clarion.web.console.amount import whole
from clarion.web.console.campaigns.compose.looking import needs, phones_of, upcoming_shown
from clarion.web.console.campaigns.review.checks import (
    checks,
    has_changed,
    is_stopped,
    must_be_typed,
)
from clarion.web.console.page import Person, SignedIn, faults_by_field
from clarion.web.console.when import as_field, from_field

PATH = "/console/campaigns/{campaign_id:uuid}"
UNDO_SECONDS = 20
"""So long after the button nothing is sent yet, and it can be undone."""
HOUR = timedelta(hours=1)
NOW, LATER, AS_PLANNED = "now", "later", "planned"


@get(f"{PATH}/review")
async def show_review(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """What it says. `counted`: with whom it reaches, the checks and the button, for which all whom
    it reaches are counted; the page asks for them by itself."""
    campaign = await me.ask(get_campaign, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        return me.go(f"/console/campaigns/{campaign_id}")
    if me.asked("counted"):
        return await _review(me, campaign)
    customer = me.asked("for").strip() or None
    shown = await me.ask(
        render_campaign, campaign.id, me.parts.check, customer=customer, now=me.now
    )
    return me.page(
        "campaigns/review/page.html",
        campaign=campaign,
        preview=shown,
        phones=phones_of(shown.platforms),
        uncounted="?" + urlencode({**me.request.query_params, "counted": "1"}),
        rejected=None,
        faults={},
    )


@post(f"{PATH}/launch")
async def do_launch(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Schedules it: for 20 seconds from now, in which it can be undone, for the time given, or as
    the draft says."""
    needs(me, Permission.PUBLISH)
    campaign = await me.ask(get_campaign, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        message = "It was launched already, perhaps in another tab."
        return me.go(f"/console/campaigns/{campaign_id}", message, "info")
    at = _when(me, campaign, (me.now + timedelta(seconds=UNDO_SECONDS)).isoformat())
    if isinstance(at, Rejected):
        return await _review(me, campaign, at)
    wrong, checks_made = await _wrong(me, campaign)
    if is_stopped(checks_made) or wrong is not None:
        return await _review(me, campaign, wrong)
    scheduled = await me.try_do(schedule_reaching, campaign_id, at)
    if isinstance(scheduled, Rejected):
        return await _review(me, campaign, scheduled)
    return me.go(f"/console/campaigns/{campaign_id}")


@post(f"{PATH}/unschedule")
async def do_unschedule(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Back to a draft, if it has not launched yet."""
    outcome = await me.try_do(unschedule_campaign, campaign_id)
    if isinstance(outcome, Rejected):
        message = f"That was too late. {outcome.message} Pause it, or cancel what is not sent yet."
        return me.go(f"/console/campaigns/{campaign_id}", message, "warn")
    message = "Undone: nothing was sent, and it is a draft again."
    return me.go(f"/console/campaigns/{campaign_id}/review?counted=1", message)


@post(f"{PATH}/propose")
async def do_propose(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Asks for somebody else's approval of exactly this."""
    needs(me, Permission.WRITE)
    campaign = await me.ask(get_campaign, campaign_id)
    at = PUSHES if me.form.get("launch") == PUSHES else _when(me, campaign, NOW)
    if isinstance(at, Rejected):
        return await _review(me, campaign, at)
    proposed = await me.try_do(propose_campaign, campaign_id, at)
    if isinstance(proposed, Rejected):
        return await _review(me, campaign, proposed)
    message = "Asked. Give the address of this page to somebody who may publish."
    return me.go(f"/console/campaigns/{campaign_id}/review?counted=1", message)


@post(f"{PATH}/approve")
async def do_approve(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Approves what was looked at, which schedules it if it is to launch."""
    needs(me, Permission.PUBLISH)
    campaign = await me.ask(get_campaign, campaign_id)
    asked = await me.try_ask(get_approval, campaign_id)
    is_for_pushes = not isinstance(asked, Rejected) and asked.approval.at == PUSHES
    # Whom pushes to one customer reach, each call says: there is no number to agree to.
    wrong, checks_made = (None, []) if is_for_pushes else await _wrong(me, campaign)
    if is_stopped(checks_made) or wrong is not None:
        return await _review(me, campaign, wrong)
    approved = await me.try_do(approve_campaign, campaign_id, me.form.get("fingerprint", ""))
    if isinstance(approved, Rejected):
        return await _review(me, campaign, approved)
    if is_for_pushes:
        way = f"/console/campaigns/{campaign_id}/review?counted=1"
        return me.go(way, "Approved: pushes to one customer may have its content now.")
    return me.go(f"/console/campaigns/{campaign_id}", "Approved: it is scheduled by that.")


@post(f"{PATH}/reject")
async def do_reject(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Says no to what was proposed, and why."""
    comment = me.form.get("comment", "").strip() or None
    rejected = await me.try_do(reject_campaign, campaign_id, comment)
    way = f"/console/campaigns/{campaign_id}/review?counted=1"
    if isinstance(rejected, Rejected):
        return me.go(way, rejected.message, "warn")
    return me.go(way, "Rejected. It stays a draft.")


def _when(me: SignedIn, campaign: Campaign, at_once: str) -> str | Mapping[str, Any] | Rejected:
    """The time of the launch, as the command takes it."""
    wanted = me.form.get("launch")
    if wanted == AS_PLANNED and campaign.timing is not None:
        return campaign.timing
    if wanted != LATER:
        return at_once
    at = from_field(me.form.get("at", ""), me.place)
    if at is None:
        wrong = why_impossible(me.form.get("at")) or "must be a date and a time"
        return invalid(Fault("at", wrong))
    if at <= me.now:
        nearest = as_field(me.now + HOUR, me.place).replace("T", " ")
        return invalid(Fault("at", f"lies in the past: {nearest} would be in an hour"))
    return at.isoformat()


async def _wrong(me: SignedIn, campaign: Campaign) -> tuple[Rejected | None, Any]:
    """Why the button does not count: its number is not today's, or was not typed; and what stands
    against a launch."""
    preview, checks_made, _ = await _look(me, campaign)
    shown = me.form.get("devices", "")
    agreed = whole(shown)
    if agreed is None or has_changed(agreed, preview.devices):
        message = "The number has changed since you looked: this is the one of now."
        return Rejected("changed", message), checks_made
    if must_be_typed(preview.devices):
        typed = "".join(filter(str.isdecimal, me.form.get("typed", "")))
        if typed != shown:
            fault = Fault("typed", f"must be the number of devices, {shown}")
            return invalid(fault), checks_made
    return None, checks_made


async def _look(me: SignedIn, campaign: Campaign) -> tuple[Any, Any, Any]:
    customer = me.asked("for").strip() or None
    preview = await me.ask(
        preview_campaign, campaign.id, me.parts.check, customer=customer, now=me.now
    )
    chance = me.services.clock.chance()
    sample = await me.ask(
        check_campaign, campaign.id, {}, me.parts.check, now=me.now, chance=chance
    )
    upcoming = await upcoming_shown(me, campaign.timing)
    apps = await me.ask(list_apps)
    return preview, checks(preview, apps, sample, campaign.content, upcoming), upcoming


async def _limited(me: SignedIn, campaign: Campaign) -> LimitsForecast | None:
    """What the workspace's limits would do at its time; now, where it has none that does."""
    expected = None
    if campaign.trigger is None and campaign.timing is not None:
        expected = await me.try_ask(forecast_schedule, campaign.id, campaign.timing, now=me.now)
    if expected is None or isinstance(expected, Rejected):
        expected = await me.ask(forecast_campaign, campaign.id, now=me.now)
    return await me.ask(forecast_limits, expected, now=me.now)


async def _review(
    me: SignedIn, campaign: Campaign, rejected: Rejected | None = None
) -> Response[str]:
    preview, checks_made, upcoming = await _look(me, campaign)
    approval = await me.try_ask(get_approval, campaign.id)
    limits = await me.ask(get_limits)
    status = 200 if me.request.method == "GET" else 422
    return me.page(
        "campaigns/review/page.html",
        status,
        campaign=campaign,
        preview=preview,
        limited=await _limited(me, campaign),
        phones=phones_of(preview.platforms),
        uncounted=None,
        checks=checks_made,
        is_stopped=is_stopped(checks_made),
        is_typed=must_be_typed(preview.devices),
        upcoming=upcoming if isinstance(upcoming, Upcoming) else None,
        wrong_timing=upcoming if isinstance(upcoming, Rejected) else None,
        needs_approval=limits.needs_approval,
        **_approval(me, approval),
        rejected=rejected,
        faults=faults_by_field(rejected),
        at=me.form.get("at") or as_field(me.now + HOUR, me.place),
        zone=me.place.zone.key,
        undo_seconds=UNDO_SECONDS,
    )


def _approval(me: SignedIn, view: ApprovalView | Rejected) -> dict[str, Any]:
    """What is shown of the last proposal. `proposed_for` None: at once, or a time that has
    passed."""
    if isinstance(view, Rejected):
        return {"approval": None, "is_stale": False, "is_mine": False, "proposed_for": None}
    approval = view.approval
    trigger = trigger_of(approval.at, me.now)
    is_now = approval.at == NOW
    return {
        "approval": approval,
        "is_stale": view.is_stale,
        "is_mine": approval.proposed_by.id == me.actor.id,
        "proposed_for": None if is_now or isinstance(trigger, Rejected) else next_at(trigger),
    }


ROUTES = [
    show_review,
    do_launch,
    do_unschedule,
    do_propose,
    do_approve,
    do_reject,
]
