"""What a version of Clarion leaves behind: `python -m support.kept_database NAME` writes it down.

Run once by the version whose schema is to be kept, on both databases; the files stay in
`tests/golden/databases` for ever and are not made again. `contract/test_kept_databases.py` brings
each of them to the newest schema.

In them: events, devices that moved and one that is gone, traits, an alias, a merge, a suppressed
customer, an erasure under way, a finished campaign with receipts, and a campaign half sent. From
0010 on also a tablet that changed hands with events of nobody between, a clock that was ahead, a
user id that turned out to be a device's, and a receipt that is not attributed yet.
"""

import asyncio
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from clarion.accounts.actor import system
from clarion.broker import JobKind
from clarion.customers.commands import merge_customers
from clarion.deliveries.apps.store import put_app
from clarion.privacy.commands import begin_erasure
from clarion.privacy.erasure_request_store import Erasure
from clarion.sources.key_store import add_identity_secret
from clarion.storage.database import Database
from clarion.storage.migrate import migrate
from clarion.storage.vault import Vault, load_or_make_vault
from support.book import SOURCE, WORKSPACE
from support.clock import START, FakeClock
from support.history import App
from support.patience import patience
from support.postgres import PostgresServer
from support.privacy import Regulator
from support.services import services
from support.world import APP, World

DATABASES = Path(__file__).parents[1] / "golden" / "databases"
SECRET = "the secret of the kept databases"
IDENTITY_SECRET = b"clarion_identity_of_the_kept_databases"
LEFT_AT = START + timedelta(minutes=10)
"""What time it was when they were left."""
BASE = ("lost-1", "dead-1", "bad-1", "down-1", *(f"ok-{number}" for number in range(1, 10)))
"""The tokens of the devices that both campaigns are for, but for the one who was erased."""
SINCE_0010 = 22
"""Events that databases of 0010 and later hold besides."""
SENT_CHUNKS = 2
"""Of the second campaign; a sender died over the next one."""


def vault() -> Vault:
    return load_or_make_vault(Path(), SECRET)


async def live(database: Database) -> None:
    """All that happens in a kept database, on its empty tables."""
    clock = FakeClock()
    world = await World(database, clock).open()
    world.vault = vault()
    async with database.write() as connection:
        await put_app(
            connection,
            workspace_id=WORKSPACE,
            app_id=APP,
            project_id="demo",
            client_email="sender@demo.example",
            private_key_id="1",
            sealed_key=world.vault.seal(msgspec.json.encode({"project_id": "demo"})),
            now=clock.now(),
        )
        await add_identity_secret(
            connection,
            workspace_id=WORKSPACE,
            source_id=SOURCE,
            secret_id=clock.new_id(),
            sealed_secret=world.vault.seal(IDENTITY_SECRET),
            now=clock.now(),
        )
    world.make_agents()
    await _people(world)
    await world.devices(*BASE)
    first = await world.campaign(content={"title": "First", "ttl_seconds": 7200})
    await world.settle(first, hours=0.05)
    await _receipts(world)
    await _half_a_campaign(world)
    await _changing_hands(world)
    await _receipt_to_come(world)
    parts = services(database, clock)
    erasure = await begin_erasure(parts, system(WORKSPACE, "test"), "erased")
    assert isinstance(erasure, Erasure)
    clock.advance((LEFT_AT - clock.now()).total_seconds())
    await world.broker.close()


async def _people(world: World) -> None:
    app = world.app
    await world.take(
        app.register(1, "phone", token="ok-phone-1", user="ada"),
        app.track(2, anon="browser"),
        app.identify(3, "ada", anon="browser", traits={"email": "ada@shop.example", "n": 1.5}),
        app.register(4, "tablet", token="ok-tablet-1", user="ada"),
        app.register(5, "tablet", token="ok-tablet-2", user="bob"),
        app.identify(6, "bob", traits={"plan": "pro", "tags": ["a", "é"]}),
        app.register(7, "old", token="ok-old", user="bob"),
        app.event(8, "track", name="Device Deleted", user="bob", context_device="old"),
        app.identify(9, "bob-2", traits={"plan": "free", "city": "Graz"}),
        app.track(10, user="bob-2"),
        app.alias(11, "carl", "carl-before"),
        app.register(12, "quiet", token="ok-quiet", user="quiet"),
        app.identify(12, "quiet", traits={"email": "quiet@shop.example"}),
        app.register(13, "gone", token="ok-gone", user="erased"),
        app.identify(14, "erased", traits={"email": "erased@shop.example"}),
    )
    parts = services(world.database, world.clock)
    await merge_customers(parts, system(WORKSPACE, "test"), "bob-2", "bob")
    regulator = Regulator(world.database, world.broker, world.clock)
    assert await regulator.suppress(WORKSPACE, "quiet", by="test")


