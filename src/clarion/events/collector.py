"""The collector: what an app sends is durable before it hears 200.

A body is looked at as far as its sender is known: a key in the header or the query is looked up
before the body is read; in a body, what may be the key is found before all else is taken apart.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from clarion import tracing
from clarion.broker import Broker, BrokerUnavailable
from clarion.clock import Clock
from clarion.events.backpressure import Backpressure
from clarion.events.calls.body import in_utf_8, unpack
from clarion.events.calls.call import Call, json_fault, keys_in, read_call, type_said
from clarion.events.calls.identity_verification import SIGNATURE_BYTES, judge
from clarion.events.calls.unregistered import unregistered_of
from clarion.events.envelope import Item, Parcel, envelope_of
from clarion.events.publisher import Publisher
from clarion.faults import Rejected
from clarion.ingest_log.rejected_call_log import RejectedCallLog, RejectedCallLogOptions
from clarion.ingest_log.rejection import RejectedEvent
from clarion.sources.auth_result import (
    AuthResult,
    OriginRefused,
    Place,
    TooFast,
    UnknownKey,
)
from clarion.sources.authenticator import WriteKeyAuthenticator, WriteKeyOptions
from clarion.sources.source import KeyKind
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.vault import Vault
from clarion.telemetry import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorOptions:
    job_bytes_max: int = 524_288
    """Of events in one job; what one call brings may fill several."""
    waiting_bytes_max: int = 67_108_864
    """Not yet durable; above this, calls are asked to come again."""
    retry_after_seconds: int = 2
    shortage_seconds: int = 30
    """After which to come again where there is no room."""
    authenticator: WriteKeyOptions = field(default_factory=WriteKeyOptions)
    rejected_calls: RejectedCallLogOptions = field(default_factory=RejectedCallLogOptions)


class Taken(Struct, frozen=True, kw_only=True):
    """Durable. `refused` events of the call are not kept, but recorded; `unregistered` ones are
    kept, and will register no device."""

    events: int
    refused: list[RejectedEvent]
    unregistered: list[RejectedEvent] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class ComeAgain:
    """Nothing is durable; the same call may succeed after `retry_after_seconds`."""

    retry_after_seconds: int
    shortage: Rejected | None = None
    """What there is too little of; None: something is away."""


Stored = Taken | Rejected | ComeAgain
NotAllowed = UnknownKey | OriginRefused | TooFast
Collected = Stored | NotAllowed

CallerIp = Callable[[], str | None]


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
        backpressure: Backpressure | None = None,
    ) -> None:
        """`vault`: what opens the secrets of sources whose userIds are signed. `backpressure`:
        whether there is room for events; None: always."""
        self._backpressure = backpressure
        self._clock = clock
        self._options = options or CollectorOptions()
        self._rejected_calls = RejectedCallLog(
            database, clock, metrics, self._options.rejected_calls
        )
        self._authenticator = WriteKeyAuthenticator(
            database, clock, vault, self._rejected_calls, self._options.authenticator
        )
        self._publisher = Publisher(
            broker,
            job_bytes_max=self._options.job_bytes_max,
            waiting_bytes_max=self._options.waiting_bytes_max,
        )

    async def let_in(
        self, write_key: str, origin: str | None
    ) -> AuthResult | NotAllowed | ComeAgain:
        """What a call with this key may do, or why it is not taken, whatever it brings. Asked
        before its body is read."""
        try:
            return await self._authenticator.let_in(write_key, origin=origin)
        except StorageUnavailable:
            return self._come_again()

    async def collect(
        self,
        body: bytes,
        *,
        write_key: str | None,
        type_hint: str | None,
        is_type_in_body: bool = False,
        encoding: str = "",
        charset: str = "",
        fallback_key: str | None = None,
        caller_ip: CallerIp | None = None,
        origin: str | None = None,
        admission: AuthResult | None = None,
    ) -> Collected:
        """Take one call: an event of `type_hint`, or a batch where that is None.

        `write_key`, from the call's header, wins over a key in its body; that one wins over
        `fallback_key`. `is_type_in_body`: the event's own type wins over `type_hint`. `encoding`
        and `charset`: what the call says of its body. `origin`: the web page that sends, if one
        does. `caller_ip` is asked where an event may want it. `admission`: what `let_in` has said.
        """
        try:
            if write_key is not None and admission is None:
                answer = await self.let_in(write_key, origin)
                if not isinstance(answer, AuthResult):
                    return answer
                admission = answer
            plain = unpack(body, encoding)
            if isinstance(plain, Rejected):
                return await self._fault(plain, write_key or fallback_key, len(body))
            plain = in_utf_8(plain, charset)
            if write_key is None:
                keys = keys_in(plain) or ((fallback_key,) if fallback_key else ())
                if not await self._authenticator.opens(keys):
                    return await self._unknown(plain, keys)
            if is_type_in_body:
                type_hint = type_said(plain) or type_hint
            call = read_call(
                plain, type_hint=type_hint, new_message_id=self._new_message_id, is_utf_8=True
            )
            if isinstance(call, Rejected):
                key = write_key or next(iter(keys_in(plain)), None) or fallback_key
                return await self._fault(call, key, len(plain))
            if write_key is None and call.separate:
                keyed = [(part, part.write_key or fallback_key or "") for part in call.separate]
                return await self._admit_parts(
                    keyed, origin=origin, ip=_wanted_ip(plain, caller_ip)
                )
            if admission is None:
                key = write_key or call.write_key or fallback_key or ""
                answer = await self._authenticator.let_in(key, origin=origin)
                if not isinstance(answer, AuthResult):
                    return answer
                admission = answer
            now = self._clock.now()
            admitted = await self._admit(call, admission, now, size=len(plain))
            if not isinstance(admitted, Call):
                return admitted
            return await self._keep(
                admitted,
                admission.workspace_id,
                admission.source_id,
                received_at=now,
                ip=_wanted_ip(plain, caller_ip),
            )
        except (BrokerUnavailable, StorageUnavailable):
            return self._come_again()

    async def _admit(
        self, call: Call, admission: AuthResult, now: datetime, *, size: int
    ) -> Call | ComeAgain:
        """What of a call may be taken, charged to its key. `size`: of the call's text."""
        if self._backpressure is not None and not self._backpressure.has_room:
            full = await self._full(self._backpressure)
            if full is not None:
                return full
        if admission.limit is not None:
            events = len(call.items) + len(call.refusals)
            self._authenticator.charge(admission, events=events, size=max(call.size, size))
        proven = self._judged(call, admission, now) if admission.has_signatures else call
        return self._come_again() if proven is None else proven

    async def _admit_parts(
        self, parts: Sequence[tuple[Call, str]], *, origin: str | None, ip: str | None
    ) -> Collected:
        """Take the parts of a call, each with its write key: all that may be, unless one is to come
        again, and with it the whole call."""
        now = self._clock.now()
        admitted: list[tuple[Call, AuthResult]] = []
        shut_out: list[tuple[Call, UnknownKey | OriginRefused]] = []
        for part, key in parts:
            answer = await self._authenticator.let_in(key, origin=origin)
            match answer:
                case AuthResult():
                    admitted.append((part, answer))
                case TooFast():
                    return answer
                case _:
                    shut_out.append((part, answer))
        if not admitted:
            return shut_out[0][1]
        proven: list[tuple[Call, AuthResult]] = []
        for part, admission in admitted:
            call = await self._admit(part, admission, now, size=0)
            if not isinstance(call, Call):
                return call
            proven.append((call, admission))
        taken = await asyncio.gather(
            *(
                self._keep(
                    call, part_taken.workspace_id, part_taken.source_id, received_at=now, ip=ip
                )
                for call, part_taken in proven
            )
        )
        refused = [refusal for part_taken in taken for refusal in part_taken.refused]
        for part, why in shut_out:
            refused += part.refusals
            refused += [_shut_out(item, why) for item in part.items]
        return Taken(
            events=sum(part_taken.events for part_taken in taken),
            refused=refused,
            unregistered=[refusal for part_taken in taken for refusal in part_taken.unregistered],
        )

    def _judged(self, call: Call, admission: AuthResult, now: datetime) -> Call | None:
        """What of a call may be taken for what is signed; None: nobody can say now."""
        is_judged = admission.secrets or admission.has_locked_secrets
        if not admission.has_signatures or not (
            is_judged
            or SIGNATURE_BYTES in call.context
            or any(SIGNATURE_BYTES in item.raw for item in call.items)
        ):
            return call
        judged = judge(
            call,
            admission.secrets,
            asks=admission.asks_for_signatures,
            has_locked=admission.has_locked_secrets,
        )
        if judged is None:
            return None
        for secret_id in judged.used:
            self._authenticator.note_use(KeyKind.IDENTITY_SECRET, secret_id, now)
        return judged.call

    async def _unknown(self, plain: bytes, keys: Sequence[str]) -> Rejected | UnknownKey:
        """A call of nobody: its body is not looked into but for whether it is JSON at all."""
        fault = json_fault(plain)
        if fault is not None:
            return await self.reject_call(fault, next(iter(keys), None))
        answer = await self._authenticator.authenticate_key(next(iter(keys), ""))
        return answer if isinstance(answer, UnknownKey) else UnknownKey()

    async def _fault(self, fault: Rejected, write_key: str | None, size: int) -> Rejected:
        """A call that can not be read: it is told, and costs its key what it was to look at."""
        await self._authenticator.note_fault(write_key or "", fault, size)
        return fault

    async def take(
        self,
        body: bytes,
        *,
        workspace_id: UUID,
        source_id: UUID,
        type_hint: str | None,
        caller_ip: CallerIp | None = None,
    ) -> Stored:
        """Take one call of a caller who is known already, and speaks for this source: its userIds
        need no signature."""
        full = None if self._backpressure is None else await self._full(self._backpressure)
        if full is not None:
            return full
        call = read_call(body, type_hint=type_hint, new_message_id=self._new_message_id)
        if isinstance(call, Rejected):
            self.reject_call_of(workspace_id, source_id, call)
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

    async def reject_call(self, fault: Rejected, write_key: str | None) -> Rejected:
        """Have it told with the source of `write_key`, if there is one; returns the fault."""
        return await self._fault(fault, write_key, 0)

    def reject_call_of(self, workspace_id: UUID, source_id: UUID, fault: Rejected) -> None:
        """Have it told with this source."""
        self._rejected_calls.count(fault.code)
        self._rejected_calls.note(Place(workspace_id, source_id), fault)

    async def admission_of(self, write_key: str | None) -> AuthResult | UnknownKey | ComeAgain:
        """Who would send with `write_key`: for what an SDK asks before it sends."""
        try:
            return await self._authenticator.authenticate_key(write_key or "")
        except StorageUnavailable:
            return self._come_again()

    async def close(self) -> None:
        """Wait for what is being made durable. Giving up the wait does not give up the work."""
        await self._publisher.close()
        if self._backpressure is not None:
            await self._backpressure.close()
        await self._authenticator.close()
        await self._rejected_calls.close()

    async def _full(self, backpressure: Backpressure) -> ComeAgain | None:
        """Why no events are taken now, whoever sends them."""
        shortage = await backpressure.shortage()
        if shortage is None:
            return None
        self._rejected_calls.count(shortage.code)
        return ComeAgain(retry_after_seconds=self._options.shortage_seconds, shortage=shortage)

    def _come_again(self) -> ComeAgain:
        self._rejected_calls.count("unavailable")
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
            trace=tracing.current() or "",
        )
        if call.items or call.refusals:
            await self._publisher.make_durable(parcel)
        if not call.registering:
            return Taken(events=len(call.items), refused=call.refusals)
        items = [item for item in call.items if item.message_id in call.registering]
        unregistered = unregistered_of(items, envelope_of(parcel))
        return Taken(events=len(call.items), refused=call.refusals, unregistered=unregistered)


def _shut_out(item: Item, why: UnknownKey | OriginRefused) -> RejectedEvent:
    """An event among others that were taken, whose own write key is not."""
    if isinstance(why, OriginRefused):
        code, message = "origin_not_allowed", "Its write key takes nothing from this page's origin."
    else:
        code, message = "write_key_unknown", "Its own write key is missing, unknown or revoked."
    return RejectedEvent(message_id=item.message_id, code=code, message=message, excerpt="")


def _wanted_ip(plain: bytes, caller_ip: CallerIp | None) -> str | None:
    """The caller's address, kept only if an event may say `context.direct`."""
    return caller_ip() if caller_ip is not None and b'"direct"' in plain else None
