"""The collector's routes: plain ASGI, because every event of every app comes through here.

Segment's paths and its relatives' (`routes`), the write key wherever an SDK puts it
(`credentials`), the replies that SDKs need (`replies`); and beside them (`asides`) what SDKs ask
before they send (`settings`), the library that a snippet loads (`library`), and events in the
addresses of images (`pixel`).
"""

from functools import partial

from clarion.events.collector import Collected, Collector
from clarion.faults import Rejected
from clarion.sources.auth_result import AuthResult
from clarion.web.sdk.credentials import caller_ip, key_in_query, read_headers
from clarion.web.sdk.library import Library
from clarion.web.sdk.read_body import BODY_SECONDS_MAX, read_body
from clarion.web.sdk.replies import send_collected, send_fault, send_preflight
from clarion.web.sdk.routes import ROUTES, TYPE_IN_BODY, tidied
from clarion.web.sdk.sdk_endpoints import Asides
from clarion.web.server import Receive, Scope, Send


class CollectApp:
    """An ASGI app for all that apps send, and for what their SDKs ask before it."""

    def __init__(
        self,
        collector: Collector,
        *,
        library: Library | None = None,
        public_url: str | None = None,
        body_seconds: float = BODY_SECONDS_MAX,
    ) -> None:
        self._collector = collector
        self._body_seconds = body_seconds
        self._asides = Asides(collector, library or Library.read(None), public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path not in ROUTES:
            path = tidied(path)
        origin, write_key, bearer, encoding, charset = read_headers(scope["headers"])
        if path not in ROUTES:
            await self._asides.answer(path, scope, send, origin, write_key)
            return
        method = scope["method"]
        if method == "OPTIONS":
            await send_preflight(send, origin, scope)
            return
        if write_key is None and scope["query_string"]:
            write_key = key_in_query(scope["query_string"])
        known_key = write_key or bearer
        if method != "POST":
            allow = [(b"allow", b"POST, OPTIONS")]
            fault = Rejected(code="method_not_allowed", message="Send events by POST.")
            await self._collector.reject_call(fault, known_key)
            await send_fault(send, origin, 405, fault, allow)
            return
        page = None if origin is None else origin.decode("latin-1")
        admission: AuthResult | None = None
        if write_key is not None:
            answer = await self._collector.let_in(write_key, page)
            if not isinstance(answer, AuthResult):
                await send_collected(send, origin, answer)
                return
            admission = answer
        try:
            body = await read_body(receive, self._body_seconds)
        except TimeoutError:
            fault = Rejected(code="body_too_slow", message="The body took too long to arrive.")
            await self._collector.reject_call(fault, known_key)
            await send_fault(send, origin, 408, fault)
            return
        if body is None:
            return
        collected: Collected
        if isinstance(body, Rejected):
            collected = await self._collector.reject_call(body, known_key)
        else:
            collected = await self._collector.collect(
                body,
                write_key=write_key,
                type_hint=ROUTES[path],
                is_type_in_body=path in TYPE_IN_BODY,
                encoding=encoding,
                charset=charset,
                fallback_key=bearer,
                caller_ip=partial(caller_ip, scope),
                origin=page,
                admission=admission,
            )
        await send_collected(send, origin, collected)
