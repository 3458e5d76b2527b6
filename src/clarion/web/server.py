"""The one ASGI app of a process, and the server that serves it.

What apps call is the collector's and touches nothing else; `/metrics` is here; all the rest is the
API's.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from clarion.faults import Rejected
from clarion.telemetry import METRICS_TYPE
from clarion.tracing import is_recording, span, traceparent_in
from clarion.web.connections import Connection, Connections, Limits, connections_max

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_CALLED_BY_APPS = (
    "/v1/",
    "/cdp/",
    "/api/s/",
    "/api/public/apps/",
    "/beacon/",
    "/pixel/",
    "/projects/",
    "/customerio/",
    "/sourceConfig",
    "/analytics.js/",
    "/analytics-next/",
)
COLLECTOR_PREFIXES = (*_CALLED_BY_APPS, *(f"/{prefix}" for prefix in _CALLED_BY_APPS))
"""What apps call begins with one of these, and nothing else does. The second slash comes from an
address of the host that ends in one."""
TRACK_PREFIXES = ("/track/", "//track/")
"""What servers call that were written for Intilery's API."""
CONSOLE_PREFIX = "/console/"
"""What browsers of people call who are signed in, or sign in."""
_OF_PROBES = frozenset({"/metrics", "/livez", "/readyz"})
BACKLOG = 2_048
DRAIN_SECONDS = 10
"""How long calls under way may take after a stop was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp:
    """Sends each call where it belongs. `api` None: 404 for the rest but `/livez` and `/readyz`;
    `collect` None, too: nothing but those and `/metrics` is served."""

    collect: Asgi | None
    api: Asgi | None
    metrics: Callable[[], Awaitable[bytes]]
    is_ready: Callable[[], Awaitable[bool]]
    track: Asgi | None = None
    console: Asgi | None = None
    shortage: Callable[[], Awaitable[Rejected | None]] | None = None
    """Why no events are taken."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Returns what the app that answers returns: each coroutine around it costs every event."""
        if scope["type"] != "http" or scope["path"] in _OF_PROBES:
            return self._answer(scope, receive, send)
        parent = traceparent_in(scope["headers"])
        if parent is not None or is_recording():
            return self._traced(scope, receive, send, parent)
        if self.collect is not None and scope["path"].startswith(COLLECTOR_PREFIXES):
            return self.collect(scope, receive, send)
        return self._answer(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send, parent: str | None) -> None:
        with span(_call_name(scope), parent):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if self.collect is not None and path.startswith(COLLECTOR_PREFIXES):
                await self.collect(scope, receive, send)
                return
            if self.track is not None and path.startswith(TRACK_PREFIXES):
                await self.track(scope, receive, send)
                return
            if self.console is not None and _is_for_console(scope):
                await self.console(scope, receive, send)
                return
            if path == "/metrics":
                await _reply(send, 200, await self.metrics(), METRICS_TYPE)
                return
        if self.api is not None:
            await self.api(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        else:
            await self._health(scope["path"], send)

    async def _health(self, path: str, send: Send) -> None:
        is_ready = path == "/readyz" and await self.is_ready()
        shortage = await self.shortage() if is_ready and self.shortage is not None else None
        if shortage is not None:
            answer = {"success": False, "code": shortage.code, "message": shortage.message}
            await _reply(send, 503, msgspec.json.encode(answer))
        elif path == "/livez" or is_ready:
            await _reply(send, 200, b'{"success":true}')
        elif path == "/readyz":
            await _reply(
                send,
                503,
                b'{"success":false,"code":"unavailable",'
                b'"message":"The database or the broker does not answer."}',
            )
        else:
            message = "This process only collects."
            if self.collect is None:
                message = "Only /metrics, /livez and /readyz are here."
            answer = {"success": False, "code": "not_found", "message": message}
            await _reply(send, 404, msgspec.json.encode(answer))


class WebServer:
    """Serves an app on a socket until `stop`; then finishes the calls under way."""

    def __init__(self, app: Asgi, listener: socket.socket, limits: Limits | None = None) -> None:
        """`limits`: of its connections; as many as the process's descriptors allow."""
        self._listener = listener
        connections = Connections(limits or Limits(connections=connections_max()))
        self._server = _Server(
            uvicorn.Config(
                app,
                interface="asgi3",
                loop="none",
                http=partial(Connection, connections),  # type: ignore[arg-type]
                ws="none",
                lifespan="on",
                access_log=False,
                log_config=None,
                backlog=BACKLOG,
                server_header=False,
                date_header=True,
                proxy_headers=False,  # `behind_proxies`, where somebody asks
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    async def run(self) -> None:
        """Serve until stopped."""
        await self._server.serve(sockets=[self._listener])

    async def started(self) -> None:
        """Return once calls are answered."""
        while not self._server.started:
            if self._server.should_exit:
                raise RuntimeError("the web server could not start; the log says why")
            await asyncio.sleep(0.01)

    def stop(self) -> None:
        """Take no more calls; `run` returns when those under way are done."""
        self._server.should_exit = True


async def serve(
    app: Asgi,
    listener: socket.socket,
    stopping: asyncio.Event,
    *,
    on_started: Callable[[str], None],
    before_stop: Callable[[], None] | None = None,
) -> None:
    """Serve until `stopping` is set, and finish the calls under way. `on_started` hears the
    address once calls are answered; `before_stop` ends what would not end by itself. Raises what
    ends the server before."""
    server = WebServer(app, listener)
    serving = asyncio.create_task(server.run(), name="web server")
    stop = asyncio.create_task(stopping.wait())
    started = asyncio.create_task(server.started())
    try:
        await asyncio.wait({serving, started}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            on_started(_url(listener))
        await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
        if before_stop is not None:
            before_stop()
        server.stop()
        await serving
    finally:
        for task in (stop, started, serving):
            task.cancel()
        await asyncio.gather(stop, started, serving, return_exceptions=True)
        listener.close()


def behind_proxies(app: Asgi) -> Asgi:
    """The app, told scheme and caller as trusted proxies note them: those at the addresses in
    FORWARDED_ALLOW_IPS (uvicorn's name), else those on this machine. The collector's routes do
    without: they read what they need of it, when an event asks."""
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    return ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type, return-value]


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError if the address is taken or not of this machine."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """Signals are the composition root's: it stops more than this server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _call_name(scope: Scope) -> str:
    """What a trace calls it: never the whole path, in which keys and links of people stand."""
    whose = "/".join(scope["path"].lstrip("/").split("/")[:1])
    known = {prefix.strip("/").partition("/")[0] for prefix in (*_CALLED_BY_APPS, *TRACK_PREFIXES)}
    name = whose if whose in known or whose in ("api", "console") else "other"
    return f"{scope['method']} /{name}"


async def _reply(
    send: Send, status: int, body: bytes, content_type: str = "application/json"
) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_for_console(scope: Scope) -> bool:
    """Whether it is under `/console`, or a browser opens the address alone, which the console leads
    on."""
    path: str = scope["path"]
    if path != "/":
        return path.startswith(CONSOLE_PREFIX) or path == CONSOLE_PREFIX.rstrip("/")
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
