"""What a connection may ask of the process before anybody has looked at who calls.

uvicorn reads a request's head however long it is and however long it takes, and takes connections
until the process has no descriptor left. Here both end: `Limits` tells where. Whoever sends nothing
is the first to go when others need the place.
"""

import asyncio
import resource
from dataclasses import dataclass
from itertools import islice, takewhile
from time import monotonic
from typing import Any

import msgspec
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger(__name__)

DESCRIPTORS_SHARE = 0.8
"""Of the process's descriptors: so many may be connections. The rest is for files, for the database
and for what the process calls itself."""
CONNECTIONS_MAX = 50_000
"""However many descriptors there are: each takes memory, too."""
KEEP_ALIVE_SECONDS = 75.0
SWEEP_SECONDS_MIN = 0.1
"""Between two looks at what is idle."""
LOG_SECONDS = 60.0
"""Between two lines of the log that say that connections are refused."""

_REASONS = {408: "Request Timeout", 431: "Request Header Fields Too Large"}
_UNAVAILABLE = "Service Unavailable"


def connections_max() -> int:
    """How many connections the descriptors of this process allow."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return max(1, min(CONNECTIONS_MAX, int(soft * DESCRIPTORS_SHARE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one server."""

    connections: int
    head_bytes: int = 65_536
    """Of a request's line and headers together; of its trailers again."""
    head_seconds: float = 20.0
    """From the first byte of a request's head to its last, and from connecting to the first."""
    body_seconds: float = 90.0
    """From the head to the last byte of the body."""
    rest_seconds: float = 10.0
    """How long a body may go on coming that has been answered already."""
    stalled_seconds: float = 60.0
    """How long a caller may read nothing of an answer that is waiting for it."""
    idle_seconds: float = KEEP_ALIVE_SECONDS
    """Between two requests."""


class Connections:
    """Those of one server."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._idle: dict[Connection, float] = {}
        """Those that have no request under way, and since when; who has been so for longest is
        first. One timer looks after them all: one a request is a fiftieth of what an event costs.
        """
        self._sweeping: asyncio.TimerHandle | None = None
        self._refused = 0
        self._told_at = -LOG_SECONDS

    def make_room(self, newest: "Connection", count: int) -> bool:
        """Whether there is room for a connection. Closes those that were idle for longest."""
        too_many = count - self.limits.connections
        if too_many <= 0:
            return True
        self._tell(count)
        idle = [
            connection
            for connection in islice(self._idle, too_many + 1)
            if connection is not newest
        ][:too_many]
        for connection in idle:
            connection.hang_up()
        return len(idle) == too_many

    def is_idle(self, connection: "Connection") -> None:
        """It has nothing to do from now on."""
        self._idle[connection] = monotonic()
        if self._sweeping is None:
            loop = connection.loop
            self._sweeping = loop.call_later(self.limits.idle_seconds, self._sweep, loop)

    def is_busy(self, connection: "Connection") -> None:
        """It has a request, or is gone."""
        self._idle.pop(connection, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close what has been idle for too long, and look again when the next one may be."""
        self._sweeping = None
        latest = monotonic() - self.limits.idle_seconds
        # No more are looked at than are closed: there may be 50,000.
        for connection, _ in list(takewhile(lambda idle: idle[1] <= latest, self._idle.items())):
            self.is_busy(connection)
            connection.transport.close()
        oldest = next(iter(self._idle.values()), None)
        if oldest is not None:
            soon = max(oldest - latest, SWEEP_SECONDS_MIN)
            self._sweeping = loop.call_later(soon, self._sweep, loop)

    def _tell(self, count: int) -> None:
        self._refused += 1
        if monotonic() - self._told_at >= LOG_SECONDS:
            log.warning("connections_full", connections=count, ended=self._refused)
            self._told_at, self._refused = monotonic(), 0


# Called by name: `super()` looks them up again in each of an event's five calls.
_data_received = HttpToolsProtocol.data_received
_on_headers_complete = HttpToolsProtocol.on_headers_complete
_on_body = HttpToolsProtocol.on_body
_on_message_complete = HttpToolsProtocol.on_message_complete


