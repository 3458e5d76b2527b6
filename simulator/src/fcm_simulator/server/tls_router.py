"""The door that tells callers apart by the first words of TLS, which are not encrypted.

firebase-admin for Node.js says `:scheme: https:` over HTTP/2, with a colon. Google's front end
takes that, and granian does not. Whoever means one of Google's hosts, or speaks HTTP/2 and nothing
else, as Node.js does, is led to the server of `http2`, which takes it, too; everybody else to
granian, whose speed benchmarks need. No byte is changed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from fcm_simulator.credentials import GOOGLES_NAMES

Address = tuple[str, int]

_HELLO_BYTES_MAX = 16_384
_HANDSHAKE = 22
_SERVER_NAME = 0
_PROTOCOLS = 16
_BACKLOG = 1_024


class TlsRouter:
    """`await TlsRouter(http2=address, granian=address).serve(host, port)` until cancelled."""

    def __init__(self, *, http2: Address, granian: Address) -> None:
        self._http2 = http2
        self._granian = granian
        self._connecting: set[asyncio.Task[None]] = set()

    async def serve(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Caller(self._lead), host, port, backlog=_BACKLOG)
        try:
            await loop.create_future()
        finally:
            server.close()
            for task in self._connecting:
                task.cancel()

    def _lead(self, caller: "_Caller", hello: "Hello") -> None:
        is_google = hello.host in GOOGLES_NAMES or hello.protocols == ("h2",)
        address = self._http2 if is_google else self._granian
        task = asyncio.create_task(caller.connect(address))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)


class _Side(asyncio.Protocol):
    """One of two connections whose bytes go to the other."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)

    def eof_received(self) -> bool:
        if self.other is None or not self.other.can_write_eof():
            return False
        if not self.other.is_closing():
            self.other.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.is_closing():
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.is_closing():
            self.other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.close() if exc is None else self.other.abort()


class _Caller(_Side):
    """Kept waiting until it has said whom it means."""

    def __init__(self, lead: Callable[["_Caller", "Hello"], None]) -> None:
        super().__init__()
        self._lead = lead
        self._start = b""
        self._is_led = False

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)
            return
        self._start += data
        hello = read_hello(self._start)
        if hello is None or self._is_led or self.transport is None:
            return
        self._is_led = True
        self.transport.pause_reading()
        self._lead(self, hello)

    async def connect(self, address: Address) -> None:
        assert self.transport is not None
        try:
            transport, side = await asyncio.get_running_loop().create_connection(_Side, *address)
        except OSError:
            self.transport.abort()
            return
        side.other = self.transport
        transport.write(self._start)
        if self.transport.is_closing():
            transport.abort()
            return
        self.other = transport
        self.transport.resume_reading()


@dataclass(frozen=True, slots=True)
class Hello:
    """What a caller says before its connection is encrypted."""

    host: str = ""
    """Whom it means; empty: an address, or this is not TLS."""
    protocols: tuple[str, ...] = ()
    """Which it speaks, those it likes best first."""


def read_hello(start: bytes) -> Hello | None:
    """From the first bytes of a connection. None: more are to come."""
    if not start:
        return None
    if start[0] != _HANDSHAKE or len(start) > _HELLO_BYTES_MAX:
        return Hello()
    end = 5 + int.from_bytes(start[3:5])
    if len(start) < max(5, end):
        return None
    try:
        return _read_extensions(start[5:end])
    except (IndexError, UnicodeDecodeError):
        return Hello()


def _read_extensions(hello: bytes) -> Hello:
    at = 4 + 2 + 32  # kind and length, version, random
    at += 1 + hello[at]  # session
    at += 2 + int.from_bytes(hello[at : at + 2])  # ciphers
    at += 1 + hello[at]  # compressions
    at += 2
    host, protocols = "", []
    while at + 4 <= len(hello):
        kind, size = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        value = hello[at + 4 : at + 4 + size]
        at += 4 + size
        if kind == _SERVER_NAME:
            # The length of the list, the kind of its first name, and its length come first.
            host = value[5:].decode("ascii").lower()
        elif kind == _PROTOCOLS:
            rest = value[2:]
            while rest:
                protocols.append(rest[1 : 1 + rest[0]].decode("ascii"))
                rest = rest[1 + rest[0] :]
    return Hello(host, tuple(protocols))
