"""The simulator's server: TLS with HTTP/2 and HTTP/1.1 (ALPN), on granian.

GOAWAY and REFUSED_STREAM can not be asked of granian. Where they are wanted (`http2_faults`) a
server of our own (`http2`) takes the connections, and granian, behind it, what is not HTTP/2. It
serves firebase-admin for Node.js, too, which granian does not take (`tls_router`).
"""

import asyncio
import os
import random
import socket
import ssl
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from fcm_simulator.credentials import (
    CERT_FILE,
    CERT_KEY_FILE,
    ensure_certificates,
    make_key,
)
from fcm_simulator.fcm.registrations import Registration, read_seed
from fcm_simulator.fcm.schema import BASIC, load
from fcm_simulator.server.app import SimulatorApp
from fcm_simulator.server.control import State
from fcm_simulator.server.http2 import Http2Server
from fcm_simulator.server.tls_router import TlsRouter

if TYPE_CHECKING:
    from granian.server.embed import Server

__all__ = ["SimulatorOptions", "check", "end_process", "has_started", "make_key", "serve"]

_LOOPBACK = "127.0.0.1"
_PORTS = (10_240, 32_767)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    host: str = "127.0.0.1"
    port: int = 8443
    data_dir: Path
    """Where its certificates and accounts are."""
    schema: bool = True
    """Whether messages are checked against Google's description of the API."""
    plain: bool = False
    """HTTP without TLS, for who can not trust an authority."""
    http2_faults: bool = False
    """GOAWAY and REFUSED_STREAM can be ordered, at the price of speed."""
    strict: bool = False
    """Nobody is registered who is not listed."""
    registrations: Path | None = None
    """Who is listed at the start: a registration a line, as JSON."""

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self.plain else 'https'}://{host}:{self.port}"


def check(options: SimulatorOptions) -> None:
    """Raises OSError or ValueError for what would keep it from serving."""
    _read(options.registrations)
    with _socket(options.host) as probe:
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            where = f"{options.host}:{options.port}"
            raise OSError(error.errno, os.strerror(error.errno or 0), where) from None


async def serve(options: SimulatorOptions) -> None:
    """Serve until cancelled, after the same `check`."""
    check(options)
    data_dir = options.data_dir
    ensure_certificates(data_dir, options.host)
    seed = _read(options.registrations)
    state = State(
        data_dir,
        schema=load() if options.schema else BASIC,
        seed=seed,
        is_strict=options.strict,
        has_http2_faults=options.http2_faults,
    )
    app = SimulatorApp(state, options.url, options.port)
    if options.http2_faults:
        await _serve_http2_faults(app, options)
    elif not options.plain:
        await _serve_with_router(app, options)
    else:
        await _granian(app, options, options.host, options.port).serve()


async def _serve_http2_faults(app: SimulatorApp, options: SimulatorOptions) -> None:
    inner = free_port(_LOOPBACK)
    http2 = Http2Server(app, (_LOOPBACK, inner), None if options.plain else _tls(options))
    async with asyncio.TaskGroup() as group:
        group.create_task(_granian(app, options, _LOOPBACK, inner, plain=True).serve())
        group.create_task(http2.serve(options.host, options.port))


async def _serve_with_router(app: SimulatorApp, options: SimulatorOptions) -> None:
    granian, http2, behind = ((_LOOPBACK, free_port(_LOOPBACK)) for _ in range(3))
    async with asyncio.TaskGroup() as group:
        group.create_task(_granian(app, options, *granian).serve())
        group.create_task(_granian(app, options, *behind, plain=True).serve())
        group.create_task(Http2Server(app, behind, _tls(options)).serve(*http2))
        router = TlsRouter(http2=http2, granian=granian)
        group.create_task(router.serve(options.host, options.port))


def _tls(options: SimulatorOptions) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(options.data_dir / CERT_FILE, options.data_dir / CERT_KEY_FILE)
    tls.set_alpn_protocols(["h2", "http/1.1"])
    return tls


def _granian(
    app: SimulatorApp, options: SimulatorOptions, host: str, port: int, *, plain: bool = False
) -> "Server":
    # Here, not above: a process that has loaded granian is one that serves, and ends as such.
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server

    is_plain = plain or options.plain
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto,
        websockets=False,
        backlog=1_024,
        log_enabled=False,
        ssl_cert=None if is_plain else options.data_dir / CERT_FILE,
        ssl_key=None if is_plain else options.data_dir / CERT_KEY_FILE,
    )


def has_started() -> bool:
    """Whether this process has served."""
    return "granian" in sys.modules


def end_process(code: int) -> NoReturn:
    """Ends the process that has served: granian's threads have not ended, and abort the process
    when they call an interpreter that is being taken down."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def free_port(host: str = _LOOPBACK) -> int:
    """One that nobody listens on at this moment, chosen by chance below those that the system gives
    to connections going out: none of them takes it before a server does."""
    chance = random.SystemRandom()
    while True:
        port = chance.randint(*_PORTS)
        with _socket(host) as probe, suppress(OSError):
            probe.bind((host, port))
            return port


def _socket(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def _read(seed: Path | None) -> list[Registration]:
    return read_seed(seed.read_bytes()) if seed is not None else []
