"""`/console/campaigns/{id}`: what became of it, live, and what may be done."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import pause_campaign
from clarion.campaigns.preview import Forecast
from clarion.campaigns.queries import (
    forecast_campaign,
    get_campaign,
    render_campaign,
)
from clarion.campaigns.timing.trigger import Recurring
from clarion.customers.devices.device import Platform
from clarion.deliveries.commands import cancel_campaign, resume_campaign
from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.queries import list_deliveries
from clarion.deliveries.reasons import meaning
from clarion.deliveries.store import Delivery, Wanted
from clarion.faults import Rejected
from clarion.importing.delivery_lines import DELIVERIES_AT_ONCE, delivery_lines
from clarion.reports.queries import (
    Report,
    get_campaign_activity,
    get_report,
    list_launch_reports,
)
from clarion.web.console.campaigns.compose.looking import phones_of
from clarion.web.console.chart.hours import chart
from clarion.web.console.page import Person, SignedIn, read_id

PATH = "/console/campaigns/{campaign_id:uuid}"
PAGE = 50
LAUNCHES_SHOWN = 10
_S = CampaignState
LIVE_MS = {_S.SCHEDULED: 1_000, _S.LAUNCHING: 1_000, _S.SENDING: 1_500, _S.PAUSED: 5_000}
"""How often a page looks anew, while something moves."""
SOON = timedelta(seconds=60)
QUARTERS = (100, 75, 50, 25)


@get(PATH)
async def show_campaign(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """The report; of a draft, the composer, or for who may not write, the review."""
    campaign = await me.ask(get_campaign, campaign_id)
    if campaign.state is _S.DRAFT:
        screen = "edit" if me.may_write else "review"
        return me.go(f"/console/campaigns/{campaign_id}/{screen}")
    report = await me.ask(get_report, campaign_id, now=me.now)
    preview = await me.ask(render_campaign, campaign_id, me.parts.check, now=me.now)
    activity = await me.ask(get_campaign_activity, campaign_id)
    launches = await me.ask(list_launch_reports, campaign_id, limit=LAUNCHES_SHOWN)
    return me.page(
        "campaigns/report/page.html",
        campaign=campaign,
        report=report,
        phones=phones_of(preview.platforms),
        told=meaning,
        hours=activity.hours,
        opened=chart({each.hour: each.opened for each in activity.hours}),
        converted=chart({each.hour: each.converted for each in activity.hours}),
        launches=launches if len(launches) > 1 or isinstance(campaign.trigger, Recurring) else [],
        live_ms=_live(campaign, me),
        is_soon=_is_soon(campaign, me),
        announce=_announced(campaign, report),
        rate=_rate(campaign, report, me),
    )


@post(f"{PATH}/pause")
async def do_pause(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Pushes that are under way still arrive."""
    outcome = await me.try_do(pause_campaign, campaign_id)
    return _after_act(me, campaign_id, outcome, "Paused. Pushes that are under way still arrive.")


