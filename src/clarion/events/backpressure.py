"""Whether there is room for more events: on the disk, and in the queue before the ingestor.

A full disk stops everything at once, and a queue without end fills one. So the collector takes no
events while less is free than is set, or while more wait than is set; what waits is still taken in,
pushes go on, and SDKs send again. What can be known is looked at: the disk of an SQLite database,
the size of the queue, and what a NATS account may still store. A server's own disk it can not see:
there the server's refusal is the limit.
"""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import structlog

from clarion.broker import Backlog, Broker, BrokerUnavailable, JobKind
from clarion.faults import Rejected
from clarion.telemetry import Metrics

DISK_FREE_MIN = 500_000_000
BACKLOG_MAX = 2_000_000_000

DISK_LOW = Rejected(
    code="disk_low",
    message="Less of the disk is free than events may use. Nothing was stored: send the same "
    "again later.",
)
BACKLOG_FULL = Rejected(
    code="backlog_full",
    message="More events wait to be taken in than may wait. Nothing was stored: send the same "
    "again later.",
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackpressureOptions:
    disk_free_min: int = DISK_FREE_MIN
    """Bytes; 0: however little is free."""
    backlog_max: int = BACKLOG_MAX
    """Bytes; 0: however much waits."""
    look_seconds: float = 1.0
    """Between two looks: so long, at most, does a shortage go unnoticed."""


class Backpressure:
    """One per process."""

    def __init__(
        self,
        broker: Broker,
        options: BackpressureOptions | None = None,
        *,
        directory: Path | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`directory`: where an SQLite database is; None: its disk is another machine's."""
        self._broker = broker
        self._options = options or BackpressureOptions()
        self._directory = directory
        self._metrics = metrics
        self._shortage: Rejected | None = None
        self._looked_at: float | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def has_room(self) -> bool:
        """Whether there was room a moment ago; False also where it is time to look again."""
        return (
            self._shortage is None
            and self._looked_at is not None
            and monotonic() - self._looked_at < self._options.look_seconds
        )

    async def shortage(self) -> Rejected | None:
        """What there is too little of, as of a moment ago; None: there is room."""
        if self._looked_at is None:
            await self.look()
        elif monotonic() - self._looked_at >= self._options.look_seconds and (
            self._looking is None or self._looking.done()
        ):
            self._looking = asyncio.create_task(self.look())
        return self._shortage

    async def look(self) -> None:
        """Look now. What does not answer is no shortage: that is told by others."""
        self._looked_at = monotonic()
        free = await asyncio.to_thread(self._disk_free)
        try:
            backlog = await self._broker.backlog(JobKind.EVENTS)
        except BrokerUnavailable:
            backlog = Backlog(jobs=0, size=0)
        rooms = [room for room in (free, backlog.room) if room is not None]
        room = min(rooms, default=None)
        self._told(room, backlog)
        is_low = room is not None and room < self._options.disk_free_min
        is_full = 0 < self._options.backlog_max < backlog.size
        shortage = DISK_LOW if is_low else BACKLOG_FULL if is_full else None
        if shortage is not None and shortage is not self._shortage:
            log.error(
                "events_refused", code=shortage.code, free_bytes=room, backlog_bytes=backlog.size
            )
        elif shortage is None and self._shortage is not None:
            log.warning("events_taken_again", free_bytes=room, backlog_bytes=backlog.size)
        self._shortage = shortage

    async def close(self) -> None:
        """Wait for a look that is under way."""
        if self._looking is not None:
            await asyncio.wait({self._looking})

    def _disk_free(self) -> int | None:
        if self._directory is None:
            return None
        try:
            disk = os.statvfs(self._directory)
        except OSError:
            return None
        return disk.f_bavail * disk.f_frsize

    def _told(self, room: int | None, backlog: Backlog) -> None:
        if self._metrics is not None:
            self._metrics.backlog_bytes.set(backlog.size)
            self._metrics.free_bytes.set(float("nan") if room is None else room)


_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def read_bytes(text: str) -> int:
    """A number of bytes as operators write it, `500MB` or `2GiB`; raises ValueError."""
    match = re.fullmatch(r"(\d{1,18})\s*([A-Za-z]{0,3})", text)
    unit = None if match is None else _UNITS.get(match[2].upper())
    if match is None or unit is None:
        raise ValueError(f"must be a number of bytes, such as 500MB or 2GB, not {text!r}")
    return int(match[1]) * unit
