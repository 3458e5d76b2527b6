"""Deliveries are found by customer: the same ones, whether their launch is in the index or not, and
at a cost that depends on that customer alone."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from clarion.customers.identity.identifier import User, customer_id_of, device_row_id
from clarion.deliveries.customer_index.indexer import CustomerIndexer, IndexerOptions
from clarion.deliveries.customer_index.store import launches_to_look_at
from clarion.deliveries.erasure_store import NOBODY, make_nobodys
from clarion.reports.timeline_store import Position, Push, position, pushes_of
from clarion.storage.database import Database
from clarion.storage.schema import customer_deliveries, deliveries, launches
from flow.test_planning import Interrupted
from support.book import WORKSPACE
from support.clock import FakeClock
from support.privacy import Regulator
from support.world import World

SMALL = IndexerOptions(sorted_max=3, rows_max=2, pause_seconds=0)


def customer(name: str) -> UUID:
    return customer_id_of(WORKSPACE, User(name))


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def sent(world: World, audience: dict[str, object], times: int = 1) -> list[UUID]:
    """Campaigns that were sent, one minute after another."""
    sent = []
    for _ in range(times):
        sent.append(await world.campaign(audience))
        await world.settle(sent[-1])
        world.clock.advance(60)
    return sent


async def index_all(world: World, options: IndexerOptions = SMALL) -> None:
    while await CustomerIndexer(world.database, world.clock, options).step():
        pass


async def pages(world: World, customer_id: UUID, limit: int) -> list[Push]:
    found: list[Push] = []
    before: Position | None = None
    while True:
        async with world.database.read() as connection:
            page = await pushes_of(connection, WORKSPACE, customer_id, before, limit)
        found += page
        if len(page) < limit:
            return found
        before = position(page[-1])


async def indexed(world: World) -> set[tuple[UUID, UUID, UUID]]:
    async with world.database.read() as connection:
        rows = await connection.execute(select(customer_deliveries))
        return {(row.customer_id, row.launch_id, row.device_id) for row in rows}


async def test_what_a_customer_was_sent_is_the_same_in_the_index_as_outside(world: World) -> None:
    await world.devices("ok-1", "dead-1", "ok-2", user="ada")
    await world.devices("ok-3", "ok-4")
    await sent(world, {"everyone": True}, 3)
    before = await pages(world, customer("ada"), 4)
    assert len(before) == 3 * 3 - 2  # the dead one was removed by the first launch
    assert await indexed(world) == set()
    await index_all(world)
    async with world.database.read() as connection:
        rows = await connection.execute(
            select(deliveries.c.customer_id, deliveries.c.launch_id, deliveries.c.device_id)
        )
        assert await indexed(world) == {tuple(row) for row in rows}
        missing = select(func.count()).where(launches.c.indexed_at.is_(None))
        assert (await connection.execute(missing)).scalar_one() == 0
    for limit in (1, 2, 4, 100):
        assert await pages(world, customer("ada"), limit) == before
    [campaign_id] = await sent(world, {"everyone": True})
    after = await pages(world, customer("ada"), 2)
    assert [push.campaign_id for push in after[:2]] == [campaign_id] * 2
    assert after[2:] == before


@pytest.mark.parametrize("others", [5, 10])
async def test_an_erasure_looks_at_the_launches_of_that_person_alone(
    world: World, others: int
) -> None:
    await world.devices("ok-1", user="ada")
    await world.devices("ok-2", user="bob")
    mine = await sent(world, {"user_ids": ["ada"]}, 2)
    await sent(world, {"user_ids": ["bob"]}, others)
    await index_all(world)
    async with world.database.read() as connection:
        found = await launches_to_look_at(connection, WORKSPACE, [customer("ada")])
        rows = await connection.execute(
            select(launches.c.id).where(launches.c.campaign_id.in_(mine))
        )
        assert found == sorted(rows.scalars())


async def test_an_erased_person_is_gone_from_the_index_and_nobody_else_is(world: World) -> None:
    await world.devices("ok-1", user="ada")
    await world.devices("ok-2", user="bob")
    await sent(world, {"everyone": True}, 2)
    await index_all(world)
    before = await pages(world, customer("bob"), 10)
    await Regulator(world.database, world.broker, world.clock).erase(WORKSPACE, "ada", by="test")
    assert {customer_id for customer_id, *_ in await indexed(world)} == {customer("bob")}
    assert await pages(world, customer("bob"), 10) == before
    async with world.database.read() as connection:
        rows = await connection.execute(select(deliveries.c.customer_id))
        assert set(rows.scalars()) == {customer("bob"), NOBODY}


async def test_who_is_erased_while_a_launch_is_indexed_is_not_written_again(world: World) -> None:
    await world.devices("ok-1", user="ada")
    await world.devices("ok-2", "ok-3", "ok-4", user="bob")
    await sent(world, {"everyone": True})
    database = Interrupted(world.database)
    indexer = CustomerIndexer(database, world.clock, SMALL)

    async def erase_ada() -> None:
        async with world.database.write() as connection:
            launch_ids = list((await connection.execute(select(launches.c.id))).scalars())
            await make_nobodys(
                connection,
                launch_ids,
                own_devices=[device_row_id(WORKSPACE, "D-ok-1")],
                past_devices=[],
                customer_ids=[customer("ada")],
                new_id=world.clock.new_id,
                now=world.clock.now(),
            )

    database.before_write = erase_ada  # after its deliveries were read
    assert await indexer.step() == 1
    assert await indexed(world) == set()
    await index_all(world)
    assert {customer_id for customer_id, *_ in await indexed(world)} == {customer("bob")}
    assert len(await indexed(world)) == 3
