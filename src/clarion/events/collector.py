"""The collector: what an app sends is durable before it hears 200.

Group commit. While one job is being made durable, calls that arrive wait together and become the
next job: at 10,000 calls a second a commit carries hundreds, and alone a call waits for nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from msgspec import Struct

from clarion.broker import Broker, BrokerUnavailable, JobKind, NewJob
from clarion.clock import Clock
from clarion.events.admission import Admission, OriginRefused, TooFast, UnknownKey
from clarion.events.body import CallFault, unpack
from clarion.events.call import Call, key_somewhere_in, read_call
from clarion.events.door_log import DoorLog, DoorLogOptions
from clarion.events.doorkeeper import Doorkeeper, DoorkeeperOptions
from clarion.events.inbox import Parcel, encode, split
from clarion.events.key_store import KeyKind
from clarion.events.message import Refusal
from clarion.events.signature import SIGNATURE_BYTES, judge
from clarion.events.turned_away import Place, TurnedAway
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.vault import Vault
from clarion.telemetry import Metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorOptions:
    job_bytes_max: int = 524_288
    """Of events in one job; what one call brings may fill several."""
    waiting_bytes_max: int = 67_108_864
    """Not yet durable; above this, calls are asked to come again."""
    retry_after_seconds: int = 2
    doorkeeper: DoorkeeperOptions = field(default_factory=DoorkeeperOptions)
    door_log: DoorLogOptions = field(default_factory=DoorLogOptions)


class Taken(Struct, frozen=True, kw_only=True):
    """Durable. `refused` events of the call are not kept, but recorded."""

    events: int
    refused: list[Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComeAgain:
    """Nothing is durable; the same call may succeed after `retry_after_seconds`."""

    retry_after_seconds: int


Kept = Taken | CallFault | ComeAgain
Collected = Kept | UnknownKey | OriginRefused | TooFast

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
        *,
        vault: Vault | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`vault`: what opens the secrets of sources whose userIds are signed."""
        self._broker = broker
        self._clock = clock
        self._options = options or CollectorOptions()
        self._door_log = DoorLog(database, clock, metrics, self._options.door_log)
        self._doorkeeper = Doorkeeper(
            database, clock, vault, self._door_log, self._options.doorkeeper
        )
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
        origin: str | None = None,
    ) -> Collected:
        """Take one call: an event of `type_hint`, or a batch where that is None.

        `write_key`, from the call's header, wins over a key in its body; that one wins over
        `fallback_key`. `origin`: the web page that sends, if one does. `caller_ip` is asked where
        an event may want it.
        """
        plain = unpack(body, encoding)
        if isinstance(plain, CallFault):
            return await self.turn_away(plain, write_key or fallback_key)
        call = read_call(plain, type_hint=type_hint, new_message_id=self._new_message_id)
        if isinstance(call, CallFault):
            key = write_key or key_somewhere_in(plain) or fallback_key
            return await self.turn_away(call, key)
        now = self._clock.now()
        try:
            admission = await self._doorkeeper.admit(
                write_key or call.write_key or fallback_key or "",
                origin=origin,
                events=len(call.items) + len(call.refusals),
                now=now,
            )
            if not isinstance(admission, Admission):
                return admission
            is_judged = admission.secrets or admission.has_locked_secrets
            if admission.has_signatures and (is_judged or SIGNATURE_BYTES in plain):
                judged = judge(
                    call,
                    admission.secrets,
                    asks=admission.asks_for_signatures,
                    has_locked=admission.has_locked_secrets,
                )
                if judged is None:
                    return self._come_again()
                call = judged.call
                for secret_id in judged.used:
                    self._doorkeeper.note_use(KeyKind.IDENTITY_SECRET, secret_id, now)
            return await self._keep(
                call,
                admission.workspace_id,
                admission.source_id,
                received_at=now,
                ip=_wanted_ip(plain, caller_ip),
            )
        except (BrokerUnavailable, StorageUnavailable):
            return self._come_again()

    async def take(
        self,
        body: bytes,
        *,
        workspace_id: UUID,
        source_id: UUID,
        type_hint: str | None,
        caller_ip: CallerIp | None = None,
    ) -> Kept:
        """Take one call of a caller who is known already, and speaks for this source: its userIds
        need no signature."""
        call = read_call(body, type_hint=type_hint, new_message_id=self._new_message_id)
        if isinstance(call, CallFault):
            self.turn_away_from(workspace_id, source_id, call)
            return call
        if SIGNATURE_BYTES in body:
            judged = judge(call, ())
            assert judged is not None, "nothing is asked for"
            call = judged.call
        try:
            return await self._keep(
                call,
                workspace_id,
                source_id,
                received_at=self._clock.now(),
                ip=_wanted_ip(body, caller_ip),
            )
        except BrokerUnavailable:
            return self._come_again()

    async def turn_away(self, fault: CallFault, write_key: str | None) -> CallFault:
        """Have it told with the source of `write_key`, if there is one; returns the fault."""
        await self._doorkeeper.note_fault(write_key or "", fault)
        return fault

    def turn_away_from(self, workspace_id: UUID, source_id: UUID, fault: CallFault) -> None:
        """Have it told with this source."""
        self._door_log.count(fault.code)
        why = TurnedAway(code=fault.code, message=fault.message)
        self._door_log.note(Place(workspace_id, source_id), why)

    async def admission_of(self, write_key: str | None) -> Admission | UnknownKey | ComeAgain:
        """Who would send with `write_key`: for what an SDK asks before it sends."""
        try:
            return await self._doorkeeper.look_up(write_key or "")
        except StorageUnavailable:
            return self._come_again()

    async def close(self) -> None:
        """Wait for what is being made durable. Giving up the wait does not give up the work."""
        if self._flush is not None:
            await asyncio.shield(self._flush)
        await self._doorkeeper.close()
        await self._door_log.close()

    def _come_again(self) -> ComeAgain:
        self._door_log.count("unavailable")
        return ComeAgain(retry_after_seconds=self._options.retry_after_seconds)

    def _new_message_id(self) -> str:
        return str(self._clock.new_id())

    async def _keep(
        self,
        call: Call,
        workspace_id: UUID,
        source_id: UUID,
        *,
        received_at: datetime,
        ip: str | None,
    ) -> Taken:
        """Make what a call brings durable. Raises BrokerUnavailable where that can not be."""
        if call.items or call.refusals:
            parcel = Parcel(
                workspace_id=workspace_id,
                source_id=source_id,
                received_at=received_at,
                sent_at=call.sent_at,
                context=call.context,
                items=call.items,
                refusals=call.refusals,
                ip=ip,
                key=self._new_message_id() if call.refusals else "",
            )
            await self._make_durable(parcel)
        return Taken(events=len(call.items), refused=call.refusals)

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
