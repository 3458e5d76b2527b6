"""The migrations make the schema that the code expects, on both databases."""

import asyncio
import re
from hashlib import sha256
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, inspect, schema, text
from sqlalchemy.dialects import postgresql, sqlite

from clarion.storage import dialect
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
from clarion.storage.migrations import frozen_types
from clarion.storage.schema import metadata

LANDED = {
    "versions/0001_first_schema.py": (
        "5792aa2e195d64a49bff7568f3f8f1b72d2ef7bec7443c6fd4a0352bee50fe93"
    ),
    "versions/0002_sending.py": "8a7fc5a693c68d098b18e58d559bc546c5348e60c346d5ab98c07705ee00206a",
    "first_activity.py": "2133a03e3936f1a66c14782521f69e9ab42f8c129d85c7b480bceb93454f5767",
    "versions/0003_order_of_events.py": (
        "30140ada9b7801d6cf378a10bed4b7f69e40076aeda2d3a7d2777301d9520839"
    ),
    "versions/0004_fcm_pauses.py": (
        "6ed2d9c99353c29fb4f2ce6ad40a58a2e0df64a649b6427a3b5d322036d07aff"
    ),
    "versions/0005_audit.py": "2f433ab40b5e526addf20e384319bf8e1915d759c030bff7e0087133b62d59e2",
    "versions/0006_people.py": "dae39320f8d8b8237644ca9fee261d00a151b20bcd8df4d165ad4adc53f2c31e",
    "versions/0007_leases.py": "4dc8bb2e4d83b15faffecbf5e86994f8411fe4769fdf5280bebae4ddc592de4b",
    "versions/0008_password_resets.py": (
        "3934d09d1e224c8ac1045e021ea3af8e6ff67df17e9daad9e5392c81d3601591"
    ),
    "versions/0009_ingest_log.py": (
        "564ae89217b4214720e8ea7d6b66c0e0434f558c6b11fa9b3e0bf0a2a8466363"
    ),
    "versions/0010_ledger.py": "bff922487f6971503e9c7667f6d1c12ba09e4ec69336a8441417c34c690da752",
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
    "versions/0018_password_resets_workspace.py": (
        "b9de56152de760ad458332d04758745fe94fdfa396fde5bfc599fc31fdacbd72"
    ),
    "versions/0019_day_claims.py": (
        "2a2a21458bdc11404de451a8d84da412e136487232b5f6957ec86053809aacb8"
    ),
    "versions/0020_privacy_by_index.py": (
        "e9389f88a3097e4663615a6984e23b17701728b22744f48180c3b07c2b5dd157"
    ),
    "versions/0021_event_traces.py": (
        "0615ebac8b7f178ff50ca5d0917c64878098743542f4e32385e78a60c02487c8"
    ),
    "frozen_types.py": "a881b8e8b477f64275fa9fd4941ebec3d9befd210761384a2043601f244462fa",
    "versions/0022_audiences.py": (
        "de533c1d3e88def4ad4ff3f6a46707808666b83e4fec999d1777f16f91df5763"
    ),
    "versions/0023_time_zone.py": (
        "42bd3ef1b8c131888e748791f92374aa23c68d39b535c1bb523cabc0f68d9c7a"
    ),
    "versions/0024_timing.py": "19df496cb6f0524aef0c0249b76f91658a756ffda24b54342ab1513f61a5b3a9",
    "versions/0025_limits.py": "ba7ec8fa26e7b5f2697ccab9199bed66212fc679a2d53c8e082076c2f1c481e9",
    "versions/0026_launch_activity.py": (
        "a4aef6c4352420062bf6af7a017fac2201197290f5cf4c43793917dff5d799b9"
    ),
    "versions/0027_conversions.py": (
        "e5ad4db6db4e2e90c71e3fd9b8639052f05c564cdf2e635570d5e2ea9035d189"
    ),
    "versions/0028_approvals.py": (
        "bf2b94fce5004dd7e865dd637d63353f8ec2e1879e1f360ff85cdba5c6669cbc"
    ),
    "versions/0029_pushes.py": "00dd2bbf610b1633b7024cbdeb5dad9b2a215a4d1d7ce2c7b8c0e15c56c1a936",
    "versions/0030_language_of_deliveries.py": (
        "3bee4f0429543255e1db16e1a1bafc14a36b868e35a1db1e0ce2139a9a09277f"
    ),
    "versions/0031_traces_of_launches.py": (
        "55b8c254c63d2ed000f3b9f7ea84b93ead0020f0ba2eb5b0de7ff11bbe62c769"
    ),
    "versions/0032_preferences.py": (
        "73e4d04bfcdfa4a646596fd9b359ba548b777cf6fbc21c3a6ae93c976a2a7431"
    ),
    "versions/0033_calendar.py": "3db35d8adb9a2129098f057387eb59ba47402b4d96278beef4a5ca2744f3c0dc",
    "versions/0034_turns.py": "3ee3c73caccf79e2e0250a92bb116973f2dd14349b1f70f09a91e50d6caf795b",
    "versions/0035_campaigns_by_state.py": (
        "c4f2ccc121347c5f33869cd1a5b4cbbb4a779d9573f64b035b19ffcc1c206c57"
    ),
    "versions/0036_names_of_pushes.py": (
        "00f3a6eda594ac5ab17df15c6422cde2ebf9c1f8241a45a9a91651ddcbb46893"
    ),
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
                (column["name"], str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table)
            ],
            inspector.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (str(index["name"]), tuple(index["column_names"]), _options(index))
                for index in inspector.get_indexes(table)
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


@pytest.mark.parametrize("kind", [sqlite, postgresql])
def test_the_types_that_landed_revisions_import_make_the_columns_they_made(kind: Any) -> None:
    """Those of before 0011 import today's types, and stay as they are: so must what these make."""
    database = kind.dialect()
    for live, frozen in ((dialect.Id, frozen_types.Id), (dialect.Instant, frozen_types.Instant)):
        made = schema.CreateColumn(Column("value", live())).compile(dialect=database)
        before = schema.CreateColumn(Column("value", frozen())).compile(dialect=database)
        assert str(made) == str(before)


def test_a_revision_from_0011_on_imports_nothing_that_may_change() -> None:
    for path in sorted((MIGRATIONS / "versions").glob("0*.py"))[10:]:
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
