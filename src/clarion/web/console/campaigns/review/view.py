"""`/console/campaigns/{id}/review`: the number, the checks, and the button that says the number."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import unschedule_campaign
from clarion.campaigns.preview import Preview
from clarion.campaigns.queries import get_campaign, preview_campaign
from clarion.campaigns.reaching import schedule_reaching
from clarion.deliveries.apps.queries import list_apps
from clarion.faults import Fault, Rejected, invalid
from clarion.web.console.campaigns.compose.view import cuts_of
from clarion.web.console.campaigns.review.checks import (
    checks,
    has_changed,
    is_stopped,
    must_be_typed,
)
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field
from clarion.web.console.when import as_field, from_field

PATH = "/console/campaigns/{campaign_id:uuid}"
UNDO_SECONDS = 20
"""So long after the button nothing is sent yet, and it can be undone."""
HOUR = timedelta(hours=1)


@get(f"{PATH}/review")
async def show_review(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    campaign = await me.ask(get_campaign, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        return me.go(f"/console/campaigns/{campaign_id}")
    return await _review(me, campaign)


@post(f"{PATH}/launch")
async def do_launch(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Schedules it: for 20 seconds from now, in which it can be undone, or for the time given."""
    if not me.may_publish:
        raise PageError(forbidden(Permission.PUBLISH))
    campaign = await me.ask(get_campaign, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        message = "It was launched already, perhaps in another tab."
        return me.go(f"/console/campaigns/{campaign_id}", message, "info")
    at = _when(me)
    preview, found = await _look(me, campaign)
    if isinstance(at, Rejected):
        return await _review(me, campaign, at)
    wrong = _wrong(me, preview)
    if is_stopped(found) or wrong is not None:
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
    return me.go(f"/console/campaigns/{campaign_id}/review", message)


def _when(me: SignedIn) -> str | Rejected:
    """The time of the launch, as the command takes it."""
    if me.form.get("launch") != "later":
        return (me.now + timedelta(seconds=UNDO_SECONDS)).isoformat()
    at = from_field(me.form.get("at", ""), me.place)
    if at is None:
        return invalid(Fault("at", "must be a date and a time"))
    if at <= me.now:
        nearest = as_field(me.now + HOUR, me.place).replace("T", " ")
        return invalid(Fault("at", f"lies in the past: {nearest} would be in an hour"))
    return at.isoformat()


def _wrong(me: SignedIn, preview: Preview) -> Rejected | None:
    """Why the button does not count: its number is not today's, or was not typed."""
    shown = me.form.get("devices", "")
    if not shown.isdecimal() or has_changed(int(shown), preview.devices):
        message = "The number has changed since you looked: this is the one of now."
        return Rejected("changed", message)
    if must_be_typed(preview.devices):
        typed = "".join(filter(str.isdecimal, me.form.get("typed", "")))
        if typed != shown:
            return invalid(Fault("typed", f"must be the number of devices, {shown}"))
    return None


async def _look(me: SignedIn, campaign: Campaign) -> tuple[Preview, Any]:
    customer = me.asked("for").strip() or None
    preview = await me.ask(
        preview_campaign, campaign.id, me.parts.check, customer=customer, now=me.now
    )
    return preview, checks(preview, await me.ask(list_apps))


async def _review(
    me: SignedIn, campaign: Campaign, rejected: Rejected | None = None
) -> Response[str]:
    preview, found = await _look(me, campaign)
    status = 200 if me.request.method == "GET" else 422
    return me.page(
        "campaigns/review/page.html",
        status,
        campaign=campaign,
        preview=preview,
        cuts=cuts_of(preview),
        checks=found,
        is_stopped=is_stopped(found),
        is_typed=must_be_typed(preview.devices),
        rejected=rejected,
        faults=faults_by_field(rejected),
        at=me.form.get("at") or as_field(me.now + HOUR, me.place),
        zone=me.place.zone.key,
        undo_seconds=UNDO_SECONDS,
    )


ROUTES = [show_review, do_launch, do_unschedule]
