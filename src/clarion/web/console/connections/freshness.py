"""`/console/connections/freshness`: how long ago registrations were refreshed, and what the next
sweep removes."""

from urllib.parse import urlencode

from litestar import Response, get

from clarion.accounts.workspace import STALE_DAYS_MAX
from clarion.customers.devices.freshness.token_age import CohortBy
from clarion.customers.devices.queries import (
    list_stale,
    list_swept,
    preview_sweep,
    token_ages,
)
from clarion.sources.queries import list_sources
from clarion.web.console.page import Person

PLACE = "/console/connections/freshness"
COHORTS = {
    CohortBy.APP_VERSION: "App version",
    CohortBy.PLATFORM: "Platform",
    CohortBy.SOURCE: "Source",
}
DEVICES = 20
AHEAD_DAYS_MAX = 365


@get(PLACE)
async def show_freshness(me: Person) -> Response[str]:
    """`by`, `in_days` and `stale_after_days` stand in the URL. `counted`: with the cohorts, for
    which every device is looked at; the page asks for them by itself."""
    by = CohortBy(me.asked("by")) if me.asked("by") in list(CohortBy) else CohortBy.APP_VERSION
    ages = await me.ask(token_ages, by, me.now) if me.asked("counted") else None
    usual = me.workspace.stale_after_days
    days = _days(me.asked("stale_after_days"), STALE_DAYS_MAX) or usual
    ahead = _days(me.asked("in_days"), AHEAD_DAYS_MAX)
    named = {str(source.id): source.name for source in await me.ask(list_sources, me.now)}
    preview = await me.ask(preview_sweep, me.now, stale_after_days=days, in_days=ahead)
    stale = await me.ask(list_stale, me.now, stale_after_days=days, in_days=ahead, limit=DEVICES)
    return me.page(
        "connections/freshness.html",
        by=by,
        cohort_kinds=COHORTS,
        ages=ages,
        usual=usual,
        later_path="?" + urlencode({**me.request.query_params, "counted": "1"}),
        named=named,
        preview=preview,
        ahead=ahead,
        stale=stale,
        swept=await me.ask(list_swept, limit=DEVICES),
    )


def _days(text: str, most: int) -> int:
    return min(int(text), most) if text.isdecimal() and len(text) < 6 else 0


ROUTES = [show_freshness]
