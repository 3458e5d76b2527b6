"""Frequency caps hold whoever sends: several senders, or one that dies, on both databases."""

import asyncio
from collections import defaultdict
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import JobKind
from clarion.campaigns.limits.caps import Cap
from clarion.campaigns.limits.limits import Limits
from clarion.campaigns.limits.store import save_limits
from clarion.campaigns.store import get_launched
from clarion.customers.identity.batch import Arrival
from clarion.customers.ingestion import Ingestion
from clarion.deliveries.apps.store import put_app
from clarion.deliveries.delivery import DeliveryState, parse_push_key
from clarion.deliveries.limits.bars import Bars, find_bars
from clarion.deliveries.limits.recent import unpack
from clarion.deliveries.planning.chunk import OpenDelivery
from clarion.deliveries.sending.sender import Sender, SenderOptions
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import deliveries, devices, recent_pushes
from support.book import WORKSPACE
from support.clock import FakeClock
from support.world import World

SECOND_APP, SECOND_SOURCE = UUID(int=13), UUID(int=12)
SENDERS = 4
CUSTOMERS = 20


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


async def cap(world: World, *caps: Cap) -> None:
    async with world.database.write() as connection:
        await save_limits(connection, WORKSPACE, Limits(caps=caps), world.clock.now())


async def open_second_app(world: World) -> None:
    """Another Firebase project: claims for one project wait for each other by its pace, and those
    for two do not."""
    now = world.clock.now()
    async with world.database.write() as connection:
        await put_app(
            connection,
            workspace_id=WORKSPACE,
            app_id=SECOND_APP,
            project_id="second",
            client_email="sender@second.example",
            private_key_id="1",
            sealed_key=world.vault.seal(msgspec.json.encode({"project_id": "second"})),
            now=now,
        )
        await create_source(
            connection,
            workspace_id=WORKSPACE,
            name="second",
            source_id=SECOND_SOURCE,
            now=now,
            firebase_app_id=SECOND_APP,
        )


async def register_with_second(world: World, *users: str) -> None:
    events = [
        world.app.register(0, f"E-{user}", user=user, token=f"ok-second-{user}") for user in users
    ]
    async with world.database.write() as connection:
        ingestion = Ingestion(connection, WORKSPACE, world.clock.now())
        await ingestion.take([Arrival(event=event, source_id=SECOND_SOURCE) for event in events])


async def plan_all(world: World, campaigns: int) -> list[UUID]:
    made = [await world.campaign() for _ in range(campaigns)]
    await world.scheduler.step()
    while await world.broker.depth(JobKind.LAUNCH):
        await world.planner.step()
    return made


async def drain(sender: Sender) -> None:
    idle = 0
    while idle < 10:
        idle = 0 if await sender.step() else idle + 1
        await asyncio.sleep(0)


async def accepted_launches(world: World) -> set[UUID]:
    return set().union(*(await launches_by_customer(world)).values())


async def launches_by_customer(world: World) -> dict[UUID, set[UUID]]:
    """Of what the ledger says was accepted; it agrees with what the provider took."""
    async with world.database.read() as connection:
        rows = await connection.execute(
            select(deliveries.c.customer_id, deliveries.c.launch_id, deliveries.c.device_id).where(
                deliveries.c.state == DeliveryState.ACCEPTED.value
            )
        )
        accepted = rows.all()
    taken = {parse_push_key(key) for key in world.provider.accepted}
    assert taken == {(row.launch_id, row.device_id) for row in accepted}
    by_customer = defaultdict(set)
    for row in accepted:
        by_customer[row.customer_id].add(row.launch_id)
    return by_customer


