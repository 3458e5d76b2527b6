"""Sources and Firebase apps as people name them on the command line."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from clarion.cli.api.client import Api, read_list
from clarion.cli.output import Ending, ExitCode, not_found

Record = dict[str, Any]
"""A thing as the API tells it."""


async def find_source(api: Api, name: str) -> Record:
    """A source by id or name. Ends the command where there is none, or several of that name."""
    return _named(await read_list(api, "/sources"), name)


def _named(sources: Sequence[Record], name: str) -> Record:
    named = [source for source in sources if name in (source["id"], source["name"])]
    if not named:
        raise not_found("source", name)
    if len(named) > 1:
        ids = ", ".join(source["id"] for source in named)
        raise Ending(ExitCode.USAGE, f"Several sources are called {name}: say which by id ({ids}).")
    return named[0]


async def choose_source(api: Api, name: str | None) -> Record:
    """The source of that name; without a name the only one that stands. Ends the command where
    there are several."""
    return chosen(await read_list(api, "/sources"), name)


def chosen(sources: Sequence[Record], name: str | None) -> Record:
    """See `choose_source`."""
    if name is not None:
        return _named(sources, name)
    standing = [source for source in sources if source["revoked_at"] is None]
    if len(standing) == 1:
        return standing[0]
    if not standing:
        raise Ending(ExitCode.USAGE, "There is no source yet: clarion sources create NAME.")
    names = ", ".join(repr(source["name"]) for source in standing)
    raise Ending(ExitCode.USAGE, f"There are several sources ({names}): say which, --source NAME.")


async def find_app(api: Api, name: str) -> Record:
    """A Firebase app by id or project id. Ends the command where there is none."""
    for app in await read_list(api, "/firebase-apps"):
        if name in (app["id"], app["project_id"]):
            return app
    raise not_found("Firebase app", name)


def public_key_note(source: Mapping[str, Any]) -> str:
    """What to know of a source whose key is about to be public."""
    limit = source["rate_limit"]
    pace = (
        "as fast as it likes"
        if limit is None
        else f"{limit['events_per_second']:,} events a second, {limit['burst']:,} at once"
    )
    return (
        f"Each write key may send {pace}. Anybody who reads one can send as any userId: "
        f"{sign_command(source['name'])} ends that."
    )


def sign_command(source_name: str) -> str:
    return f"clarion sources sign {shlex.quote(source_name)}"
