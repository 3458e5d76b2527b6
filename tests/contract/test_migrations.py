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
    "versions/0011_seen_messages.py": (
        "f9f3fe8f97a3a5539f57169ade8006db644ed4c7ad0131d00ffdf7f0e239ccb7"
    ),
    "versions/0012_receipts_due.py": (
        "e26109f24709784397148ceb9d466889aa3a344d383ec85cc370a6c094602f42"
    ),
    "versions/0013_ownership.py": (
        "02f89c1eb691621af11cb74194758790f40e156d2c55f089a988f4b38e058304"
    ),
    "versions/0014_trait_claims_and_companions.py": (
        "02a9fa833faf30e9a67b1936c4946422b1d45aeabea78416134bbb250637ac0a"
    ),
    "versions/0015_launches.py": "db7423a061ebe5cc9933b39f3ed67769b483baeae5ab8faa4c76d6a72740cdec",
    "versions/0016_customer_deliveries.py": (
        "e08a38ea496a01751a369e5cdaaf27db99857febdc8d21c4e10cb434dad9ba77"
    ),
    "versions/0017_retention.py": (
        "e030f99f8e84e07fa0537f466613953efc752ec5872135f9b7606c212fd3a440"
    ),
    "frozen_types.py": "51254877c4273ccebaecfe527f6ed63f0d7f8b73e86ee96718de6c859c4ea06f",
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
        may = {"clarion.storage.migrations.frozen_types", *_READERS.get(path.name[:4], ())}
        assert set(imported) <= may, path.name


_READERS = {
    "0014": ("clarion.customers.identity.person", "clarion.events.messages.message"),
}
"""Revisions that read bodies of events, which is too much to repeat: by today's rules, whenever
they are run. The kept databases say that they still can."""


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
