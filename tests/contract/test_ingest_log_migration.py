"""What was recorded of sources before there was one log comes over into it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, insert

from clarion.ingest_log.outcome import Entry
from clarion.ingest_log.queries import Wanted, newest, totals
from clarion.storage.database import Database
from clarion.storage.dialect import Id, Instant
from clarion.storage.migrate import MIGRATIONS, is_current, migrate
from support.book import NOW, SOURCE, WORKSPACE

BEFORE = "0007"
OTHER = UUID(int=99)

_OLD = MetaData()


def table(name: str, *texts: str, **columns: Any) -> Table:
    every = {"workspace_id": Id, "source_id": Id, "received_at": Instant} | columns
    typed = [Column(column, kind) for column, kind in every.items()]
    return Table(name, _OLD, *typed, *(Column(text, Text) for text in texts))


REFUSALS = table(
    "refusals", "message_id", "stage", "code", "message", "excerpt", "type", "name", "user_id",
    "anonymous_id", "library", "library_version", id=Id,
)  # fmt: skip
REPEATS = table("repeats", "message_id", id=Id)
EVENTS = table("events", "message_id", "type", "name", "user_id", "device_id", "body", at=Instant)
COUNTS = Table(
    "source_counts", _OLD, Column("source_id", Id), Column("hour", Instant), Column("kind", Text),
    Column("label", Text), Column("name", Text), Column("count", BigInteger),
)  # fmt: skip


def second(number: int) -> datetime:
    return NOW + timedelta(seconds=number)


def fill(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, BEFORE)
    ours = {"workspace_id": WORKSPACE, "source_id": SOURCE}

    def refused(number: int, stage: str, code: str, **more: Any) -> dict[str, Any]:
        row = dict.fromkeys(column.name for column in REFUSALS.columns)
        told = {"stage": stage, "code": code, "message": f"why {number}", "excerpt": ""}
        return row | ours | told | {"id": UUID(int=number), "received_at": second(number)} | more

    rows = [
        refused(1, "event", "id_too_long", excerpt='{"userId"', user_id="u", library="sdk"),
        refused(4, "call", "not_json"),
        refused(3, "advice", "time_impossible", message_id="m", name="Seen"),
        refused(5, "event", "id_too_long", source_id=OTHER),
    ]
    connection.execute(insert(REFUSALS), rows)
    event = {"message_id": "m", "type": "track", "name": "Seen", "user_id": "u", "device_id": "D"}
    connection.execute(insert(EVENTS), ours | event | {"at": NOW, "received_at": NOW, "body": "{}"})
    repeats = [(2, "m"), (6, "an event that is gone")]
    connection.execute(
        insert(REPEATS),
        [
            ours | {"id": UUID(int=number), "received_at": second(number), "message_id": one}
            for number, one in repeats
        ],
    )
    key = {"source_id": SOURCE, "hour": NOW, "kind": "refused", "label": "not_json", "name": ""}
    connection.execute(insert(COUNTS), key | {"count": 7})


async def test_refusals_repeats_and_counts_come_over(database_url: str) -> None:
    database = Database(database_url)
    async with database.write() as connection:
        await connection.run_sync(fill)
    await database.close()
    await migrate(database_url)
    assert await is_current(database_url)
    database = Database(database_url)
    async with database.read() as connection:
        page, more = await newest(connection, Wanted(source_id=SOURCE), None, 10)
        counted = await totals(connection, SOURCE, NOW)
        others, _ = await newest(connection, Wanted(source_id=OTHER), None, 10)
    await database.close()
    assert more is None
    assert [(one.outcome, one.stage, one.code, one.message_id) for one in page] == [
        ("duplicate", None, None, "an event that is gone"),
        ("refused", "call", "not_json", None),
        ("warning", "advice", "time_impossible", "m"),
        ("duplicate", None, None, "m"),
        ("refused", "event", "id_too_long", None),
        ("accepted", None, None, "m"),
    ]
    assert shown(page[1]) == {"message": "why 4", "count": 1}
    assert shown(page[3]) == {
        "count": 1, "type": "track", "name": "Seen", "user_id": "u", "device_id": "D", "at": NOW,
    }  # fmt: skip
    assert shown(page[4]) == {
        "message": "why 1", "count": 1, "user_id": "u", "library": "sdk", "excerpt": '{"userId"',
    }  # fmt: skip
    assert [one.code for one in others] == ["id_too_long"]
    assert [(one.kind, one.label, one.count) for one in counted] == [("refused", "not_json", 7)]


def shown(entry: Entry) -> dict[str, Any]:
    """What an entry tells beside where it stands."""
    place = ("seq", "workspace_id", "source_id", "received_at", "outcome", "stage", "code")
    told = {name: getattr(entry, name) for name in entry.__struct_fields__ if name not in place}
    return {name: value for name, value in told.items() if value not in (None, entry.message_id)}
