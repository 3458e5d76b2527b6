"""What a stored event, device and delivery weighs, table by table and index by index, on both
databases: `python -m bench.row_bytes`. Nothing is kept of it but what it prints.

Events are those of the two stories of `bench.ingestion`, devices those that the hard story makes,
deliveries those of one campaign that `clarion serve` sends, with their index by customer. Bytes are
whole pages of what was just written: SQLite's `dbstat`, PostgreSQL's `pg_relation_size`.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import func, select, text

from bench import campaign, ingestion, static
from bench.installation import STORES, Store, store
from bench.process import LOAD_CORE, pin
from clarion.clock import SystemClock
from clarion.deliveries.customer_index.indexer import CustomerIndexer
from clarion.storage.database import Database
from clarion.storage.schema import deliveries, devices, events

PARTS: Mapping[str, tuple[str, ...]] = {
    "event": ("events", "seen_messages"),
    "device": ("devices", "tokens", "device_history"),
    "delivery": ("deliveries", "customer_deliveries", "chunks"),
}
"""The tables that grow with each; what is kept of customers is none of them."""
COUNTED = {"event": events, "device": devices, "delivery": deliveries}
COUNT = 40_000
_SQLITE = text(
    "SELECT m.tbl_name, s.name, sum(s.pgsize) FROM dbstat AS s"
    " JOIN sqlite_schema AS m ON m.name = s.name GROUP BY 1, 2"
)
_POSTGRESQL = text(
    "SELECT t.relname, r.relname, pg_relation_size(r.oid) + CASE WHEN t.reltoastrelid = 0"
    " OR r.oid <> t.oid THEN 0 ELSE pg_relation_size(t.reltoastrelid) END"
    " FROM pg_class AS t CROSS JOIN LATERAL (SELECT t.oid UNION ALL SELECT indexrelid FROM"
    " pg_index WHERE indrelid = t.oid) AS own (oid) JOIN pg_class AS r ON r.oid = own.oid"
    " WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace"
)


async def weigh(rows: Store, part: str) -> dict[str, float]:
    """Bytes of one `part` by table or index, the heaviest first."""
    database = Database(rows.url)
    try:
        async with database.read() as connection:
            sized = _SQLITE if database.is_sqlite else _POSTGRESQL
            sizes = [tuple(row) for row in await connection.execute(sized)]
            counted = select(func.count()).select_from(COUNTED[part])
            count = (await connection.execute(counted)).scalar_one()
    finally:
        await database.close()
    found = {name: size / count for table, name, size in sizes if table in PARTS[part] and size}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


async def measure(rows: Store, count: int, root: Path, progress: Progress) -> None:
    """Make each of them in an empty database, and print what it weighs."""
    for is_steady in (False, True):
        told = await ingestion.measure(rows, count, progress, is_steady=is_steady)
        name = "steady story" if is_steady else "hard story"
        body = f"{name}, a body of {told['bytes of an event']}"
        _print(rows, f"event ({body})", await weigh(rows, "event"))
        if not is_steady:
            _print(rows, "device", await weigh(rows, "device"))
    with static.serving(root / "nginx") as server:
        await campaign.measure(rows, server, count, campaign.CONTENT, progress)
    await _index(rows)
    _print(rows, "delivery", await weigh(rows, "delivery"))


async def _index(rows: Store) -> None:
    """What `serve` would have gone on to do."""
    database = Database(rows.url)
    try:
        indexer = CustomerIndexer(database, SystemClock())
        while await indexer.step():
            pass
    finally:
        await database.close()


def _print(rows: Store, part: str, found: Mapping[str, float]) -> None:
    console.print(f"\n{rows.name}: {part}: {sum(found.values()):.0f} bytes")
    for name, size in found.items():
        console.print(f"  {size:8.1f}  {name}")


async def _measure(only: str | None, count: int) -> None:
    pin(LOAD_CORE)
    with (
        tempfile.TemporaryDirectory(prefix="clarion-bench-") as directory,
        Progress(console=console, disable=True) as progress,
    ):
        root = Path(directory)
        os.chmod(directory, 0o755)  # noqa: PTH101 - the database's server is another user
        for name in STORES if only is None else (only,):
            with store(name, root / name) as rows:
                await measure(rows, count, root, progress)


console = Console(highlight=False)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=STORES)
    parser.add_argument("--count", type=int, default=COUNT, help="events, and pushes")
    wanted = parser.parse_args()
    asyncio.run(_measure(wanted.only, wanted.count))
