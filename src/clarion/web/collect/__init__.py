"""The collector's routes: plain ASGI, because every event of every app comes through here.

Segment's paths and its relatives' (`routes`), the write key wherever an SDK puts it
(`credentials`), the replies that SDKs need (`replies`); and beside them (`asides`) what SDKs ask
before they send (`settings`), and events in the addresses of images (`pixel`).
"""

import asyncio

from clarion.events.body import BODY_BYTES_MAX, CallFault, too_large
from clarion.events.collector import Collected, Collector
from clarion.web.collect.asides import Asides
from clarion.web.collect.credentials import key_in_query, read_headers
from clarion.web.collect.replies import send_collected, send_error, send_preflight
from clarion.web.collect.routes import ROUTES, tidied
from clarion.web.server import Receive, Scope, Send

BODY_SECONDS_MAX = 60.0
"""How long a body may take to arrive; then the call is to come again."""


class CollectApp:
    """An ASGI app for all that apps send, and for what their SDKs ask before it."""

    def __init__(self, collector: Collector, *, body_seconds: float = BODY_SECONDS_MAX) -> None:
        self._collector = collector
        self._body_seconds = body_seconds
        self._asides = Asides(collector)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path not in ROUTES:
            path = tidied(path)
        origin, write_key, bearer, encoding = read_headers(scope["headers"])
        if path not in ROUTES:
            await self._asides.answer(path, scope, send, origin, write_key)
            return
        method = scope["method"]
        if method == "OPTIONS":
            await send_preflight(send, origin)
            return
        if method != "POST":
            allow = [(b"allow", b"POST, OPTIONS")]
            await send_error(send, origin, 405, "method_not_allowed", "Send events by POST.", allow)
            return
        try:
            body = await self._body(receive)
        except TimeoutError:
            await send_error(
                send, origin, 408, "body_too_slow", "The body took too long to arrive."
            )
            return
        if body is None:
            return
        collected: Collected
        if isinstance(body, CallFault):
            collected = body
        else:
            if write_key is None and scope["query_string"]:
                write_key = key_in_query(scope["query_string"])
            collected = await self._collector.collect(
                body,
                write_key=write_key,
                type_hint=ROUTES[path],
                encoding=encoding,
                fallback_key=bearer,
            )
        await send_collected(send, origin, collected)

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
