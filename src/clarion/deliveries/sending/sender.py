"""The sender: takes chunks of deliveries to the provider, and writes down what became of each.

    job ─▶ claim chunk ─▶ look again at each delivery ─▶ provider ─▶ judge ─▶ settle ─▶ ack
            attempt + 1     skip, render                              one transaction

The rows are the truth, the job is a nudge. A crash before the settling leaves the chunk leased;
when the lease ends the sweep publishes it again, and what was sent in between is sent again with
the same tag, so that it replaces on the device; the account counts it as unanswered. Answers are
kept until they are written, however long the database is away. Whatever is not settled is in
another chunk with its own time, so one slow device holds up nobody.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion import tracing
from clarion.agent import Agent, AgentName, Pause
from clarion.broker import Broker, JobKind, Lease, NewJob
from clarion.campaigns.content.templates.template import Template
from clarion.campaigns.launches.launch import STOPPED
from clarion.clock import Clock
from clarion.customers.devices.device import Platform
from clarion.customers.devices.store import spares_of
from clarion.deliveries.apps.pace_store import DrawnPaces
from clarion.deliveries.apps.pacing import Grant, Later
from clarion.deliveries.apps.quarantine_store import last_acceptance
from clarion.deliveries.apps.store import OpenedApps
from clarion.deliveries.delivery import RetryPolicy
from clarion.deliveries.limits.bars import without_barred
from clarion.deliveries.planning.chunk import OpenDelivery
from clarion.deliveries.provider import Provider, ProviderApp, Push
from clarion.deliveries.sending.chunk_result import ChunkResult, unknown_of
from clarion.deliveries.sending.claim import Claimed, PausedBy, Work, claim, with_pending
from clarion.deliveries.sending.lasting_database import LastingDatabase
from clarion.deliveries.sending.lease_keeper import LeaseKeeper
from clarion.deliveries.sending.notices import Notices
from clarion.deliveries.sending.overdue import publish_overdue
from clarion.deliveries.sending.paced_sender import PacedSender
from clarion.deliveries.sending.settlement import chunks_of_the_rest, jobs_of, settle
from clarion.deliveries.sending.templates import Templates
from clarion.storage.database import Database
from clarion.storage.vault import Vault, VaultLocked
from clarion.telemetry import Metrics

log = structlog.get_logger(__name__)

TURN_STEPS = 10_000
"""Rendered in one go, in steps of `content/templates/liquid.py`: about ten milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderOptions:
    concurrency: int = 4
    """Chunks in the air at once."""
    push_concurrency: int = 2
    """Groups of pushes to single customers in the air at once, beside those chunks."""
    pushes_at_once: int = 32
    """So many of them are claimed, and settled, in one transaction."""
    wait_seconds: float = 5.0
    lease_seconds: float = 45.0
    """Prolonged while the provider works on the chunk; so long a dead sender's chunk waits."""
    provider_seconds_max: float = 900.0
    """Not prolonged for longer than that: a provider that hangs must not keep a chunk for ever."""
    sweep_seconds: float = 10.0
    sweep_grace_seconds: float = 15.0
    sweep_chunks: int = 500
    paused_seconds: float = 15.0
    backoff_seconds: float = 2.0
    policy: RetryPolicy = field(default_factory=RetryPolicy)


