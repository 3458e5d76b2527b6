"""One HTTP request in libcurl's terms: what it carries, and what came back."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pycurl

ANSWER_BYTES_MAX = 1_048_576
KEEPALIVE_SECONDS = 30
SENDING_BYTES = 16_384
"""libcurl takes so much memory for each request that it sends, by itself four times as much: a push
has a kilobyte, and the least that it lets one ask for is this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    connections: int = 20
    streams: int = 100
    """Requests at once on a connection."""
    in_flight: int = 1_500
    in_flight_least: int = 100
    """Where answers are slow, fewer are in the air, down to so many: see `window`."""
    connect_seconds: int = 10
    timeout_seconds: int = 30
    """FCM asks for at least 10 s; its own calls take that long."""


class Answer(NamedTuple):
    """`failure` is set, and status 0, where no whole answer came."""

    status: int
    body: bytes = b""
    retry_after_seconds: float | None = None
    """From either form of the header: seconds, or a date."""
    failure: str = ""
    left: bool = True
    """Whether the request may have reached the other side."""


Connection = tuple[str, int]
"""A connection by its own end: the local address and port."""


@dataclass(slots=True, eq=False)
class Call:
    url: bytes
    headers: list[str]
    bodies: Sequence[bytes]
    answers: list[Answer | None]
    open: int
    done: asyncio.Future[None]
    started: int = 0
    refusals: dict[int, int] = field(default_factory=dict)


class EasyHandle:
    """An easy handle, and the request it carries."""

    __slots__ = (
        "_may_use",
        "body",
        "call",
        "connection",
        "curl",
        "header_lines",
        "headers",
        "index",
        "received",
        "url",
    )

    def __init__(
        self, options: TransportOptions, authorities: Path, may_use: Callable[[Connection], bool]
    ) -> None:
        """`may_use`: whether a request may be sent on this connection."""
        self._may_use = may_use
        self.connection: Connection | None = None
        """The one that the request was begun on."""
        self.received: list[bytes] = []
        self.header_lines: list[bytes] = []
        """The answer's lines before its body, the empty one included."""
        self.call: Call | None = None
        self.index = 0
        self.body = b""
        self.url = b""
        self.headers: list[str] | None = None
        curl = self.curl = pycurl.Curl()
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.TCP_KEEPALIVE, 1)
        curl.setopt(pycurl.TCP_KEEPIDLE, KEEPALIVE_SECONDS)
        curl.setopt(pycurl.TCP_KEEPINTVL, KEEPALIVE_SECONDS)
        curl.setopt(pycurl.CONNECTTIMEOUT, options.connect_seconds)
        curl.setopt(pycurl.TIMEOUT, options.timeout_seconds)
        curl.setopt(pycurl.MAXFILESIZE, ANSWER_BYTES_MAX)
        curl.setopt(pycurl.UPLOAD_BUFFERSIZE, SENDING_BYTES)
        curl.setopt(pycurl.WRITEFUNCTION, self.received.append)
        curl.setopt(pycurl.HEADERFUNCTION, self.header_lines.append)
        curl.setopt(pycurl.READFUNCTION, self._read)
        curl.setopt(pycurl.SEEKFUNCTION, _refuse_to_wind_back)
        curl.setopt(pycurl.PREREQFUNCTION, self._begin)
        curl.setopt(pycurl.USERAGENT, "clarion")
        curl.setopt(pycurl.CAINFO, str(authorities))

    def carry(self, call: Call, index: int) -> None:
        self.call, self.index, self.connection = call, index, None
        self.body = body = call.bodies[index]
        curl = self.curl
        if self.url != call.url:
            curl.setopt(pycurl.URL, call.url)
            self.url = call.url
        if self.headers is not call.headers:
            curl.setopt(pycurl.HTTPHEADER, call.headers)
            self.headers = call.headers
        curl.setopt(pycurl.POSTFIELDSIZE, len(body))

    @property
    def has_left(self) -> bool:
        """Whether any of the request was handed to the connection it was begun on."""
        return self.connection is not None and self.curl.getinfo(pycurl.REQUEST_SIZE) > 0

    @property
    def is_cut_off(self) -> bool:
        """Whether the connection ended within the head of the answer. To libcurl, an answer of
        HTTP/1.x is whole then, too."""
        return not self.header_lines or self.header_lines[-1] not in (b"\r\n", b"\n")

    def _begin(self, _remote: str, local: str, _remote_port: int, local_port: int) -> int:
        """libcurl has a connection and is about to send the request, or to send it again."""
        if self.connection is not None:
            return _ABORT
        self.connection = connection = (local, local_port)
        return _OK if self._may_use(connection) else _ABORT

    def _read(self, size: int) -> bytes:
        body = self.body
        self.body = body[size:]
        return body[:size]


_OK, _ABORT = int(pycurl.PREREQFUNC_OK), int(pycurl.PREREQFUNC_ABORT)


def _refuse_to_wind_back(_offset: int, _origin: int) -> int:
    return int(pycurl.SEEKFUNC_FAIL)
