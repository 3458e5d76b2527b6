"""To erase or to export one person costs what that person is, however much a workspace holds of
others.

Work is counted by the database: in SQLite the steps of its virtual machine, in PostgreSQL the pages
of tables and indexes that were read. No machine's speed changes either.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, event, text, update

from clarion.audiences.rule import TraitsEqual, UserIds
from clarion.broker import JobKind, NewJob
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.spec import ContentSpec, parse_content
from clarion.campaigns.launches.launch import Launch, LaunchState
from clarion.campaigns.launches.store import create_launch
from clarion.campaigns.store import create_campaign
from clarion.customers.identity.identifier import User, customer_id_of, device_row_id
from clarion.deliveries.customer_index.indexer import CustomerIndexer, IndexerOptions
from clarion.events.messages.message import Event
from clarion.faults import Rejected
from clarion.privacy.commands import begin_export
from clarion.privacy.data_export import open_dossier
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import (
    audit,
    customer_deliveries,
    deliveries,
    ingest_log,
    launches,
    metadata,
    quarantine,
    suppressions,
)
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.database import make_tables
from support.history import App
from support.privacy import Regulator
from support.world import APP, World

N = 1_000
RATIO_MAX = 1.3
BATCH = 500
AT_ONCE = IndexerOptions(pause_seconds=0)


class Work:
    """What a database has done since the last look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._steps = 0
        if database.is_sqlite:
            event.listen(Engine, "connect", self._count)  # readers have an engine of their own

    def _count(self, connection: Any, _record: object) -> None:
        """A connection has been opened."""
        connection.driver_connection._conn.set_progress_handler(self._step, 1)

    def close(self) -> None:
        if self._database.is_sqlite:
            event.remove(Engine, "connect", self._count)

    def _step(self) -> int:
        self._steps += 1
        return 0

    async def total(self) -> int:
        """All of it so far. PostgreSQL's sessions say what they did when they end."""
        if self._database.is_sqlite:
            return self._steps
        await self._database.engine.dispose()
        async with self._database.read() as connection:
            pages = await connection.scalar(
                text(
                    "SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read, 0)"
                    " + coalesce(idx_blks_hit, 0)) FROM pg_statio_user_tables"
                )
            )
        return int(pages)


def person(name: str) -> list[Event]:
    """Two devices, one of which a friend had before, an installation that moved from the friend's
    other device, an anonymous past, and somebody nobody knows on the first device."""
    app = App(name)
    phone, shared, friend = f"{name}-phone", f"{name}-shared", f"{name}-friend"
    return [
        app.register(1, phone, token=f"ok-1-{name}", user=name),
        app.identify(2, name, anon=f"{name}-web", traits={"email": f"{name}@shop.example"}),
        app.track(3, anon=f"{name}-stranger", context_device=phone),
        app.register(4, shared, token=f"ok-2-{name}", user=friend),
        app.register(5, shared, token=f"ok-2-{name}", user=name),
        app.register(6, f"{friend}-phone", token=f"ok-3-{name}", user=friend),
        app.register(7, phone, token=f"ok-3-{name}", user=name),
        *(app.track(at, user=name, device=phone) for at in range(8, 20)),
    ]


def strangers(names: Sequence[str]) -> list[Event]:
    """A device for each; every tenth has an installation that moved to another."""
    app = App(names[0])
    events = []
    for number, name in enumerate(names):
        user, device, token = f"user-{name}", f"device-{name}", f"ok-token-{name}"
        events.append(app.register(1, device, token=token, user=user))
        events.append(app.identify(2, user, anon=f"anon-{name}", traits={"plan": "free"}))
        if number % 10 == 0:
            events.append(app.register(3, f"later-{device}", token=token, user=user))
    return events


