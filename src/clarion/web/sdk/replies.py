"""What the collector answers: exactly what the SDKs need.

Success is 200 with a JSON object (Ruby's client reads one, Python's takes nothing but 200); errors
carry `code` and `message`; CORS headers stand on every reply, errors included.
"""

import re
from typing import assert_never

import msgspec

from clarion.events.collector import Collected, ComeAgain, Taken
from clarion.faults import Rejected
from clarion.ingest_log.outcome import Stage
from clarion.sources.auth_result import OriginRefused, TooFast, UnknownKey
from clarion.web.server import Message, Scope, Send

REFUSALS_SHOWN = 20

Headers = list[tuple[bytes, bytes]]

OK = b'{"success":true}'
JSON = (b"content-type", b"application/json")
_OK_START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [JSON, (b"content-length", str(len(OK)).encode())],
}
_OK_BODY: Message = {"type": "http.response.body", "body": OK}
_HEADER_NAMES = re.compile(rb"[a-zA-Z0-9\-_, ]{1,1000}")
_ALLOWED_HEADERS = (
    b"authorization, content-type, content-encoding, x-retry-count, x-write-key, anonymousid, "
    b"sentat, cache-control"
)


async def send_collected(send: Send, origin: bytes | None, collected: Collected) -> None:
    """What became of a call."""
    match collected:
        case Taken(refused=[], unregistered=[]):
            if origin is None:  # nearly always, and then nothing is put together
                await send(_OK_START)
                await send(_OK_BODY)
            else:
                await send_body(send, 200, OK, [JSON, *cors(origin)])
        case Taken():
            wire = {"success": True, "refused": shown_refusals(collected)}
            await send_body(send, 200, msgspec.json.encode(wire), [JSON, *cors(origin)])
        case Rejected():
            await send_fault(send, origin, 400, collected)
        case UnknownKey():
            await send_error(
                send,
                origin,
                401,
                "write_key_unknown",
                "The write key is missing, unknown or revoked: send it as the user of Basic "
                "authorization, or as writeKey in the body.",
            )
        case OriginRefused():
            await send_error(
                send,
                origin,
                403,
                "origin_not_allowed",
                "This write key takes nothing from pages of this origin: add it to the source's "
                "allowed origins.",
            )
        case TooFast(retry_after_seconds=seconds):
            after = str(seconds).encode()
            await send_error(
                send,
                origin,
                429,
                "too_fast",
                "The write key has sent more events than its source's limit allows. Nothing of "
                "this call was stored: send the same again later.",
                [(b"retry-after", after), (b"x-ratelimit-reset", after)],
            )
        case ComeAgain(retry_after_seconds=seconds, shortage=Rejected() as shortage):
            again = [(b"retry-after", str(seconds).encode())]
            await send_fault(send, origin, 503, shortage, again)
        case ComeAgain(retry_after_seconds=seconds):
            await send_error(
                send,
                origin,
                503,
                "unavailable",
                "Nothing was stored: send the same again later.",
                [(b"retry-after", str(seconds).encode())],
            )
        case _:
            assert_never(collected)


def shown_refusals(taken: Taken) -> list[dict[str, str | None]]:
    """What of a call was refused. `stage` tells, as in the records, whether that is the whole event
    or only the registration it asks for."""
    events = [(Stage.EVENT, rejected) for rejected in taken.refused]
    registrations = [(Stage.REGISTRATION, rejected) for rejected in taken.unregistered]
    return [
        {
            "messageId": rejected.message_id,
            "stage": stage.value,
            "code": rejected.code,
            "message": rejected.message,
        }
        for stage, rejected in (events + registrations)[:REFUSALS_SHOWN]
    ]


async def send_preflight(send: Send, origin: bytes | None, scope: Scope) -> None:
    """What a browser asks before it sends; it needs no key. It may send whatever headers it asks
    for: an SDK whose header was not allowed would lose every event."""
    asked = dict(scope["headers"]).get(b"access-control-request-headers", b"")
    further = asked if _HEADER_NAMES.fullmatch(asked) else b""
    await send_body(
        send,
        204,
        b"",
        [
            *cors(origin or b"*"),
            (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
            (
                b"access-control-allow-headers",
                _ALLOWED_HEADERS + b", " + further if further else _ALLOWED_HEADERS,
            ),
            (b"access-control-max-age", b"86400"),
        ],
    )


async def send_fault(
    send: Send, origin: bytes | None, status: int, fault: Rejected, more: Headers | None = None
) -> None:
    """Why nothing of the call was kept."""
    await send_error(send, origin, status, fault.code, fault.message, more)


async def send_error(
    send: Send,
    origin: bytes | None,
    status: int,
    code: str,
    message: str,
    more: Headers | None = None,
) -> None:
    """`{"success": false, "code": …, "message": …}`."""
    body = msgspec.json.encode({"success": False, "code": code, "message": message})
    await send_body(send, status, body, [JSON, *cors(origin), *(more or [])])


async def send_body(send: Send, status: int, body: bytes, headers: Headers) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def cors(origin: bytes | None) -> Headers:
    """What lets a page of `origin` read the reply; nothing where no page asks."""
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset"),
        (b"vary", b"Origin"),
    ]
