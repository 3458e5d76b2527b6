"""Sources and Firebase apps as people name them on the command line."""

import shlex
from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.cli.output import Ending, ExitCode, not_found
from clarion.cli.session import Session
from clarion.deliveries.apps.store import FirebaseApp, list_apps
from clarion.sources.queries import KeyView, SourceView, list_sources
from clarion.sources.source import Source


async def find_source(connection: AsyncConnection, session: Session, name: str) -> SourceView:
    """A source by id or name. Ends the command where there is none, or several of that name."""
    sources = await list_sources(connection, session.actor, session.clock.now())
    found = [source for source in sources if name in (str(source.id), source.name)]
    if not found:
        raise not_found("source", name)
    if len(found) > 1:
        ids = ", ".join(str(source.id) for source in found)
        raise Ending(ExitCode.USAGE, f"Several sources are called {name}: say which by id ({ids}).")
    return found[0]


async def meant_source(session: Session, name: str) -> SourceView:
    """`find_source` on a connection of its own."""
    async with session.database.read() as connection:
        return await find_source(connection, session, name)


async def choose_source(
    connection: AsyncConnection, session: Session, name: str | None
) -> SourceView:
    """The source of that name; without a name the only one that stands. Ends the command where
    there are several."""
    if name is not None:
        return await find_source(connection, session, name)
    sources = await list_sources(connection, session.actor, session.clock.now())
    standing = [one for one in sources if one.revoked_at is None]
    if len(standing) == 1:
        return standing[0]
    if not standing:
        raise Ending(ExitCode.USAGE, "There is no source yet: clarion sources create NAME.")
    names = ", ".join(repr(one.name) for one in standing)
    raise Ending(ExitCode.USAGE, f"There are several sources ({names}): say which, --source NAME.")


async def find_app(connection: AsyncConnection, session: Session, name: str) -> FirebaseApp:
    """A Firebase app by id or project id. Ends the command where there is none."""
    for app in await list_apps(connection, session.workspace_id):
        if name in (str(app.id), app.project_id):
            return app
    raise not_found("Firebase app", name)


def public_key_note(source: SourceView) -> str:
    """What to know of a source whose key is about to be public."""
    limit = source.rate_limit
    pace = (
        "as fast as it likes"
        if limit is None
        else f"{limit.events_per_second:,} events a second, {limit.burst:,} at once"
    )
    return (
        f"Each write key may send {pace}. Anybody who reads one can send as any userId: "
        f"{sign_command(source)} ends that."
    )


def sign_command(source: Source | SourceView) -> str:
    return f"clarion sources sign {shlex.quote(source.name)}"


def shown(source: SourceView) -> dict[str, Any]:
    """A source as commands print it."""
    record = asdict(source)
    del record["write_keys"], record["identity_secrets"]
    return record


def shown_key(key: KeyView) -> dict[str, Any]:
    """A write key or an identity secret as commands print it."""
    record = asdict(key)
    del record["hint"]
    return record
