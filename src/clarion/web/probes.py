"""What a process says of itself to those that watch it: `/metrics`, `/livez`, `/readyz`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from clarion.broker import Broker, BrokerUnavailable, JobKind
from clarion.clock import Clock
from clarion.deliveries.apps.pace_store import Speed, speeds
from clarion.deliveries.apps.store import stopped_apps
from clarion.events.backpressure import DISK_LOW, Backpressure
from clarion.faults import Rejected
from clarion.outage_log import OutageLog
from clarion.reports.backlog_store import (
    UNDER_WAY,
    WAITING,
    launches_under_way,
    pushes_waiting,
)
from clarion.storage.database import Database, StorageUnavailable
from clarion.telemetry import Metrics

READY_SECONDS = 5.0
"""Within that the database and the broker have to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """Of one process."""

    database: Database
    broker: Broker
    backpressure: Backpressure
    metrics: Metrics
    clock: Clock
    _outage: OutageLog = field(default_factory=lambda: OutageLog("not_ready"))

    async def metrics_text(self) -> bytes:
        """The metrics, with what has to be looked up for them."""
        for kind in JobKind:
            depth = oldest = float("nan")
            try:
                depth = await self.broker.depth(kind)
                oldest = self._age(await self.broker.oldest_at(kind))
            except BrokerUnavailable:
                pass  # what is not known is told as NaN
            self.metrics.jobs.labels(kind.value).set(depth)
            self.metrics.under_way.oldest_job_seconds.labels(kind.value).set(oldest)
        try:
            await self.backpressure.look()
        except StorageUnavailable:
            self.metrics.backlog_bytes.set(float("nan"))
        for why, count in (await self._stopped_apps()).items():
            self.metrics.stopped_apps.labels(why).set(count)
        await self._look_at_launches()
        in_use, idle = self.database.connections()
        self.metrics.connections.labels("in use").set(in_use)
        self.metrics.connections.labels("idle").set(idle)
        self.metrics.connections_max.set(self.database.connections_max())
        return self.metrics.text()

    async def is_ready(self) -> bool:
        """Whether the database and the broker answer."""
        return await unready_part(self.database, self.broker, self._outage) is None

    async def disk_shortage(self) -> Rejected | None:
        """Why no events are taken, if it is the disk."""
        shortage = await self.backpressure.shortage()
        return shortage if shortage is DISK_LOW else None

    async def _look_at_launches(self) -> None:
        try:
            async with self.database.read() as connection:
                launches = await launches_under_way(connection)
                waiting = await pushes_waiting(connection, self.clock.now())
                paces = await speeds(connection, self.clock.now())
        except StorageUnavailable:
            for gauge, names in (
                (self.metrics.under_way.launches, UNDER_WAY),
                (self.metrics.under_way.pushes_waiting, WAITING),
            ):
                for name in names:
                    gauge.labels(name).set(float("nan"))
            self.metrics.under_way.oldest_push_seconds.set(float("nan"))
            self.metrics.under_way.retries_waiting.set(float("nan"))
            self._tell_paces([])
            return
        for state, count in launches.items():
            self.metrics.under_way.launches.labels(state).set(count)
        for name, count in waiting.counts.items():
            self.metrics.under_way.pushes_waiting.labels(name).set(count)
        self.metrics.under_way.oldest_push_seconds.set(waiting.oldest_seconds)
        self.metrics.under_way.retries_waiting.set(waiting.retries)
        self._tell_paces(paces)

    def _tell_paces(self, paces: Sequence[Speed]) -> None:
        """Of those alone: a project that is gone is told no longer."""
        sending = self.metrics.sending
        sending.pace.clear()
        sending.quiet_seconds.clear()
        for pace in paces:
            sending.pace.labels(pace.project_id, "pace").set(pace.per_second)
            sending.pace.labels(pace.project_id, "quota").set(pace.quota)
            sending.quiet_seconds.labels(pace.project_id).set(pace.quiet)

    def _age(self, at: datetime | None) -> float:
        return 0.0 if at is None else max(0.0, (self.clock.now() - at).total_seconds())

    async def _stopped_apps(self) -> dict[str, float]:
        try:
            async with self.database.read() as connection:
                return {**await stopped_apps(connection)}
        except StorageUnavailable:
            return dict.fromkeys(("paused", "removals"), float("nan"))


async def unready_part(
    database: Database, broker: Broker, outage: OutageLog | None = None
) -> str | None:
    """Which of database and broker does not answer, or can not be written to; None: both can be
    used. Says why in the log; once, and that they are back, to who keeps an `outage` log."""
    outage = outage or OutageLog("not_ready")
    part = "database"
    try:
        async with asyncio.timeout(READY_SECONDS):
            await database.ping()
            part = "broker"
            await broker.depth(JobKind.EVENTS)
    except (StorageUnavailable, BrokerUnavailable, TimeoutError) as error:
        outage.is_gone(part, part=part, reason=str(error) or "no answer in time")
        return part
    outage.is_there()
    return None
