"""Many HTTP/2 requests at once through libcurl, driven by asyncio (`socket_action`).

libcurl keeps the connections and multiplexes up to `streams` requests on each. Easy handles are
kept and used again; what is constant for a call (address, headers) is set once for each handle.

**Nothing is sent twice behind the caller's back.** libcurl by itself repeats a request whose
connection died under it, though the other side may have acted on it. It asks before it begins a
request (`EasyHandle`), and may begin each only once: where it would repeat it, the request fails
instead. Sent again, by us and at once, is only what surely was not read:

- nothing of it had left;
- HTTP/2 says that it was not looked at (REFUSED_STREAM, or a stream after GOAWAY's last).

HTTP/1.1 has no such word. A kept-alive connection that ends after a request has left may have been
read, whichever way it ends: the answer is lost. One that has ended before is not used.
"""

import asyncio
import os
import select
import socket
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from weakref import finalize

import pycurl

from clarion.clock import SystemClock
from clarion.providers.fcm.http.ca_bundle import bundle
from clarion.providers.fcm.http.concurrency_limiter import EVERY, ConcurrencyLimiter
from clarion.providers.fcm.http.easy_handle import (
    Answer,
    Call,
    Connection,
    EasyHandle,
    TransportOptions,
)
from clarion.providers.fcm.http.retry_after import retry_after

REFUSALS_MAX = 5
"""How often one request is sent again because it was refused unread."""


class Transport:
    """One libcurl multi handle. Belongs to the event loop it is first used in."""

    def __init__(self, ca_file: str | None, options: TransportOptions) -> None:
        self._authorities = bundle(ca_file)
        self._forget_authorities = finalize(self, self._authorities.unlink, missing_ok=True)
        self._options = options
        self._window = ConcurrencyLimiter(least=options.in_flight_least, most=options.in_flight)
        self._answers = 0
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, options.connections)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, options.streams)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = False
        """The timer is set, and for at once."""
        self._free: list[EasyHandle] = []
        self._busy: dict[pycurl.Curl, EasyHandle] = {}
        self._waiting: deque[Call] = deque()
        self._first: deque[Call] = deque()
        """Calls that are begun before all of `_waiting`."""
        self._refused: deque[tuple[Call, int]] = deque()
        self._watched: set[int] = set()
        self._http1: dict[Connection, int] = {}
        """Connections on which HTTP/1.x was answered, and the descriptor of each."""
        self._is_closed = False

    async def post(
        self, url: str, headers: list[str], bodies: Sequence[bytes], *, goes_first: bool = False
    ) -> list[Answer]:
        """POST each body; answers in the order of `bodies`. Never raises for a lost answer.
        `goes_first`: before all that wait and do not.

        Pass the same list of headers again while they are the same: it is compared by identity.
        When cancelled, what has not been started is not sent; what is in the air flies on, unheard.
        """
        if not bodies:
            return []
        if self._is_closed:
            return [Answer(0, failure="closed", left=False)] * len(bodies)
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("a Transport belongs to the event loop it was first used in")
        answers: list[Answer | None] = [None] * len(bodies)
        call = Call(url.encode(), headers, bodies, answers, len(bodies), loop.create_future())
        waiting = self._first if goes_first else self._waiting
        waiting.append(call)
        self._start_waiting()
        try:
            await call.done
        except asyncio.CancelledError:
            with suppress(ValueError):
                waiting.remove(call)
            raise
        return [answer for answer in answers if answer is not None]

    def close(self) -> None:
        """Drop every connection; calls that are still open are answered with a failure."""
        if self._is_closed:
            return
        self._is_closed = True
        for handle in list(self._busy.values()):
            self._finish(handle, Answer(0, failure="closed", left=handle.has_left))
        for call, index in self._refused:
            self._settle(call, index, Answer(0, failure="closed", left=False))
        for call in (*self._first, *self._waiting):
            for index in range(call.started, len(call.bodies)):
                self._settle(call, index, Answer(0, failure="closed", left=False))
        self._first.clear()
        self._waiting.clear()
        self._refused.clear()
        for handle in self._free:
            handle.curl.close()
        self._multi.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._loop is not None and not self._loop.is_closed():
            for descriptor in self._watched:
                self._loop.remove_reader(descriptor)
                self._loop.remove_writer(descriptor)
        self._watched.clear()
        self._forget_authorities()

    def _start_waiting(self) -> None:
        free, busy, room = self._free, self._busy, self._window.limit
        add_handle = self._multi.add_handle
        while len(busy) < room:
            if self._refused:
                call, index = self._refused.popleft()
                if call.done.cancelled():
                    continue
            elif waiting := self._first or self._waiting:
                call = waiting[0]
                index = call.started
                call.started += 1
                if call.started == len(call.bodies):
                    waiting.popleft()
            else:
                return
            handle = free.pop() if free else self._new_handle()
            handle.carry(call, index)
            busy[handle.curl] = handle
            add_handle(handle.curl)

    def _new_handle(self) -> EasyHandle:
        return EasyHandle(self._options, self._authorities, self._may_use)

    def _may_use(self, connection: Connection) -> bool:
        """Not a kept-alive one of HTTP/1.x with something to read: nothing was asked on it, so
        that can only be its end. libcurl looks for it itself, but no more than once a second."""
        if not self._http1:
            return True
        descriptor = self._http1.get(connection)
        if descriptor is None or not (descriptor == _GONE or _is_readable(descriptor)):
            return True
        del self._http1[connection]
        return False

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
        if milliseconds == 0 and self._is_due:
            return  # libcurl says so of each request it is handed
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._is_due = None, False
        if milliseconds >= 0 and self._loop is not None and not self._is_closed:
            self._timer = self._loop.call_later(milliseconds / 1000, self._on_time)
            self._is_due = milliseconds == 0

    def _on_time(self) -> None:
        self._timer, self._is_due = None, False
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, descriptor: int, events: int) -> None:
        self._multi.socket_action(descriptor, events)
        more = 1
        while more:
            more, answered, failed = self._multi.info_read()
            for curl in answered:
                handle = self._busy[curl]
                self._answers += 1
                if self._answers % EVERY == 0:
                    self._look_at(curl)
                if curl.getinfo(_HTTP_VERSION) <= _HTTP_1_1:
                    self._note_http1(handle)
                    if handle.is_cut_off:
                        # libcurl takes it for an answer, and would use its connection again.
                        self._finish(handle, Answer(0, failure="connection_lost"))
                        continue
                status, received = curl.getinfo(_STATUS), handle.received
                wait = (
                    None if status == 200 else retry_after(handle.header_lines, SystemClock().now())
                )
                body = received[0] if len(received) == 1 else b"".join(received)
                self._finish(handle, Answer(status, body, wait))
            for curl, code, message in failed:
                self._fail(self._busy[curl], code, message)
        self._start_waiting()

    def _look_at(self, curl: pycurl.Curl) -> None:
        sent, answered = curl.getinfo(pycurl.PRETRANSFER_TIME), curl.getinfo(pycurl.TOTAL_TIME)
        self._window.answered(answered - sent, is_full=len(self._busy) >= self._window.limit)

    def _note_http1(self, handle: EasyHandle) -> None:
        assert handle.connection is not None
        descriptor = _GONE if handle.is_cut_off else handle.curl.getinfo(pycurl.ACTIVESOCKET)
        self._http1[handle.connection] = descriptor

    def _fail(self, handle: EasyHandle, code: int, message: str) -> None:
        call, index, curl = handle.call, handle.index, handle.curl
        assert call is not None
        left = handle.has_left
        is_http2 = call.url.startswith(b"https:") and handle.connection not in self._http1
        if _is_unread(code, message, left=left, is_http2=is_http2):
            times = call.refusals[index] = call.refusals.get(index, 0) + 1
            if times <= REFUSALS_MAX:
                self._release(handle)
                self._refused.append((call, index))
                return
            answer = Answer(0, failure="refused", left=False)
        elif code == pycurl.E_OPERATION_TIMEDOUT:
            if left:
                silence = self._options.timeout_seconds * 0.9
                _cut_if_silent(curl.getinfo(pycurl.ACTIVESOCKET), silence)
            answer = Answer(0, failure="timeout", left=left)
        else:
            answer = Answer(0, failure="connection_lost" if left else "unreachable", left=left)
        self._finish(handle, answer)

    def _finish(self, handle: EasyHandle, answer: Answer) -> None:
        call, index = handle.call, handle.index
        assert call is not None
        self._release(handle)
        self._settle(call, index, answer)

    def _release(self, handle: EasyHandle) -> None:
        curl = handle.curl
        self._multi.remove_handle(curl)
        del self._busy[curl]
        handle.received.clear()
        handle.header_lines.clear()
        handle.call = None
        handle.body = b""
        self._free.append(handle)

    def _settle(self, call: Call, index: int, answer: Answer) -> None:
        call.answers[index] = answer
        call.open -= 1
        if call.open == 0 and not call.done.done():
            call.done.set_result(None)


