"""What one person's erasure reads is found by index: other people make it no slower."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.migrate import migrate
from clarion.storage.schema import event_traces
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.history import DAY, App
from support.privacy import Regulator
from support.world import World

FILLED_BY_OTHERS = (
    "events", "seen_messages", "receipts_due", "ownership_periods", "clock_leads", "claims",
    "trait_claims", "companions", "identifiers", "customers", "event_traces",
    "device_history", "device_deletions", "deliveries", "ingest_log", "devices", "tokens",
    "customer_deliveries", "campaigns", "campaign_names", "quarantine",
    "chunks", "jobs", "audit",
)  # fmt: skip
"""Tables that grow with what other people do."""


async def test_an_erasure_looks_through_no_table_that_others_fill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/clarion.db"
    await migrate(url)
    database, clock = Database(url), FakeClock()
    world = await World(database, clock).open()
    app = App()
    await world.take(
        app.register(1, "phone", token="ok-phone", user="ada"),
        app.identify(2, "ada", anon="browser", traits={"email": "ada@shop.example"}),
        app.identify(2, "ada", anon="browser", traits={"email": "ada@home.example"}),
        app.track(3, anon="stranger", context_device="phone"),
        app.register(4, "shared", token="ok-shared", user="ada"),
        app.register(5, "shared", token="ok-shared", user="bob"),
        app.alias(6, "cem", "browser-before"),
    )
    removed = [
        {
            "workspace_id": WORKSPACE, "key": "ada", "at": DAY, "seq": -number, "is_user": True,
            "source_id": SOURCE, "received_at": DAY, "is_active": True, "message_id": None,
        }
        for number in (1, 2)
    ]  # fmt: skip
    async with database.write() as connection:
        await insert_new(connection, event_traces, removed)
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH", "DELETE", "UPDATE")):
            asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    erasure = await Regulator(database, world.broker, clock).erase(WORKSPACE, "ada", by="test")
    event.remove(Engine, "before_cursor_execute", note)
    assert erasure is not None
    assert erasure.events == 5, "her four, and that of nobody known on her phone"
    assert len(asked) > 50
    async with database.read() as connection:
        for statement, values in asked:
            given = values[0] if isinstance(values, list) else values
            raw = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            for row in raw:
                verb, table, *_ = [*str(row.detail).split(" "), ""]  # `SETUP` is of no table
                is_whole = verb == "SCAN" or row.detail.endswith("(workspace_id=?)")
                assert not (is_whole and table in FILLED_BY_OTHERS), (statement, row.detail)
    await world.broker.close()
    await database.close()
