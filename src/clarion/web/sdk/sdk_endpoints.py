"""What SDKs call beside the calls that bring events: the library, settings, pixels, metrics."""

from collections.abc import Mapping
from typing import Any

import msgspec

from clarion.events.collector import Collector, ComeAgain
from clarion.faults import Rejected
from clarion.sources.auth_result import UnknownKey
from clarion.web.sdk.credentials import key_in_query
from clarion.web.sdk.library import Library, library_asked, piece_asked
from clarion.web.sdk.pixel import GIF, event_in_query
from clarion.web.sdk.replies import (
    JSON,
    OK,
    cors,
    send_body,
    send_collected,
    send_fault,
    send_preflight,
)
from clarion.web.sdk.routes import METRICS, PIXELS, SOURCE_CONFIG, settings_asked
from clarion.web.sdk.settings import SECONDS_FRESH, VARY, settings, source_config
from clarion.web.server import Scope, Send


class Asides:
    """Answers every path that is none of `ROUTES`."""

    def __init__(self, collector: Collector, library: Library, public_url: str | None) -> None:
        self._collector = collector
        self._library = library
        self._public_url = public_url

    async def answer(
        self, path: str, scope: Scope, send: Send, origin: bytes | None, write_key: str | None
    ) -> None:
        asked = settings_asked(path)
        loads, piece = library_asked(path), piece_asked(path)
        is_script = loads is not None or (piece is not None and self._library.has_piece(piece))
        is_known = path in PIXELS or path in METRICS or path == SOURCE_CONFIG
        if asked is None and not is_known and not is_script:
            fault = Rejected(code="not_found", message=f"There is no {path}.")
            await self._turn_away(fault, write_key, scope)
            await send_fault(send, origin, 404, fault)
            return
        methods = ("POST", "OPTIONS") if path in METRICS else ("GET", "HEAD", "OPTIONS")
        if scope["method"] not in methods:
            allow = ", ".join(methods)
            fault = Rejected(code="method_not_allowed", message=f"This path takes {allow}.")
            await self._turn_away(fault, write_key, scope)
            await send_fault(send, origin, 405, fault, [(b"allow", allow.encode())])
        elif scope["method"] == "OPTIONS":
            await send_preflight(send, origin, scope)
        elif path in METRICS:
            await send_body(send, 200, OK, [JSON, *cors(origin)])
        elif path in PIXELS:
            await self._pixel(PIXELS[path], scope, send, origin)
        elif loads is not None:
            await self._script(loads, scope, send, origin)
        elif piece is not None:
            await self._library.send_piece(piece, scope, send)
        elif asked is None:
            key = write_key or key_in_query(scope["query_string"])
            await self._settings(key, None, scope, send, origin)
        else:
            await self._settings(*asked, scope, send, origin)

    async def _turn_away(self, fault: Rejected, write_key: str | None, scope: Scope) -> None:
        if scope["method"] != "OPTIONS":
            await self._collector.reject_call(
                fault, write_key or key_in_query(scope["query_string"])
            )

    async def _settings(
        self,
        write_key: str | None,
        for_customer_io: bool | None,
        scope: Scope,
        send: Send,
        origin: bytes | None,
    ) -> None:
        """`for_customer_io` None: RudderStack's client asks."""
        source = await self._collector.admission_of(write_key)
        if write_key is None or isinstance(source, UnknownKey | ComeAgain):
            refused = source if isinstance(source, ComeAgain) else UnknownKey()
            await send_collected(send, origin, refused)
            return
        answer: Mapping[str, Any]
        if for_customer_io is None:
            answer = source_config(write_key, source)
        else:
            headers = dict(scope["headers"])
            answer = settings(
                write_key,
                headers,
                scope,
                for_customer_io=for_customer_io,
                public_url=self._public_url,
            )
        fresh = (b"cache-control", f"public, max-age={SECONDS_FRESH}".encode())
        among = [header for header in cors(origin) if header[0] != b"vary"]
        await send_body(
            send, 200, msgspec.json.encode(answer), [JSON, fresh, *among, (b"vary", VARY)]
        )

    async def _script(self, write_key: str, scope: Scope, send: Send, origin: bytes | None) -> None:
        """Answers 401 for an unknown or retired write key, as the settings do."""
        source = await self._collector.admission_of(write_key)
        if isinstance(source, UnknownKey | ComeAgain):
            await send_collected(send, origin, source)
        else:
            await self._library.send(scope, send)

    async def _pixel(self, kind: str, scope: Scope, send: Send, origin: bytes | None) -> None:
        """The image, always: whoever shows it can do nothing about an error."""
        query = scope["query_string"]
        event = event_in_query(query) if scope["method"] == "GET" else None
        if event is None and scope["method"] == "GET":
            fault = Rejected(
                code="pixel_unreadable",
                message="The image's address holds no event: neither fields nor base64 in `data`.",
            )
            await self._turn_away(fault, None, scope)
        if event is not None:
            await self._collector.collect(
                event,
                write_key=None,
                type_hint=kind,
                fallback_key=key_in_query(query),
                origin=None if origin is None else origin.decode("latin-1"),
            )
        headers = [
            (b"content-type", b"image/gif"),
            (b"cache-control", b"no-store"),
            *cors(origin),
        ]
        await send_body(send, 200, GIF, headers)
