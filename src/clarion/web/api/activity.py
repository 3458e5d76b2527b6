"""/sources/{id}/events and …/counts: what a source sends, what became of it, and why."""

from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from clarion.accounts.actor import Actor
from clarion.customers.diagnostics import cure_of
from clarion.customers.profile.redaction_store import without_secrets
from clarion.customers.source_report import HOURS_MAX, SourceReport, source_report
from clarion.ingest_log import outcome as activity
from clarion.ingest_log.outcome import Outcome, Stage
from clarion.ingest_log.tail import Feed
from clarion.ingest_log.tail_store import Wanted, newest
from clarion.sources.queries import get_source
from clarion.storage.database import StorageUnavailable
from clarion.web.api.errors import accepted
from clarion.web.api.gate import STREAM, GivenCaller, GivenParts, Parts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    Cursor,
    Limit,
    Page,
    after_position,
    cursor_of,
)
from clarion.web.api.source_wire import SourceId

LAST_DEFAULT = 20
HOURS_DEFAULT = 24
RETRY_MS = 2_000
"""How soon the reader of a stream that has ended comes again."""
NAME_CHARACTERS_MAX = 1_000

Only = Annotated[Outcome | None, QueryParameter(description="Only what became of this.")]
Name = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=NAME_CHARACTERS_MAX,
        description="Only events of this name, in any case. A page of them may hold less than its "
        "limit and not be the last.",
    ),
]
Last = Annotated[
    int,
    QueryParameter(ge=0, le=LIMIT_MAX, description="How many that are there already come first."),
]
LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID", description="The `id` of the last one seen: goes on after it."
    ),
]
Hours = Annotated[
    int,
    QueryParameter(ge=1, le=HOURS_MAX, description="How far back, the hour under way included."),
]


class Sdk(msgspec.Struct, frozen=True, kw_only=True):
    """`context.library`: which SDK made an event."""

    name: str | None
    version: str | None


class SourceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event and what became of it; what could not be read of a refused one is null. At `stage`
    call it is whole calls that were turned away, told a few at a time. `at`: the event's time,
    corrected. For a refusal or a warning `message` is the reason and `cure` what to do;
    `excerpt` is how a refused event begins, without tokens."""

    outcome: Outcome
    message_id: str | None
    type: str | None
    event: str | None
    user_id: str | None
    anonymous_id: str | None
    device_id: str | None
    sdk: Sdk | None
    at: Moment | None
    received_at: Moment
    stage: Stage | None
    code: str | None
    message: str | None
    cure: str | None
    excerpt: str | None


class CountedHour(msgspec.Struct, frozen=True, kw_only=True):
    """What came in one hour: events, and calls that were turned away whole."""

    hour: Moment
    accepted: int
    duplicate: int
    refused: int
    turned_away: int


class CountedName(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a name; `(other)` stands for those beyond the number that is told apart."""

    type: str
    event: str | None
    accepted: int
    duplicate: int


class CountedReason(msgspec.Struct, frozen=True, kw_only=True):
    """Refusals with a code; `events`: how many of which name."""

    code: str
    count: int
    cure: str | None
    events: dict[str, int]


