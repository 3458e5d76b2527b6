"""The ingestor: takes `events` jobs and makes them events, customers and devices.

Several jobs are taken in one transaction, up to `events_max` events. When that transaction fails
for a reason of its own (not a lost database), each job is tried alone, so that one that can never
be taken in does not hold up the rest. A job holds the events of many calls: after `tries_max` its
events are taken in one by one, those that fail are recorded as refused, and they are kept aside.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion import tracing
from clarion.agent import Agent, AgentName, Pause
from clarion.broker import Broker, BrokerUnavailable, JobKind, Lease
from clarion.clock import Clock
from clarion.customers.identity.batch import Arrival
from clarion.customers.ingestion import Ingestion, beside
from clarion.customers.suppression_store import without_listed
from clarion.events.envelope import Parcel, as_failed, decode, encode, open_parcel, split
from clarion.ingest_log.outcome import Stage, refused_entry
from clarion.ingest_log.store import IngestLog
from clarion.ingest_log.tally import Kind, Tally
from clarion.storage.database import Database, StorageUnavailable
from clarion.telemetry import Metrics

INGESTED = (Kind.ACCEPTED, Kind.DUPLICATE, Kind.REFUSED)
"""What becomes of events that are taken in, as metrics tell it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestorOptions:
    jobs_max: int = 16
    """Jobs taken at once."""
    events_max: int = 2_000
    """Events in one transaction, unless one job alone has more."""
    gather_below: int = 500
    gather_seconds: float = 0.1
    """A transaction costs the more an event the fewer it has: after one with fewer than that, a
    moment passes in which more may come. So long, at most, does an event wait to be known."""
    wait_seconds: float = 5.0
    lease_seconds: float = 30.0
    """So long a dead ingestor's jobs wait; what is taken in twice changes nothing."""
    tries_max: int = 5
    backoff_seconds: float = 1.0


