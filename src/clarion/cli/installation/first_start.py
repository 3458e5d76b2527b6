"""What an installation begins with: its tables, a workspace, a source and an API key."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_DNS, UUID, uuid5

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import system
from clarion.accounts.api_key_store import create_key, list_keys
from clarion.accounts.audit import Thing, new_entry
from clarion.accounts.audit_store import add_entry
from clarion.accounts.workspace_store import create_workspace, list_workspaces
from clarion.clock import Clock
from clarion.config import Settings
from clarion.sources.rate_limit import DEFAULT_LIMIT
from clarion.sources.store import create_source, list_sources
from clarion.storage.database import Database
from clarion.storage.migrate import SchemaState, has_tables, is_current, migrate, schema_state
from clarion.text import without_passwords

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
    """What a first start made; the only time the key is seen. `key_file`: where it was written, so
    that it need not be shown."""

    workspace_id: UUID
    source_id: UUID | None = None
    write_key: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    key_file: Path | None = None


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
        thing = Thing("workspace", WORKSPACE_ID)
        await _audit(connection, clock, "workspace.create", thing, WORKSPACE_NAME)
    log.info("workspace_made", workspace=WORKSPACE_NAME)
    return WORKSPACE_ID


async def first_start(
    settings: Settings, database: Database, clock: Clock, *, key_file: Path | None = None
) -> FirstStart | None:
    """`prepare`, then a source and an API key where there has never been one; None: nothing new.

    `key_file`: the API key is written there, for its owner alone. Where it can not be, no key is
    made: nobody would ever see it.
    """
    workspace_id = await prepare(settings, database, clock)
    source = None
    async with database.write() as connection:
        if not await list_sources(connection, workspace_id):
            source = await create_source(
                connection,
                workspace_id=workspace_id,
                name="first",
                source_id=clock.new_id(),
                now=clock.now(),
                limit=DEFAULT_LIMIT,
            )
    try:
        api_key = await _first_key(database, clock, workspace_id, key_file)
    except _NotKept as error:
        api_key = None
        log.warning(
            "first_api_key_not_made",
            reason=str(error),
            cure="clarion keys create NAME --scope admin, on a terminal",
        )
    if source is None and api_key is None:
        return None
    return FirstStart(
        workspace_id=workspace_id,
        source_id=None if source is None else source.id,
        write_key=None if source is None else source.write_key,
        api_key=api_key,
        key_file=None if api_key is None else key_file,
    )


class _NotKept(Exception):
    """The key could not be written to its file; says why."""


async def _first_key(
    database: Database, clock: Clock, workspace_id: UUID, key_file: Path | None
) -> str | None:
    """An admin's key, if there has never been one."""
    async with database.write() as connection:
        if await list_keys(connection, workspace_id):
            return None
        key, api_key = await create_key(
            connection,
            workspace_id=workspace_id,
            name="first",
            scopes=["admin"],
            key_id=clock.new_id(),
            now=clock.now(),
        )
        await _audit(connection, clock, "api_key.create", Thing("api_key", key.id), key.name)
        if key_file is not None:
            try:
                _write_private(key_file, api_key)
            except OSError as error:
                raise _NotKept(f"{key_file}: {error.strerror}") from error
        return api_key


async def _audit(
    connection: AsyncConnection, clock: Clock, verb: str, thing: Thing, name: str
) -> None:
    """What a first start makes, it makes by itself."""
    actor = system(WORKSPACE_ID, "first start")
    entry_id, now = clock.new_id(), clock.now()
    entry = new_entry(actor, verb, thing, {"name": name}, entry_id=entry_id, at=now)
    await add_entry(connection, entry)


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # whoever made it could read it
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(f"{text}\n")


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
    if not await has_tables(settings.database_url):
        shown = without_passwords(settings.database_url)
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
