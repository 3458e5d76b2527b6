"""Sources and Firebase apps as people name them on the command line."""

import shlex
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.cli.output import Ending, ExitCode, not_found
from clarion.cli.session import Session
from clarion.clock import SystemClock
from clarion.deliveries.apps.store import FirebaseApp, list_apps, only_app
from clarion.sources.source import Source
from clarion.sources.store import get_source, list_sources


async def find_source(
    connection: AsyncConnection, session: Session, name: str, *, lock: bool = False
) -> Source:
    """A source by id or name; with `lock`, as it stays until the transaction ends. Ends the command
    where there is none, or several of that name."""
    sources = await list_sources(connection, session.workspace_id)
    found = [one for one in sources if name in (str(one.id), one.name)]
    if not found:
        raise not_found("source", name)
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise Ending(ExitCode.USAGE, f"Several sources are called {name}: say which by id ({ids}).")
    if not lock:
        return found[0]
    locked = await get_source(connection, session.workspace_id, found[0].id, lock=True)
    assert locked is not None, "sources are revoked, never deleted"
    return locked


async def choose_source(connection: AsyncConnection, session: Session, name: str | None) -> Source:
    """The source of that name; without a name the only one that stands. Ends the command where
    there are several."""
    if name is not None:
        return await find_source(connection, session, name)
    sources = await list_sources(connection, session.workspace_id)
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


async def choose_app(
    connection: AsyncConnection, session: Session, name: str | None
) -> FirebaseApp | None:
    """The Firebase app of that name; without a name the only one there is."""
    if name is not None:
        return await find_app(connection, session, name)
    return await only_app(connection, session.workspace_id)


def public_key_note(source: Source) -> str:
    """What to know of a source whose key is about to be public."""
    limit = source.limit
    pace = (
        "as fast as it likes"
        if limit is None
        else f"{limit.events_per_second:,} events a second, {limit.burst:,} at once"
    )
    return (
        f"Each write key may send {pace}. Anybody who reads one can send as any userId: "
        f"{sign_command(source)} ends that."
    )


def sign_command(source: Source) -> str:
    return f"clarion sources sign {shlex.quote(source.name)}"


def shown(source: Source) -> dict[str, Any]:
    """A source as commands print it."""
    limit = source.limit
    return {
        "id": source.id,
        "name": source.name,
        "write_key": source.write_key,
        "firebase_app_id": source.firebase_app_id,
        "allowed_origins": list(source.allowed_origins),
        "rate_limit": None
        if limit is None
        else {"events_per_second": limit.events_per_second, "burst": limit.burst},
        "signs_identity": source.asks_for_signatures(SystemClock().now()),
        "signatures_from": source.signatures_from,
        "created_at": source.created_at,
        "revoked_at": source.revoked_at,
    }
