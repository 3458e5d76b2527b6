"""`/console/`: the first steps until they are done; then what runs, and what needs a person."""

from dataclasses import dataclass

from litestar import Response, get

from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.queries import list_campaigns
from clarion.customers.queries import EventView, SourceEvent, list_activity, list_events
from clarion.deliveries.apps.queries import FirebaseApp, list_apps
from clarion.deliveries.practice import PRACTICE_PROJECT
from clarion.ingest_log.outcome import Outcome
from clarion.ingest_log.queries import Wanted
from clarion.reports.queries import list_progress
from clarion.sources.queries import SourceView, list_sources
from clarion.web.console.overview.practice import ROUTES as PRACTICE
from clarion.web.console.overview.practice import practice_of
from clarion.web.console.page import Person, SignedIn

SHOWN = 5
_S = CampaignState
LAUNCHED = (_S.LAUNCHING, _S.SENDING, _S.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How far a workspace is set up."""

    source: SourceView | None
    event: EventView | SourceEvent | None
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
        return me.page(
            "overview/start.html", start=start, host=me.host, practice=await practice_of(me)
        )
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
    """The practice app and its source are left out: they are no step of setting up."""
    apps = await me.ask(list_apps)
    practice = next((app.id for app in apps if app.project_id == PRACTICE_PROJECT), None)
    sources = [
        source
        for source in await me.ask(list_sources, me.now)
        if source.revoked_at is None and (practice is None or source.firebase_app_id != practice)
    ]
    launched = await me.ask(list_campaigns, before=None, limit=1, states=LAUNCHED)
    return Start(
        source=sources[0] if sources else None,
        event=await _first_event(me, sources, has_practice=practice is not None),
        app=next((app for app in apps if app.id != practice), None),
        has_launched=bool(launched),
    )


async def _first_event(
    me: SignedIn, sources: list[SourceView], *, has_practice: bool
) -> EventView | SourceEvent | None:
    """The last one; with a practice phone, that of the first source alone."""
    if not has_practice:
        events = await me.ask(list_events, before_seq=None, limit=1)
        return events[0] if events else None
    if not sources:
        return None
    wanted = Wanted(source_id=sources[0].id, outcomes=frozenset({Outcome.ACCEPTED}))
    activity, _ = await me.ask(list_activity, wanted, before=None, limit=1)
    return activity[0] if activity else None


async def _some(me: SignedIn, states: tuple[CampaignState, ...]) -> list[Campaign]:
    return await me.ask(list_campaigns, before=None, limit=SHOWN, states=states)


ROUTES = [show_home, *PRACTICE]
