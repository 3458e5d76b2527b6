"""Parts that fail at a chosen point: a process that dies there, or a database that is lost there.

`Doom` counts the points at which something can go wrong (a statement, a commit, a publish, an ack,
a push) as the parts pass them, and fails at one. The parts are the real ones, wrapped and handed to
the agents by their constructors.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from clarion.broker import Backlog, Broker, BrokerUnavailable, JobKind, Lease, NewJob
from clarion.campaigns.campaign import CampaignState
from clarion.deliveries.provider import Content, Outcome, Platform, ProviderApp, Push
from clarion.faults import Fault
from clarion.reports.funnel_store import Report
from clarion.storage.database import Database, StorageUnavailable
from support.clock import FakeClock
from support.ledger import check_counts
from support.world import World

T = TypeVar("T")

FINAL = (CampaignState.DONE, CampaignState.CANCELLED, CampaignState.FAILED)


class Crash(BaseException):
    """The process is gone: nobody may catch this and go on."""


class Doom:
    """Fails at the `at`-th point (from 1) of those where the error may come; with None never."""

    def __init__(self, at: int | None = None, error: type[BaseException] = Crash) -> None:
        self._at = at
        self._error = error
        self._reached = 0
        self.where = "nowhere"
        self.passed: list[str] = []
        """The points so far, by name."""

    @property
    def has_struck(self) -> bool:
        return self._at is not None and self._reached >= self._at

    def point(self, name: str, error: type[BaseException] = Crash) -> None:
        """`error`: what may come here besides the process's death."""
        if self._error not in (Crash, error):
            return
        if self.has_struck and self._error is Crash:
            raise Crash(f"dead since {self.where}")
        self._reached += 1
        self.passed.append(name)
        if self._reached == self._at:
            self.where = name
            raise self._error(name)


class DoomedDatabase:
    """Fails before a statement, before a commit, or after one, when nobody knows of it."""

    def __init__(self, database: Database, doom: Doom) -> None:
        self._database = database
        self._doom = doom
        self.is_sqlite = database.is_sqlite

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        self._doom.point("read", StorageUnavailable)
        async with self._database.read() as connection:
            yield connection

    async def empty_log(self) -> None:
        self._doom.point("before a checkpoint", StorageUnavailable)
        await self._database.empty_log()

    @asynccontextmanager
    async def write(self, *, first: bool = False) -> AsyncIterator[Any]:
        async with self._database.write(first=first) as connection:
            yield _DoomedConnection(connection, self._doom)
            self._doom.point("before a commit", StorageUnavailable)
        self._doom.point("after a commit", StorageUnavailable)

    transact = Database.transact


class _DoomedConnection:
    def __init__(self, connection: Any, doom: Doom) -> None:
        self._connection = connection
        self._doom = doom
        self.dialect = connection.dialect

    async def execute(self, *args: Any) -> Any:
        self._doom.point("before a statement", StorageUnavailable)
        return await self._connection.execute(*args)

    async def exec_driver_sql(self, *args: Any) -> Any:
        self._doom.point("before a statement", StorageUnavailable)
        return await self._connection.exec_driver_sql(*args)

    async def get_raw_connection(self) -> Any:
        """For rows that are streamed to PostgreSQL."""
        self._doom.point("before a statement", StorageUnavailable)
        return await self._connection.get_raw_connection()


class DoomedBroker:
    """Fails before or after each of the broker's verbs."""

    def __init__(self, broker: Broker, doom: Doom) -> None:
        self._broker = broker
        self._doom = doom
        self.found_nothing = False
        """The last fetch."""

    async def publish(self, *jobs: NewJob) -> None:
        if jobs:
            self._doom.point("before a publish", BrokerUnavailable)
        await self._broker.publish(*jobs)
        if jobs:
            self._doom.point("after a publish", BrokerUnavailable)

    async def fetch(
        self, kind: JobKind, *, limit: int, wait_seconds: float, lease_seconds: float
    ) -> Sequence[Lease]:
        leases = await self._broker.fetch(
            kind, limit=limit, wait_seconds=wait_seconds, lease_seconds=lease_seconds
        )
        self.found_nothing = not leases
        if leases:
            self._doom.point("after a fetch", BrokerUnavailable)
        return [_DoomedLease(lease, self._doom) for lease in leases]

    async def depth(self, kind: JobKind) -> int:
        return await self._broker.depth(kind)

    async def oldest_at(self, kind: JobKind) -> datetime | None:
        return await self._broker.oldest_at(kind)

    async def backlog(self, kind: JobKind) -> Backlog:
        return await self._broker.backlog(kind)

    async def rewrite_rejected(self, kind: JobKind, change: Callable[[bytes], bytes | None]) -> int:
        return await self._broker.rewrite_rejected(kind, change)

    async def close(self) -> None: ...


