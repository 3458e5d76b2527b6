"""/sources/{id}/events and …/counts: what a source sends, what became of it, and why."""

from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from clarion.accounts.actor import Actor
from clarion.broker import BrokerUnavailable, JobKind
from clarion.customers.queries import SourceEvent, list_activity, next_activity, watch_activity
from clarion.customers.source_report import source_report
from clarion.importing.queries import waiting_jobs
from clarion.ingest_log.outcome import Outcome
from clarion.ingest_log.queries import Wanted
from clarion.ingest_log.source_report import HOURS_MAX, SourceCounts
from clarion.ingest_log.tail import Tail
from clarion.sources.queries import get_source
from clarion.storage.database import StorageUnavailable
from clarion.web.api.gate import STREAM, Call, GivenCaller, GivenParts, Parts
from clarion.web.api.pages import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    Cursor,
    Limit,
    Page,
    after_position,
    cursor_of,
)
from clarion.web.api.sources.wire import SourceId

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


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What is durable and not taken in yet. `jobs` null: the broker does not answer, and nothing is
    taken in. In an installation with several workspaces it is 0; 1, for any number up to 20; or 21,
    for any greater one."""

    jobs: int | None


class SourceActivity(Controller):
    path = "/sources"
    tags = ("sources",)

    @get("/backlog", summary="Count what waits to be taken in")
    async def backlog(self, parts: GivenParts, caller: GivenCaller) -> Backlog:
        """How many jobs of events wait for an ingestor. What waits is not listed as an event yet.
        Where other workspaces wait in the same line, only whether any, and whether more than an
        import should run ahead of."""
        try:
            depth = await parts.broker.depth(JobKind.EVENTS)
        except BrokerUnavailable:
            return Backlog(jobs=None)
        return Backlog(jobs=await parts.ask(waiting_jobs, caller, depth))

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
        wanted, before = _wanted(source_id, only, name), after_position(cursor)
        shown, position = await parts.ask(list_activity, caller, wanted, before=before, limit=limit)
        return Page(data=shown, next=None if position is None else cursor_of(position))

    @get(
        "/{source_id:uuid}/events/stream",
        summary="Watch what a source sends",
        opt={STREAM: SourceEvent},
        media_type="text/event-stream",
    )
    async def stream(
        self,
        request: Call,
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
        after = after_position(resume)
        tail = await parts.ask(watch_activity, caller, _wanted(source_id, only, name), after)
        parts.streams.check()
        lines = _stream(parts, caller, tail, last if after is None else None)
        return Stream(lines, headers={"X-Accel-Buffering": "no"})

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
        now = parts.clock.now()
        await parts.ask(get_source, caller, source_id, now)
        return await parts.ask(source_report, caller, source_id, now, hours)


async def _stream(
    parts: Parts, caller: Actor, tail: Tail, last: int | None
) -> AsyncIterator[bytes]:
    """The lines of a stream. A lost database ends it: its reader comes again."""
    streams, options = parts.streams, parts.streams.options
    began = written = monotonic()
    with streams.place() as has_room:
        if not has_room:
            return
        try:
            events = await parts.ask(next_activity, caller, tail, last=last)
            # A line without data is told to nobody, but its id is remembered.
            yield f"retry: {RETRY_MS}\nid: {cursor_of(tail.position)}\n\n".encode()
            while True:
                if tail.skipped:
                    yield b"event: skipped\ndata: {}\n\n"
                for line in _lines(events, cursor_of(tail.position)):
                    written = monotonic()
                    yield line
                if monotonic() - written >= options.keep_alive_seconds:
                    written = monotonic()
                    yield b": nothing new\n\n"
                if monotonic() - began >= options.seconds_max:
                    return
                if not await streams.pause(options.look_seconds):
                    return
                events = await parts.ask(next_activity, caller, tail)
        except StorageUnavailable:
            return


def _lines(events: Sequence[SourceEvent], position: str) -> list[bytes]:
    """One look is read whole or not at all: only its last event has an id."""
    lines = [b"data: " + msgspec.json.encode(event) + b"\n" for event in events]
    if lines:
        lines[-1] += f"id: {position}\n".encode()
    return [line + b"\n" for line in lines]


def _wanted(source_id: UUID, only: Outcome | None, name: str | None) -> Wanted:
    return Wanted(
        source_id=source_id,
        outcomes=frozenset(Outcome) if only is None else frozenset({only}),
        name=name,
    )
