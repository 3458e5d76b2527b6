"""`/console/campaigns`: every campaign with its state and how far it is."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.commands import archive_campaign, restore_campaign
from clarion.campaigns.queries import list_campaigns
from clarion.faults import Rejected
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
        is_moving=any(campaign.state in (_S.LAUNCHING, _S.SENDING) for campaign in shown),
    )


@post("/console/campaigns/{campaign_id:uuid}/archive")
async def do_archive(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Takes it out of the list; it is found under "Archived"."""
    outcome = await me.try_do(archive_campaign, campaign_id)
    if isinstance(outcome, Rejected):
        return me.go(f"/console/campaigns/{campaign_id}", outcome.message, "warn")
    return me.go("/console/campaigns", f"{outcome.name} is archived; it stands under “Archived”.")


@post("/console/campaigns/{campaign_id:uuid}/restore")
async def do_restore(me: Person, campaign_id: FromPath[UUID]) -> Response[Any]:
    """Puts it back into the list."""
    outcome = await me.try_do(restore_campaign, campaign_id)
    if isinstance(outcome, Rejected):
        return me.go(f"/console/campaigns/{campaign_id}", outcome.message, "warn")
    return me.go("/console/campaigns", f"{outcome.name} is in the list again.")


ROUTES = [show_list, do_archive, do_restore]
