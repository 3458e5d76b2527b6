"""A page of a long list is read in the list's order, not sorted out of all of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.profile.store import list_customers
from clarion.events.action_store import Wanted, find_events
from clarion.events.ownership_store import Ownership, Period, write_ownership
from clarion.events.store import list_events
from clarion.ingest_log import queries as log_queries
from clarion.ingest_log.erasure_store import blank_entries_of, blank_refused, remove_entries
from clarion.reports.timeline_store import Position, events_of
from clarion.storage.database import Database
from clarion.storage.schema import metadata
from support.book import NOW, SOURCE, WORKSPACE


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    """On SQLite, which knows nothing of how many rows there are and plans by the statement."""
    database = Database(f"sqlite:///{tmp_path}/plan.db")
    async with database.engine.begin() as made:
        await made.run_sync(metadata.create_all)
        period = Period(None, None, SOURCE)
        owned = {("a key", False): Ownership(periods=[period], is_real=False, leads={})}
        await write_ownership(made, WORKSPACE, owned)
    async with database.read() as connection:
        yield connection
    await database.close()


async def test_pages_of_a_workspace_a_source_and_a_customer_sort_nothing(
    connection: AsyncConnection,
) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(
        _c: object, _k: object, statement: str, values: tuple[object, ...], *_: object
    ) -> None:
        if statement.startswith(("SELECT", "WITH")):
            asked.append((statement, values))

    event.listen(connection.sync_engine, "before_cursor_execute", note)
    try:
        await list_events(connection, WORKSPACE, limit=10)
        await list_events(connection, WORKSPACE, before_seq=5, limit=10)
        log = log_queries.Wanted(source_id=SOURCE)
        await log_queries.newest(connection, log, None, 10)
        await events_of(connection, WORKSPACE, SOURCE, None, 10)
        await events_of(connection, WORKSPACE, SOURCE, Position(NOW, 2, (7, 0)), 10)
        await list_customers(connection, WORKSPACE, after=None, limit=10)
        await list_customers(connection, WORKSPACE, after=UUID(int=1), limit=10)
        await find_events(connection, SOURCE, Wanted(include=["seen"]), limit=10)
        await find_events(connection, SOURCE, Wanted(start=NOW), scrolled_to=5, limit=10)
    finally:
        event.remove(connection.sync_engine, "before_cursor_execute", note)
    assert len(asked) == 15
    for statement, values in asked:
        raw = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        plan = [str(row.detail) for row in raw]
        assert not any("ORDER BY" in step for step in plan), (statement, plan)


async def test_an_erasure_finds_what_the_log_tells_by_index(connection: AsyncConnection) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(
        _c: object, _k: object, statement: str, values: tuple[object, ...], *_: object
    ) -> None:
        asked.append((statement, values))

    event.listen(connection.sync_engine, "before_cursor_execute", note)
    try:
        await remove_entries(connection, WORKSPACE, ["m"])
        await blank_entries_of(connection, WORKSPACE, ["u", "v"])
        await blank_refused(connection, WORKSPACE, bool, after=5)
    finally:
        event.remove(connection.sync_engine, "before_cursor_execute", note)
    found: list[str] = []
    for statement, values in asked:
        raw = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        found += [row.detail for row in raw if "ingest_log" in row.detail]
    assert found[:4] == [
        "SEARCH ingest_log USING INDEX ingest_log_message (workspace_id=? AND message_id=?)",
        "SEARCH ingest_log USING INDEX ingest_log_user (workspace_id=? AND user_id=?)",
        "SEARCH ingest_log USING INDEX ingest_log_key (workspace_id=? AND anonymous_id=?)",
        "SEARCH ingest_log USING INDEX ingest_log_event (workspace_id=? AND seq>?)",
    ]
