"""How a command reaches the database: directly, with the operator's own settings."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from clarion.broker import Broker
from clarion.cli.first_start import check_installed, prepare
from clarion.cli.output import Ending, ExitCode
from clarion.clock import Clock, SystemClock
from clarion.config import Settings, read_settings
from clarion.storage.database import Database
from clarion.storage.vault import Vault, load_or_make_vault
from clarion.telemetry import LogOptions, set_up_logs


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command's way to the rows of the workspace."""

    settings: Settings
    database: Database
    clock: Clock
    workspace_id: UUID

    @asynccontextmanager
    async def broker(self) -> AsyncIterator[Broker]:
        """The broker of the settings, for the few commands that nudge somebody."""
        from clarion.app import open_broker  # with it comes all of Clarion: only where needed

        broker = await open_broker(self.settings, self.database, self.clock)
        try:
            yield broker
        finally:
            await broker.close()

    def vault(self) -> Vault:
        return load_or_make_vault(
            self.settings.data_dir, self.settings.secret_key, self.settings.former_secret_keys
        )


def load_settings() -> Settings:
    """The settings of the environment. Ends the command where any is wrong, naming them all."""
    settings = read_settings(os.environ)
    if isinstance(settings, list):
        raise Ending(
            ExitCode.USAGE,
            "The settings are wrong:",
            word="settings",
            faults=[(fault.name, fault.message) for fault in settings],
        )
    return settings


@asynccontextmanager
async def open_session() -> AsyncIterator[Session]:
    """The workspace's rows; an earlier version's database is migrated first. Raises NoInstallation
    where there is none."""
    settings = load_settings()
    # A command's output is for its reader: only what went wrong is logged beside it.
    set_up_logs(LogOptions(level=max_level(settings.log.level), form=settings.log.form))
    await check_installed(settings)
    clock = SystemClock()
    database = Database(settings.database_url)
    try:
        yield Session(
            settings=settings,
            database=database,
            clock=clock,
            workspace_id=await prepare(settings, database, clock),
        )
    finally:
        await database.close()


def max_level(level: str) -> str:
    return level if level in ("debug", "error") else "warning"
