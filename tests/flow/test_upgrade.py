"""An upgrade is told before it is done, and there is no way back but the backup."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from clarion.storage.database import Database
from clarion.storage.migrate import NEWEST, REVISIONS, migrate, plan
from support.command import Clarion
from support.kept_database import DATABASES, bring_back
from support.postgres import PostgresServer
from support.processes import Installation


@pytest.fixture
def early(bare: Clarion) -> Path:
    """The database of an earlier version, in the data directory."""
    data = bare.home / "data"
    data.mkdir(mode=0o700)
    with closing(sqlite3.connect(data / "clarion.db")) as database:
        database.executescript((DATABASES / "0010.sqlite.sql").read_text())
    return data


def test_a_plan_tells_every_revision_and_how_long_and_changes_nothing(
    bare: Clarion, early: Path
) -> None:
    told = bare.json("migrate", "--plan")
    assert told["before"] == "0010"
    assert [step["revision"] for step in told["steps"]] == list(REVISIONS[10:])
    assert all(step["summary"] for step in told["steps"])
    assert told["rows"]["events"] > 20
    assert told["seconds"] > 0 and not told["is_estimate"]
    assert [file.name for file in early.iterdir()] == ["clarion.db"]
    assert bare.json("migrate", "--plan")["before"] == "0010", "nothing was changed"
    text = bare("migrate", "--plan")[1]
    assert "On a copy, just now, it took" in text
    assert bare("migrate")[0] == 0
    assert f"at revision {NEWEST}: there is nothing to do" in bare("migrate", "--plan")[1]


def test_where_there_is_nothing_a_plan_makes_nothing(bare: Clarion) -> None:
    assert "no tables yet" in bare("migrate", "--plan")[1]
    assert not (bare.home / "data" / "clarion.db").exists()


async def test_a_plan_reads_no_table_of_postgresql(postgres: PostgresServer) -> None:
    async with postgres.new_database() as url:
        assert (await plan(url)).before is None
        await migrate(url)
        database = Database(url)
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("ANALYZE")
        await database.close()
        planned = await plan(url)
    assert (planned.before, planned.steps) == (NEWEST, ())
    assert "deliveries" in planned.rows


async def test_on_postgresql_a_plan_says_about_how_long(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    async with postgres.new_database() as url:
        await bring_back("0010", url)
        installation = Installation(tmp_path, {"DATABASE_URL": url})
        told = await installation.command("migrate", "--plan")
        assert told["is_estimate"] and 0 < told["seconds"] < 60, told
        await installation.command("migrate")
        after = await installation.command("migrate", "--plan")
        assert (after["steps"], after["seconds"], after["is_estimate"]) == ([], None, False)


def test_an_older_version_leaves_a_newer_database_alone(clarion: Clarion) -> None:
    file = clarion.home / "data" / "clarion.db"
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    before = file.read_bytes()
    for words in (("migrate",), ("migrate", "--plan"), ("run", "sender"), ("sources", "list")):
        code, _, errors = clarion(*words)
        told = " ".join(errors.split())
        assert (code, "Clarion does not go back" in told) == (1, True), (words, told)
    assert file.read_bytes() == before