class _DoomedLease:
    def __init__(self, lease: Lease, doom: Doom) -> None:
        self._lease = lease
        self._doom = doom
        self.payload = lease.payload
        self.delivery_count = lease.delivery_count

    async def ack(self) -> None:
        self._doom.point("before an ack", BrokerUnavailable)
        await self._lease.ack()
        self._doom.point("after an ack", BrokerUnavailable)

    async def nack(self, delay_seconds: float = 0.0) -> None:
        self._doom.point("before a nack", BrokerUnavailable)
        await self._lease.nack(delay_seconds)

    async def reject(self, reason: str, *, keep: bytes | None = None) -> None:
        self._doom.point("before a reject", BrokerUnavailable)
        await self._lease.reject(reason, keep=keep)

    async def extend(self, seconds: float) -> None:
        self._doom.point("before an extend", BrokerUnavailable)
        await self._lease.extend(seconds)


class DoomedProvider:
    """Fails before the pushes leave, when half of them have, and when all have been answered."""

    def __init__(self, provider: Any, doom: Doom) -> None:
        self._provider = provider
        self._doom = doom

    async def send(self, app: ProviderApp, pushes: Sequence[Push]) -> Sequence[Outcome]:
        self._doom.point("before the pushes leave")
        half = len(pushes) // 2
        answers = list(await self._provider.send(app, pushes[:half]))
        self._doom.point("when half of the pushes have left")
        answers += await self._provider.send(app, pushes[half:])
        self._doom.point("before the answers are seen")
        return answers

    def check(self, content: Content, *, platform: Platform) -> Sequence[Fault]:
        return []

    async def close(self) -> None: ...


class Process:
    """The agents of one process, on parts that fail as `doom` says."""

    def __init__(self, world: World, doom: Doom, provider: Any = None) -> None:
        self._world = world
        database: Any = DoomedDatabase(world.database, doom)
        broker: Any = DoomedBroker(world.broker, doom)
        self._agents = World(database, SelfMovingClock(world.clock))
        self._broker = self._agents.broker = broker
        self._agents.vault = world.vault
        self._agents.make_agents(DoomedProvider(provider or world.provider, doom))

    async def work(self, campaign_id: UUID) -> bool:
        """Do all that is due, looking at the account after each step; True: it is settled."""
        agents = self._agents
        await self._do(agents.scheduler.step)
        for step in (agents.planner.step, agents.sender.step):
            self._broker.found_nothing = False
            while not self._broker.found_nothing:
                await self._do(step)
                await look(self._world, campaign_id)
        found = await look(self._world, campaign_id)
        campaign = await self._world.get(campaign_id)
        return found.total.in_flight == 0 and campaign.state in FINAL

    async def sweep(self) -> None:
        await self._do(self._agents.sender.sweep)
        await self._do(self._agents.scheduler.nudge)

    async def _do(self, step: Callable[[], Awaitable[int]]) -> None:
        """A step, as the runner does it: what is not to be had now is asked for again."""
        with suppress(StorageUnavailable, BrokerUnavailable):
            await step()


async def look(world: World, campaign_id: UUID) -> Report:
    """The account, which balances whenever one looks, and is that of the rows."""
    found = await world.report(campaign_id)
    assert found.balances, found
    await check_counts(world.database, campaign_id)
    return found


class SelfMovingClock(FakeClock):
    """Another clock, which moves on by itself when somebody waits for a moment."""

    def __init__(self, clock: FakeClock) -> None:
        self.__dict__ = clock.__dict__

    async def sleep(self, seconds: float) -> None:
        if seconds > 10:
            await super().sleep(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)
