"""`clarion sources tail`: what a source sends, what became of it, and what to mend."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.broker import BrokerUnavailable, JobKind
from clarion.cli.output import Name, console, escape, write_json
from clarion.cli.session import Session, open_session
from clarion.cli.source_choice import choose_source
from clarion.customers.queries import SourceEvent, view_activity
from clarion.ingest_log.outcome import Outcome, Stage
from clarion.ingest_log.queries import Wanted
from clarion.ingest_log.tail import Tail
from clarion.sources.queries import SourceView

LOOK_SECONDS = 0.5
LAST_MAX = 500

_STYLES = {
    Outcome.ACCEPTED: ("green", "✓"),
    Outcome.DUPLICATE: ("dim", "="),
    Outcome.REFUSED: ("red", "✗"),
    Outcome.WARNING: ("yellow", "!"),
}

AsLines = Annotated[
    bool, Parameter(name="--json", negative="", help="Print JSON for scripts, one event a line.")
]


async def tail(
    source: Name | None = None,
    *,
    only: Outcome | None = None,
    name: str | None = None,
    last: Annotated[int, Parameter(validator=Number(gte=0, lte=LAST_MAX))] = 20,
    follow: bool = True,
    json: AsLines = False,
) -> None:
    """Watch what a source sends: accepted, a duplicate, refused (why, and the cure), a warning.

    Shows the last ones and goes on until Ctrl-C. Whichever process takes the events in.

    For example:

    ```
    clarion sources tail
    clarion sources tail "Android app"
    clarion sources tail "Android app" --only refused
    clarion sources tail web --name "Register Push" --last 100 --no-follow --json
    ```

    Parameters
    ----------
    source
        The source, by id or name; needless where there is only one.
    only
        Only what became of this.
    name
        Only events of this name, in any case.
    last
        How many that are there already come first.
    follow
        Go on with what is new, until Ctrl-C.
    """
    async with open_session() as session:
        async with session.database.read() as connection:
            found = await choose_source(connection, session, source)
        wanted = Wanted(
            source_id=found.id,
            outcomes=frozenset(Outcome) if only is None else frozenset({only}),
            name=name,
        )
        feed = Tail(session.database, wanted)
        news = await feed.begin(last)
        if not json and last and not news:
            _print_nothing(found)
        if not json:
            await _print_waiting(session)
        while True:
            async with session.database.read() as connection:
                shown = await view_activity(connection, session.actor, news)
            _print_news(shown, as_json=json)
            if not follow:
                return
            await asyncio.sleep(LOOK_SECONDS)
            news = await feed.look()
            if feed.skipped and not json:
                console.print("… more came than can be shown: see clarion sources counts")


def _print_nothing(source: SourceView) -> None:
    console.print(f"{escape(source.name)} has sent nothing of this yet.", style="dim")
    console.print(
        f"If it has: does it send to this Clarion, with the write key {source.write_key}?",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )


async def _print_waiting(session: Session) -> None:
    """What is durable and not taken in yet is not listed: an app's events seem to be missing."""
    try:
        jobs = await session.broker.depth(JobKind.EVENTS)
    except BrokerUnavailable as error:
        console.print(
            f"The broker does not answer ({escape(str(error))}): nothing is taken in.", style="red"
        )
        return
    if jobs:
        console.print(
            f"{jobs:,} {'job of events waits' if jobs == 1 else 'jobs of events wait'} to be taken "
            "in. If that does not end: does an ingestor run?",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )


def _print_news(news: Sequence[SourceEvent], *, as_json: bool) -> None:
    for one in news:
        if as_json:
            write_json(msgspec.json.encode(one), sys.stdout)
        else:
            _print_line(one)
    sys.stdout.flush()


def _print_line(one: SourceEvent) -> None:
    style, sign = _STYLES[one.outcome]
    is_call = one.stage is Stage.CALL
    who = one.user_id or one.anonymous_id or one.device_id
    library = " ".join(part for part in (one.sdk.name, one.sdk.version) if part) if one.sdk else ""
    told = [
        one.received_at.strftime("%H:%M:%S"),
        f"[{style}]{sign} {one.outcome.value:<9}[/]",
        f"{one.type or '–':<8}",
        f"[bold]{escape(one.event or '–')}[/]",
        escape(who or "–"),
        f"[dim]{escape(library or '–')}[/]",
        f"[dim]{escape(one.message_id or '–')}[/]",
    ]
    if is_call:
        told[2:] = ["the whole call"]
    console.print("  ".join(told), highlight=False, soft_wrap=True)
    if one.code is not None:
        console.print(
            f"          [{style}]{one.code}[/]  {escape(one.message or '')}",
            highlight=False,
            soft_wrap=True,
        )
        if one.cure is not None:
            console.print(f"          → {escape(one.cure)}", highlight=False, soft_wrap=True)
