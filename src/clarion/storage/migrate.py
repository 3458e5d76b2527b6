"""Brings a database to the newest schema. Safe when several processes start together."""

from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from clarion.storage.database import Database
from clarion.storage.schema import metadata

REVISIONS = ("0001", "0002", "0003")
"""In their order. Known without Alembic, which takes longer to load than a short command."""
NEWEST = REVISIONS[-1]
MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x636C6172696F6E
"""The PostgreSQL advisory lock under which one process migrates; the others wait for it."""


class SchemaState(StrEnum):
    """Whose tables a database holds."""

    NONE = "none"
    """None of ours, nor any that would be in their way."""
    BEHIND = "behind"
    """Those of an earlier version."""
    CURRENT = "current"
    FOREIGN = "foreign"
    """Those of a later version, or of another program."""


class ForeignSchema(Exception):
    """The database is not ours to migrate; says why, for people."""


async def migrate(url: str) -> None:
    """Apply every revision that is not applied yet, in one transaction. Raises ForeignSchema."""
    database = Database(url)
    try:
        async with database.write() as connection:
            if not database.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                await connection.execute(lock, {"lock": LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await database.close()


async def schema_state(url: str) -> SchemaState:
    """Whose tables the database holds. A SQLite database that is not there yet is made, empty."""
    database = Database(url)
    try:
        async with database.read() as connection:
            return await connection.run_sync(_state)
    finally:
        await database.close()


async def is_current(url: str) -> bool:
    """Whether the database has the schema this version of Clarion needs."""
    return await schema_state(url) is SchemaState.CURRENT


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if _state(connection) is SchemaState.FOREIGN:
        raise ForeignSchema(_whose(connection))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _state(connection: Connection) -> SchemaState:
    revision = _revision(connection)
    if revision == NEWEST:
        return SchemaState.CURRENT
    if revision in REVISIONS:
        return SchemaState.BEHIND
    is_free = revision is None and not _in_the_way(connection)
    return SchemaState.NONE if is_free else SchemaState.FOREIGN


def _whose(connection: Connection) -> str:
    revision = _revision(connection)
    if revision is not None:
        return f"its tables are those of revision {revision}, which this version does not know"
    return f"it holds tables that are not Clarion's: {', '.join(_in_the_way(connection))}"


def _in_the_way(connection: Connection) -> list[str]:
    return sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return ", ".join(sorted(str(one) for one in found)) or None