class Ingestor:
    """`events` jobs in, rows out. Any number may run; rows decide what happens once."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: IngestorOptions | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._options = options or IngestorOptions()
        self._log = IngestLog()
        self._metrics = metrics
        self._count(self._log.tally())  # what has not happened yet is a 0, not missing
        self._lag_seconds = 0.0

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [
            Agent(name=AgentName.INGESTOR, step=self._turn, lag_seconds=lambda: self._lag_seconds)
        ]

    async def step(self) -> int:
        """Take in what is waiting, at most `jobs_max` jobs; returns how many events were new."""
        leases = await self._broker.fetch(
            JobKind.EVENTS,
            limit=self._options.jobs_max,
            wait_seconds=self._options.wait_seconds,
            lease_seconds=self._options.lease_seconds,
        )
        self._lag_seconds = 0.0
        taken = 0
        group: list[tuple[Lease, list[Parcel]]] = []
        size = 0
        for lease in leases:
            try:
                parcels = decode(lease.payload)
            except ValueError as error:
                log.error("events_job_unreadable", reason=str(error))
                await lease.reject(f"not an events job: {error}")
                continue
            self._note_lag(parcels)
            if lease.delivery_count > self._options.tries_max:
                taken += await self._take_again(lease, parcels)
                continue
            items = sum(len(parcel.items) for parcel in parcels)
            if group and size + items > self._options.events_max:
                taken += await self._take(group)
                group, size = [], 0
            group.append((lease, parcels))
            size += items
        if group:
            taken += await self._take(group)
        return taken

    async def _turn(self) -> int | Pause:
        taken = await self.step()
        if taken < self._options.gather_below:
            return Pause(seconds=self._options.gather_seconds)
        return taken

    def _note_lag(self, parcels: Sequence[Parcel]) -> None:
        now = self._clock.now()
        for parcel in parcels:
            waited = (now - parcel.received_at).total_seconds()
            self._lag_seconds = max(self._lag_seconds, waited)

    async def _take(self, group: Sequence[tuple[Lease, list[Parcel]]]) -> int:
        try:
            taken = await self._commit(
                [parcel for _, parcels in group for parcel in parcels],
                again=any(lease.delivery_count > 1 for lease, _ in group),
            )
        except (StorageUnavailable, BrokerUnavailable):
            raise
        except Exception as error:
            if len(group) == 1:
                return await self._take_later(*group[0], error)
            return sum([await self._take([delivery]) for delivery in group])
        await asyncio.gather(*(lease.ack() for lease, _ in group))
        return taken

    async def _take_again(self, lease: Lease, parcels: Sequence[Parcel]) -> int:
        """A job that was handed out so often, and nobody ever said what became of it: whoever had
        it was killed over it, or its lease ended first. The tries are counted when it is handed
        out, so it goes the way of one that fails."""
        log.error("events_job_never_ended", delivery_count=lease.delivery_count)
        if lease.delivery_count > 2 * self._options.tries_max:
            await lease.reject(
                f"handed out {lease.delivery_count} times, and never ended: it is put aside whole"
            )
            return 0
        return await self._take_one_by_one(lease, parcels, "it was never ended")

    async def _commit(self, parcels: Sequence[Parcel], *, again: bool) -> int:
        size = sum(len(parcel.items) for parcel in parcels)
        opened = await beside(size, lambda: [(parcel, *open_parcel(parcel)) for parcel in parcels])

        async def work(connection: AsyncConnection) -> tuple[int, Tally]:
            now = self._clock.now()
            arrivals: dict[UUID, list[Arrival]] = defaultdict(list)
            taken = 0
            tally = self._log.tally()
            refused = await without_listed(
                connection, [(parcel.workspace_id, refusals) for parcel, _, refusals in opened]
            )
            for (parcel, events, _), refusals in zip(opened, refused, strict=True):
                arrivals[parcel.workspace_id] += [
                    Arrival(event=event, source_id=parcel.source_id) for event in events
                ]
                place = (parcel.workspace_id, parcel.source_id, parcel.received_at)
                for refusal in refusals:
                    tally.add(refused_entry(*place, Stage.EVENT, refusal), parcel.key)
            for workspace_id in sorted(arrivals):
                ingestion = Ingestion(connection, workspace_id, now, tally)
                taken += await ingestion.take(arrivals[workspace_id])
            await self._log.write(connection, tally, again=again)
            return taken, tally

        traced = [parcel for parcel in parcels if parcel.trace]
        with tracing.spans("events.ingest", [parcel.trace for parcel in traced]):
            taken, tally = await self._database.transact(work, self._clock)
        for parcel in traced:
            trace = tracing.trace_of(parcel.trace)
            log.debug("events_taken_in", trace=trace, events=len(parcel.items))
        self._count(tally)
        return taken

    def _count(self, tally: Tally) -> None:
        """What is committed, for whoever watches."""
        if self._metrics is None:
            return
        totals = tally.totals()
        for kind in INGESTED:
            self._metrics.events.labels(kind.value).inc(totals[kind])

    async def _take_later(self, lease: Lease, parcels: Sequence[Parcel], error: Exception) -> int:
        """A job that fails by itself: tried again later, and in the end event by event."""
        log.exception("events_job_failed", delivery_count=lease.delivery_count)
        if lease.delivery_count < self._options.tries_max:
            tries = min(lease.delivery_count, self._options.tries_max)
            await lease.nack(self._options.backoff_seconds * 2**tries)
            return 0
        return await self._take_one_by_one(lease, parcels, f"{type(error).__name__}: {error}")

    async def _take_one_by_one(self, lease: Lease, parcels: Sequence[Parcel], why: str) -> int:
        taken = 0
        failed: list[Parcel] = []
        for parcel in parcels:
            for part in split(parcel, bytes_max=0):
                try:
                    taken += await self._commit([part], again=True)
                except (StorageUnavailable, BrokerUnavailable):
                    raise
                except Exception:
                    failed.append(part)
                    await self._commit([as_failed(part)], again=True)
        if failed:
            # Only those: of the others some were dropped because of whose they are, and must not
            # be kept where an erasure has looked already.
            await lease.reject(
                f"{len(failed)} of its events failed: {why}"[:500],
                keep=encode(failed),
            )
        else:
            await lease.ack()
        return taken
