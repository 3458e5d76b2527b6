"""The migrations make the schema that the code expects, on both databases."""

import asyncio
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from clarion.storage.database import Database
from clarion.storage.migrate import MIGRATIONS, NEWEST, is_current, migrate
from clarion.storage.schema import metadata


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, metadata))


def _options(index: Any) -> list[tuple[str, str]]:
    return sorted((name, str(value)) for name, value in index.get("dialect_options", {}).items())


def _shape(connection: Connection) -> dict[str, Any]:
    """Every table as the database itself tells it."""
    inspector = inspect(connection)
    return {
        table: (
            [
                (one["name"], str(one["type"]), one["nullable"])
                for one in inspector.get_columns(table)
            ],
            inspector.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (str(one["name"]), tuple(one["column_names"]), _options(one))
                for one in inspector.get_indexes(table)
            ),
        )
        for table in sorted(inspector.get_table_names())
        if table != "alembic_version"
    }


async def test_the_migrations_make_the_schema(database_url: str) -> None:
    await migrate(database_url)
    migrated = Database(database_url)
    async with migrated.engine.begin() as connection:
        assert await connection.run_sync(_differences) == []
        shape = await connection.run_sync(_shape)
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        assert shape == await connection.run_sync(_shape)
    await migrated.close()


async def test_migrating_twice_or_side_by_side_is_migrating_once(database_url: str) -> None:
    assert not await is_current(database_url)
    await asyncio.gather(*(migrate(database_url) for _ in range(3)))
    assert await is_current(database_url)
    await migrate(database_url)
    assert await is_current(database_url)


def test_the_newest_revision_is_the_one_that_is_named() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == NEWEST
