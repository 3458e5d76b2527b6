"""An HTTP/2 server whose streams can be refused and whose connections can be told to go.

It takes every connection. One that speaks HTTP/2 it serves itself, with the library h2; any other
is handed on, byte for byte, to the server behind it. It is as exact as it is slow.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

from fcm_simulator.server.app import BODY_BYTES_MAX, HTTP2, Scope, SimulatorApp

STREAMS_MAX = 100
"""At once on a connection, as Google's front end allows."""
_CHUNK = 65_536
_WINDOW = 2**20
_PREFACE = b"PRI"
_PREFACE_SECONDS = 60.0


class Http2Server:
    """`await Http2Server(app, ("127.0.0.1", 9000), tls).serve(host, port)` until cancelled."""

    def __init__(
        self, app: SimulatorApp, behind: tuple[str, int], tls: ssl.SSLContext | None
    ) -> None:
        self._app = app
        self._behind = behind
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, host: str, port: int) -> None:
        server = await asyncio.start_server(
            self._connected, host, port, ssl=self._tls, backlog=1_024
        )
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PREFACE_SECONDS):
                start = await reader.readexactly(len(_PREFACE))
            if start == _PREFACE:
                await _Connection(self._app, reader, writer).serve(start)
            else:
                await self._hand_on(start, reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the caller is gone
        finally:
            writer.close()

    async def _hand_on(
        self, start: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from_behind, to_behind = await asyncio.open_connection(*self._behind)
        to_behind.write(start)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, to_behind))
                group.create_task(_copy(from_behind, writer))
        except* OSError:
            pass
        finally:
            to_behind.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.close()


class _Connection:
    def __init__(
        self, app: SimulatorApp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.app = app
        self.client = writer.get_extra_info("peername")
        self.wire = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        self._reader = reader
        self._writer = writer
        self._streams: dict[int, _Stream] = {}
        self._looked_at: set[int] = set()
        """Streams whose answer was decided, and those that are to have none."""
        self._last: int | None = None
        """After GOAWAY: the highest stream that is still answered."""

    async def serve(self, start: bytes) -> None:
        self.wire.local_settings.update(
            {
                SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS_MAX,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
            }
        )
        self.wire.initiate_connection()
        self.wire.increment_flow_control_window(_WINDOW)
        data = start
        try:
            while data:
                for event in self.wire.receive_data(data):
                    self._handle(event)
                self.flush()
                await self._writer.drain()
                data = await self._reader.read(_CHUNK)
        except ProtocolError:
            self.flush()
        finally:
            for stream in list(self._streams.values()):
                stream.end()

    def flush(self) -> None:
        data = self.wire.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    def begin(self, stream: "_Stream") -> bool:
        """Whether this stream may be looked at: not if the caller was told that it is not."""
        if self._last is not None and stream.number > self._last:
            return False
        self._looked_at.add(stream.number)
        return True

    def end(self, stream: "_Stream") -> None:
        """It was answered, or nobody waits for it any more."""
        if self._streams.pop(stream.number, None) is not None and self._last is not None:
            self._close_if_done()

    def go_away(self, stream: "_Stream") -> None:
        """GOAWAY, after which only what was looked at besides this stream is answered."""
        self._looked_at.discard(stream.number)
        last = max(self._looked_at, default=0)
        if last > stream.number:
            # GOAWAY names one number only, and a later stream was looked at.
            self.wire.reset_stream(stream.number, ErrorCodes.REFUSED_STREAM)
        self._last = last
        self.flush()
        # Past h2, for which a connection that goes away has ended.
        self._writer.write(GoAwayFrame(0, last_stream_id=last).serialize())
        stream.end()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if not any(number <= (self._last or 0) for number in self._streams):
            self._writer.close()

    def _handle(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=number, headers=headers):
                self._streams[number] = _Stream(self, number, dict(headers))
            case h2.events.DataReceived(stream_id=number, data=data, flow_controlled_length=size):
                self.wire.acknowledge_received_data(size, number)
                if number in self._streams:
                    self._streams[number].add(data)
            case h2.events.StreamEnded(stream_id=number):
                if number in self._streams:
                    self._streams[number].start()
            case h2.events.StreamReset(stream_id=number):
                if number in self._streams:
                    self._streams[number].end()
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                for stream in list(self._streams.values()):
                    stream.pump()


class _Stream:
    """One request and its answer, as ASGI has them."""

    def __init__(self, connection: _Connection, number: int, headers: dict[bytes, bytes]) -> None:
        self.number = number
        self._connection = connection
        self._headers = headers
        self._body = bytearray()
        self._left: bytes | None = None
        """Of the answer, what the caller's window has not let through."""
        self._is_read = False
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, data: bytes) -> None:
        if len(self._body) <= BODY_BYTES_MAX:
            self._body += data

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def end(self) -> None:
        self._gone.set()
        self._connection.end(self)

    def refuse(self) -> None:
        self._connection.wire.reset_stream(self.number, ErrorCodes.REFUSED_STREAM)
        self._connection.flush()
        self.end()

    def go_away(self) -> None:
        self._connection.go_away(self)

    def pump(self) -> None:
        """Send as much of the answer as the caller's window lets through."""
        wire = self._connection.wire
        while self._left is not None:
            room = min(wire.local_flow_control_window(self.number), wire.max_outbound_frame_size)
            if room <= 0 and self._left:
                break
            part, rest = self._left[:room], self._left[room:]
            wire.send_data(self.number, part, end_stream=not rest)
            self._left = rest or None
            if not rest:
                self._connection.flush()
                self._connection.end(self)
                return
        self._connection.flush()

    async def _run(self) -> None:
        if self._connection.begin(self):
            with suppress(ProtocolError):  # the caller took the stream back meanwhile
                await self._connection.app(self._scope(), self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": bytes(self._body), "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self._gone.is_set():
            return
        if message["type"] == "http.response.start":
            status = (b":status", str(message["status"]).encode())
            self._connection.wire.send_headers(self.number, [status, *message["headers"]])
            return
        self._left = message["body"]
        self.pump()

    def _scope(self) -> Scope:
        path, _, query = self._headers[b":path"].partition(b"?")
        return {
            "type": "http",
            "method": self._headers[b":method"].decode(),
            "path": unquote(path.decode()),
            "query_string": query,
            "headers": [
                header for header in self._headers.items() if not header[0].startswith(b":")
            ],
            "client": self._connection.client,
            "extensions": {HTTP2: self},
        }
