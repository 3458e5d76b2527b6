"""In a database of before, what an erasure looks up is filled as the code would write it now."""

from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.database import Database
from clarion.storage.migrate import MIGRATIONS, migrate
from clarion.storage.schema import campaign_names, devices
from support.clock import FakeClock
from support.history import App
from support.world import World

INDEXES = ("tokens_device", "jobs_rejected")
MOVED = ("moved_fcm", "moved_fid", "moved_apns")
APNS = "0123456789abcdef" * 4
LONG = "ä" * 1_000


async def looked_up(connection: AsyncConnection) -> tuple[Any, Any]:
    columns = [devices.c[name] for name in MOVED]
    moved = await connection.execute(select(devices.c.device_id, *columns).order_by(devices.c.id))
    named = await connection.execute(select(campaign_names).order_by(campaign_names.c.name))
    return moved.all(), named.all()


async def go_back(connection: AsyncConnection) -> None:
    """To the schema of before, with its data."""
    for index in (*INDEXES, *(f"devices_{column}" for column in MOVED)):
        await connection.execute(text(f"DROP INDEX {index}"))
    for column in MOVED:
        await connection.execute(text(f"ALTER TABLE devices DROP COLUMN {column}"))
    await connection.execute(text("DROP TABLE campaign_names"))
    await connection.execute(text("UPDATE alembic_version SET version_num = '0019'"))


def upgrade(connection: Connection) -> None:
    """By this revision alone: later ones have been applied."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0020")


async def test_a_database_of_before_has_what_erasures_look_up(database_url: str) -> None:
    await migrate(database_url)
    database = Database(database_url)
    world = await World(database, FakeClock()).open()
    app = App()
    await world.take(
        app.register(1, "first", token="ok-moves", user="ada"),
        app.register(2, "second", token="ok-moves", user="bob"),
        app.register(3, "phone", token=APNS, user="cem"),
        app.register(4, "phone", token="ok-stays", user="cem"),
        app.register(5, "tablet", token=APNS, user="dora"),
    )
    for audience in (
        {"user_ids": ["ada", "bob"]},
        {"traits": {"email": "ada@shop.example", "phone": 436641234567, "plan": "gold"}},
        {"traits": {"email": LONG}},
        {"everyone": True},
    ):
        await world.campaign(audience)
    async with database.read() as connection:
        written = await looked_up(connection)
    async with database.write() as connection:
        await go_back(connection)
        await connection.run_sync(upgrade)
    async with database.read() as connection:
        assert await looked_up(connection) == written
    moved, named = written
    assert [sum(column is not None for column in row[1:]) for row in moved].count(1) == 2
    assert len(named) == 5
    await world.broker.close()
    await database.close()
