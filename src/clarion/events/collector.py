"""The collector: what an app sends is durable before it hears 200.

Group commit. While one job is being made durable, calls that arrive wait together and become the
next job: at 10,000 calls a second a commit carries hundreds, and alone a call waits for nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import structlog

from clarion.broker import Broker, BrokerUnavailable, JobKind, NewJob
from clarion.clock import Clock
from clarion.events.body import CallFault, unpack
from clarion.events.call import read_call
from clarion.events.inbox import Parcel, encode, split
from clarion.events.message import Refusal
from clarion.events.source import Source
from clarion.events.source_store import get_source_by_write_key
from clarion.storage.database import Database, StorageUnavailable

WRITE_KEY_CHARACTERS_MAX = 255
"""A longer one is nobody's, and is not worth a place among the remembered ones."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorOptions:
    job_bytes_max: int = 524_288
    """Of events in one job; what one call brings may fill several."""
    waiting_bytes_max: int = 67_108_864
    """Not yet durable; above this, calls are asked to come again."""
    source_seconds: float = 5.0
    """How long a source is remembered: so long a revoked key may still be taken."""
    sources_max: int = 10_000
    retry_after_seconds: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Durable. `refused` events of the call are not kept, but recorded."""

    events: int
    refused: list[Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownKey:
    """Nobody sends with this write key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComeAgain:
    """Nothing is durable; the same call may succeed after `retry_after_seconds`."""

    retry_after_seconds: int


Kept = Taken | CallFault | ComeAgain
Collected = Kept | UnknownKey

CallerIp = Callable[[], str | None]

_Waiting = tuple[Parcel, int, asyncio.Future[None]]
"""What one call brings, its size, and who waits for it."""


class Collector:
    """Takes calls. One per process; any number of processes."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: CollectorOptions | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._options = options or CollectorOptions()
        self._sources: dict[str, tuple[Source | None, float]] = {}
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._flush: asyncio.Task[None] | None = None

    async def collect(
        self,
        body: bytes,
        *,
        write_key: str | None,
        type_hint: str | None,
        encoding: str = "",
        fallback_key: str | None = None,
        caller_ip: CallerIp | None = None,
    ) -> Collected:
        """Take one call: an event of `type_hint`, or a batch where that is None.

        `write_key`, from the call's header, wins over a key in its body; that one wins over
        `fallback_key`. `caller_ip` is asked where an event may want it.
        """
        plain = unpack(body, encoding)
        if isinstance(plain, CallFault):
            return plain
        call = read_call(plain, type_hint=type_hint, new_message_id=self._new_message_id)
        if isinstance(call, CallFault):
            return call
        try:
            source = await self._source(write_key or call.write_key or fallback_key or "")
            if source is None:
                return UnknownKey()
            if call.items or call.refusals:
                parcel = Parcel(
                    workspace_id=source.workspace_id,
                    source_id=source.id,
                    received_at=self._clock.now(),
                    sent_at=call.sent_at,
                    context=call.context,
                    items=call.items,
                    refusals=call.refusals,
                    ip=_wanted_ip(plain, caller_ip),
                    key=self._new_message_id() if call.refusals else "",
                )
                await self._make_durable(parcel)
        except (BrokerUnavailable, StorageUnavailable):
            return ComeAgain(retry_after_seconds=self._options.retry_after_seconds)
        return Taken(events=len(call.items), refused=call.refusals)

    async def take(
        self,
        body: bytes,
        *,
        workspace_id: UUID,
        source_id: UUID,
        type_hint: str | None,
        caller_ip: CallerIp | None = None,
    ) -> Kept:
        """Take one call of a caller who is known already, and speaks for this source."""
        call = read_call(body, type_hint=type_hint, new_message_id=self._new_message_id)
        if isinstance(call, CallFault):
            return call
        if call.items or call.refusals:
            parcel = Parcel(
                workspace_id=workspace_id,
                source_id=source_id,
                received_at=self._clock.now(),
                sent_at=call.sent_at,
                context=call.context,
                items=call.items,
                refusals=call.refusals,
                ip=_wanted_ip(body, caller_ip),
            )
            try:
                await self._make_durable(parcel)
            except BrokerUnavailable:
                return ComeAgain(retry_after_seconds=self._options.retry_after_seconds)
        return Taken(events=len(call.items), refused=call.refusals)

    async def source_of(self, write_key: str | None) -> Source | UnknownKey | ComeAgain:
        """Who would send with `write_key`: for what an SDK asks before it sends."""
        try:
            return await self._source(write_key or "") or UnknownKey()
        except StorageUnavailable:
            return ComeAgain(retry_after_seconds=self._options.retry_after_seconds)

    async def close(self) -> None:
        """Wait for what is being made durable. Giving up the wait does not give up the work."""
        if self._flush is not None:
            await asyncio.shield(self._flush)

    def _new_message_id(self) -> str:
        return str(self._clock.new_id())

    async def _source(self, write_key: str) -> Source | None:
        remembered = self._sources.get(write_key)
        if remembered is not None and remembered[1] > monotonic():
            return remembered[0]
        if not write_key or len(write_key) > WRITE_KEY_CHARACTERS_MAX or "\x00" in write_key:
            return None
        async with self._database.read() as connection:
            source = await get_source_by_write_key(connection, write_key)
        if len(self._sources) >= self._options.sources_max:
            self._sources.clear()
        self._sources[write_key] = (source, monotonic() + self._options.source_seconds)
        return source

    async def _make_durable(self, parcel: Parcel) -> None:
        if self._waiting_bytes > self._options.waiting_bytes_max:
            raise BrokerUnavailable("too many calls are waiting")
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        size = parcel.size
        self._waiting.append((parcel, size, durable))
        self._waiting_bytes += size
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_waiting())
        await durable

    async def _flush_waiting(self) -> None:
        while self._waiting:
            group = self._take_waiting()
            try:
                await self._broker.publish(*self._jobs(group))
            except BaseException as error:
                _give_up(group, error)
                if not isinstance(error, Exception):
                    _give_up(self._take_waiting(), error)
                    raise
            else:
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
            if size > self._options.job_bytes_max:
                loads += [[part] for part in split(parcel, self._options.job_bytes_max)]
                continue
            if load and filled + size > self._options.job_bytes_max:
                loads.append(load)
                load, filled = [], 0
            load.append(parcel)
            filled += size
        if load:
            loads.append(load)
        return [NewJob(kind=JobKind.EVENTS, payload=encode(load)) for load in loads]


def _wanted_ip(plain: bytes, caller_ip: CallerIp | None) -> str | None:
    """The caller's address, kept only if an event may say `context.direct`."""
    return caller_ip() if caller_ip is not None and b'"direct"' in plain else None


def _give_up(group: list[_Waiting], error: BaseException) -> None:
    """Nobody waits for ever, whatever happened: every call of `group` is to come again."""
    cause = error.__cause__ if isinstance(error, BrokerUnavailable) else None
    # Only a storage's words are sure to hold nothing of the events.
    reason = str(cause) if isinstance(cause, StorageUnavailable) else type(error).__name__
    if group:
        log.warning("events_not_durable", calls=len(group), reason=reason)
    for _, _, durable in group:
        if not durable.done():
            lost = BrokerUnavailable(reason)
            lost.__cause__ = error
            durable.set_exception(lost)
