"""A server whose first connection ends at a moment and in a manner that a test chooses.

It speaks HTTP/1.1 in plain or over TLS, or HTTP/2 over TLS. Later connections answer everything.
"""

import asyncio
import os
import re
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import h2.config
import h2.connection
import h2.events

from fcm_simulator.credentials import CA_FILE, CERT_FILE, CERT_KEY_FILE, ensure_certificates

ACCEPTED = b'{"name":"projects/p/messages/1"}'
WARM = b"warm"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_ABORT = struct.pack("ii", 1, 0)


class Protocol(StrEnum):
    PLAIN = "HTTP/1.1"
    TLS = "HTTP/1.1 over TLS"
    HTTP2 = "HTTP/2"


class Moment(StrEnum):
    BEFORE = "before the request"
    """On a fresh connection: once it is made, and nothing of the request is read."""
    DURING = "during the request"
    """Its head was read, and nothing of its body."""
    AFTER = "after the body"
    IN_HEAD = "in the head of the answer"
    IN_BODY = "in the body of the answer"


class Manner(StrEnum):
    CLOSED = "closed"
    """FIN; over TLS with the word that nothing more comes."""
    CUT = "cut"
    """FIN; over TLS without that word."""
    RESET = "reset"
    SILENT = "silent"
    """Nothing is read or said any more: a host that vanished."""


class _Ended(Exception):
    pass


@dataclass(eq=False)
class EndingServer:
    """`async with EndingServer(directory, protocol, moment, manner, answered=1) as server:`"""

    directory: Path
    protocol: Protocol
    moment: Moment
    manner: Manner
    answered: int
    """How many requests the first connection answers before."""
    whole: list[bytes] = field(default_factory=list)
    """Bodies that were read to their end, as often as they were."""
    connections: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a test that has read the answers before: `BEFORE` waits for it."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        tls = None
        if self.protocol is not Protocol.PLAIN:
            ensure_certificates(self.directory, "127.0.0.1")
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(self.directory / CERT_FILE, self.directory / CERT_KEY_FILE)
            tls.set_alpn_protocols(["h2" if self.protocol is Protocol.HTTP2 else "http/1.1"])
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        scheme = "http" if self.protocol is Protocol.PLAIN else "https"
        return f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/send"

    @property
    def ca_file(self) -> str | None:
        return None if self.protocol is Protocol.PLAIN else str(self.directory / CA_FILE)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        answered = self.answered if self.connections == 1 else 1_000_000
        serve = self._http2 if self.protocol is Protocol.HTTP2 else self._http1
        self._tasks.append(asyncio.create_task(self._serve(serve, reader, writer, answered)))

    async def _serve(
        self,
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answered: int,
    ) -> None:
        try:
            await serve(reader, writer, answered)
        except _Ended:
            if self.manner is Manner.SILENT:
                self.ended.set()
                await asyncio.get_running_loop().create_future()
            if self.manner is not Manner.CUT and self.protocol is Protocol.PLAIN:
                await writer.wait_closed()
            self.ended.set()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _end_before(self, writer: asyncio.StreamWriter) -> None:
        if self.moment is Moment.BEFORE and self.answered:
            await self.idle.wait()
        self._end(writer, Moment.BEFORE)

    def _end(self, writer: asyncio.StreamWriter, moment: Moment) -> None:
        """Ends the connection if this is the moment."""
        if moment is not self.moment:
            return
        connection = writer.get_extra_info("socket")
        match self.manner:
            case Manner.CLOSED:
                writer.close()
            case Manner.CUT:
                # Past TLS, which says a word at its end.
                with socket.socket(fileno=os.dup(connection.fileno())) as raw:
                    raw.shutdown(socket.SHUT_WR)
            case Manner.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                writer.transport.abort()
            case Manner.SILENT:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
        raise _Ended

    async def _http1(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answered: int
    ) -> None:
        for count in range(answered + 1):
            is_last = count == answered
            if is_last:
                await self._end_before(writer)
            head = await reader.readuntil(b"\r\n\r\n")
            if is_last:
                self._end(writer, Moment.DURING)
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            self.whole.append(body)
            answer = _HEAD % len(ACCEPTED) + ACCEPTED
            if is_last:
                self._end(writer, Moment.AFTER)
                part = 30 if self.moment is Moment.IN_HEAD else len(answer) - 5
                writer.write(answer[:part])
                await writer.drain()
                self._end(writer, self.moment)
            writer.write(answer)

    async def _http2(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answered: int
    ) -> None:
        wire = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        wire.initiate_connection()
        writer.write(wire.data_to_send())
        bodies: dict[int, bytes] = {}
        if not answered:
            await self._end_before(writer)
        while data := await reader.read(65_536):
            for event in wire.receive_data(data):
                match event:
                    case h2.events.RequestReceived(stream_id=stream):
                        bodies[stream] = b""
                        if not answered:
                            self._end(writer, Moment.DURING)
                    case h2.events.DataReceived(stream_id=stream, data=part):
                        bodies[stream] += part
                    case h2.events.StreamEnded(stream_id=stream):
                        self.whole.append(bodies[stream])
                        if not answered:
                            self._end(writer, Moment.AFTER)
                            await self._answer_in_part(wire, stream, writer)
                        answered -= 1
                        self._answer(wire, stream)
                        writer.write(wire.data_to_send())
                        if not answered:
                            await self._end_before(writer)
            writer.write(wire.data_to_send())

    def _answer(self, wire: h2.connection.H2Connection, stream: int) -> None:
        length = str(len(ACCEPTED))
        wire.send_headers(stream, [(":status", "200"), ("content-length", length)])
        wire.send_data(stream, ACCEPTED, end_stream=True)

    async def _answer_in_part(
        self, wire: h2.connection.H2Connection, stream: int, writer: asyncio.StreamWriter
    ) -> None:
        length = str(len(ACCEPTED))
        wire.send_headers(stream, [(":status", "200"), ("content-length", length)])
        head = wire.data_to_send()
        if self.moment is Moment.IN_HEAD:
            writer.write(head[:-3])
        else:
            wire.send_data(stream, ACCEPTED[:5])
            writer.write(head + wire.data_to_send())
        await writer.drain()
        self._end(writer, self.moment)
