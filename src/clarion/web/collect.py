"""The collector's routes: plain ASGI, because every event of every app comes through here.

Segment's paths, its short forms, and trailing slashes without a redirect (SDKs take a redirect for
success and the event is gone). Replies are exactly what the SDKs need: success is 200 with a JSON
object; errors carry `code` and `message`; CORS headers stand on every reply, errors included.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, assert_never
from urllib.parse import parse_qs

import msgspec

from clarion.events.body import BODY_BYTES_MAX, CallFault, too_large
from clarion.events.collector import Collected, Collector, ComeAgain, Taken, UnknownKey

ROUTES: dict[str, str | None] = {
    "/v1/track": "track",
    "/v1/identify": "identify",
    "/v1/page": "page",
    "/v1/screen": "screen",
    "/v1/group": "group",
    "/v1/alias": "alias",
    "/v1/batch": None,
    "/v1/import": None,
    "/v1/t": "track",
    "/v1/i": "identify",
    "/v1/p": "page",
    "/v1/s": "screen",
    "/v1/g": "group",
    "/v1/a": "alias",
    "/v1/b": None,
}
"""Path → the type of its one event; None: a batch."""

REFUSALS_SHOWN = 20
BODY_SECONDS_MAX = 60.0
"""How long a body may take to arrive; then the call is to come again."""

_OK = b'{"success":true}'
_JSON = (b"content-type", b"application/json")
_ALLOWED_HEADERS = (
    b"authorization, content-type, content-encoding, x-retry-count, x-write-key, anonymousid, "
    b"sentat, cache-control"
)
_Headers = list[tuple[bytes, bytes]]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class CollectApp:
    """An ASGI app for `/v1/…`."""

    def __init__(self, collector: Collector, *, body_seconds: float = BODY_SECONDS_MAX) -> None:
        self._collector = collector
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path not in ROUTES:
            path = path.rstrip("/")
        origin, write_key, bearer, encoding = _read_headers(scope["headers"])
        if path not in ROUTES:
            await _error(send, origin, 404, "not_found", f"There is no {path}.")
            return
        method = scope["method"]
        if method == "OPTIONS":
            await _preflight(send, origin)
            return
        if method != "POST":
            allow = [(b"allow", b"POST, OPTIONS")]
            await _error(send, origin, 405, "method_not_allowed", "Send events by POST.", allow)
            return
        try:
            body = await self._body(receive)
        except TimeoutError:
            await _error(send, origin, 408, "body_too_slow", "The body took too long to arrive.")
            return
        if body is None:
            return
        collected: Collected
        if isinstance(body, CallFault):
            collected = body
        else:
            if write_key is None and scope["query_string"]:
                write_key = _key_in_query(scope["query_string"])
            collected = await self._collector.collect(
                body,
                write_key=write_key,
                type_hint=ROUTES[path],
                encoding=encoding,
                fallback_key=bearer,
            )
        await _reply(send, origin, collected)

    async def _body(self, receive: Receive) -> bytes | CallFault | None:
        """The whole body; a fault where it is too large; None where the caller went away. Raises
        TimeoutError where it takes too long."""
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")
            return body if len(body) <= BODY_BYTES_MAX else too_large()
        parts: list[bytes] = []
        size = 0
        async with asyncio.timeout(self._body_seconds):
            while message["type"] == "http.request":
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > BODY_BYTES_MAX:
                    return too_large()
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
        return None


async def _reply(send: Send, origin: bytes | None, collected: Collected) -> None:
    match collected:
        case Taken(refused=[]):
            await _send(send, 200, _OK, [_JSON, *_cors(origin)])
        case Taken(refused=refused):
            wire = {
                "success": True,
                "refused": [
                    {"messageId": one.message_id, "code": one.code, "message": one.message}
                    for one in refused[:REFUSALS_SHOWN]
                ],
            }
            await _send(send, 200, msgspec.json.encode(wire), [_JSON, *_cors(origin)])
        case CallFault(code=code, message=message):
            await _error(send, origin, 400, code, message)
        case UnknownKey():
            await _error(
                send,
                origin,
                401,
                "write_key_unknown",
                "The write key is missing, unknown or revoked: send it as the user of Basic "
                "authorization, or as writeKey in the body.",
            )
        case ComeAgain(retry_after_seconds=seconds):
            await _error(
                send,
                origin,
                503,
                "unavailable",
                "Nothing was stored: send the same again later.",
                [(b"retry-after", str(seconds).encode())],
            )
        case _:
            assert_never(collected)


def _read_headers(
    headers: list[tuple[bytes, bytes]],
) -> tuple[bytes | None, str | None, str | None, str]:
    """(Origin, write key, bearer token, content encoding).

    A key in a header wins over one in the body: Jitsu's client masks that one. A bearer token may
    be the key (Customer.io) or an OAuth token beside a key in the body (Segment): it comes last.
    """
    origin: bytes | None = None
    basic: str | None = None
    bearer: str | None = None
    own: str | None = None
    encoding = ""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, rest = value.partition(b" ")
            if scheme.lower() == b"basic":
                basic = _key_in_basic(rest)
            elif scheme.lower() == b"bearer":
                bearer = rest.decode("latin-1").strip() or None
        elif name == b"x-write-key":
            own = value.decode("latin-1").strip() or None
        elif name == b"content-encoding":
            encoding = value.decode("latin-1").strip().lower()
        elif name == b"origin":
            origin = value
    return origin, basic or own, bearer, encoding


def _key_in_basic(encoded: bytes) -> str | None:
    """The user; the colon behind it and the padding may be missing."""
    try:
        user = base64.b64decode(encoded.strip() + b"==").partition(b":")[0]
        return user.decode().strip() or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _key_in_query(query_string: bytes) -> str | None:
    found = parse_qs(query_string.decode("latin-1")).get("writeKey")
    return found[0] if found else None


async def _preflight(send: Send, origin: bytes | None) -> None:
    await _send(
        send,
        204,
        b"",
        [
            *_cors(origin or b"*"),
            (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", b"86400"),
        ],
    )


def _cors(origin: bytes | None) -> _Headers:
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset"),
        (b"vary", b"Origin"),
    ]


async def _error(
    send: Send,
    origin: bytes | None,
    status: int,
    code: str,
    message: str,
    more: _Headers | None = None,
) -> None:
    body = msgspec.json.encode({"success": False, "code": code, "message": message})
    await _send(send, status, body, [_JSON, *_cors(origin), *(more or [])])


async def _send(send: Send, status: int, body: bytes, headers: _Headers) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
