"""The migrations make the schema that the code expects, on both databases."""

import asyncio
import re
from hashlib import sha256
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from clarion.storage.database import Database
from clarion.storage.migrate import (
    MIGRATIONS,
    NEWEST,
    ForeignSchema,
    SchemaState,
    is_current,
    migrate,
    schema_state,
)
from clarion.storage.schema import metadata

LANDED = {
    "versions/0001_first_schema.py": (
        "5792aa2e195d64a49bff7568f3f8f1b72d2ef7bec7443c6fd4a0352bee50fe93"
    ),
    "versions/0002_sending.py": "8a7fc5a693c68d098b18e58d559bc546c5348e60c346d5ab98c07705ee00206a",
    "first_activity.py": "2133a03e3936f1a66c14782521f69e9ab42f8c129d85c7b480bceb93454f5767",
    "versions/0003_order_of_events.py": (
        "ac2aa7b00650a542cbd513b2cc74280f69b13f53319c414aaf7a109dc40537ff"
    ),
    "versions/0004_fcm_pauses.py": (
        "2e6a11c001c6f95c3a8d5443b787063ca35edb6538f6cfa6b6e16925f4ab4e54"
    ),
    "versions/0005_audit.py": "0bc4b0f7dd78914c2079b08a70dab55c92f01559da47cf26b30cce1039f5c215",
    "versions/0006_people.py": "c857cd84fcdab7e65a2bc054a62bec6b113cfa02f6b1babd23fcc36e38882c20",
    "versions/0007_leases.py": "dd4a8b74bdca091699ea5db3d49e2d9fcc7f9b5cb205d2d52a17046f895b1482",
    "versions/0008_password_resets.py": (
        "b159e313cb0c9055990dec7963fee8748d86bc635a137f021d6641299a4b95b4"
    ),
    "versions/0009_ingest_log.py": (
        "09b9dfc225be95c7ee76c9bb49a3ad6a0559ae80313044e8772d8db2ae38f8c4"
    ),
    "versions/0010_ledger.py": "a772ea6d42e70cc88522817271adf086328428cc9bba84306e73959212276980",
    "frozen_types.py": "fa04bdd0874a554c549104962e01935d127eca7ba74001241bcf605077bd4846",
}
"""What databases in use were made with, and the SHA-256 of each file. None of them is ever edited:
a change of the schema is another revision, and its line here says that it has landed."""


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


@pytest.mark.parametrize("name", LANDED)
def test_a_revision_that_has_landed_is_never_edited(name: str) -> None:
    found = sha256((MIGRATIONS / name).read_bytes()).hexdigest()
    assert found == LANDED[name], f"{name} has landed: put the change in a new revision"


def test_a_revision_after_the_first_two_imports_nothing_that_may_change() -> None:
    for path in sorted((MIGRATIONS / "versions").glob("0*.py"))[2:]:
        imported = re.findall(r"^(?:from|import) (clarion[\w.]*)", path.read_text(), re.MULTILINE)
        assert set(imported) <= {"clarion.storage.migrations.frozen_types"}, path.name


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ("ALTER TABLE devices DROP COLUMN facts", "devices has no column facts"),
        ("DROP TABLE ingest_log", "the table ingest_log is not there"),
        ("DROP INDEX jobs_due", "jobs has no index jobs_due"),
        ("ALTER TABLE workspaces RENAME COLUMN salt TO pepper", "workspaces has no column salt"),
    ],
)
async def test_a_schema_that_is_not_what_its_revision_says_is_told(
    database_url: str, change: str, gap: str
) -> None:
    await migrate(database_url)
    database = Database(database_url)
    async with database.write() as connection:
        await connection.execute(text(change))
    await database.close()
    assert await schema_state(database_url) is SchemaState.FOREIGN
    with pytest.raises(ForeignSchema, match=gap):
        await migrate(database_url)


async def test_what_an_operator_has_added_is_no_fault(database_url: str) -> None:
    await migrate(database_url)
    database = Database(database_url)
    async with database.write() as connection:
        await connection.execute(text("CREATE INDEX ours ON events (name)"))
        await connection.execute(text("CREATE TABLE notes (text TEXT)"))
        await connection.execute(text("ALTER TABLE customers ADD COLUMN note TEXT"))
    await database.close()
    assert await is_current(database_url)
