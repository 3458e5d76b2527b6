"""`/console/`: the first steps until they are done; then what runs, and what needs a person."""

from dataclasses import dataclass

from litestar import Response, get

from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.queries import list_campaigns
from clarion.customers.queries import EventView, list_events
from clarion.deliveries.apps.queries import FirebaseApp, list_apps
from clarion.faults import Rejected
from clarion.reports.queries import list_progress
from clarion.sources.queries import SourceView, list_sources
from clarion.web.console.page import Person, SignedIn

SHOWN = 5
_S = CampaignState
LAUNCHED = (_S.LAUNCHING, _S.SENDING, _S.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How far a workspace is set up."""

    source: SourceView | None
    event: EventView | None
    app: FirebaseApp | None
    has_launched: bool

    @property
    def done(self) -> tuple[bool, bool, bool, bool]:
        return (
            self.source is not None,
            self.event is not None,
            self.app is not None,
            self.has_launched,
        )

    @property
    def next_step(self) -> int:
        """The first that is not done, counted from 1; 0: all are."""
        return next((place for place, is_done in enumerate(self.done, 1) if not is_done), 0)


@get("/console/")
async def show_home(me: Person) -> Response[str]:
    start = await _start(me)
    if start.next_step:
        return me.page("overview/start.html", start=start, host=me.host)
    running = await _some(me, (_S.LAUNCHING, _S.SENDING, _S.PAUSED))
    coming = await _some(me, (_S.SCHEDULED,))
    ended = await _some(me, (_S.DONE, _S.FAILED))
    apps = await me.ask(list_apps)
    return me.page(
        "overview/page.html",
        running=running,
        coming=coming,
        ended=ended,
        progress=await me.ask(list_progress, [*running, *ended]),
        paused_apps=[app for app in apps if app.paused_reason is not None],
        doubted_apps=[app for app in apps if app.removals_stopped_at is not None],
    )


async def _start(me: SignedIn) -> Start:
    sources = [one for one in await me.ask(list_sources, me.now) if one.revoked_at is None]
    events = await me.ask(list_events, before_seq=None, limit=1)
    apps = await me.ask(list_apps)
    launched = await me.ask(list_campaigns, before=None, limit=1, states=LAUNCHED)
    return Start(
        source=sources[0] if sources else None,
        event=None if isinstance(events, Rejected) or not events else events[0],
        app=apps[0] if apps else None,
        has_launched=bool(launched),
    )


async def _some(me: SignedIn, states: tuple[CampaignState, ...]) -> list[Campaign]:
    return await me.ask(list_campaigns, before=None, limit=SHOWN, states=states)


ROUTES = [show_home]