@post(f"{PATH}/resume")
async def do_resume(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """From where it was."""
    outcome = await me.try_do(resume_campaign, campaign_id)
    return _after_act(me, campaign_id, outcome, "It goes on.")


@post(f"{PATH}/cancel")
async def do_cancel(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """For good."""
    outcome = await me.try_do(cancel_campaign, campaign_id)
    said = "Cancelled. What had not left will never be sent."
    return _after_act(me, campaign_id, outcome, said)


@get(f"{PATH}/cancel")
async def show_cancel(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Names what is lost by it, before it is."""
    campaign = await me.ask(get_campaign, campaign_id)
    report = await me.ask(get_report, campaign_id, now=me.now)
    expected: Forecast | None = None
    if campaign.launch is None:
        expected = await me.ask(forecast_campaign, campaign_id, now=me.now)
    return me.page(
        "campaigns/report/cancel.html", campaign=campaign, report=report, expected=expected
    )


@get(f"{PATH}/deliveries")
async def show_deliveries(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Each push, by state; `state` and `after` stand in the URL."""
    campaign = await me.ask(get_campaign, campaign_id)
    wanted = _wanted(me)
    deliveries = await me.ask(
        list_deliveries,
        campaign_id,
        wanted=wanted,
        after=_after(me),
        limit=PAGE + 1,
    )
    shown = deliveries[:PAGE]
    last = shown[-1] if len(deliveries) > PAGE else None
    return me.page(
        "campaigns/report/deliveries.html",
        campaign=campaign,
        deliveries=shown,
        states=[choice.value for choice in DeliveryState],
        platforms=[choice.value for choice in Platform],
        chosen=_filters(wanted),
        next_after=None if last is None else f"{last.launch_id}.{last.device_row_id}",
        told=meaning,
        after=me.asked("after"),
    )


@get(f"{PATH}/deliveries.csv")
async def export_deliveries(me: Person, campaign_id: FromPath[UUID]) -> Stream:
    """The same as lines of CSV, all of them, page by page."""
    wanted = _wanted(me)

    async def read(last: Delivery | None) -> list[Delivery]:
        return await me.ask(
            list_deliveries,
            campaign_id,
            wanted=wanted,
            after=None if last is None else (last.launch_id, last.device_row_id),
            limit=DELIVERIES_AT_ONCE,
        )

    # Before the answer begins: then it can still be an error.
    first = await read(None)
    headers = {"Content-Disposition": 'attachment; filename="deliveries.csv"'}
    return Stream(delivery_lines(first, read), media_type="text/csv", headers=headers)


def _wanted(me: SignedIn) -> Wanted:
    """Which deliveries the URL names."""
    states = {state.value: state for state in DeliveryState}
    platforms = {platform.value: platform for platform in Platform}
    return Wanted(
        state=states.get(me.asked("state")),
        reason=me.asked("reason") or None,
        platform=platforms.get(me.asked("platform")),
    )


def _filters(wanted: Wanted) -> dict[str, str]:
    """The same as it stands in the URL."""
    given = {"state": wanted.state, "reason": wanted.reason, "platform": wanted.platform}
    return {name: str(value) for name, value in given.items() if value is not None}


def _after_act(
    me: SignedIn, campaign_id: UUID, outcome: Campaign | Rejected, said: str
) -> Response[Any]:
    way = f"/console/campaigns/{campaign_id}"
    if isinstance(outcome, Rejected):
        return me.go(way, outcome.message, "warn")
    return me.go(way, said)


def _is_soon(campaign: Campaign, me: SignedIn) -> bool:
    at = campaign.scheduled_at
    return campaign.state is _S.SCHEDULED and at is not None and at - me.now <= SOON


def _live(campaign: Campaign, me: SignedIn) -> int:
    """0: nothing moves any more."""
    if campaign.state is _S.SCHEDULED and not _is_soon(campaign, me):
        return 15_000
    return LIVE_MS.get(campaign.state, 0)


def _announced(campaign: Campaign, report: Report) -> str:
    """What is said aloud: each quarter, and each state."""
    if campaign.state is not _S.SENDING or not report.planned:
        return f"{campaign.name} is {campaign.state.value}"
    share = 100 * report.settled // report.planned
    quarter = next((quarter_passed for quarter_passed in QUARTERS if share >= quarter_passed), 0)
    return f"{campaign.name}: {quarter} percent"


def _rate(campaign: Campaign, report: Report, me: SignedIn) -> dict[str, Any] | None:
    """Pushes a second since it began, and how long the rest takes at that rate."""
    launch = campaign.launch
    if campaign.state is not _S.SENDING or launch is None or not report.settled:
        return None
    seconds = max((me.now - launch.started_at).total_seconds(), 1.0)
    a_second = report.settled / seconds
    return {"a_second": round(a_second), "left": timedelta(seconds=report.in_flight / a_second)}


def _after(me: SignedIn) -> tuple[UUID, UUID] | None:
    launch_id, _, device_id = me.asked("after").partition(".")
    launch, device = read_id(launch_id), read_id(device_id)
    return None if launch is None or device is None else (launch, device)


ROUTES = [
    show_campaign,
    show_cancel,
    show_deliveries,
    export_deliveries,
    do_pause,
    do_resume,
    do_cancel,
]
