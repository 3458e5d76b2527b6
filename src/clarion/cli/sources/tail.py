"""`clarion sources tail`: what a source sends, what became of it, and what to mend."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.cli.api import open_api
from clarion.cli.api.client import Api
from clarion.cli.output import Name, console, escape, write_json
from clarion.cli.sources.choice import Record, choose_source

LAST_MAX = 500
RETRY_SECONDS = 2.0
"""How soon a stream is asked for again that has ended."""

Outcome = Literal["accepted", "duplicate", "refused", "warning"]

_STYLES = {
    "accepted": ("green", "✓"),
    "duplicate": ("dim", "="),
    "refused": ("red", "✗"),
    "warning": ("yellow", "!"),
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
    async with open_api() as api:
        chosen = await choose_source(api, source)
        path = f"/sources/{chosen['id']}/events"
        wanted = {"only": only, "name": name}
        newest = []
        if last:
            newest = (await api.call("GET", path, query=wanted | {"limit": last}))["data"]
        if not json and last and not newest:
            _print_nothing(chosen)
        if not json:
            _print_waiting((await api.call("GET", "/sources/backlog"))["jobs"])
        if not follow:
            for event in reversed(newest):
                _print(event, as_json=json)
            return
        async with aclosing(_watch(api, f"{path}/stream", wanted, last)) as events:
            async for event in events:
                if event is not None:
                    _print(event, as_json=json)
                elif not json:
                    console.print("… more came than can be shown: see clarion sources counts")


async def _watch(
    api: Api, path: str, wanted: Record, last: int
) -> AsyncGenerator[dict[str, Any] | None]:
    """The `last` events, and what comes after them; None: more came than can be shown. A stream
    that ends is asked for again where it was."""
    position: str | None = None
    while True:
        headers = {} if position is None else {"Last-Event-ID": position}
        query = wanted | {"last": last}
        pieces = api.stream(path, media="text/event-stream", query=query, headers=headers)
        rest = b""
        async with aclosing(pieces):
            async for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    field, _, value = line.partition(b": ")
                    if field == b"id":
                        position = value.decode()
                    elif line == b"event: skipped":
                        yield None
                    elif field == b"data" and value != b"{}":
                        yield msgspec.json.decode(value)
        await asyncio.sleep(RETRY_SECONDS)


def _print_nothing(source: Record) -> None:
    console.print(f"{escape(source['name'])} has sent nothing of this yet.", style="dim")
    console.print(
        f"If it has: does it send to this Clarion, with the write key {source['write_key']}?",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )


def _print_waiting(jobs: int | None) -> None:
    """What is durable and not taken in yet is not listed: an app's events seem to be missing."""
    if jobs is None:
        console.print("The broker does not answer: nothing is taken in.", style="red")
    elif jobs:
        console.print(
            f"{jobs:,} {'job of events waits' if jobs == 1 else 'jobs of events wait'} to be taken "
            "in. If that does not end: does an ingestor run?",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )


def _print(event: Record, *, as_json: bool) -> None:
    if as_json:
        write_json(msgspec.json.encode(event), sys.stdout)
    else:
        _print_line(event)
    sys.stdout.flush()


def _print_line(event: Record) -> None:
    style, sign = _STYLES[event["outcome"]]
    who = event["user_id"] or event["anonymous_id"] or event["device_id"]
    sdk = event["sdk"] or {}
    library = " ".join(part for part in (sdk.get("name"), sdk.get("version")) if part)
    cells = [
        f"{datetime.fromisoformat(event['received_at']):%H:%M:%S}",
        f"[{style}]{sign} {event['outcome']:<9}[/]",
        f"{event['type'] or '–':<8}",
        f"[bold]{escape(event['event'] or '–')}[/]",
        escape(who or "–"),
        f"[dim]{escape(library or '–')}[/]",
        f"[dim]{escape(event['message_id'] or '–')}[/]",
    ]
    if event["stage"] == "call":
        cells[2:] = ["the whole call"]
    console.print("  ".join(cells), highlight=False, soft_wrap=True)
    if event["code"] is not None:
        console.print(
            f"          [{style}]{event['code']}[/]  {escape(event['message'] or '')}",
            highlight=False,
            soft_wrap=True,
        )
        if event["cure"] is not None:
            console.print(f"          → {escape(event['cure'])}", highlight=False, soft_wrap=True)
