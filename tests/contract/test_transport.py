"""The transport against a server that misbehaves on purpose: nothing is lost in silence, and
nothing is sent twice behind the caller's back."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest
from hyperframe.frame import GoAwayFrame

from clarion.providers.fcm.http.easy_handle import ANSWER_BYTES_MAX, Answer, TransportOptions
from clarion.providers.fcm.http.transport import REFUSALS_MAX, Transport
from support.http2 import ACCEPTED, Http2Server, Request, Script
from support.patience import PATIENCE

SECONDS_MAX = PATIENCE


class Line:
    """A server with a script, and a transport to it whose connection is already warm."""

    def __init__(self, directory: Path, stack: AsyncExitStack) -> None:
        self._directory = directory
        self._stack = stack

    async def open(
        self, script: Script, *, options: TransportOptions | None = None, streams: int = 100
    ) -> "Line":
        def warm_first(request: Request) -> None:
            if request.body == b"warm":
                request.answer()
            else:
                script(request)

        self.server = await self._stack.enter_async_context(
            Http2Server(self._directory, warm_first, streams=streams)
        )
        self.transport = Transport(self.server.ca_file, options or TransportOptions())
        self._stack.callback(self.transport.close)
        assert (await self.post(b"warm"))[0].status == 200
        return self

    async def post(self, *bodies: bytes, headers: list[str] | None = None) -> list[Answer]:
        async with asyncio.timeout(SECONDS_MAX):
            return await self.transport.post(f"{self.server.url}/send", headers or [], bodies)

    @property
    def received(self) -> Counter[bytes]:
        return Counter(request.body for request in self.server.requests if request.body != b"warm")


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    async with AsyncExitStack() as stack:
        yield Line(tmp_path, stack)


def bodies(count: int) -> list[bytes]:
    return [b"body-%d" % number for number in range(count)]


def echo(request: Request) -> None:
    request.answer(body=request.body)


async def test_answers_come_in_the_order_of_the_bodies_however_they_arrive(line: Line) -> None:
    held: list[Request] = []

    def backwards(request: Request) -> None:
        held.append(request)
        if len(held) == 50:
            for one in reversed(held):
                echo(one)

    await line.open(backwards)
    answers = await line.post(*bodies(50))
    assert [answer.body for answer in answers] == bodies(50)


@pytest.mark.parametrize("body", [b"", b"\x00", b"a\x00b", b"\xff" * 100_000, b"x" * 65_536])
async def test_any_bytes_arrive_whole(line: Line, body: bytes) -> None:
    await line.open(lambda request: request.answer())
    assert [one.status for one in await line.post(body, body)] == [200, 200]
    assert line.received == {body: 2}


async def test_a_handle_keeps_nothing_of_the_call_before(line: Line) -> None:
    seen: list[tuple[str, str]] = []

    def note(request: Request) -> None:
        seen.append((request.headers.get("authorization", ""), request.headers.get("x-one", "")))
        echo(request)

    await line.open(note, options=TransportOptions(in_flight=1))
    await line.post(b"a", headers=["Authorization: Bearer one", "X-One: 1"])
    await line.post(b"b", headers=["Authorization: Bearer two"])
    (answer,) = await line.post(b"", headers=["X-Three: 3"])
    assert seen == [("Bearer one", "1"), ("Bearer two", ""), ("", "")]
    assert answer.body == b""


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(lambda request: request.connection.drop(), id="reset"),
        pytest.param(lambda request: request.connection.writer.close(), id="closed"),
        pytest.param(lambda request: request.reset(), id="stream reset"),
    ],
)
async def test_a_request_whose_connection_dies_is_not_sent_again(
    line: Line, cut: Callable[[Request], None]
) -> None:
    def script(request: Request) -> None:
        if request.number == 4:
            cut(request)
        elif request.number > 4:
            request.answer()

    await line.open(script, options=TransportOptions(timeout_seconds=2))
    answers = await line.post(*bodies(3))
    assert all(answer.left for answer in answers)
    assert set(line.received.values()) == {1}
    assert [one.status for one in await line.post(b"next")] == [200]


async def test_a_server_that_goes_for_good_leaves_no_request_called_unsent(line: Line) -> None:
    arrived = asyncio.Event()
    await line.open(lambda request: arrived.set() if len(line.received) == 3 else None)
    waiting = asyncio.create_task(line.post(*bodies(3)))
    async with asyncio.timeout(SECONDS_MAX):
        await arrived.wait()
    await line.server.stop()
    assert {(one.failure, one.left) for one in await waiting} == {("connection_lost", True)}
    assert {(one.failure, one.left) for one in await line.post(b"next")} == {("unreachable", False)}


async def test_what_was_refused_unread_is_sent_again_at_once(line: Line) -> None:
    refused: set[bytes] = set()

    def script(request: Request) -> None:
        if request.body in refused:
            request.answer()
        else:
            refused.add(request.body)
            request.refuse()

    await line.open(script)
    assert [answer.status for answer in await line.post(*bodies(20))] == [200] * 20
    assert set(line.received.values()) == {2}


async def test_what_is_refused_for_ever_comes_back_as_never_sent(line: Line) -> None:
    await line.open(lambda request: request.refuse())
    (answer,) = await line.post(b"unwanted")
    assert (answer.failure, answer.left) == ("refused", False)
    assert line.received[b"unwanted"] == 1 + REFUSALS_MAX


async def test_after_goaway_only_what_was_not_looked_at_is_sent_again(line: Line) -> None:
    held: list[Request] = []

    def script(request: Request) -> None:
        if request.connection.number > 1:
            request.answer()
            return
        held.append(request)
        if len(held) == 10:
            last = GoAwayFrame(0, last_stream_id=held[5].stream)
            request.connection.writer.write(last.serialize())
            for one in held[:6]:
                one.answer()

    await line.open(script)
    assert [answer.status for answer in await line.post(*bodies(10))] == [200] * 10
    assert Counter(line.received.values()) == {1: 6, 2: 4}


async def test_a_connection_that_falls_silent_is_left(line: Line) -> None:
    def script(request: Request) -> None:
        if request.connection.number > 1:
            request.answer()

    await line.open(script, options=TransportOptions(timeout_seconds=1))
    assert {(one.failure, one.left) for one in await line.post(*bodies(3))} == {("timeout", True)}
    assert [one.status for one in await line.post(*bodies(3))] == [200] * 3
    assert set(line.received.values()) == {2}


async def test_a_slow_request_does_not_take_its_connection_along(line: Line) -> None:
    """Others are answered on it all the time: it is not silent."""
    stop = asyncio.Event()

    def script(request: Request) -> None:
        if request.body != b"slow":
            request.answer()

    await line.open(script, options=TransportOptions(timeout_seconds=1))

    async def talk() -> None:
        while not stop.is_set():
            assert [one.status for one in await line.post(b"quick")] == [200]

    talking = asyncio.create_task(talk())
    assert [one.failure for one in await line.post(b"slow")] == ["timeout"]
    stop.set()
    await talking
    assert len(line.server.connections) == 1


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_retry_after_is_read_in_both_forms(line: Line, body: bytes) -> None:
    def script(request: Request) -> None:
        date = formatdate(time() + 90, usegmt=True)
        after = {b"seconds": "30", b"date": date, b"rubbish": "soon"}.get(request.body)
        request.answer(503, body, {"retry-after": after} if after else None)

    await line.open(script)
    seconds, date, rubbish, none = await line.post(b"seconds", b"date", b"rubbish", b"none")
    assert seconds.retry_after_seconds == 30
    assert date.retry_after_seconds == pytest.approx(90, abs=3)
    assert rubbish.retry_after_seconds is None
    assert none.retry_after_seconds is None, "nor is it what the handle was told before"


async def test_an_answer_without_end_is_not_kept(line: Line) -> None:
    def flood(request: Request) -> None:
        wire = request.connection.wire
        wire.send_headers(
            request.stream,
            [(":status", "200"), ("content-length", str(10 * ANSWER_BYTES_MAX))],
        )
        request.connection.flush()

    await line.open(flood)
    (answer,) = await line.post(b"a")
    assert (answer.status, answer.failure) == (0, "connection_lost")


async def test_more_requests_than_streams_need_more_connections_but_no_more_than_allowed(
    line: Line,
) -> None:
    await line.open(echo, options=TransportOptions(connections=4, streams=10), streams=10)
    answers = await line.post(*bodies(400))
    assert [answer.body for answer in answers] == bodies(400)
    assert len(line.server.connections) <= 4


async def test_a_cancelled_call_sends_no_more_and_breaks_nothing(line: Line) -> None:
    held: list[Request] = []
    arrived = asyncio.Event()

    def script(request: Request) -> None:
        if request.body.startswith(b"body-"):
            held.append(request)
            if len(held) == 5:
                arrived.set()
        else:
            request.answer()

    await line.open(script, options=TransportOptions(in_flight=5))
    cancelled = asyncio.create_task(line.post(*bodies(50)))
    async with asyncio.timeout(SECONDS_MAX):
        await arrived.wait()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    for one in held:
        one.answer()
    assert [one.status for one in await line.post(b"next", b"next")] == [200, 200]
    assert len(held) == 5


async def test_closing_answers_whoever_still_waits(line: Line) -> None:
    arrived = asyncio.Event()

    def script(_: Request) -> None:
        if len(line.received) == 2:
            arrived.set()

    await line.open(script, options=TransportOptions(in_flight=2))
    waiting = asyncio.create_task(line.post(*bodies(5)))
    async with asyncio.timeout(SECONDS_MAX):
        await arrived.wait()
    line.transport.close()
    answers = await waiting
    assert {answer.failure for answer in answers} == {"closed"}
    assert [answer.left for answer in answers] == [True, True, False, False, False]
    assert [(one.failure, one.left) for one in await line.post(b"late")] == [("closed", False)]
    line.transport.close()


async def test_nothing_to_send_needs_no_server(tmp_path: Path) -> None:
    transport = Transport(None, TransportOptions())
    assert await transport.post("https://127.0.0.1:1/", [], []) == []
    transport.close()


async def test_a_server_of_an_unknown_authority_gets_nothing(tmp_path: Path) -> None:
    async with Http2Server(tmp_path, echo) as server:
        transport = Transport(None, TransportOptions())
        (answer,) = await transport.post(server.url, ["Authorization: Bearer x"], [b"secret"])
        transport.close()
    assert (answer.failure, answer.left) == ("unreachable", False)
    assert server.requests == []


async def test_a_connection_that_is_never_made_is_not_called_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        options = TransportOptions(connect_seconds=1, timeout_seconds=3)
        transport = Transport(None, options)
        (answer,) = await transport.post(f"https://127.0.0.1:{port}/", [], [b"x"])
        transport.close()
    assert (answer.failure, answer.left) == ("timeout", False)


def test_a_transport_belongs_to_one_event_loop() -> None:
    transport = Transport(None, TransportOptions(connect_seconds=1))

    async def post() -> list[Answer]:
        return await transport.post("https://127.0.0.1:1/", [], [b"x"])

    assert asyncio.run(post())[0].failure == "unreachable"
    with pytest.raises(RuntimeError, match="event loop"):
        asyncio.run(post())
    transport.close()


async def test_the_usual_answer_is_what_fcm_says(line: Line) -> None:
    await line.open(lambda request: request.answer())
    assert await line.post(b"x") == [Answer(200, ACCEPTED)]
