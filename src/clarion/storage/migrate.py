"""Brings a database to the newest schema. Safe when several processes start together."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from clarion.storage.database import Database

NEWEST = "0002"
"""The last revision. Known without Alembic, which takes longer to load than a short command."""
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
            return await connection.run_sync(_revision) == NEWEST
    finally:
        await database.close()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).one_or_none()
    return None if row is None else str(row[0])
