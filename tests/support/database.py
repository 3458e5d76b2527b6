"""Databases of this version's tables, made without the migrations."""

from pathlib import Path

from clarion.storage.database import Database
from clarion.storage.schema import metadata


async def make_tables(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


async def sqlite_database(directory: Path) -> Database:
    """A new one in a file of its own, for whoever does not care which database it is. To be
    closed."""
    database = Database(f"sqlite:///{directory}/clarion.db")
    await make_tables(database)
    return database
