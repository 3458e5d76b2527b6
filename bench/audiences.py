"""How long a count of an audience takes with two rules on traits and one on events, beside SQL
written by hand for the same: `python -m bench.audiences [customers] [sqlite|URL]`.

Each customer has ten events with their user id, of ten names; all is written directly.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from bench.installation import Store, make_database
from clarion.audiences.query import count_audience
from clarion.audiences.rule_parser import parse
from clarion.storage.bulk import append, insert_new
from clarion.storage.database import Database
from clarion.storage.schema import customers, events, metadata, ownership_periods

WORKSPACE = UUID(int=1)
SOURCE = UUID(int=2)
NOW = datetime(2027, 3, 1, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
EVENTS = 10
BODY = '{"event": "NAME", "properties": {"total": 12.5, "pad": "' + "x" * 300 + '"}}'
RUNS = 7
PART = 5_000
RULE = {
    "all": [
        {"trait": "plan", "test": "equals", "value": "gold"},
        {"trait": "age", "test": "more_than", "value": 30},
        {"event": "Event 3", "test": "did", "last_days": 30},
    ]
}
BY_HAND = {
    "sqlite": """
        SELECT count(*) FROM customers c WHERE c.workspace_id = :workspace
        AND c.traits ->> 'plan' = 'gold' AND CAST(c.traits ->> 'age' AS NUMERIC) > 30
        AND EXISTS (SELECT 1 FROM events e WHERE e.workspace_id = c.workspace_id
                    AND e.key = c.user_id AND e.at >= :since AND e.name = 'Event 3')""",
    "postgresql": """
        SELECT count(*) FROM customers c WHERE c.workspace_id = :workspace
        AND c.traits ->> 'plan' = 'gold' AND CAST(c.traits ->> 'age' AS numeric) > 30
        AND EXISTS (SELECT 1 FROM events e WHERE e.workspace_id = c.workspace_id
                    AND e.key = c.user_id AND e.at >= :since AND e.name = 'Event 3')""",
}
"""For customers with a user id alone: it asks nobody whose events of a shared device are."""


def _rows(count: int) -> Iterator[dict[Any, list[dict[str, Any]]]]:
    random = Random(7)
    for start in range(0, count, PART):
        rows: dict[Any, list[dict[str, Any]]] = {customers: [], ownership_periods: [], events: []}
        for number in range(start, min(start + PART, count)):
            user_id = f"user-{number}"
            customer_id = uuid5(WORKSPACE, f"user:{user_id}")
            plan = random.choice(["gold", "silver", "free", "free", "free"])
            traits = {
                "plan": plan,
                "age": random.randrange(18, 80),
                "city": "Wien",
                "name": user_id,
            }
            rows[customers].append(
                {"id": customer_id, "workspace_id": WORKSPACE, "user_id": user_id, "key": None,
                 "email": None, "traits": traits, "stamps": {}, "push_stamp": None,
                 "push_opted_out": False, "suppressed_at": None, "first_seen_at": NOW,
                 "last_seen_at": NOW}
            )  # fmt: skip
            rows[ownership_periods].append(
                {"workspace_id": WORKSPACE, "key": user_id, "start_at": FIRST, "end_at": LAST,
                 "customer_id": customer_id, "is_user": True, "is_real": True}
            )  # fmt: skip
            for place in range(EVENTS):
                at = NOW - timedelta(minutes=random.randrange(60 * 24 * 90))
                name = f"Event {random.randrange(10)}"
                rows[events].append(
                    {"workspace_id": WORKSPACE, "message_id": f"{number}-{place}", "name": name,
                     "source_id": SOURCE, "type": "track", "user_id": user_id, "at": at,
                     "anonymous_id": None, "device_id": None, "received_at": at, "clock_at": at,
                     "order_at": None, "key": user_id,
                     "body": BODY.replace("NAME", name)}
                )  # fmt: skip
        random.shuffle(rows[events])
        yield rows


async def _fill(database: Database, count: int) -> None:
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
    for rows in _rows(count):
        async with database.write() as connection:
            await insert_new(connection, customers, rows[customers])
            await insert_new(connection, ownership_periods, rows[ownership_periods])
            await append(connection, events, rows[events])
    if not database.is_sqlite:
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in ("customers", "events", "ownership_periods"):
                await connection.execute(text(f"VACUUM ANALYZE {table}"))


async def measure(store: Store, count: int) -> dict[str, Any]:
    """How long a count takes over so many customers, and one that is written by hand."""
    await make_database(store)
    return await _measured(store.url, count)


async def main(count: int, url: str) -> None:
    for name, value in (await _measured(url, count)).items():
        print(f"{name}: {value}")


async def _measured(url: str, count: int) -> dict[str, Any]:
    database = Database(url)
    begun = perf_counter()
    await _fill(database, count)
    written_seconds = perf_counter() - begun
    rule = parse(RULE)
    assert not isinstance(rule, list)
    kind = "sqlite" if database.is_sqlite else "postgresql"
    since = NOW - timedelta(days=30)
    values: dict[str, Any] = {"workspace": WORKSPACE, "since": since}
    if database.is_sqlite:
        micros = int(since.timestamp()) * 1_000_000
        values = {"workspace": WORKSPACE.bytes, "since": micros}
    hand = text(BY_HAND[kind])
    times: dict[str, list[float]] = {"ours": [], "hand": []}
    for _ in range(RUNS):  # in turn: the machine is not always as fast
        async with database.read() as connection:
            begun = perf_counter()
            hand_count = (await connection.execute(hand, values)).scalar_one()
            times["hand"].append(perf_counter() - begun)
        async with database.read() as connection:
            begun = perf_counter()
            found = (await count_audience(connection, WORKSPACE, rule, now=NOW)).customers
            times["ours"].append(perf_counter() - begun)
    by_hand, seconds = median(times["hand"]), median(times["ours"])
    await database.close()
    return {
        "customers": count,
        "events": count * EVENTS,
        "written in": f"{written_seconds:.0f} s",
        "counted": found,
        "a count": f"{seconds * 1_000:.0f} ms",
        "by hand": f"{by_hand * 1_000:.0f} ms",
        "counted by hand": hand_count,
        "times as long as by hand": f"{seconds / by_hand:.2f}",
    }


if __name__ == "__main__":
    customers_count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    where = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    with tempfile.TemporaryDirectory() as directory:
        path = f"sqlite:///{directory}/bench.db" if where == "sqlite" else where
        asyncio.run(main(customers_count, path))