class CountedCall(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that were turned away whole for one reason, with nothing of them kept; `about`: how
    many of which origin or write key, where they are told apart."""

    code: str
    count: int
    cure: str | None
    about: dict[str, int]


class CountedSdk(msgspec.Struct, frozen=True, kw_only=True):
    """Events made by an SDK; null: they do not say by which."""

    name: str | None
    version: str | None
    count: int


class CountedWarning(msgspec.Struct, frozen=True, kw_only=True):
    """A warning, how many events deserved it (`tokens_not_refreshed`: devices), and the first event
    of its last hour, if it is still listed. `subject`: what it is about, where it may be about
    several things."""

    code: str
    subject: str | None
    count: int
    meaning: str
    cure: str
    message_id: str | None
    last_at: Moment


class SourceCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a source sent since `since`, most frequent first; counted by the hour of arrival and
    kept for 30 days. `turned_away` counts calls, the others events."""

    since: Moment
    until: Moment
    accepted: int
    duplicate: int
    refused: int
    turned_away: int
    hours: list[CountedHour]
    events: list[CountedName]
    refusals: list[CountedReason]
    calls: list[CountedCall]
    sdks: list[CountedSdk]
    warnings: list[CountedWarning]


class SourceActivity(Controller):
    path = "/sources"
    tags = ("sources",)

    @get("/{source_id:uuid}/events", summary="List what a source sent")
    async def events(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        only: Only = None,
        name: Name = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Page[SourceEvent]:
        """What came last and what became of it: accepted, a duplicate, refused, or something to be
        warned of; newest first."""
        before = after_position(cursor)
        async with parts.database.read() as connection:
            accepted(await get_source(connection, caller, source_id, parts.clock.now()))
            wanted = _wanted(caller, source_id, only, name)
            found, position = await newest(connection, wanted, before, limit)
            found = await without_secrets(connection, caller.workspace_id, found)
        return Page(
            data=[_shown(one) for one in found],
            next=None if position is None else cursor_of(position),
        )

    @get(
        "/{source_id:uuid}/events/stream",
        summary="Watch what a source sends",
        opt={STREAM: SourceEvent},
        media_type="text/event-stream",
    )
    async def stream(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        only: Only = None,
        name: Name = None,
        last: Last = LAST_DEFAULT,
        resume: LastEventId = None,
    ) -> Stream:
        """The same, live, as server-sent events: the `data` of each is one SourceEvent, its `id`
        goes into `Last-Event-ID` when the line was lost. First the `last` that are there already.
        An event named `skipped` says that more came than can be shown. A process serves 64 streams;
        each ends after 15 minutes, and its reader comes again."""
        async with parts.database.read() as connection:
            accepted(await get_source(connection, caller, source_id, parts.clock.now()))
        after = after_position(resume)
        parts.streams.check()
        feed = Feed(parts.database, _wanted(caller, source_id, only, name), after)
        begin = None if after is not None else last
        told = _told(parts, caller.workspace_id, feed, begin)
        return Stream(told, headers={"X-Accel-Buffering": "no"})

    @get("/{source_id:uuid}/counts", summary="Count what a source sent")
    async def counts(
        self,
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        hours: Hours = HOURS_DEFAULT,
    ) -> SourceCounts:
        """How much came by the hour, by name, by SDK; what was refused, and which calls were turned
        away whole, for which reason; and what there is to be warned of, with the cure."""
        async with parts.database.read() as connection:
            accepted(await get_source(connection, caller, source_id, parts.clock.now()))
            report = await source_report(
                connection, caller.workspace_id, source_id, parts.clock.now(), hours
            )
        return shown_report(report)


async def _told(
    parts: Parts, workspace_id: UUID, feed: Feed, begin: int | None
) -> AsyncIterator[bytes]:
    """The lines of a stream. A lost database ends it: its reader comes again."""
    streams, options = parts.streams, parts.streams.options
    began = said = monotonic()
    with streams.place() as has_room:
        if not has_room:
            return
        try:
            found = await feed.look() if begin is None else await feed.begin(begin)
            # A line without data is told to nobody, but its id is remembered.
            yield f"retry: {RETRY_MS}\nid: {cursor_of(feed.position)}\n\n".encode()
            while True:
                if feed.skipped:
                    yield b"event: skipped\ndata: {}\n\n"
                async with parts.database.read() as connection:
                    found = await without_secrets(connection, workspace_id, found)
                for line in _lines(found, cursor_of(feed.position)):
                    said = monotonic()
                    yield line
                if monotonic() - said >= options.keep_alive_seconds:
                    said = monotonic()
                    yield b": nothing new\n\n"
                if monotonic() - began >= options.seconds_max:
                    return
                if not await streams.pause(options.look_seconds):
                    return
                found = await feed.look()
        except StorageUnavailable:
            return


def _lines(found: Sequence[activity.Activity], position: str) -> list[bytes]:
    """One look is read whole or not at all: only its last event has an id."""
    lines = [b"data: " + msgspec.json.encode(_shown(one)) + b"\n" for one in found]
    if lines:
        lines[-1] += f"id: {position}\n".encode()
    return [line + b"\n" for line in lines]


def _wanted(caller: Actor, source_id: UUID, only: Outcome | None, name: str | None) -> Wanted:
    return Wanted(
        workspace_id=caller.workspace_id,
        source_id=source_id,
        outcomes=frozenset(Outcome) if only is None else frozenset({only}),
        name=name,
    )


def _shown(one: activity.Activity) -> SourceEvent:
    named = one.library is not None or one.library_version is not None
    return SourceEvent(
        outcome=one.outcome,
        message_id=one.message_id,
        type=one.type,
        event=one.name,
        user_id=one.user_id,
        anonymous_id=one.anonymous_id,
        device_id=one.device_id,
        sdk=Sdk(name=one.library, version=one.library_version) if named else None,
        at=one.at,
        received_at=one.received_at,
        stage=one.stage,
        code=one.code,
        message=one.message,
        cure=None if one.code is None else cure_of(one.code),
        excerpt=one.excerpt,
    )


def shown_report(report: SourceReport) -> SourceCounts:
    """A report as the API tells it."""
    return SourceCounts(
        since=report.since,
        until=report.until,
        accepted=report.accepted,
        duplicate=report.duplicate,
        refused=report.refused,
        turned_away=report.turned_away,
        hours=[msgspec.convert(one, CountedHour, from_attributes=True) for one in report.hours],
        events=[
            CountedName(
                type=one.type, event=one.name, accepted=one.accepted, duplicate=one.duplicate
            )
            for one in report.names
        ],
        refusals=[
            CountedReason(code=one.code, count=one.count, cure=one.cure, events=dict(one.names))
            for one in report.reasons
        ],
        calls=[
            CountedCall(code=one.code, count=one.count, cure=one.cure, about=dict(one.names))
            for one in report.calls
        ],
        sdks=[msgspec.convert(one, CountedSdk, from_attributes=True) for one in report.sdks],
        warnings=[
            msgspec.convert(one, CountedWarning, from_attributes=True) for one in report.warnings
        ],
    )
