"""`/console/campaigns`: every campaign with its state and how far it is."""

from litestar import Response, get

from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.queries import list_campaigns
from clarion.reports.queries import list_progress
from clarion.web.console.page import Person, read_id

PAGE = 50
_S = CampaignState
ARCHIVED = "archived"
FILTERS: dict[str, tuple[str, tuple[CampaignState, ...]]] = {
    "": ("All", ()),
    "draft": ("Drafts", (_S.DRAFT,)),
    "scheduled": ("Scheduled", (_S.SCHEDULED,)),
    "sending": ("Sending", (_S.LAUNCHING, _S.SENDING)),
    "paused": ("Paused", (_S.PAUSED,)),
    "done": ("Done", (_S.DONE,)),
    "ended": ("Cancelled or failed", (_S.CANCELLED, _S.FAILED)),
    ARCHIVED: ("Archived", ()),
}
"""`state` in the URL → what the tab is called, and the states that it shows."""


@get("/console/campaigns")
async def show_list(me: Person) -> Response[str]:
    """Newest first, by pages; `state`, `q` and `before` stand in the URL."""
    chosen = me.asked("state") if me.asked("state") in FILTERS else ""
    words = me.asked("q").strip()
    campaigns = await me.ask(
        list_campaigns,
        before=read_id(me.asked("before")),
        limit=PAGE + 1,
        states=FILTERS[chosen][1],
        words=words,
        archived=chosen == ARCHIVED,
    )
    shown = campaigns[:PAGE]
    progress = await me.ask(list_progress, shown)
    return me.page(
        "campaigns/list/page.html",
        campaigns=shown,
        progress=progress,
        filters=FILTERS,
        chosen=chosen,
        words=words,
        before=me.asked("before"),
        next_before=shown[-1].id if len(campaigns) > PAGE else None,
        is_moving=any(one.state in (_S.LAUNCHING, _S.SENDING) for one in shown),
    )


ROUTES = [show_list]
