"""Deliveries of before are counted by the hour of their reports, as those from then on are."""

from datetime import timedelta
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert

from clarion.deliveries.engagement.latency import LATENCY_SECONDS, Report
from clarion.reports.activity_store import Hour, launch_activity
from clarion.storage.database import Database
from clarion.storage.dialect import Id, Instant
from clarion.storage.migrate import MIGRATIONS, migrate
from support.book import NOW

BEFORE = "0022"
LAUNCH = UUID(int=5)
DELIVERIES = Table(
    "deliveries", MetaData(), Column("launch_id", Id), Column("device_id", Id),
    Column("customer_id", Id), Column("platform", Text), Column("state", Text),
    Column("attempts", Integer), Column("unanswered", Integer), Column("settled_at", Instant),
    Column("received_at", Instant), Column("opened_at", Instant),
)  # fmt: skip
HOUR = NOW.replace(minute=0, second=0, microsecond=0)


def fill(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, BEFORE)
    seconds = [*LATENCY_SECONDS, LATENCY_SECONDS[-1] + 1, -5]
    connection.execute(
        insert(DELIVERIES),
        [
            {
                "launch_id": LAUNCH, "device_id": UUID(int=number), "customer_id": UUID(int=number),
                "platform": "Web", "state": "accepted" if number else "expired", "attempts": 1,
                "unanswered": 0, "settled_at": HOUR + timedelta(minutes=5),
                "received_at": HOUR + timedelta(minutes=5, seconds=took),
                "opened_at": HOUR + timedelta(hours=1, minutes=59) if number == 1 else None,
            }
            for number, took in enumerate(seconds)
        ],
    )  # fmt: skip


async def test_deliveries_of_before_are_counted(database_url: str) -> None:
    old = Database(database_url)
    async with old.engine.begin() as connection:
        await connection.run_sync(fill)
    await old.close()
    await migrate(database_url)
    database = Database(database_url)
    async with database.read() as connection:
        activity = await launch_activity(connection, LAUNCH)
    await database.close()
    received = activity.latencies[Report.RECEIVED].classes
    # Of the first class the one that expired is not counted, and the one before its acceptance is.
    assert [one.count for one in received] == [1] * (len(LATENCY_SECONDS) + 1)
    assert activity.latencies[Report.OPENED].median_up_to_seconds == 21_600
    in_first = sum(took < 55 * 60 for took in (*LATENCY_SECONDS, -5))
    assert activity.hours[0] == Hour(hour=HOUR, received=in_first, opened=0, converted=0)
    assert [hour.opened for hour in activity.hours] == [0, 1, *[0] * (len(activity.hours) - 2)]
