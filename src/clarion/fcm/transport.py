"""Many HTTP/2 requests at once through libcurl, driven by asyncio (`socket_action`).

libcurl keeps the connections and multiplexes up to `streams` requests on each. Easy handles are
kept and used again; what is constant for a call (address, headers) is set once for each handle.

**Nothing is sent twice behind the caller's back.** libcurl by itself repeats a request whose
connection died under it, though the other side may have acted on it. To repeat it must wind the
body back, so it is given a body that can not be wound back, and the request fails instead. Only
what the other side says it has not looked at (REFUSED_STREAM, or a stream after GOAWAY's last) is
sent again, by us, at once.
"""

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from weakref import finalize

import pycurl

from clarion.fcm.request import Answer, Call, Handle, TransportOptions
from clarion.fcm.retry_after import retry_after
from clarion.fcm.trust import bundle
from clarion.fcm.window import EVERY, Window

REFUSALS_MAX = 5
"""How often one request is sent again because it was refused unread."""


class Transport:
    """One libcurl multi handle. Belongs to the event loop it is first used in."""

    def __init__(self, ca_file: str | None, options: TransportOptions) -> None:
        self._authorities = bundle(ca_file)
        self._forget_authorities = finalize(self, self._authorities.unlink, missing_ok=True)
        self._options = options
        self._window = Window(least=options.in_flight_least, most=options.in_flight)
        self._answers = 0
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, options.connections)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, options.streams)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._free: list[Handle] = []
        self._busy: dict[pycurl.Curl, Handle] = {}
        self._waiting: deque[Call] = deque()
        self._refused: deque[tuple[Call, int]] = deque()
        self._watched: set[int] = set()
        self._is_closed = False

    async def post(self, url: str, headers: list[str], bodies: Sequence[bytes]) -> list[Answer]:
        """POST each body; answers in the order of `bodies`. Never raises for a lost answer.

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
        self._waiting.append(call)
        self._start_waiting()
        try:
            await call.done
        except asyncio.CancelledError:
            with suppress(ValueError):
                self._waiting.remove(call)
            raise
        return [answer for answer in answers if answer is not None]

    def close(self) -> None:
        """Drop every connection; calls that are still open are answered with a failure."""
        if self._is_closed:
            return
        self._is_closed = True
        for handle in list(self._busy.values()):
            left = handle.curl.getinfo(pycurl.REQUEST_SIZE) > 0
            self._finish(handle, Answer(0, failure="closed", left=left))
        for call, index in self._refused:
            self._settle(call, index, Answer(0, failure="closed", left=False))
        for call in self._waiting:
            for index in range(call.started, len(call.bodies)):
                self._settle(call, index, Answer(0, failure="closed", left=False))
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
        while len(busy) < room:
            if self._refused:
                call, index = self._refused.popleft()
                if call.done.cancelled():
                    continue
            elif self._waiting:
                call = self._waiting[0]
                index = call.started
                call.started += 1
                if call.started == len(call.bodies):
                    self._waiting.popleft()
            else:
                return
            handle = free.pop() if free else Handle(self._options, self._authorities)
            handle.carry(call, index)
            busy[handle.curl] = handle
            self._multi.add_handle(handle.curl)

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
        if milliseconds >= 0 and self._loop is not None and not self._is_closed:
            self._timer = self._loop.call_later(
                milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0
            )

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
                status = curl.getinfo(pycurl.RESPONSE_CODE)
                wait = (
                    None if status == 200 else retry_after(handle.header_lines, datetime.now(UTC))
                )
                self._finish(handle, Answer(status, b"".join(handle.received), wait))
            for curl, code, message in failed:
                self._fail(self._busy[curl], code, message)
        self._start_waiting()

    def _look_at(self, curl: pycurl.Curl) -> None:
        sent, answered = curl.getinfo(pycurl.PRETRANSFER_TIME), curl.getinfo(pycurl.TOTAL_TIME)
        self._window.answered(answered - sent, is_full=len(self._busy) >= self._window.limit)

    def _fail(self, handle: Handle, code: int, message: str) -> None:
        call, index, curl = handle.call, handle.index, handle.curl
        assert call is not None
        left = curl.getinfo(pycurl.REQUEST_SIZE) > 0
        if _is_unread(code, message, left):
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

    def _finish(self, handle: Handle, answer: Answer) -> None:
        call, index = handle.call, handle.index
        assert call is not None
        self._release(handle)
        self._settle(call, index, answer)

    def _release(self, handle: Handle) -> None:
        self._multi.remove_handle(handle.curl)
        del self._busy[handle.curl]
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


def _is_unread(code: int, message: str, left: bool) -> bool:
    """Whether the other side can not have looked at a request that failed.

    libcurl tells us so only by asking to wind the body back, and keeps the first error it met:
    that it met none before it was told that it can not means that the stream was refused.
    """
    if code == pycurl.E_SEND_FAIL_REWIND:
        return not left or message.startswith("seek callback")
    return code == pycurl.E_SEND_ERROR and not left


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
