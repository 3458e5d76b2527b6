"""The embedded broker: jobs are rows of the same database.

`publish` is a group commit: what is published while a commit runs joins the next one. A claim moves
`available_at` to the end of the lease in the statement that finds the job, so nobody else finds it;
acks are deleted together. Within a process a publish wakes the waiting fetches at once. What other
processes publish, and what becomes due, is looked for every `poll_seconds`, once for all fetches
that wait.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.broker import (
    DEDUPE_WINDOW_SECONDS,
    PAYLOAD_BYTES_MAX,
    Backlog,
    BrokerUnavailable,
    JobKind,
    Lease,
    NewJob,
)
from clarion.brokers.job_store import (
    MOVED_AT_ONCE,
    bring_some_forward,
    claim_due,
    is_any_due,
    not_rejected,
    remove_jobs,
)
from clarion.brokers.rejected_job_store import rewrite_some
from clarion.clock import SKEW, Clock
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.dialect import insert
from clarion.storage.schema import job_keys, jobs

log = structlog.get_logger(__name__)

_FIRST = frozenset({JobKind.PUSH})
"""What is written about these jobs goes first, as `Database.write` says: somebody waits for them
now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseBrokerOptions:
    poll_seconds: float = 0.5
    """How soon a job of another process, or one that has become due, is found."""


