"""Senders that are slow, die, hang or stop; campaigns that are paused or cancelled midway."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.accounts.command import Services
from clarion.broker import JobKind, NewJob
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.commands import pause_campaign
from clarion.deliveries.apps.store import pause_app, resume_app
from clarion.deliveries.commands import cancel_campaign, resume_campaign
from clarion.deliveries.sending.sender import Sender, SenderOptions
from clarion.faults import Rejected
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.schema import chunks, deliveries, devices, metadata
from clarion.storage.vault import Vault, VaultLocked
from support.book import WORKSPACE
from support.clock import FakeClock
from support.patience import patience
from support.postgres import PostgresServer
from support.provider import MemoryProvider
from support.running import running
from support.world import APP, World

OPTIONS = SenderOptions(wait_seconds=0)
LEASE = OPTIONS.lease_seconds


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> World:
    return await World(database, clock).open()


def another_sender(world: World, provider: MemoryProvider | None = None) -> Sender:
    """A sender of another process."""
    parts = (world.database, world.broker, world.clock)
    return Sender(*parts, provider or world.provider, world.vault, OPTIONS)


async def planned(world: World, *tokens: str) -> UUID:
    """A campaign to a device for each token, planned in chunks of two, nothing sent."""
    await world.devices(*tokens)
    campaign_id = await world.campaign()
    await world.scheduler.step()
    while await world.planner.step():
        pass
    return campaign_id


async def send_all(world: World, sender: Sender | None = None) -> None:
    """Let a sender take every job that is due."""
    while depth := await world.broker.depth(JobKind.CHUNK):
        settled = await (sender or world.sender).step()
        if not settled and depth == await world.broker.depth(JobKind.CHUNK):
            return


async def take(
    world: World,
    campaign_id: UUID,
    step: Callable[[Services, Actor, UUID], Awaitable[Campaign | Rejected]],
) -> None:
    """A command as the API and the command line give it."""
    taken = await step(world.services, world.actor, campaign_id)
    assert isinstance(taken, Campaign), taken


async def lost_claims(world: World) -> list[int]:
    async with world.database.read() as connection:
        return list((await connection.execute(select(chunks.c.lost))).scalars())


# --- slow, dead and hanging senders ---------------------------------------------------------


async def test_a_slow_provider_s_chunk_is_taken_over_by_nobody(world: World) -> None:
    campaign_id = await planned(world, "one", "two")
    world.provider.opened.clear()
    sending = asyncio.create_task(world.sender.step())
    await world.provider.waiting.wait()
    for _ in range(12):  # four leases long
        await world.clock.someone_sleeps()
        world.clock.advance(LEASE / 3)
        await until_kept(world)
        assert await another_sender(world).sweep() == 0
    world.provider.opened.set()
    assert await sending == 2
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (2, 2, 0)
    assert await lost_claims(world) == [0]


async def test_a_chunk_is_kept_though_keeping_it_once_met_what_nobody_expected(
    world: World,
) -> None:
    campaign_id = await planned(world, "one", "two")
    world.provider.opened.clear()
    database = FailsOnce(world.database)
    parts = (database, world.broker, world.clock)
    sending = asyncio.create_task(Sender(*parts, world.provider, world.vault, OPTIONS).step())
    await world.provider.waiting.wait()
    database.fails_next = True
    await world.clock.someone_sleeps()
    world.clock.advance(LEASE / 3)
    async with patience():
        await database.has_failed.wait()
    for _ in range(6):  # two leases long
        await world.clock.someone_sleeps()
        world.clock.advance(LEASE / 3)
        await until_kept(world)
        assert await another_sender(world).sweep() == 0
    world.provider.opened.set()
    assert await sending == 2
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (2, 2, 0)


class FailsOnce(Database):
    """A database whose next transaction fails for a reason of its own, when a test says so."""

    def __init__(self, database: Database) -> None:
        self._inner = database
        self.is_sqlite = database.is_sqlite
        self.fails_next = False
        self.has_failed = asyncio.Event()

    def read(self) -> Any:
        return self._inner.read()

    @asynccontextmanager
    async def write(self, *, first: bool = False) -> AsyncIterator[AsyncConnection]:
        async with self._inner.write(first=first) as connection:
            yield connection
            if self.fails_next:
                self.fails_next = False
                self.has_failed.set()
                raise RuntimeError("a defect")


async def until_kept(world: World) -> None:
    """Return once the lease of the only chunk reaches beyond now again."""
    async with patience():
        while True:
            async with world.database.read() as connection:
                until = (await connection.execute(select(chunks.c.lease_until))).scalar_one()
            if (until - world.clock.now()).total_seconds() >= LEASE - 1:
                return


async def test_a_provider_that_hangs_does_not_keep_a_chunk_for_ever(world: World) -> None:
    campaign_id = await planned(world, "one", "two")
    hanging = MemoryProvider()
    hanging.opened.clear()
    sending = asyncio.create_task(another_sender(world, hanging).step())
    await hanging.waiting.wait()
    for _ in range(int(OPTIONS.provider_seconds_max / LEASE * 3)):
        await world.clock.someone_sleeps()
        world.clock.advance(LEASE / 3)
        await until_kept(world)
    world.clock.advance(LEASE + 1)
    assert await world.sender.sweep() == 1
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (2, 4, 2)
    hanging.opened.set()
    await sending
    assert await world.report(campaign_id) == found


async def test_a_sender_that_wakes_up_late_changes_nothing_any_more(world: World) -> None:
    campaign_id = await planned(world, "one", "dead-2")
    frozen = MemoryProvider()
    frozen.opened.clear()
    parts = (world.database, world.broker, FakeClock())  # for it no time passes
    sending = asyncio.create_task(Sender(*parts, frozen, world.vault, OPTIONS).step())
    await frozen.waiting.wait()
    world.clock.advance(LEASE + 1)
    await world.sender.sweep()
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.total.unregistered) == (1, 1)
    assert (found.attempts, found.unanswered) == (4, 2)
    frozen.opened.set()
    await sending
    assert await world.report(campaign_id) == found
    assert (await world.get(campaign_id)).state is CampaignState.DONE


async def test_a_sender_that_wakes_up_while_another_has_its_chunk_writes_nothing(
    world: World,
) -> None:
    campaign_id = await planned(world, "one", "dead-2")
    frozen, second = MemoryProvider(), MemoryProvider()
    frozen.opened.clear()
    second.opened.clear()
    parts = (world.database, world.broker, FakeClock())  # for it no time passes
    first = asyncio.create_task(Sender(*parts, frozen, world.vault, OPTIONS).step())
    await frozen.waiting.wait()
    world.clock.advance(LEASE + 1)
    await world.sender.sweep()
    taking_over = asyncio.create_task(another_sender(world, second).step())
    await second.waiting.wait()
    frozen.opened.set()
    await first
    assert (await world.report(campaign_id)).total.in_flight == 2
    second.opened.set()
    await taking_over
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.total.unregistered) == (1, 1)
    assert (found.attempts, found.unanswered) == (4, 2)


async def test_what_a_dead_sender_sent_is_sent_again_with_the_same_tag_and_counted(
    world: World,
) -> None:
    campaign_id = await planned(world, "one", "two")
    sending = asyncio.create_task(another_sender(world, DiesAfterSending(world)).step())
    await asyncio.wait([sending])
    assert sending.cancelled()
    found = await world.report(campaign_id)
    assert (found.total.in_flight, found.attempts, found.balances) == (2, 0, True)
    world.clock.advance(LEASE + 1)
    await world.sender.sweep()
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (2, 4, 2)
    assert set(world.provider.accepted.values()) == {2}
    assert len({(push.delivery_id, push.tag) for push in world.provider.pushes}) == 2


class DiesAfterSending(MemoryProvider):
    """The pushes leave; then the process ends, as at a stop."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._real = world.provider

    async def send(self, app, pushes):  # type: ignore[no-untyped-def]
        await self._real.send(app, pushes)
        raise asyncio.CancelledError