@pytest.mark.parametrize(("pushes", "has_history"), [(1, False), (1, True), (2, True)])
async def test_campaigns_that_launch_in_one_minute_keep_a_cap_together(
    world: World, pushes: int, has_history: bool
) -> None:
    await open_second_app(world)
    users = [f"user-ok-{number}" for number in range(CUSTOMERS)]
    await world.devices(*(f"ok-{number}" for number in range(CUSTOMERS)))
    await register_with_second(world, *users)
    await cap(world, Cap(pushes=pushes, days=1))
    if has_history:
        await world.settle(await world.campaign())
        world.clock.advance(2 * 86_400)
    former = await accepted_launches(world)
    campaigns = await plan_all(world, 4)
    senders = [
        Sender(
            world.database,
            world.broker,
            world.clock,
            world.provider,
            world.vault,
            SenderOptions(wait_seconds=0),
        )
        for _ in range(SENDERS)
    ]
    await asyncio.gather(*map(drain, senders))
    reached = await launches_by_customer(world)
    counts = [len(launches - former) for launches in reached.values()]
    assert counts == [pushes] * CUSTOMERS
    for campaign_id in campaigns:
        report = await world.report(campaign_id)
        assert report.balances
        assert report.total.in_flight == 0
        assert report.total.accepted + report.total.skipped == 2 * CUSTOMERS
        assert set(report.reasons.get("skipped", {})) <= {"frequency_cap"}


@pytest.mark.parametrize("has_history", [False, True])
async def test_of_senders_that_claim_for_one_customer_in_one_instant_one_may_send(
    world: World, has_history: bool
) -> None:
    await world.devices("ok-1", user="ada")
    await cap(world, Cap(pushes=1, days=1))
    if has_history:
        await world.settle(await world.campaign())
        world.clock.advance(2 * 86_400)
    campaigns = [await world.get(campaign_id) for campaign_id in await plan_all(world, SENDERS)]
    async with world.database.read() as connection:
        (device,) = (await connection.execute(select(devices))).all()
    delivery = OpenDelivery(
        device.id, device.platform, True, "active", device.token, customer_id=device.customer_id
    )

    together: set[UUID] = set()
    barrier = asyncio.Barrier(SENDERS)

    async def claim(launch_id: UUID) -> Bars:
        async def work(connection: AsyncConnection) -> Bars:
            campaign = await get_launched(connection, launch_id)
            assert campaign is not None
            if not world.database.is_sqlite and launch_id not in together:
                together.add(launch_id)  # a transaction that is repeated meets nobody
                await barrier.wait()
            return await find_bars(connection, campaign, [delivery], now=world.clock.now())

        return await world.database.transact(work, world.clock)

    launches = [campaign.launch.id for campaign in campaigns if campaign.launch is not None]
    bars = await asyncio.gather(*map(claim, launches))
    assert sorted(len(barred) for barred in bars) == [0, 1, 1, 1]


async def test_a_chunk_that_is_sent_again_after_its_sender_died_counts_once(world: World) -> None:
    await world.devices("ok-1", "ok-2", user="ada")
    await cap(world, Cap(pushes=2, days=1))
    (first,) = await plan_all(world, 1)
    world.provider.opened.clear()
    dying = asyncio.create_task(world.sender.step())
    await world.provider.waiting.wait()
    dying.cancel()
    await asyncio.wait([dying])
    async with world.database.read() as connection:
        (row,) = (await connection.execute(select(recent_pushes))).all()
    assert len(unpack(row.pushes)) == 1, "it was reserved before it left"
    world.provider.opened.set()
    world.make_agents()
    assert (await world.settle(first)).total.accepted == 2
    async with world.database.read() as connection:
        (row,) = (await connection.execute(select(recent_pushes))).all()
    assert len(unpack(row.pushes)) == 1
    assert (await world.settle(await world.campaign())).total.accepted == 2
    assert (await world.settle(await world.campaign())).reasons["skipped"] == {"frequency_cap": 2}


async def test_where_there_is_no_cap_nothing_is_written_down(world: World) -> None:
    await world.devices("ok-1", "ok-2")
    await world.settle(await world.campaign())
    async with world.database.read() as connection:
        assert (await connection.execute(select(recent_pushes))).all() == []