def _is_unread(code: int, message: str, *, left: bool, is_http2: bool) -> bool:
    """Whether the other side can not have looked at a request that failed.

    Where the connection died or the stream was refused, libcurl wants to send it again, and is
    told that it can not. It keeps the first error that it met: that this is the first means, in
    HTTP/2, that the stream was refused; in HTTP/1.x only that the connection was closed in good
    order.
    """
    if not left:
        return code in _NOT_SENT
    return is_http2 and code in _NOT_REPEATED and message.startswith(_FIRST_ERRORS)


_HTTP_VERSION, _STATUS = pycurl.INFO_HTTP_VERSION, pycurl.RESPONSE_CODE
_HTTP_1_1 = pycurl.CURL_HTTP_VERSION_1_1
_NOT_REPEATED = frozenset({pycurl.E_SEND_FAIL_REWIND, pycurl.E_ABORTED_BY_CALLBACK})
_NOT_SENT = _NOT_REPEATED | {pycurl.E_SEND_ERROR}
_FIRST_ERRORS = ("seek callback", "operation aborted by pre-request callback")


_GONE = -1
"""libcurl's own value for a connection that has no descriptor any more."""


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


_LAST_RECEIVED = struct.Struct("52xI")
"""`tcpi_last_data_recv` in Linux's `struct tcp_info`: milliseconds since data came in."""


def _cut_if_silent(descriptor: int, seconds: float) -> None:
    """Cut the connection of a request that timed out, if nothing at all was heard on it meanwhile:
    a peer can vanish without a word, and would take every later request with it."""
    if descriptor < 0 or not hasattr(socket, "TCP_INFO"):
        return
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_RECEIVED.size)
        if _LAST_RECEIVED.unpack(info)[0] > seconds * 1000:
            connection.shutdown(socket.SHUT_RDWR)