async def test_a_defect_met_in_one_chunk_costs_no_other_its_answers(world: World) -> None:
    campaign_id = await planned(world, "one", "two", "defect-1")
    provider = DefectiveProvider()
    provider.opened.clear()
    parts = (world.database, world.broker, world.clock)
    options = SenderOptions(wait_seconds=0.02, concurrency=2)
    sender = Sender(*parts, provider, world.vault, options)
    async with running(sender.agents(), world.clock), patience():
        await provider.waiting.wait()
        await provider.met.wait()
        await world.clock.someone_sleeps()
        provider.opened.set()
        while (await world.report(campaign_id)).total.in_flight:
            # The defect goes by; meanwhile its chunk waits like a dead sender's.
            world.clock.advance(LEASE / 3)
            await world.sender.sweep()
    found = await world.report(campaign_id)
    assert found.total.accepted == 3
    assert set(provider.accepted.values()) == {1}


class DefectiveProvider(MemoryProvider):
    """Raises what nobody expects, once, for a push to `defect-…`."""

    def __init__(self) -> None:
        super().__init__()
        self.met = asyncio.Event()

    async def send(self, app, pushes):  # type: ignore[no-untyped-def]
        if any(push.token.startswith("defect") for push in pushes) and not self.met.is_set():
            self.met.set()
            raise RuntimeError("a defect")
        return await super().send(app, pushes)


