"""The publisher: makes what calls bring durable, in group commits.

While one job is being made durable, calls that arrive wait together and become the next job: at
10,000 calls a second a commit carries hundreds, and alone a call waits for nothing.
"""

import asyncio

from clarion.broker import Broker, BrokerUnavailable, JobKind, NewJob
from clarion.events.envelope import Parcel, encode, split
from clarion.outage_log import OutageLog
from clarion.storage.database import StorageUnavailable

_Waiting = tuple[Parcel, int, asyncio.Future[None]]
"""What one call brings, its size, and who waits for it."""


class Publisher:
    """One per collector."""

    def __init__(self, broker: Broker, *, job_bytes_max: int, waiting_bytes_max: int) -> None:
        self._broker = broker
        self._job_bytes_max = job_bytes_max
        self._waiting_bytes_max = waiting_bytes_max
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._flush: asyncio.Task[None] | None = None
        self._outage = OutageLog("events_not_durable")

    async def make_durable(self, parcel: Parcel) -> None:
        """Return once it is. Raises BrokerUnavailable where it can not be now."""
        if self._waiting_bytes > self._waiting_bytes_max:
            raise BrokerUnavailable("too many calls are waiting")
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        size = parcel.size
        self._waiting.append((parcel, size, durable))
        self._waiting_bytes += size
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_waiting())
        await durable

    async def close(self) -> None:
        """Wait for what is being made durable. Giving up the wait does not give up the work."""
        if self._flush is not None:
            await asyncio.shield(self._flush)

    async def _flush_waiting(self) -> None:
        while self._waiting:
            group = self._take_waiting()
            try:
                await self._broker.publish(*self._jobs(group))
            except BaseException as error:
                self._give_up(group, error)
                if not isinstance(error, Exception):
                    self._give_up(self._take_waiting(), error)
                    raise
            else:
                self._outage.is_there()
                for _, _, durable in group:
                    if not durable.done():
                        durable.set_result(None)

    def _take_waiting(self) -> list[_Waiting]:
        group, self._waiting, self._waiting_bytes = self._waiting, [], 0
        return group

    def _jobs(self, group: list[_Waiting]) -> list[NewJob]:
        """Jobs of at most `job_bytes_max`, but at least one event each."""
        loads: list[list[Parcel]] = []
        load: list[Parcel] = []
        filled = 0
        for parcel, size, _ in group:
            if size > self._job_bytes_max:
                loads += [[part] for part in split(parcel, self._job_bytes_max)]
                continue
            if load and filled + size > self._job_bytes_max:
                loads.append(load)
                load, filled = [], 0
            load.append(parcel)
            filled += size
        if load:
            loads.append(load)
        return [NewJob(kind=JobKind.EVENTS, payload=encode(load)) for load in loads]

    def _give_up(self, group: list[_Waiting], error: BaseException) -> None:
        """Nobody waits for ever, whatever happened: every call of `group` is to come again."""
        cause = error.__cause__ if isinstance(error, BrokerUnavailable) else None
        # Only a storage's words are sure to hold nothing of the events.
        reason = str(cause) if isinstance(cause, StorageUnavailable) else type(error).__name__
        if group:
            self._outage.is_gone(reason, calls=len(group), reason=reason)
        for _, _, durable in group:
            if not durable.done():
                lost = BrokerUnavailable(reason)
                lost.__cause__ = error
                durable.set_exception(lost)
