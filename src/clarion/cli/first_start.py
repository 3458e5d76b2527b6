"""What an installation begins with: its tables, a workspace, a source and an API key."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_DNS, UUID, uuid5

import structlog

from clarion.clock import Clock
from clarion.config import Settings, redacted
from clarion.events.limit import DEFAULT_LIMIT
from clarion.events.source_store import create_source, list_sources
from clarion.storage.database import Database
from clarion.storage.migrate import SchemaState, is_current, migrate, schema_state
from clarion.storage.workspace_store import create_workspace, list_workspaces
from clarion.web.key_store import create_key, list_keys

WORKSPACE_NAME = "default"
WORKSPACE_ID = uuid5(NAMESPACE_DNS, "default.workspace.clarion")
"""Derived, so that two processes starting at once make one workspace."""

log = structlog.get_logger(__name__)


class NotMigrated(Exception):
    """The database's tables are not those of this version: run `clarion migrate`."""


class NoInstallation(Exception):
    """There is nothing of Clarion's where the settings say; says what is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStart:
    """What a first start made; the only time the key is seen."""

    workspace_id: UUID
    source_id: UUID | None = None
    write_key: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)


async def prepare(settings: Settings, database: Database, clock: Clock) -> UUID:
    """Migrate, and make the workspace if there is none; returns its id."""
    _make_directories(settings)
    if not await is_current(settings.database_url):
        await migrate(settings.database_url)
    async with database.read() as connection:
        workspaces = await list_workspaces(connection)
    if workspaces:
        return workspaces[0].id
    async with database.write() as connection:
        await create_workspace(
            connection, workspace_id=WORKSPACE_ID, name=WORKSPACE_NAME, now=clock.now()
        )
    log.info("workspace_made", workspace=WORKSPACE_NAME)
    return WORKSPACE_ID


async def first_start(settings: Settings, database: Database, clock: Clock) -> FirstStart | None:
    """`prepare`, then a source and an API key where there has never been one; None: nothing new."""
    workspace_id = await prepare(settings, database, clock)
    now = clock.now()
    source = api_key = None
    async with database.write() as connection:
        if not await list_sources(connection, workspace_id):
            source = await create_source(
                connection,
                workspace_id=workspace_id,
                name="first",
                source_id=clock.new_id(),
                now=now,
                limit=DEFAULT_LIMIT,
            )
        if not await list_keys(connection, workspace_id):
            _, api_key = await create_key(
                connection,
                workspace_id=workspace_id,
                name="first",
                scopes=["admin"],
                key_id=clock.new_id(),
                now=now,
            )
    if source is None and api_key is None:
        return None
    return FirstStart(
        workspace_id=workspace_id,
        source_id=None if source is None else source.id,
        write_key=None if source is None else source.write_key,
        api_key=api_key,
    )


async def check_migrated(settings: Settings) -> None:
    """Raises NotMigrated where the tables are not this version's, ForeignSchema where they are not
    Clarion's, or a later one's."""
    file = sqlite_file(settings)
    if file is not None and not await asyncio.to_thread(file.exists):
        raise NotMigrated
    match await schema_state(settings.database_url):
        case SchemaState.CURRENT:
            return
        case SchemaState.FOREIGN:
            await migrate(settings.database_url)  # changes nothing, and says why not
        case SchemaState.NONE | SchemaState.BEHIND:
            raise NotMigrated


async def check_installed(settings: Settings) -> None:
    """Raises NoInstallation where nobody has ever started Clarion: a command that asks, in a
    directory that is another's, must not make an installation that nobody wants."""
    file = sqlite_file(settings)
    if file is not None and not await asyncio.to_thread(file.exists):
        raise NoInstallation(f"there is no {file}")
    if await schema_state(settings.database_url) is SchemaState.NONE:
        shown = redacted(settings.database_url)
        raise NoInstallation(f"{shown} holds no tables of Clarion's")


def sqlite_file(settings: Settings) -> Path | None:
    """The embedded database's file; None: the database is a server."""
    prefix = "sqlite:///"
    if not settings.database_url.startswith(prefix):
        return None
    return Path(settings.database_url.removeprefix(prefix))


def _make_directories(settings: Settings) -> None:
    file = sqlite_file(settings)
    if file is not None:
        # Tokens and traits are for the operator's eyes alone; a directory that is there stays as
        # the operator has made it.
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