async def test_two_senders_at_one_chunk_send_it_once(world: World) -> None:
    campaign_id = await planned(world, "one", "two")
    async with world.database.read() as connection:
        chunk_id = (await connection.execute(select(chunks.c.id))).scalar_one()
    for _ in range(5):
        await world.broker.publish(NewJob(kind=JobKind.CHUNK, payload=chunk_id.bytes))
    senders = [another_sender(world) for _ in range(6)]
    await asyncio.gather(*(sender.step() for sender in senders))
    assert set(world.provider.accepted.values()) == {1}
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.attempts) == (2, 2)


async def test_another_secret_key_stops_sending_and_loses_nothing(world: World) -> None:
    campaign_id = await planned(world, "one", "two")
    parts = (world.database, world.broker, world.clock)
    locked = Sender(*parts, world.provider, Vault(Fernet.generate_key()), OPTIONS)
    with pytest.raises(VaultLocked):
        await locked.step()
    assert (await world.report(campaign_id)).total.in_flight == 2
    found = await world.settle(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (2, 2, 0)


async def test_a_device_that_is_not_there_any_more_holds_up_nothing(world: World) -> None:
    campaign_id = await planned(world, "one", "two")
    async with world.database.write() as connection:
        await connection.execute(delete(devices).where(devices.c.device_id == "D-one"))
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.total.skipped, found.total.in_flight) == (1, 1, 0)
    assert (await world.get(campaign_id)).state is CampaignState.DONE


async def test_answers_survive_a_settling_that_loses_to_another_transaction(
    postgres: PostgresServer, clock: FakeClock
) -> None:
    """PostgreSQL ends one of two that wait for each other. The answers must not go with it."""
    async with postgres.new_database() as url:
        database = Database(url)
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(text(LOOK_LATE))
        await database.close()
        database = Database(url)
        world = await World(database, clock).open()
        campaign_id = await planned(world, "dead-1", "two")
        async with database.write() as other:
            await other.execute(select(devices).with_for_update())
            sending = asyncio.create_task(world.sender.step())
            await someone_waits_for_a_lock(database)
            # From now on each waits for the other; the sender waits longer, so it is ended first.
            await other.execute(update(deliveries).values(reason="x"))
        async with patience():
            while not sending.done():
                world.clock.advance(3)
                await asyncio.sleep(0)
        found = await world.report(campaign_id)
        assert (found.total.accepted, found.total.unregistered, found.attempts) == (1, 1, 2)
        assert set(world.provider.left.values()) == {1}
        await database.close()


async def test_answers_survive_a_database_that_is_lost_before_they_are_understood(
    world: World,
) -> None:
    """What else reaches a device whose registration is dead is looked up after the answer."""
    campaign_id = await planned(world, "dead-1", "two")
    database = LostForReading(world.database)
    provider = ThenTheDatabaseIsLost(database)
    parts = (database, world.broker, world.clock)
    sending = asyncio.create_task(Sender(*parts, provider, world.vault, OPTIONS).step())
    async with patience():
        while not sending.done():
            world.clock.advance(1)
            await asyncio.sleep(0)
    assert await sending == 2
    assert database.has_failed
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.total.unregistered, found.attempts) == (1, 1, 2)
    assert set(provider.left.values()) == {1}


