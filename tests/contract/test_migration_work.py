"""What `migrate --plan` reckons on PostgreSQL is the work that the server then does: rows that it
reads and writes, as it counts them itself, and no seconds, which are the machine's."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.database import Database
from clarion.storage.migrate import MIGRATIONS, REVISIONS, Plan, plan
from clarion.storage.migration_work import PASSES, Pass, work_of
from support.filled import fill
from support.kept_database import bring_back
from support.postgres import PostgresServer

TIMES = 150
RIGHT_WITHIN = 3
_COUNTED = text(
    "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd "
    "FROM pg_stat_xact_user_tables"
)


@dataclass
class Upgrade:
    """What was foreseen and what was done."""

    planned: Plan
    rows: dict[str, int]
    """That there were, as counted."""
    done: dict[str, Counter[str]]
    """By revision, then by table: rows that the server has read and written."""


@asynccontextmanager
async def upgraded(url: str, *, name: str, analyzed: bool) -> AsyncIterator[Upgrade]:
    await bring_back(name, url)
    database = Database(url, statement_seconds=None)
    try:
        async with database.write() as connection:
            rows = await fill(connection, TIMES)
        if analyzed:
            async with database.write() as connection:
                await connection.execute(text("ANALYZE"))
        planned = await plan(url)
        done = {}
        async with database.write() as connection:
            before = await _counted(connection)
            for step in planned.steps:
                await connection.run_sync(_apply, step.revision)
                now = await _counted(connection)
                done[step.revision] = now - before
                before = now
        yield Upgrade(planned, rows, done)
    finally:
        await database.close()


def _apply(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def _counted(connection: AsyncConnection) -> Counter[str]:
    return Counter({name: int(count) for name, count in await connection.execute(_COUNTED)})


@pytest.mark.parametrize("name", ["0002", "0010", "0033"])
async def test_the_passes_that_are_reckoned_are_those_that_are_made(
    postgres: PostgresServer, name: str
) -> None:
    async with (
        postgres.new_database() as url,
        upgraded(url, name=name, analyzed=True) as upgrade,
    ):
        for revision, touched in upgrade.done.items():
            declared = PASSES.get(revision, {})
            for table, count in upgrade.rows.items():
                # Where only some rows are looked up, it is no pass.
                if not _counted_elsewhere(revision, table):
                    is_passed = touched[table] >= count / 2
                    assert is_passed == (table in declared), (revision, table)


def _counted_elsewhere(revision: str, table: str) -> bool:
    """One that is made anew under its name, so that the counts begin again; a few rows by index."""
    return (revision, table) in {("0030", "launch_counts"), ("0012", "events")}


@pytest.mark.parametrize("analyzed", [True, False])
async def test_the_work_reckoned_is_of_the_order_of_the_work_done(
    postgres: PostgresServer, analyzed: bool
) -> None:
    async with (
        postgres.new_database() as url,
        upgraded(url, name="0010", analyzed=analyzed) as upgrade,
    ):
        work = upgrade.planned.work
        assert work is not None
        reckoned = {
            table: sum(len(PASSES[step].get(table, ())) for step in upgrade.done if step in PASSES)
            * upgrade.planned.rows[table]
            for table in ("events", "identifiers", "devices", "deliveries")
        }
        for table, count in reckoned.items():
            counted = sum(touched[table] for touched in upgrade.done.values())
            assert counted / RIGHT_WITHIN <= count <= counted * RIGHT_WITHIN, (table, reckoned)
        for table, count in upgrade.rows.items():
            known = upgrade.planned.rows[table]
            assert count / RIGHT_WITHIN <= known <= count * RIGHT_WITHIN, table


def test_twice_the_rows_are_twice_the_work() -> None:
    one = work_of(["0013"], {"events": 1_000_000, "identifiers": 500_000})
    two = work_of(["0013"], {"events": 2_000_000, "identifiers": 1_000_000})
    assert two.rows == 2 * one.rows
    assert 1.99 < two.seconds / one.seconds <= 2


def test_passes_are_of_revisions_that_there_are_and_reading_is_the_least_work() -> None:
    assert set(PASSES) <= set(REVISIONS)
    assert min(Pass, key=lambda one: one.value) is Pass.READ
