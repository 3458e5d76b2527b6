"""What connections may cost before anybody has looked at who calls: each limit ends what exceeds
it, and lets through what does not."""

import asyncio
import re
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from clarion.web.connections import (
    DESCRIPTORS_SHARE,
    Connection,
    Connections,
    Limits,
    connections_max,
)
from support.clock import FakeClock
from support.patience import growth
from support.station import KEY, Station, station_on_sqlite, track
from support.wire import Line, basic, chunked, line, request

HEAD_BYTES = Limits(connections=1).head_bytes
EVENT = msgspec.json.encode(track("m"))
LIVE = b"GET /livez HTTP/1.1\r\nHost: collector\r\n\r\n"
ENDED_SECONDS = 20.0


@asynccontextmanager
async def serving(tmp_path: Path, clock: FakeClock, limits: Limits) -> AsyncIterator[Station]:
    async with station_on_sqlite(tmp_path, clock, limits=limits) as station:
        yield station


@pytest.fixture
async def station(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Station]:
    async with serving(tmp_path, clock, Limits(connections=100)) as station:
        yield station


async def ended(one: Line) -> bytes:
    """What comes until the server hangs up."""
    got = b""
    async with asyncio.timeout(ENDED_SECONDS):
        try:
            while part := await one.reader.read(65_536):
                got += part
        except ConnectionError:
            pass
    return got


async def works(station: Station) -> bool:
    return (await station.post("/v1/track", EVENT)).status == 200


# --- the size of a head -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /livez HTTP/1.1\r\nX: " + b"x" * 4_000_000, id="one header"),
        pytest.param(b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 700_000, id="many headers"),
        pytest.param(b"GET /" + b"x" * 4_000_000, id="a path"),
        pytest.param(b"GET /livez?" + b"x" * 4_000_000, id="a query"),
        pytest.param(b"GET /livez HTTP/1.1\r\n" + b"x" * 4_000_000, id="a name"),
    ],
)
async def test_a_head_without_end_is_answered_431_and_read_no_further(
    station: Station, head: bytes
) -> None:
    async with line(station.port) as one:
        with suppress(ConnectionError):
            for at in range(0, len(head), 16_384):
                await one.send(head[at : at + 16_384])
        assert (await ended(one)).partition(b"\r\n")[0] in (
            b"HTTP/1.1 431 Request Header Fields Too Large",
            b"HTTP/1.1 400 Bad Request",
            b"",  # the answer was lost to what was still being sent
        )
    assert await works(station)


@pytest.mark.parametrize("size", [HEAD_BYTES + 1, 3 * HEAD_BYTES])
async def test_a_whole_head_that_is_too_large_is_answered_431(station: Station, size: int) -> None:
    async with line(station.port) as one:
        await one.send(request("/v1/track", b"", {**basic(KEY), "Cookie": "x" * size}))
        reply = await one.reply()
    assert (reply.status, reply.json["code"]) == (431, "headers_too_large")
    assert reply.headers["connection"] == "close"
    assert await station.events() == []


async def test_a_head_as_large_as_proxies_let_through_is_taken(station: Station) -> None:
    for number in range(2):
        cookie = {"Cookie": "x" * (HEAD_BYTES - 1_000)}
        reply = await station.post("/v1/track", track(f"m{number}"), cookie)
        assert reply.status == 200
    many = {f"X-{number}": "y" * 100 for number in range(500)}
    assert (await station.post("/v1/track", track("m2"), many)).status == 200
    assert await station.message_ids() == ["m0", "m1", "m2"]


