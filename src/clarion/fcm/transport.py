"""Many HTTP/2 requests at once through libcurl, driven by asyncio (`socket_action`).

libcurl keeps the connections, multiplexes up to `streams` requests on each, and deals with GOAWAY
and refused streams itself. Easy handles are kept and used again; a call changes only its body.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import pycurl

from clarion.fcm.trust import bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    connections: int = 20
    streams: int = 100
    """Requests at once on a connection."""
    in_flight: int = 1_500
    connect_seconds: int = 10
    timeout_seconds: int = 30
    """FCM asks for at least 10 s; its own calls take that long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`failure` is set, and status 0, where no whole answer came."""

    status: int
    body: bytes
    retry_after_seconds: float | None
    failure: str = ""
    left: bool = True
    """Whether the request may have reached the other side."""


@dataclass(slots=True)
class _Call:
    url: bytes
    headers: list[str]
    bodies: Sequence[bytes]
    answers: list[Answer | None]
    open: int
    done: asyncio.Future[None]


@dataclass(slots=True)
class _Handle:
    curl: pycurl.Curl
    received: list[bytes] = field(default_factory=list)
    call: _Call | None = None
    index: int = 0
    url: bytes = b""
    headers: list[str] | None = None


class Transport:
    """One libcurl multi handle. Belongs to the event loop it is first used in."""

    def __init__(self, ca_file: str | None, options: TransportOptions) -> None:
        self._bundle = bundle(ca_file)
        self._options = options
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, options.connections)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, options.streams)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._free: list[_Handle] = []
        self._busy: dict[pycurl.Curl, _Handle] = {}
        self._waiting: deque[tuple[_Call, int]] = deque()
        self._watched: set[int] = set()

    async def post(self, url: str, headers: list[str], bodies: Sequence[bytes]) -> Sequence[Answer]:
        """POST each body; answers in the order of `bodies`. Never raises for a lost answer."""
        if not bodies:
            return []
        self._loop = asyncio.get_running_loop()
        call = _Call(
            url=url.encode(),
            headers=headers,
            bodies=bodies,
            answers=[None] * len(bodies),
            open=len(bodies),
            done=self._loop.create_future(),
        )
        self._waiting.extend((call, index) for index in range(len(bodies)))
        self._start_waiting()
        await call.done
        return [answer for answer in call.answers if answer is not None]

    def close(self) -> None:
        """Drop every connection; calls still open are never answered."""
        if self._timer is not None:
            self._timer.cancel()
        if self._loop is not None:
            for descriptor in self._watched:
                self._loop.remove_reader(descriptor)
                self._loop.remove_writer(descriptor)
        for handle in self._busy.values():
            self._multi.remove_handle(handle.curl)
            handle.curl.close()
        for handle in self._free:
            handle.curl.close()
        self._multi.close()
        if self._bundle is not None:
            self._bundle.unlink(missing_ok=True)

    def _start_waiting(self) -> None:
        while self._waiting and len(self._busy) < self._options.in_flight:
            call, index = self._waiting.popleft()
            handle = self._free.pop() if self._free else self._new_handle()
            handle.call, handle.index = call, index
            curl = handle.curl
            if handle.url != call.url:
                curl.setopt(pycurl.URL, call.url)
                handle.url = call.url
            if handle.headers is not call.headers:
                curl.setopt(pycurl.HTTPHEADER, call.headers)
                handle.headers = call.headers
            curl.setopt(pycurl.POSTFIELDS, call.bodies[index])
            self._busy[curl] = handle
            self._multi.add_handle(curl)

    def _new_handle(self) -> _Handle:
        curl = pycurl.Curl()
        handle = _Handle(curl=curl)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.CONNECTTIMEOUT, self._options.connect_seconds)
        curl.setopt(pycurl.TIMEOUT, self._options.timeout_seconds)
        curl.setopt(pycurl.WRITEFUNCTION, handle.received.append)
        curl.setopt(pycurl.USERAGENT, "clarion")
        if self._bundle is not None:
            curl.setopt(pycurl.CAINFO, str(self._bundle))
        return handle

    def _on_socket(self, event: int, descriptor: int, _multi: object, _data: object) -> None:
        loop = self._loop
        assert loop is not None
        if descriptor in self._watched:
            loop.remove_reader(descriptor)
            loop.remove_writer(descriptor)
            self._watched.discard(descriptor)
        if event == pycurl.POLL_REMOVE:
            return
        self._watched.add(descriptor)
        if event in (pycurl.POLL_IN, pycurl.POLL_INOUT):
            loop.add_reader(descriptor, self._act, descriptor, pycurl.CSELECT_IN)
        if event in (pycurl.POLL_OUT, pycurl.POLL_INOUT):
            loop.add_writer(descriptor, self._act, descriptor, pycurl.CSELECT_OUT)

    def _on_timer(self, milliseconds: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if milliseconds >= 0 and self._loop is not None:
            self._timer = self._loop.call_later(
                milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0
            )

    def _act(self, descriptor: int, events: int) -> None:
        self._multi.socket_action(descriptor, events)
        while True:
            left, answered, failed = self._multi.info_read()
            for curl in answered:
                handle = self._busy[curl]
                wait = curl.getinfo(pycurl.RETRY_AFTER) if handle.received else 0
                self._finish(
                    handle,
                    Answer(
                        curl.getinfo(pycurl.RESPONSE_CODE),
                        b"".join(handle.received),
                        float(wait) if wait else None,
                    ),
                )
            for curl, code, _ in failed:
                self._finish(self._busy[curl], _failure(code))
            if not left:
                break
        self._start_waiting()

    def _finish(self, handle: _Handle, answer: Answer) -> None:
        call = handle.call
        assert call is not None
        self._multi.remove_handle(handle.curl)
        del self._busy[handle.curl]
        handle.received.clear()
        handle.call = None
        self._free.append(handle)
        call.answers[handle.index] = answer
        call.open -= 1
        if call.open == 0 and not call.done.done():
            call.done.set_result(None)


_NEVER_LEFT = frozenset(
    {
        pycurl.E_COULDNT_RESOLVE_HOST,
        pycurl.E_COULDNT_RESOLVE_PROXY,
        pycurl.E_COULDNT_CONNECT,
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
    }
)


def _failure(code: int) -> Answer:
    if code == pycurl.E_OPERATION_TIMEDOUT:
        reason = "timeout"
    elif code in _NEVER_LEFT:
        reason = "unreachable"
    else:
        reason = "connection_lost"
    return Answer(0, b"", None, failure=reason, left=code not in _NEVER_LEFT)