async def fill(world: World, prefix: str, count: int) -> None:
    """All that a workspace holds of `count` strangers."""
    names = [f"{prefix}-{number}" for number in range(count)]
    events = strangers(names)
    for start in range(0, len(events), BATCH):
        await world.take(*events[start : start + BATCH])
    now, new_id = world.clock.now(), world.clock.new_id
    content = parse_content({"title": "Hello"})
    assert isinstance(content, ContentSpec)
    async with world.database.write() as connection:
        for number, name in enumerate(names):
            by_trait = TraitsEqual(traits=(("email", f"{name}@shop.example"),))
            audience = UserIds(user_ids=(f"user-{name}",)) if number % 2 else by_trait
            campaign = Campaign(
                id=new_id(), workspace_id=WORKSPACE, name="Other", content=content,
                audience=audience, created_at=now, changed_at=now,
            )  # fmt: skip
            await create_campaign(connection, campaign)
            launch = Launch(
                id=new_id(), workspace_id=WORKSPACE, campaign_id=campaign.id, occurrence="once",
                state=LaunchState.DONE, due_at=now, started_at=now, planned_at=now, done_at=now,
                updated_at=now, planned=1,
            )  # fmt: skip
            await create_launch(connection, launch)
            key = {
                "customer_id": customer_id_of(WORKSPACE, User(f"user-{name}")),
                "launch_id": launch.id,
                "device_id": device_row_id(WORKSPACE, f"device-{name}"),
            }
            sent = {
                "platform": "Android", "state": "accepted", "attempts": 1, "unanswered": 0,
                "settled_at": now,
            }  # fmt: skip
            await insert_new(connection, deliveries, [key | sent])
            await insert_new(connection, customer_deliveries, [key])
        await connection.execute(update(launches).values(indexed_at=now))
        ours = {"workspace_id": WORKSPACE}
        await insert_new(
            connection, quarantine,
            [{"device_id": device_row_id(WORKSPACE, f"device-{name}"), "token_hash": f"hash-{name}"}
             for name in names],
            {"firebase_app_id": APP, "reason": "unregistered", "at": now},
        )  # fmt: skip
        await insert_new(
            connection, ingest_log,
            [{"id": new_id(), "user_id": f"user-{name}", "message_id": f"refused-{name}"}
             for name in names],
            ours | {
                "source_id": SOURCE, "received_at": now, "outcome": "refused",
                "stage": "registration", "code": "bad_token", "count": 1,
            },
        )  # fmt: skip
        await insert_new(
            connection, suppressions,
            [{"hash": f"listed-{name}", "subject": f"listed-{name}"} for name in names],
            ours | {"kind": "suppressed", "at": now},
        )  # fmt: skip
        await insert_new(
            connection, audit,
            [{"id": new_id(), "thing_id": f"thing-{name}"} for name in names],
            ours | {
                "at": now, "actor_kind": "operator", "actor_name": "operator",
                "verb": "campaign.pause", "thing_kind": "campaign", "changes": {},
            },
        )  # fmt: skip
    await world.broker.publish(*(NewJob(kind=JobKind.EVENTS, payload=b"waits") for _ in names))


async def export(world: World, name: str) -> int:
    """Bytes of the zip."""
    customer = await begin_export(world.services, world.actor, name)
    assert not isinstance(customer, Rejected)
    pieces = await open_dossier(world.database, WORKSPACE, customer, world.clock.now())
    return sum([len(piece) async for piece in pieces])


async def test_erasing_and_exporting_one_person_costs_no_more_where_there_are_twice_as_many_others(
    database_url: str,
) -> None:
    database = Database(database_url)
    work = Work(database)
    await make_tables(database)
    world = await World(database, FakeClock()).open()
    regulator = Regulator(database, world.broker, world.clock)
    if not database.is_sqlite:
        await run_no_vacuum(database)
    costs = []
    for name in ("ada", "eve"):
        await fill(world, name, N)
        await world.take(*person(name))
        campaign = await world.campaign({"user_ids": [name]})
        await world.settle(campaign)
        while await CustomerIndexer(database, world.clock, AT_ONCE).step():
            pass
        if not database.is_sqlite:
            async with database.write() as connection:
                await connection.execute(text("ANALYZE"))
        before = await work.total()
        assert await export(world, name) > 1_000
        exported = await work.total()
        erasure = await regulator.erase(WORKSPACE, name, by="test")
        erased = await work.total()
        assert erasure is not None
        assert (erasure.events, erasure.deliveries) == (17, 2)
        costs.append((exported - before, erased - exported))
    for once, twice in zip(*costs, strict=True):
        assert once > 0
        assert twice / once < RATIO_MAX, costs
    work.close()
    await world.broker.close()
    await database.close()


async def run_no_vacuum(database: Database) -> None:
    """It would read pages, too, whenever it likes."""
    async with database.write() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(
                text(f"ALTER TABLE {table.name} SET (autovacuum_enabled = off)")
            )
