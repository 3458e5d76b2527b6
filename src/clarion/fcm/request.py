"""One HTTP request in libcurl's terms: what it carries, and what came back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pycurl

ANSWER_BYTES_MAX = 1_048_576
KEEPALIVE_SECONDS = 30


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
    """From either form of the header, seconds or a date; 0: at once, or it has passed."""
    failure: str = ""
    left: bool = True
    """Whether the request may have reached the other side."""


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


class Handle:
    """An easy handle, and the request it carries."""

    __slots__ = ("body", "call", "curl", "header_lines", "headers", "index", "received", "url")

    def __init__(self, options: TransportOptions, authorities: Path) -> None:
        self.received: list[bytes] = []
        self.header_lines: list[bytes] = []
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
        curl.setopt(pycurl.WRITEFUNCTION, self.received.append)
        curl.setopt(pycurl.HEADERFUNCTION, self.header_lines.append)
        curl.setopt(pycurl.READFUNCTION, self._read)
        curl.setopt(pycurl.SEEKFUNCTION, _refuse_to_wind_back)
        curl.setopt(pycurl.USERAGENT, "clarion")
        curl.setopt(pycurl.CAINFO, str(authorities))

    def carry(self, call: Call, index: int) -> None:
        self.call, self.index = call, index
        self.body = body = call.bodies[index]
        curl = self.curl
        if self.url != call.url:
            curl.setopt(pycurl.URL, call.url)
            self.url = call.url
        if self.headers is not call.headers:
            curl.setopt(pycurl.HTTPHEADER, call.headers)
            self.headers = call.headers
        curl.setopt(pycurl.POSTFIELDSIZE, len(body))

    def _read(self, size: int) -> bytes:
        body = self.body
        self.body = body[size:]
        return body[:size]


def _refuse_to_wind_back(_offset: int, _origin: int) -> int:
    return int(pycurl.SEEKFUNC_FAIL)
