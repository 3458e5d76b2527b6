"""How a command reaches the database: directly, with the operator's own settings."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from clarion.accounts.actor import Actor, operator
from clarion.accounts.workspace import find_workspaces
from clarion.accounts.workspace_store import list_workspaces
from clarion.broker import Broker
from clarion.brokers.on_demand import OnDemandBroker
from clarion.cli.api.remote import API_KEY, URL, read_remote
from clarion.cli.context import chosen_workspace
from clarion.cli.installation.first_start import check_installed, prepare
from clarion.cli.output import Ending, ExitCode, not_found
from clarion.clock import Clock, SystemClock
from clarion.config import Settings, read_settings
from clarion.parts import open_broker
from clarion.storage.database import Database
from clarion.telemetry import LogOptions, set_up_logs


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command's way to the rows of the workspace."""

    settings: Settings
    database: Database
    clock: Clock
    workspace_id: UUID
    broker: Broker

    @property
    def actor(self) -> Actor:
        """Who runs the command: they could change the database by hand as well."""
        return operator(self.workspace_id)


def broker_of(settings: Settings, database: Database, clock: Clock) -> OnDemandBroker:
    """The broker of the settings: connected for the few commands that publish or look."""

    async def connect() -> Broker:
        return await open_broker(settings, database, clock)

    return OnDemandBroker(connect)


def load_settings() -> Settings:
    """The settings of the environment. Ends the command where any is wrong, naming them all."""
    settings = read_settings(os.environ)
    if isinstance(settings, list):
        raise Ending(
            ExitCode.USAGE,
            "The settings are wrong:",
            word="settings",
            faults=[(fault.field, fault.message) for fault in settings],
        )
    return settings


@asynccontextmanager
async def open_session() -> AsyncIterator[Session]:
    """The workspace's rows; an earlier version's database is migrated first. Raises NoInstallation
    where there is none."""
    if read_remote(os.environ) is not None:
        raise Ending(
            ExitCode.USAGE,
            f"This command works on this machine's data only, and {URL} names another Clarion: run "
            f"it where that one runs, or unset {URL} and {API_KEY}.",
            word="usage",
        )
    settings = load_settings()
    # A command's output is for its reader: only what went wrong is logged beside it.
    set_up_logs(LogOptions(level=max_level(settings.log.level), form=settings.log.form))
    await check_installed(settings)
    wanted = chosen_workspace.get() or settings.workspace
    clock = SystemClock()
    database = Database(settings.database_url)
    broker = broker_of(settings, database, clock)
    try:
        await prepare(settings, database, clock)
        yield Session(
            settings=settings,
            database=database,
            clock=clock,
            workspace_id=await _choose_workspace(database, wanted),
            broker=broker,
        )
    finally:
        await broker.close()
        await database.close()


def console_address(settings: Settings) -> str:
    """Where people reach the console, as far as the settings say."""
    listen = settings.listen
    if listen.host in ("0.0.0.0", "::"):
        listen = replace(listen, host="127.0.0.1")
    return settings.public_url or f"http://{listen}"


async def _choose_workspace(database: Database, wanted: str | None) -> UUID:
    """The one that is named; without a name the oldest. Ends the command where none or several
    are meant."""
    async with database.read() as connection:
        workspaces = await list_workspaces(connection)
    if not wanted:
        return workspaces[0].id
    meant = find_workspaces(workspaces, wanted)
    if not meant:
        raise not_found("workspace", wanted)
    if len(meant) > 1:
        ids = ", ".join(str(workspace.id) for workspace in meant)
        raise Ending(
            ExitCode.USAGE,
            f"{len(meant)} workspaces are called {wanted}: use an id ({ids}).",
            word="usage",
        )
    return meant[0].id


def max_level(level: str) -> str:
    return level if level in ("debug", "error") else "warning"
