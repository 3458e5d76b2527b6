"""Agents go on where PostgreSQL ends one of two transactions that block each other, as if nothing
had been: each transaction of each of them loses once."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from clarion.accounts.actor import operator
from clarion.brokers.database import DatabaseBroker
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.launches.scheduler import Scheduler
from clarion.customers.commands import merge_customers, unmerge_customer
from clarion.customers.devices.freshness.sweeper import Sweeper
from clarion.customers.identity.merges.store import Merge
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.customers.profile.store import find_customer
from clarion.deliveries.delivery import push_key
from clarion.deliveries.planning.planner import Planner, PlannerOptions
from clarion.deliveries.sending.sender import Sender, SenderOptions
from clarion.deliveries.store import list_deliveries
from clarion.privacy.eraser import Eraser
from clarion.reports.attributor import Attributor
from clarion.storage.database import Database
from clarion.storage.schema import devices
from support.api import Service, register
from support.book import WORKSPACE
from support.clock import FakeClock
from support.database import make_tables
from support.faults import SelfMovingClock
from support.losing import LosingDatabase
from support.postgres import PostgresServer
from support.privacy import Regulator
from support.services import services

ME = operator(WORKSPACE)
USERS = ("ada", "bob", "carl")


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    async with postgres.new_database() as url:
        database = Database(url)
        await make_tables(database)
        yield database
        await database.close()


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Service]:
    async with Service(database, SelfMovingClock(FakeClock())) as service:
        yield service


class Losers:
    """The agents of a process all of whose transactions lose once."""

    def __init__(self, service: Service) -> None:
        self.database = LosingDatabase(service.database)
        self.broker = DatabaseBroker(self.database, service.clock)
        world = service.world
        parts = (self.database, self.broker, service.clock)
        self.ingestor = Ingestor(*parts, IngestorOptions(wait_seconds=0))
        self.scheduler = Scheduler(*parts)
        self.planner = Planner(*parts, PlannerOptions(wait_seconds=0))
        sending = SenderOptions(wait_seconds=0)
        self.sender = Sender(*parts, world.provider, world.vault, sending)
        self.attributor = Attributor(self.database, service.clock)
        self.sweeper = Sweeper(self.database, service.clock)
        self.eraser = Eraser(*parts)
        self.regulator = Regulator(*parts)
        self.services = services(self.database, service.clock)


async def test_a_campaign_goes_its_way_where_each_transaction_loses_once(service: Service) -> None:
    losers = Losers(service)
    service.ingestor = losers.ingestor
    write_key = (await service.get("/sources"))["data"][0]["write_key"]
    for number, user in enumerate(USERS):
        event = register(f"m{number}", f"D-{user}", f"ok-{user}", user=user)
        await service.send(write_key, event)
    campaign_id = await service.world.campaign()

    assert await losers.scheduler.step() == 1
    assert await losers.planner.step() == 3
    assert await losers.sender.step() == 3
    found = await service.world.report(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (3, 3, 0)
    assert set(service.world.provider.left.values()) == {1}
    assert (await service.world.get(campaign_id)).state is CampaignState.DONE

    async with service.database.read() as connection:
        rows = await list_deliveries(connection, WORKSPACE, campaign_id=campaign_id, limit=9)
    key = push_key(rows[0].launch_id, rows[0].device_row_id)
    properties = {"clarion_push": key}
    tapped = {"type": "track", "event": "Push Notification Tapped", "messageId": "tapped"}
    await service.send(write_key, tapped | {"userId": "ada", "properties": properties})
    assert await losers.attributor.step() == 1
    assert (await service.world.report(campaign_id)).total.opened == 1
    # 3 jobs taken in and acknowledged, a launch, its plan in two, a chunk claimed and settled …
    assert losers.database.lost >= 10


async def test_merging_sweeping_and_erasing_where_each_transaction_loses_once(
    service: Service,
) -> None:
    losers = Losers(service)
    write_key = (await service.get("/sources"))["data"][0]["write_key"]
    for number, user in enumerate(USERS):
        event = register(f"m{number}", f"D-{user}", f"ok-{user}", user=user)
        await service.send(write_key, event)

    assert isinstance(await merge_customers(losers.services, ME, "ada", "bob"), Merge)
    assert isinstance(await unmerge_customer(losers.services, ME, "ada"), Merge)
    assert await losers.regulator.suppress(WORKSPACE, "carl", by="test")
    assert await losers.regulator.unsuppress(WORKSPACE, "carl", by="test")

    assert await losers.regulator.begin(WORKSPACE, "ada", by="test")
    service.clock.advance(61)
    assert await losers.eraser.step() == 1
    async with service.database.read() as connection:
        assert await find_customer(connection, WORKSPACE, "ada") is None
        left = (await connection.execute(select(devices.c.device_id))).scalars().all()
    assert sorted(left) == ["D-bob", "D-carl"]

    service.clock.advance(timedelta(days=61).total_seconds())
    assert await losers.sweeper.step() == 2
    assert losers.database.lost >= 10