async def _changing_hands(world: World) -> None:
    app = App(prefix="hands")
    clock_of = msgspec.structs.replace
    await world.take(
        app.track(30, anon="kiosk"),
        app.identify(31, "dora", anon="kiosk", traits={"email": "dora@shop.example"}),
        app.track(32, anon="kiosk"),
        app.register(33, "shared-tablet", token="ok-shared", user="dora"),
        app.register(34, "shared-tablet", token="ok-shared"),
        app.track(35, user="shared-tablet", name="Looked Around"),
        app.register(36, "shared-tablet", token="ok-shared", user="emil"),
        app.identify(36, "emil", context_device="shared-tablet", traits={"plan": "basic"}),
        app.track(37, context_device="shared-tablet"),
        app.identify(38, "device-as-user", traits={"theme": "dark"}),
        app.track(39, user="device-as-user"),
        app.alias(39, "bob-2", "kiosk-before"),
        app.track(20, anon="kiosk-before"),
    )
    ahead = timedelta(minutes=20)
    early = [
        app.track(40, anon="fast-clock"),
        app.identify(41, "fay", anon="fast-clock", traits={"city": "Linz"}),
        app.track(42, anon="fast-clock"),
        app.identify(43, "gus", anon="fast-clock", traits={"city": "Wels"}),
        app.track(44, anon="fast-clock"),
    ]
    for event in early:
        await world.take(clock_of(event, clock_at=event.at + ahead))
        ahead += timedelta(minutes=1)
    await world.take(app.register(45, "device-as-user", token="ok-as-user"))
    await world.take(app.track(46, user="device-as-user"), app.track(28, anon="kiosk"))


async def _receipt_to_come(world: World) -> None:
    push = world.provider.pushes[3]
    event = App(prefix="receipt").event(
        50,
        "track",
        name="Push Notification Tapped",
        user="ada",
        context={"clarion_push": push.delivery_id},
    )
    await world.take(event)


async def _receipts(world: World) -> None:
    for number, push in enumerate(world.provider.pushes[:3]):
        await world.take(
            world.app.event(
                20 + number,
                "track",
                name="Push Notification Received",
                user="ada",
                context={"clarion_push": push.delivery_id},
            )
        )
    while await world.attributor.step():
        pass


async def _half_a_campaign(world: World) -> None:
    """Planned whole, sent in part, and left by a sender that died over a chunk."""
    await world.campaign(content={"title": "Second", "ttl_seconds": 7200})
    world.clock.advance(1)
    while await world.broker.depth(JobKind.CHUNK):
        await world.sender.step()  # what the first one left behind: nudges for what is settled
    await world.scheduler.step()
    while await world.planner.step():
        pass
    for _ in range(SENT_CHUNKS):
        assert await world.sender.step()
    world.provider.opened.clear()
    dying = asyncio.create_task(world.sender.step())
    async with patience():
        await world.provider.waiting.wait()
    dying.cancel()
    await asyncio.wait({dying})


async def write_down(name: str, directory: str) -> None:
    """Both databases of this version, as SQL. `directory`: an empty one, to work in."""
    await _live_at(f"sqlite:///{directory}/clarion.db")
    with closing(sqlite3.connect(f"{directory}/clarion.db")) as connection:
        (DATABASES / f"{name}.sqlite.sql").write_text("\n".join(connection.iterdump()) + "\n")
    with PostgresServer() as server:
        async with server.new_database() as url:
            await _live_at(url)
            (DATABASES / f"{name}.postgresql.sql").write_text(server.dump(url))


async def _live_at(url: str) -> None:
    await migrate(url)
    database = Database(url)
    await live(database)
    await database.close()


async def bring_back(name: str, url: str) -> None:
    """A kept database, in the empty one at `url`, as its version left it."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript((DATABASES / f"{name}.sqlite.sql").read_text())
        return
    script = (DATABASES / f"{name}.postgresql.sql").read_text()
    database = Database(url)
    async with database.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute(script)
    await database.close()


if __name__ == "__main__":
    with TemporaryDirectory() as working_directory:
        asyncio.run(write_down(sys.argv[1], working_directory))