class Connection(HttpToolsProtocol):
    """uvicorn's, within limits."""

    def __init__(self, connections: Connections, **rest: Any) -> None:
        super().__init__(**rest)
        self._all = connections
        self._limits = connections.limits
        self._in_head = True
        self._is_refused = False
        self._refusal: bytes | None = None
        """What is to be said once the answers before it have been given."""
        self._came = 0
        """Bytes since the head began; once it is over, since the last of the body that came."""
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    # --- from the transport -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._all.make_room(self, len(self.connections)):
            self._refuse(503, "too_many_connections", "Come again later.")
            return
        self._all.is_idle(self)
        self._end_in(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.is_busy(self)
        self._unset_timer()
        self._unset_stalled()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return  # until it ends
        self._came += len(data)
        _data_received(self, data)
        if self._in_head and not self._came:
            return  # nearly always: a whole request
        if self.transport.is_closing() or self._is_refused:
            return
        if self._came > self._limits.head_bytes and self._in_head:
            self._refuse_head()
        elif self._came > self._limits.head_bytes + len(data):
            self.hang_up()  # trailers without end
        elif self._timer is None:
            limits = self._limits
            self._end_in(limits.head_seconds if self._in_head else limits.body_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self._limits.stalled_seconds, self.hang_up)

    def resume_writing(self) -> None:
        self._unset_stalled()
        super().resume_writing()

    # --- from the parser --------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        if self._is_refused:
            return
        if self._came > self._limits.head_bytes and self._head_size() > self._limits.head_bytes:
            self._refuse_head()
            return
        self._in_head = False
        self._all.is_busy(self)
        if self._timer is not None:
            self._unset_timer()
        _on_headers_complete(self)

    def on_body(self, body: bytes) -> None:
        self._came = 0
        if not self._is_refused:
            _on_body(self, body)

    def on_message_complete(self) -> None:
        if self._is_refused:
            return
        self._in_head = True
        self._came = 0
        if self._timer is not None:
            self._unset_timer()
        _on_message_complete(self)

    def on_response_complete(self) -> None:
        """As uvicorn's, but that `Connections` ends what is idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        if self._refusal is not None:
            if not self._is_answering():
                self._end(self._refusal)
        elif not self._in_head:
            self._end_in(self._limits.rest_seconds)
        elif self.cycle.response_complete:
            self._all.is_idle(self)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    # --- ends -------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """Closes the connection without an answer."""
        self._is_refused, self._refusal = True, None
        self._all.is_busy(self)
        self.transport.abort()

    def _end_in(self, seconds: float) -> None:
        self._unset_timer()
        self._timer = self.loop.call_later(seconds, self._is_late)

    def _is_late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._in_head and self._came:
            self._refuse(408, "head_too_slow", "The request took too long to arrive.")
        else:
            self.hang_up()

    def _refuse_head(self) -> None:
        message = f"A request's line and headers may have {self._limits.head_bytes} bytes."
        self._refuse(431, "headers_too_large", message)

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer so and read no more, once what was asked before is answered."""
        self._is_refused = True
        self._unset_timer()
        body = msgspec.json.encode({"success": False, "code": code, "message": message})
        again = "retry-after: 2\r\n" if status == 503 else ""
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, _UNAVAILABLE)}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{again}"
            "connection: close\r\n\r\n"
        )
        self._refusal = head.encode() + body
        if not self._is_answering():
            self._end(self._refusal)

    def _end(self, answer: bytes) -> None:
        """The last answer. What is still being sent is let in and dropped for a while: were the
        connection closed at once, its sender would hear of that and not hear the answer."""
        self._refusal = None
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        if not self._came:
            self.transport.close()
            return
        self.transport.write_eof()
        self._all.is_idle(self)
        self._timer = self.loop.call_later(self._limits.rest_seconds, self.hang_up)

    def _is_answering(self) -> bool:
        return bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)

    def _unset_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _unset_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
