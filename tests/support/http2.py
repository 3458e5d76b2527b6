"""A TLS HTTP/2 server whose every request is answered by a script, and counted."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

from fcm_simulator.credentials import CA_FILE, CERT_FILE, CERT_KEY_FILE, ensure_certificates

ACCEPTED = b'{"name":"projects/p/messages/1"}'


@dataclass(eq=False)
class Request:
    """A request that arrived whole. It is answered by whoever holds it, at any later time."""

    connection: "Connection"
    stream: int
    number: int
    """From 1, over all connections."""
    headers: dict[str, str]
    body: bytes = b""

    def answer(
        self, status: int = 200, body: bytes = ACCEPTED, headers: Mapping[str, str] | None = None
    ) -> None:
        wire = self.connection.wire
        more = [(name, text) for name, text in (headers or {}).items()]
        wire.send_headers(self.stream, [(":status", str(status)), *more], end_stream=not body)
        if body:
            wire.send_data(self.stream, body, end_stream=True)
        self.connection.flush()

    def refuse(self) -> None:
        """RST_STREAM REFUSED_STREAM: it was not looked at, and may be sent again."""
        self.connection.wire.reset_stream(self.stream, h2.errors.ErrorCodes.REFUSED_STREAM)
        self.connection.flush()

    def reset(self) -> None:
        """RST_STREAM INTERNAL_ERROR: nobody knows what became of it."""
        self.connection.wire.reset_stream(self.stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        self.connection.flush()


@dataclass(eq=False)
class Connection:
    wire: h2.connection.H2Connection
    writer: asyncio.StreamWriter
    number: int
    open: dict[int, Request] = field(default_factory=dict)

    def flush(self) -> None:
        self.writer.write(self.wire.data_to_send())

    def go_away(self, last_stream: int) -> None:
        """GOAWAY: streams after `last_stream` were not looked at; the others will be answered."""
        self.wire.close_connection(last_stream_id=last_stream)
        self.flush()

    def drop(self) -> None:
        """Cut the TCP connection."""
        self.writer.transport.abort()


Script = Callable[[Request], None]


class Http2Server:
    """`async with Http2Server(directory, script) as server:` — `script` sees each request."""

    def __init__(self, directory: Path, script: Script, *, streams: int = 100) -> None:
        ensure_certificates(directory, "127.0.0.1")
        self.ca_file = str(directory / CA_FILE)
        self.script = script
        self.requests: list[Request] = []
        self.connections: list[Connection] = []
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(directory / CERT_FILE, directory / CERT_KEY_FILE)
        self._tls.set_alpn_protocols(["h2"])
        self._streams = streams
        self._port = 0
        self._serving: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, ssl=self._tls
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Take no connections, and drop those there are."""
        self._server.close()
        for connection in self.connections:
            connection.drop()
        await self._server.wait_closed()
        await asyncio.gather(*self._serving)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        connection = Connection(
            wire=h2.connection.H2Connection(config),
            writer=writer,
            number=len(self.connections) + 1,
        )
        self.connections.append(connection)
        connection.wire.initiate_connection()
        connection.wire.update_settings(
            {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self._streams}
        )
        connection.flush()
        try:
            while data := await reader.read(65_536):
                for event in connection.wire.receive_data(data):
                    self._on_event(connection, event)
                connection.flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            # Closed a second time, Python 3.11.2 forgets what `drop` aborts.
            if not writer.is_closing():
                writer.close()

    def _on_event(self, connection: Connection, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=stream, headers=headers):
                named = {str(name): str(text) for name, text in headers}
                connection.open[stream] = Request(connection, stream, 0, named)
            case h2.events.DataReceived(stream_id=stream, data=data, flow_controlled_length=size):
                connection.open[stream].body += data
                connection.wire.acknowledge_received_data(size, stream)
            case h2.events.StreamEnded(stream_id=stream):
                request = connection.open.pop(stream)
                self.requests.append(request)
                request.number = len(self.requests)
                self.script(request)