class LostForReading(Database):
    """A database that can not be read once, when a test says so."""

    def __init__(self, database: Database) -> None:
        self._inner = database
        self.is_sqlite = database.is_sqlite
        self.fails_next = self.has_failed = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        if self.fails_next:
            self.fails_next, self.has_failed = False, True
            raise StorageUnavailable("lost for a moment")
        async with self._inner.read() as connection:
            yield connection

    def write(self, *, first: bool = False) -> Any:
        return self._inner.write(first=first)


class ThenTheDatabaseIsLost(MemoryProvider):
    """Once it has answered."""

    def __init__(self, database: LostForReading) -> None:
        super().__init__()
        self._database = database

    async def send(self, app, pushes):  # type: ignore[no-untyped-def]
        answers = await super().send(app, pushes)
        self._database.fails_next = True
        return answers


LOOK_LATE = """
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 3000', current_database());
END $$
"""
"""Who waits looks once whether it waits for ever: the sender after the other waits, too."""


async def someone_waits_for_a_lock(database: Database) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with patience():
        while True:
            async with database.read() as connection:
                if (await connection.execute(waiting)).scalar_one():
                    return


# --- paused and cancelled -------------------------------------------------------------------


async def test_what_is_paused_rests_until_it_is_resumed(world: World) -> None:
    """Thousands of chunks taken up and put back every few seconds would be a load for nothing."""
    campaign_id = await planned(world, *(f"token-{one}" for one in range(6)))
    await take(world, campaign_id, pause_campaign)
    await send_all(world)
    for _ in range(5):
        world.clock.advance(600)
        assert await world.sender.sweep() == 0
        assert await world.broker.depth(JobKind.CHUNK) == 0
    await take(world, campaign_id, resume_campaign)
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.accepted, found.attempts, found.unanswered) == (6, 6, 0)
    assert (await world.get(campaign_id)).state is CampaignState.DONE


async def test_a_paused_firebase_app_rests_and_another_s_devices_are_reached(
    world: World,
) -> None:
    campaign_id = await planned(world, "one", "two")
    async with world.database.write() as connection:
        await pause_app(connection, APP, "permission_denied", now=world.clock.now())
    await send_all(world)
    world.clock.advance(600)
    assert await world.sender.sweep() == 0
    async with world.database.write() as connection:
        await resume_app(connection, WORKSPACE, APP)
    assert await world.sender.sweep() == 1  # at most `sweep_seconds` later
    await send_all(world)
    assert (await world.report(campaign_id)).total.accepted == 2


async def test_a_campaign_cancelled_while_its_firebase_app_is_paused_settles(
    world: World,
) -> None:
    campaign_id = await planned(world, "one", "two")
    async with world.database.write() as connection:
        await pause_app(connection, APP, "permission_denied", now=world.clock.now())
    await send_all(world)
    await take(world, campaign_id, cancel_campaign)
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.cancelled, found.total.in_flight) == (2, 0)


async def test_what_has_left_when_a_campaign_is_cancelled_is_accounted_for(world: World) -> None:
    """The chunk in the air is settled by its answers, the others are cancelled."""
    campaign_id = await planned(world, *(f"token-{one}" for one in range(4)))
    world.provider.opened.clear()
    sending = asyncio.create_task(world.sender.step())
    await world.provider.waiting.wait()
    await take(world, campaign_id, cancel_campaign)
    await send_all(world, another_sender(world))
    found = await world.report(campaign_id)
    assert (found.total.cancelled, found.total.in_flight, found.balances) == (2, 2, True)
    world.provider.opened.set()
    await sending
    found = await world.report(campaign_id)
    assert (found.total.cancelled, found.total.accepted, found.balances) == (2, 2, True)
    assert (await world.get(campaign_id)).state is CampaignState.CANCELLED


async def test_a_campaign_cancelled_after_a_sender_died_says_what_may_have_arrived(
    world: World,
) -> None:
    campaign_id = await planned(world, "one", "two")
    sending = asyncio.create_task(another_sender(world, DiesAfterSending(world)).step())
    await asyncio.wait([sending])
    world.clock.advance(LEASE + 1)
    await take(world, campaign_id, cancel_campaign)
    await world.sender.sweep()
    await send_all(world)
    found = await world.report(campaign_id)
    assert (found.total.cancelled, found.attempts, found.unanswered) == (2, 2, 2)
    assert found.balances