class DatabaseBroker:
    """Implements `broker.Broker` on the jobs table."""

    def __init__(
        self, database: Database, clock: Clock, options: DatabaseBrokerOptions | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or DatabaseBrokerOptions()
        self._published: dict[JobKind, asyncio.Event] = {kind: asyncio.Event() for kind in JobKind}
        self._had_some: dict[JobKind, bool] = dict.fromkeys(JobKind, False)
        """The last fetch of the kind found a job, so that the next one need not look before it
        writes."""
        self._fetches: Counter[JobKind] = Counter()
        """How many wait for a job of this kind."""
        self._polling: asyncio.Task[None] | None = None
        self._waiting: list[tuple[Sequence[NewJob], asyncio.Future[None]]] = []
        self._acked: list[tuple[int, JobKind, asyncio.Future[None]]] = []
        self._flush: asyncio.Task[None] | None = None
        self._latest: tuple[datetime, float] | None = None

    async def publish(self, *jobs: NewJob) -> None:
        """See `Broker.publish`."""
        _check_sizes(jobs)
        if not jobs:
            return
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((jobs, durable))
        self._start_flush()
        await durable

    async def add_within(self, connection: AsyncConnection, jobs: Sequence[NewJob]) -> None:
        """Adds the jobs in a transaction of the same database: one commit for what is changed and
        for whoever is to hear of it. `committed` wakes them."""
        _check_sizes(jobs)
        await _insert(connection, jobs, self._clock.now())

    def committed(self, jobs: Sequence[NewJob]) -> None:
        """Lets fetches of these jobs look at once."""
        for kind in {job.kind for job in jobs}:
            self._wake(kind)

    async def fetch(
        self, kind: JobKind, *, limit: int, wait_seconds: float, lease_seconds: float
    ) -> Sequence[Lease]:
        """See `Broker.fetch`."""
        until = monotonic() + wait_seconds
        if self._went_back():
            async with _as_broker():
                await self._bring_forward()
        while True:
            published = self._published[kind]
            leases = await self._claim(kind, limit, lease_seconds)
            left = until - monotonic()
            if leases or left <= 0:
                return leases
            with self._polled(kind):
                try:
                    async with asyncio.timeout(left):
                        await published.wait()
                except TimeoutError:
                    return []

    async def depth(self, kind: JobKind) -> int:
        """See `Broker.depth`."""
        async with _as_broker(), self._database.read() as connection:
            count = await connection.execute(
                select(func.count()).select_from(jobs).where(*not_rejected(kind))
            )
            return int(count.scalar_one())

    async def oldest_at(self, kind: JobKind) -> datetime | None:
        """See `Broker.oldest_at`. Those that are leased are not counted."""
        async with _as_broker(), self._database.read() as connection:
            first = await connection.execute(
                select(jobs.c.available_at)
                .where(*not_rejected(kind), jobs.c.available_at <= self._clock.now())
                .order_by(jobs.c.available_at)
                .limit(1)
            )
            at: datetime | None = first.scalar_one_or_none()
        return at

    async def backlog(self, kind: JobKind) -> Backlog:
        """See `Broker.backlog`. The room is the database's."""
        async with _as_broker(), self._database.read() as connection:
            counted = await connection.execute(
                select(func.count(), func.coalesce(func.sum(func.length(jobs.c.payload)), 0)).where(
                    *not_rejected(kind)
                )
            )
            count, size = counted.one()
        return Backlog(jobs=int(count), size=int(size))

    async def rewrite_rejected(self, kind: JobKind, change: Callable[[bytes], bytes | None]) -> int:
        """See `Broker.rewrite_rejected`."""
        after: int | None = 0
        changed = 0
        while after is not None:
            rewrite = partial(rewrite_some, kind, change, after)
            async with _as_broker():
                count, after = await self._database.transact(rewrite, self._clock)
            changed += count
        return changed

    async def close(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        if self._flush is not None:
            await self._flush

    @contextmanager
    def _polled(self, kind: JobKind) -> Iterator[None]:
        """Have jobs of this kind looked for in here."""
        self._fetches[kind] += 1
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            self._fetches[kind] -= 1

    async def _poll(self) -> None:
        while kinds := [kind for kind, fetches in self._fetches.items() if fetches]:
            await asyncio.sleep(self._options.poll_seconds)
            try:
                due = await self._due(kinds)
            except Exception:
                due = kinds  # each fetch meets it itself, and raises it
            for kind in due:
                self._wake(kind)

    async def _due(self, kinds: Sequence[JobKind]) -> list[JobKind]:
        """Those of which there is a job to fetch now."""
        async with self._database.read() as connection:
            due_kinds = await connection.execute(
                select(jobs.c.kind)
                .where(*not_rejected(*kinds), jobs.c.available_at <= self._clock.now())
                .distinct()
            )
            return [JobKind(kind) for kind in due_kinds.scalars()]

    def _went_back(self) -> bool:
        """Whether the clock may have been set back since somebody wrote down a job: at the first
        look, and whenever less time has passed than really has."""
        now, passed = self._clock.now(), self._clock.monotonic()
        latest, self._latest = self._latest, (now, passed)
        return latest is None or (
            timedelta(seconds=passed - latest[1]) - (now - latest[0]) > SKEW / 2
        )

    async def _bring_forward(self) -> None:
        """Let jobs that were published later than now be due as if they had been published now.
        Else what is due at once would wait until the clock is there again."""
        now, moved, ahead = self._clock.now(), 0, timedelta()
        while True:
            moved_from = await self._database.transact(
                partial(bring_some_forward, now), self._clock
            )
            ahead = max([ahead, *(published_at - now for published_at in moved_from)])
            moved += len(moved_from)
            if len(moved_from) < MOVED_AT_ONCE:
                break
        if moved:
            log.warning("clock_went_back", seconds=round(ahead.total_seconds()), jobs=moved)

    async def _claim(self, kind: JobKind, limit: int, lease_seconds: float) -> list[Lease]:
        now = self._clock.now()
        until = now + timedelta(seconds=lease_seconds)
        async with _as_broker():
            if not self._had_some[kind]:
                async with self._database.read() as connection:
                    if not await is_any_due(connection, kind, now):
                        return []

            async def claim(connection: AsyncConnection) -> list[Lease]:
                rows = await claim_due(connection, kind, limit, now=now, until=until)
                return [
                    _DatabaseLease(self, row.id, kind, bytes(row.payload), row.delivery_count)
                    for row in rows
                ]

            first = kind in _FIRST
            leases = await self._database.transact(claim, self._clock, first=first)
            self._had_some[kind] = bool(leases)
            return leases

    def _start_flush(self) -> None:
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_waiting())

    async def _flush_waiting(self) -> None:
        while self._waiting or self._acked:
            waiting, self._waiting = self._waiting, []
            acked, self._acked = self._acked, []
            futures = [future for _, future in waiting] + [future for *_, future in acked]
            new = [job for group, _ in waiting for job in group]
            kinds = {job.kind for job in new} | {kind for _, kind, _ in acked}
            try:
                await self._commit(
                    new, [job_id for job_id, *_ in acked], first=not _FIRST.isdisjoint(kinds)
                )
            except Exception as error:
                lost = BrokerUnavailable(str(error))
                lost.__cause__ = error
                for future in futures:
                    if not future.done():
                        future.set_exception(lost)
            else:
                self.committed(new)
                for future in futures:
                    if not future.done():
                        future.set_result(None)

    def _wake(self, kind: JobKind) -> None:
        """Let the waiting fetches look again. Each waits for the event that stood when it began to
        look: were one event cleared and set again, a fetch could clear what another had to hear."""
        published, self._published[kind] = self._published[kind], asyncio.Event()
        published.set()

    async def _commit(self, new: Sequence[NewJob], acked: Sequence[int], *, first: bool) -> None:
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            if acked:
                await remove_jobs(connection, acked)
            await _insert(connection, new, now)

        await self._database.transact(work, self._clock, first=first)

    async def ack(self, job_id: int, kind: JobKind) -> None:
        """Remove a job; acks that come together are one commit, with what is published then."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._acked.append((job_id, kind, done))
        self._start_flush()
        await done

    async def move(self, job_id: int, available_at: datetime) -> None:
        """Makes a job available from `available_at` on."""
        await self._update(job_id, {"available_at": available_at})

    async def put_aside(self, job_id: int, reason: str, keep: bytes | None) -> None:
        """Keeps a rejected job, or `keep` in its place, with the reason. Nobody fetches it."""
        values = {"rejected_reason": reason} | ({} if keep is None else {"payload": keep})
        await self._update(job_id, values)

    async def _update(self, job_id: int, values: Mapping[str, Any]) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))

        async with _as_broker():
            await self._database.transact(work, self._clock)

    def after(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)


def _check_sizes(jobs: Sequence[NewJob]) -> None:
    if any(len(job.payload) > PAYLOAD_BYTES_MAX for job in jobs):
        raise ValueError(f"a job's payload may have {PAYLOAD_BYTES_MAX} bytes at most")


async def _insert(connection: AsyncConnection, new: Sequence[NewJob], now: datetime) -> None:
    keys = {job.key for job in new if job.key is not None}
    if keys:
        old = now - timedelta(seconds=DEDUPE_WINDOW_SECONDS)
        await connection.execute(delete(job_keys).where(job_keys.c.published_at < old))
        rows = await connection.execute(
            insert(connection, job_keys)
            .values([{"key": key, "published_at": now} for key in sorted(keys)])
            .on_conflict_do_nothing()
            .returning(job_keys.c.key)
        )
        keys = set(rows.scalars())
    rows_to_add = []
    for job in new:
        if job.key is not None:
            if job.key not in keys:
                continue
            keys.remove(job.key)
        rows_to_add.append(
            {
                "kind": job.kind.value,
                "payload": job.payload,
                "key": job.key,
                "available_at": job.available_at or now,
                "published_at": now,
            }
        )
    if rows_to_add:
        await connection.execute(insert(connection, jobs), rows_to_add)


class _DatabaseLease:
    def __init__(
        self,
        broker: DatabaseBroker,
        job_id: int,
        kind: JobKind,
        payload: bytes,
        delivery_count: int,
    ) -> None:
        self._broker = broker
        self._job_id = job_id
        self._kind = kind
        self.payload = payload
        self.delivery_count = delivery_count

    async def ack(self) -> None:
        await self._broker.ack(self._job_id, self._kind)

    async def nack(self, delay_seconds: float = 0.0) -> None:
        await self._broker.move(self._job_id, self._broker.after(delay_seconds))

    async def reject(self, reason: str, *, keep: bytes | None = None) -> None:
        await self._broker.put_aside(self._job_id, reason, keep)

    async def extend(self, seconds: float) -> None:
        await self._broker.move(self._job_id, self._broker.after(seconds))


class _as_broker:
    """Raises BrokerUnavailable in the place of StorageUnavailable."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> None:
        if isinstance(error, StorageUnavailable):
            raise BrokerUnavailable(str(error)) from error
