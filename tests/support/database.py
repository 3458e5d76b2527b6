"""Databases of this version's tables, made without the migrations."""

from functools import cache
from pathlib import Path

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from clarion.storage.database import Database
from clarion.storage.schema import metadata


async def make_tables(database: Database) -> None:
    """In an empty database."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.executescript(_sqlite_script())
        else:
            await connection.run_sync(metadata.create_all)
            await connection.commit()


async def sqlite_database(directory: Path) -> Database:
    """A new one in a file of its own, for whoever does not care which database it is. To be
    closed."""
    database = Database(f"sqlite:///{directory}/clarion.db")
    await make_tables(database)
    return database


@cache
def _sqlite_script() -> str:
    """What `create_all` does; made once, since thousands of tests begin with it."""
    dialect = sqlite.dialect()
    statements = []
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            statements.append(str(CreateIndex(index).compile(dialect=dialect)))
    return "BEGIN;" + ";".join(statements) + ";COMMIT;"
