"""Brings a database to the newest schema. Safe when several processes start together."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from clarion.storage.database import Database

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x636C6172696F6E
"""The PostgreSQL advisory lock under which one process migrates; the others wait for it."""


async def migrate(url: str) -> None:
    """Apply every revision that is not applied yet, in one transaction."""
    database = Database(url)
    try:
        async with database.write() as connection:
            if not database.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                await connection.execute(lock, {"lock": LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await database.close()


async def is_current(url: str) -> bool:
    """Whether the database has the schema this version of Clarion needs."""
    database = Database(url)
    try:
        async with database.read() as connection:
            return await connection.run_sync(_revision) == newest_revision()
    finally:
        await database.close()


def newest_revision() -> str | None:
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
