"""Events sent to the server API: durable when `{"success": true}` is heard."""

from collections.abc import Sequence
from functools import partial
from typing import Any, assert_never

from clarion.accounts.actor import Scope as KeyScope
from clarion.accounts.command import Services
from clarion.clock import Clock
from clarion.deliveries.pushes.commands import send_push
from clarion.deliveries.pushes.push import Push, PushRequest
from clarion.events.calls.body import unpack
from clarion.events.collector import Collector, ComeAgain, Stored, Taken
from clarion.faults import Rejected
from clarion.storage.database import StorageUnavailable
from clarion.web.intilery.address import Address
from clarion.web.intilery.auth import Denied, Doors, SourceRef
from clarion.web.intilery.commands import PushCommand, in_words_of_events, push_commands
from clarion.web.intilery.incoming import completed
from clarion.web.intilery.replies import send_json, send_refusal
from clarion.web.sdk.credentials import caller_ip
from clarion.web.sdk.read_body import read_body
from clarion.web.sdk.replies import shown_refusals
from clarion.web.server import Receive, Scope, Send

KINDS: dict[str, str | None] = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
    "batch": None,
}
"""Call → the type of its one event; None: a batch."""

CALL_BYTES_MAX = 1_048_576
"""Of a call, unpacked: 1 MB."""
RETRY_SECONDS = 2

_WORDS = {"no_user_anon_id": "userId must not be empty"}
"""What Intilery's own API says, for those who look at the sentence."""
_STATUSES = {"forbidden": 403, "conflict": 409}
Pushed = tuple[str, Push | Rejected]
"""An event's id, and the push that it has asked for, or why there is none."""
_TOO_LARGE = {"body_too_large", "event_too_large", "batch_too_large"}


class Sending:
    def __init__(
        self,
        collector: Collector,
        doors: Doors,
        clock: Clock,
        body_seconds: float,
        services: Services | None,
    ) -> None:
        """`services`: with which pushes are sent that events ask for; None: none is."""
        self._services = services
        self._collector = collector
        self._doors = doors
        self._clock = clock
        self._body_seconds = body_seconds

    async def take(self, address: Address, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        encoding = _header(scope, b"content-encoding").lower()
        try:
            brand = await self._doors.open(auth_token(scope), address.brand, KeyScope.WRITE)
        except StorageUnavailable:
            await _send_come_again(send, RETRY_SECONDS)
            return
        if isinstance(brand, Denied):
            await send_refusal(send, 403, brand.code, brand.message)
            return
        try:
            body = await read_body(receive, self._body_seconds, CALL_BYTES_MAX)
        except TimeoutError:
            fault = Rejected(code="body_too_slow", message="The body took too long to arrive.")
            self._turn_away(brand, fault)
            await send_refusal(send, 408, fault.code, fault.message)
            return
        if body is None:
            return
        plain = body if isinstance(body, Rejected) else unpack(body, encoding, CALL_BYTES_MAX)
        if isinstance(plain, Rejected):
            self._turn_away(brand, plain)
            await _send_fault(send, plain)
            return
        kind = KINDS[address.call]
        incoming = completed(plain, kind, lambda: str(self._clock.new_id()))
        count = len(incoming.event_ids)
        seconds = self._doors.too_fast(brand, KeyScope.WRITE, count)
        if seconds is not None:
            fault = Rejected(
                code="too_fast",
                message="The API key has sent more events than its source's limit allows. Nothing "
                "of this call was stored: send the same again later.",
            )
            self._turn_away(brand, fault)
            again = [(b"retry-after", str(seconds).encode())]
            await send_refusal(send, 429, fault.code, fault.message, again)
            return
        collected = await self._collector.take(
            incoming.body,
            workspace_id=brand.caller.workspace_id,
            source_id=brand.source_id,
            type_hint=kind,
            caller_ip=partial(caller_ip, scope),
        )
        pushed: list[Pushed] = []
        if isinstance(collected, Taken) and collected.events and self._services is not None:
            # The events are durable by now. Who is not told so sends them again, by the same ids:
            # no push is sent twice for that.
            try:
                pushed = await _push(self._services, brand, push_commands(incoming.body))
            except StorageUnavailable:
                await _send_come_again(send, RETRY_SECONDS)
                return
        await _send_collected(send, collected, kind, incoming.event_ids, pushed)

    def _turn_away(self, brand: SourceRef, fault: Rejected) -> None:
        self._collector.reject_call_of(brand.caller.workspace_id, brand.source_id, fault)


async def _push(
    services: Services, brand: SourceRef, commands: Sequence[PushCommand]
) -> list[Pushed]:
    """Sends what the events ask for."""
    pushed: list[Pushed] = []
    for command in commands:
        push: Push | Rejected | PushRequest = command.request
        if isinstance(push, PushRequest):
            push = await send_push(services, brand.caller, push, command.key)
        if isinstance(push, Rejected):
            push = in_words_of_events(push)
        pushed.append((command.event_id, push))
    return pushed


async def _send_collected(
    send: Send,
    collected: Stored,
    kind: str | None,
    event_ids: list[str],
    pushed: Sequence[Pushed],
) -> None:
    failed = [(event_id, push) for event_id, push in pushed if isinstance(push, Rejected)]
    match collected:
        case Taken(events=0, refused=[refusal, *_]):
            status = 413 if refusal.code in _TOO_LARGE else 400
            message = _WORDS.get(refusal.code, refusal.message)
            await send_refusal(send, status, refusal.code, message)
        case Taken() if kind is not None and failed:
            _, refused = failed[0]
            await send_refusal(
                send, _STATUSES.get(refused.code, 400), refused.code, refused.message
            )
        case Taken():
            answer: dict[str, Any] = {"success": True}
            if event_ids:
                answer["eventId"] = event_ids[0]
            if kind is None:
                answer["eventIds"] = event_ids
            if collected.refused or collected.unregistered:
                answer["refused"] = [
                    {**refusal, "message": _WORDS.get(refusal["code"] or "", refusal["message"])}
                    for refusal in shown_refusals(collected)
                ]
            if failed:
                answer.setdefault("refused", []).extend(
                    {"messageId": event_id, "code": refused.code, "message": refused.message}
                    for event_id, refused in failed
                )
            if pushes := [(event_id, push) for event_id, push in pushed if isinstance(push, Push)]:
                answer["pushes"] = [
                    {"eventId": event_id, "pushId": str(push.id), "skipped": push.skipped}
                    for event_id, push in pushes
                ]
            await send_json(send, 200, answer)
        case Rejected():
            await _send_fault(send, collected)
        case ComeAgain(retry_after_seconds=seconds, shortage=Rejected() as shortage):
            again = [(b"retry-after", str(seconds).encode())]
            await send_refusal(send, 503, shortage.code, shortage.message, again)
        case ComeAgain(retry_after_seconds=seconds):
            await _send_come_again(send, seconds)
        case _:
            assert_never(collected)


async def _send_fault(send: Send, fault: Rejected) -> None:
    status = 413 if fault.code in _TOO_LARGE else 400
    await send_refusal(send, status, fault.code, fault.message)


async def _send_come_again(send: Send, seconds: int) -> None:
    await send_refusal(
        send,
        503,
        "unavailable",
        "Nothing was stored: send the same again later.",
        [(b"retry-after", str(seconds).encode())],
    )


def auth_token(scope: Scope) -> str | None:
    """The header that a caller shows."""
    return _header(scope, b"auth-token") or None


def _header(scope: Scope, wanted: bytes) -> str:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1")).strip()
    return ""