async def test_each_request_of_a_connection_has_a_head_of_its_own(station: Station) -> None:
    cookie = {**basic(KEY), "Cookie": "x" * (HEAD_BYTES // 2)}
    async with line(station.port) as one:
        for _ in range(5):
            assert (await one.ask(request("/v1/track", EVENT, cookie))).status == 200
        await one.send(request("/v1/track", EVENT, cookie) * 4)
        for _ in range(4):
            assert (await one.reply()).status == 200


async def test_trailers_without_end_are_hung_up_on(station: Station) -> None:
    body = chunked(EVENT)[:-2]
    async with line(station.port) as one:
        raw = request("/v1/track", body, {**basic(KEY), "Transfer-Encoding": "chunked"})
        await one.send(raw + b"X: y\r\n" * 200_000)
        assert b" 200 " not in await ended(one)
    assert await works(station)


# --- time -------------------------------------------------------------------------------------


async def test_a_head_that_does_not_end_is_answered_408(tmp_path: Path, clock: FakeClock) -> None:
    limits = Limits(connections=100, head_seconds=0.1)
    async with serving(tmp_path, clock, limits) as station:
        async with line(station.port) as slow, line(station.port) as silent:
            await slow.send(b"GET /livez HTT")
            assert (await slow.reply()).status == 408
            assert await ended(slow) == b""
            assert await ended(silent) == b""
        async with line(station.port) as second:
            assert (await second.ask(LIVE)).status == 200
            await second.send(b"GET /li")
            assert (await second.reply()).status == 408


async def test_a_kept_connection_may_be_idle_for_longer_than_a_head_may_take(
    tmp_path: Path, clock: FakeClock
) -> None:
    limits = Limits(connections=100, head_seconds=0.05)
    async with serving(tmp_path, clock, limits) as station:
        async with line(station.port) as kept, line(station.port) as other:
            assert (await kept.ask(LIVE)).status == 200
            assert await ended(other) == b""  # so that much time has passed
            assert (await kept.ask(LIVE)).status == 200


async def test_a_body_goes_on_coming_for_a_while_only_after_its_answer(
    tmp_path: Path, clock: FakeClock
) -> None:
    limits = Limits(connections=100, rest_seconds=0.1)
    async with serving(tmp_path, clock, limits) as station:
        async with line(station.port) as one:
            await one.send(request("/v1/track", b"x" * 9, {**basic("?"), "Content-Length": "99"}))
            assert (await one.reply()).status == 401
            assert await ended(one) == b""


async def test_a_body_that_does_not_come_ends_its_connection_whoever_waits_for_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    limits = Limits(connections=100, body_seconds=0.1)
    async with serving(tmp_path, clock, limits) as station:
        async with line(station.port) as one:
            await one.send(request("/v1/track", b"{", {**basic(KEY), "Content-Length": "99"}))
            assert await ended(one) == b""
        assert await works(station)


# --- the number of connections ----------------------------------------------------------------


async def test_silent_connections_shut_nobody_out(tmp_path: Path, clock: FakeClock) -> None:
    async with serving(tmp_path, clock, Limits(connections=20)) as station:
        async with AsyncExitStack() as stack:
            silent = [await stack.enter_async_context(line(station.port)) for _ in range(300)]
            begun = [await stack.enter_async_context(line(station.port)) for _ in range(50)]
            for one in begun:
                await one.send(b"GET /livez HTTP/1.1\r\n")
            for number in range(5):
                reply = await station.post("/v1/track", track(f"m{number}"))
                assert reply.status == 200
            assert await ended(silent[0]) == b""


async def test_who_is_at_work_is_never_hung_up_on_for_others(
    tmp_path: Path, clock: FakeClock
) -> None:
    raw = request("/v1/track", EVENT, basic(KEY))
    async with serving(tmp_path, clock, Limits(connections=10)) as station:
        async with AsyncExitStack() as stack:
            working = [await stack.enter_async_context(line(station.port)) for _ in range(10)]
            for one in working:
                await one.send(raw[:-1])
            for _ in range(10):
                async with line(station.port) as newcomer:
                    await newcomer.send(LIVE)
                    answer = await ended(newcomer)
                    assert re.match(rb"HTTP/1\.1 503 .*retry-after: 2\r\n", answer, re.DOTALL)
            for one in working:
                assert (await one.ask(raw[-1:])).status == 200


async def test_of_kept_connections_the_one_that_was_idle_longest_makes_room(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with serving(tmp_path, clock, Limits(connections=3)) as station:
        async with line(station.port) as a, line(station.port) as b, line(station.port) as c:
            for one in (a, b, c, a):
                assert (await one.ask(LIVE)).status == 200
            async with line(station.port) as d:
                assert (await d.ask(LIVE)).status == 200
                assert await ended(b) == b""
                for one in (a, c, d):
                    assert (await one.ask(LIVE)).status == 200


def test_connections_leave_a_fifth_of_the_descriptors_to_the_rest() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 1 <= connections_max() <= max(1, int(soft * DESCRIPTORS_SHARE))


# --- between two requests ---------------------------------------------------------------------


async def test_a_connection_is_closed_that_asks_nothing_more(
    tmp_path: Path, clock: FakeClock
) -> None:
    limits = Limits(connections=100, idle_seconds=0.4)
    async with serving(tmp_path, clock, limits) as station, line(station.port) as one:
        one.writer.write(LIVE)
        answer = await ended(one)
    assert answer.startswith(b"HTTP/1.1 200") and answer.count(b"HTTP/1.1") == 1


async def test_a_connection_stays_open_while_it_is_used_however_many_are_closed_beside_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    limits = Limits(connections=100, idle_seconds=2.0)
    async with serving(tmp_path, clock, limits) as station, AsyncExitStack() as stack:
        used = await stack.enter_async_context(line(station.port))
        others = [await stack.enter_async_context(line(station.port)) for _ in range(5)]
        for one in others:
            one.writer.write(LIVE)
        closed = asyncio.gather(*map(ended, others))
        asked = 0
        while not closed.done():
            assert (await used.ask(LIVE)).status == 200
            asked += 1
            await asyncio.sleep(0.05)
        assert [answer.count(b"HTTP/1.1 200") for answer in await closed] == [1] * 5
        assert (await used.ask(LIVE)).status == 200
        assert asked > 5


class Later:
    """A loop of which a test calls back what is to be called later."""

    def call_later(self, seconds: float, do: Callable[..., None], *given: Any) -> None:
        self.call_back = partial(do, *given)


@dataclass(eq=False)
class Idle:
    """As much of a connection as is looked at while it is idle."""

    loop: Later
    transport: None = None


def test_to_look_at_what_is_idle_costs_no_more_where_there_are_four_times_as_many() -> None:
    def looked_at(count: int) -> Callable[[], None]:
        loop, connections = Later(), Connections(Limits(connections=count))
        for _ in range(count):
            connections.is_idle(cast(Connection, Idle(loop)))

        def look() -> None:
            for _ in range(200):
                loop.call_back()

        return look

    assert growth(looked_at(2_000), looked_at(8_000)) < 2