class Sender:
    """Any number may run: a chunk is claimed by one."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        provider: Provider,
        vault: Vault,
        options: SenderOptions | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._paced_sender = PacedSender(provider, clock)
        self._vault = vault
        self._options = options or SenderOptions()
        self._lease_keeper = LeaseKeeper(
            database,
            clock,
            lease_seconds=self._options.lease_seconds,
            longest_seconds=self._options.provider_seconds_max,
        )
        self._lasting = LastingDatabase(
            database, clock, pause_seconds=self._options.backoff_seconds
        )
        self._metrics = metrics
        self._templates = Templates()
        self._notices = Notices()
        self._is_stopping = False
        self._idle: set[asyncio.Task[Any]] = set()
        self._lag_seconds = dict.fromkeys((JobKind.CHUNK, JobKind.PUSH), 0.0)

    def agents(self) -> list[Agent]:
        """What the runner repeats: `concurrency` chunks side by side, pushes to single customers
        beside them, and a sweep."""
        return [
            Agent(
                name=AgentName.SENDER,
                step=self._turn,
                copies=self._options.concurrency,
                lag_seconds=lambda: self._lag_seconds[JobKind.CHUNK],
                stop=self.stop,
            ),
            Agent(
                name=AgentName.PUSH_SENDER,
                step=partial(self._turn, JobKind.PUSH),
                copies=self._options.push_concurrency,
                lag_seconds=lambda: self._lag_seconds[JobKind.PUSH],
                stop=self.stop,
            ),
            Agent(name=AgentName.OVERDUE, step=self._sweep_and_pause),
        ]

    def stop(self) -> None:
        """Claims no further chunk. Requests in flight are waited for and settled, unsent deliveries
        are put back; then the running steps end, so that nothing is sent twice."""
        self._is_stopping = True
        self._paced_sender.stop()
        for task in self._idle:
            task.cancel()

    async def step(self, kind: JobKind = JobKind.CHUNK) -> int:
        """Sends the next chunk that is due, or the next pushes to single customers; returns how
        many of their deliveries were settled."""
        with self._interruptible():
            leases = await self._broker.fetch(
                kind,
                limit=1 if kind is JobKind.CHUNK else self._options.pushes_at_once,
                wait_seconds=self._options.wait_seconds,
                lease_seconds=self._options.lease_seconds,
            )
        self._lag_seconds[kind] = 0.0
        return await self._take(leases, kind) if leases else 0

    async def sweep(self) -> int:
        """Publish again the chunks whose job was lost or whose sender died; returns how many."""
        options = self._options
        return await publish_overdue(
            self._database,
            self._broker,
            self._clock,
            grace_seconds=options.sweep_grace_seconds,
            limit=options.sweep_chunks,
        )

    async def _turn(self, kind: JobKind = JobKind.CHUNK) -> int | Pause:
        try:
            return await self.step(kind)
        except VaultLocked:
            self._notices.is_locked()
            return Pause(seconds=self._options.paused_seconds)

    async def _sweep_and_pause(self) -> Pause:
        await self.sweep()
        return Pause(seconds=self._options.sweep_seconds)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """A block whose task `stop` cancels."""
        task = asyncio.current_task()
        assert task is not None
        self._idle.add(task)
        try:
            yield
        finally:
            self._idle.discard(task)

    def _timed(self, step: str) -> AbstractContextManager[object]:
        """A block whose time is measured: one of `telemetry.CHUNK_STEPS`."""
        if self._metrics is None:
            return nullcontext()
        return self._metrics.sending.chunk_seconds.labels(step).time()

    async def _take(self, leases: Sequence[Lease], kind: JobKind) -> int:
        if self._is_stopping:
            for lease in leases:
                await lease.nack()
            return 0
        claimed = await self._claim([UUID(bytes=lease.payload) for lease in leases], kind)
        count = 0
        if claimed:
            lag = max(work.claimed_at - work.chunk.due_at for work in claimed)
            self._lag_seconds[kind] = lag.total_seconds()
            count = await self._do(claimed)
        await asyncio.gather(*(lease.ack() for lease in leases))
        return count

    async def _claim(self, chunk_ids: Sequence[UUID], kind: JobKind) -> list[Work]:
        """Claims chunks, in one transaction, and returns those of which there is something to send
        now. If it raises, nothing is claimed."""

        async def claim_one(
            connection: AsyncConnection, chunk_id: UUID, paces: DrawnPaces, apps: OpenedApps
        ) -> Claimed:
            now = self._clock.now()
            claimed = await claim(
                connection,
                chunk_id,
                self._vault,
                paces=paces,
                apps=apps,
                now=now,
                lease_until=now + timedelta(seconds=self._options.lease_seconds),
                paused_until=now + timedelta(seconds=self._options.paused_seconds),
            )
            return await with_pending(connection, claimed, self._templates)

        async def work(connection: AsyncConnection) -> list[Claimed]:
            paces, apps = DrawnPaces(connection), OpenedApps(connection, self._vault)
            claimed = [await claim_one(connection, each, paces, apps) for each in chunk_ids]
            await paces.save()
            return claimed

        to_send: list[Work] = []
        later: list[NewJob] = []
        with self._timed("claim"):
            claims = await self._database.transact(work, self._clock, first=kind is JobKind.PUSH)
        for chunk_id, claimed in zip(chunk_ids, claims, strict=True):
            match claimed:
                case Work():
                    to_send.append(claimed)
                    if claimed.app is not None and not claimed.is_trial:
                        self._notices.sends(claimed.app)
                case Later(due_at=due_at):
                    later.append(NewJob(kind=kind, payload=chunk_id.bytes, available_at=due_at))
                case PausedBy(app_id=UUID() as app_id):
                    self._notices.is_paused(app_id)
        if later:
            await self._broker.publish(*later)
        return to_send

    async def _do(self, claimed: Sequence[Work]) -> int:
        """Sends what was claimed together, side by side, and settles it together."""
        carried = await asyncio.gather(*map(self._traced, claimed), return_exceptions=True)
        results = [
            (work, result)
            for work, result in zip(claimed, carried, strict=True)
            if isinstance(result, ChunkResult)
        ]
        if results:
            await self._settle(results)
        for work, result in results:
            self._notices.settled(work.chunk.firebase_app_id, result, is_trial=work.is_trial)
        for failed in carried:
            if isinstance(failed, BaseException):
                raise failed
        return sum(len(result.settled) for _, result in results)

    async def _traced(self, work: Work) -> ChunkResult:
        launch, size = work.launch, work.chunk.size
        with tracing.span("chunk.send", launch.traceparent, root=launch.id, pushes=size):
            result = await self._carry(work)
            log.debug("chunk_sent", launch=str(launch.id), pushes=len(result.left))
            return result

    async def _carry(self, work: Work) -> ChunkResult:
        """What became of a claimed chunk, before it is written down."""
        chunk = work.chunk
        result = ChunkResult(
            lost=chunk.lost, values=work.values, is_transactional=chunk.is_transactional
        )
        if work.launch.state in STOPPED:
            for delivery in work.pending:
                result.cancel(delivery)
        elif work.app is not None and work.grant is not None:
            template = self._templates.of(work.campaign)
            left = without_barred(result, work.bars, work.pending)
            await self._send(work, work.app, work.grant, template, left, result)
        else:
            for delivery in without_barred(result, work.bars, work.pending):
                result.give_up(delivery)
        return result

    async def _send(
        self,
        work: Work,
        app: ProviderApp,
        grant: Grant,
        template: Template | None,
        pending: Sequence[OpenDelivery],
        result: ChunkResult,
    ) -> None:
        chunk = work.chunk
        async with self._lease_keeper.keeping(chunk):
            chosen, pushes = await self._prepare(work, app, grant, template, pending, result)
            if not pushes:
                return
            outcomes = await self._paced_sender.carry(app, pushes, grant)
        unknown = unknown_of(chosen, outcomes)
        if unknown:
            read = self._lasting.read
            result.spares = await read(chunk, lambda reader: spares_of(reader, unknown))
        now = self._clock.now()
        # One chance for all: their retries stay together instead of ending in a chunk each.
        chance = self._clock.chance()
        policy = self._options.policy
        limits = self._notices.limits
        for delivery, push, outcome in zip(chosen, pushes, outcomes, strict=False):
            result.enter(delivery, push, outcome, now=now, chance=chance, policy=policy)
        accepted_at = None
        if result.blaming:
            read = self._lasting.read
            accepted_at = await read(chunk, lambda reader: last_acceptance(reader, app.id))
        result.close(
            now=now,
            chance=chance,
            policy=policy,
            accepted_at=accepted_at,
            is_trial=work.is_trial,
            known_limited=limits.known(app.id, now),
            accepted_lately=limits.accepted_lately(app.id, now),
        )
        result.rest += [delivery.device_id for delivery in chosen[len(outcomes) :]]
        self._notices.learn(app, result, now)

    async def _prepare(
        self,
        work: Work,
        app: ProviderApp,
        grant: Grant,
        template: Template | None,
        pending: Sequence[OpenDelivery],
        result: ChunkResult,
    ) -> tuple[list[OpenDelivery], list[Push]]:
        """The deliveries whose pushes are to leave, and the pushes."""
        chosen: list[OpenDelivery] = []
        pushes: list[Push] = []
        # One value a platform, not one a push: the provider encodes each value once.
        content = work.campaign.content
        contents = {platform.value: content.for_platform(platform) for platform in Platform}
        now = self._clock.now()
        quiet = self._notices.limits.quiet(app.id, now)
        steps = 0 if template is None else template.steps
        for delivery in pending:
            if len(pushes) == grant.count:
                result.rest.append(delivery.device_id)
                continue
            if quiet and delivery.platform in quiet and not delivery.has_arrived:
                result.later[quiet[delivery.platform]].append(delivery.device_id)
                continue
            push = result.prepare(work.chunk.launch_id, contents, template, delivery, now)
            if push is not None:
                pushes.append(push)
                chosen.append(delivery)
            if template is not None and template.steps - steps > TURN_STEPS:
                # Whoever else lives on this loop, such as /livez, must not wait for a whole chunk.
                await asyncio.sleep(0)
                now, steps = self._clock.now(), template.steps
        return chosen, pushes

    async def _settle(self, results: Sequence[tuple[Work, ChunkResult]]) -> None:
        """Writes down what became of chunks, in one transaction."""
        again = [chunks_of_the_rest(work.chunk, result, self._clock) for work, result in results]

        async def write_down(connection: AsyncConnection) -> list[bool]:
            return [
                await settle(connection, work, result, new, self._clock)
                for (work, result), new in zip(results, again, strict=True)
            ]

        traces = [work.launch.traceparent for work, _ in results]
        with self._timed("settle"), tracing.spans("chunk.settle", traces):
            ours = await self._lasting.transact(results[0][0].chunk, write_down)
        jobs: list[NewJob] = []
        for (work, _), new_chunks, is_ours in zip(results, again, ours, strict=True):
            chunk = work.chunk
            if is_ours:
                jobs += jobs_of(chunk, new_chunks)
            else:
                log.warning("chunk_was_taken_over", chunk=str(chunk.id), attempt=chunk.attempt)
        await self._broker.publish(*jobs)
