"""However a connection ends, a request that may have been read is called lost, and is not sent
again behind the caller's back; one that surely was not read is sent again at once."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clarion.providers.fcm.http.easy_handle import Answer, TransportOptions
from clarion.providers.fcm.http.transport import Transport
from support.endings import ACCEPTED, WARM, EndingServer, Manner, Moment, Protocol

SECONDS_MAX = 30
TIMEOUT_SECONDS = 3
BODY = b'{"message":{"token":"t"}}'

LOST = Answer(0, failure="connection_lost", left=True)
SILENCE = Answer(0, failure="timeout", left=True)
TAKEN = Answer(200, ACCEPTED)

ENDED_BEFORE = {
    (Protocol.PLAIN, Manner.CLOSED),
    (Protocol.PLAIN, Manner.CUT),
    (Protocol.PLAIN, Manner.RESET),
    (Protocol.TLS, Manner.CLOSED),
    (Protocol.TLS, Manner.CUT),
    (Protocol.TLS, Manner.RESET),
    (Protocol.HTTP2, Manner.RESET),
}
"""How a kept-alive connection may end so that it is seen before a request is sent on it. HTTP/2 has
GOAWAY for that; without it, what is sent on a connection that was closed is called lost."""


@asynccontextmanager
async def ending(
    directory: Path, protocol: Protocol, moment: Moment, manner: Manner, answered: int
) -> AsyncIterator[tuple[EndingServer, Transport]]:
    """A server, and a transport to it that has had `answered` answers."""
    async with (
        asyncio.timeout(SECONDS_MAX),
        EndingServer(directory, protocol, moment, manner, answered) as server,
    ):
        transport = Transport(server.ca_file, TransportOptions(timeout_seconds=TIMEOUT_SECONDS))
        try:
            for _ in range(answered):
                assert await transport.post(server.url, [], [WARM]) == [TAKEN]
            if moment is Moment.BEFORE and answered:
                server.idle.set()
                await server.ended.wait()
            yield server, transport
        finally:
            transport.close()


def read_times(server: EndingServer) -> int:
    return len(server.whole) - server.whole.count(WARM)


@pytest.mark.parametrize("answered", [0, 1, 3], ids=["fresh", "kept alive", "long kept alive"])
@pytest.mark.parametrize("manner", [Manner.CLOSED, Manner.CUT, Manner.RESET])
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("protocol", Protocol)
async def test_what_may_have_been_read_is_lost_and_not_sent_again(
    tmp_path: Path, protocol: Protocol, moment: Moment, manner: Manner, answered: int
) -> None:
    async with ending(tmp_path, protocol, moment, manner, answered) as (server, transport):
        (answer,) = await transport.post(server.url, [], [BODY])
        if moment is Moment.BEFORE and answered and (protocol, manner) in ENDED_BEFORE:
            assert (answer, read_times(server), server.connections) == (TAKEN, 1, 2)
        else:
            is_read = moment not in (Moment.BEFORE, Moment.DURING)
            assert (answer, read_times(server)) == (LOST, int(is_read))
            assert server.connections == 1, "nothing was tried again"
        assert await transport.post(server.url, [], [b"next"]) == [TAKEN], "the next one is well"


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_host_that_vanishes_is_waited_for_once(tmp_path: Path, protocol: Protocol) -> None:
    async def vanish(moment: Moment, answered: int) -> None:
        async with ending(tmp_path, protocol, moment, Manner.SILENT, answered) as (server, sender):
            assert await sender.post(server.url, [], [BODY]) == [SILENCE]
            is_read = moment not in (Moment.BEFORE, Moment.DURING)
            assert (read_times(server), server.connections) == (int(is_read), 1)
            if protocol is not Protocol.HTTP2:  # whose connection may yet answer others
                assert await sender.post(server.url, [], [b"next"]) == [TAKEN]

    await asyncio.gather(*itertools.starmap(vanish, itertools.product(Moment, (0, 2))))


@pytest.mark.parametrize("protocol", Protocol)
async def test_even_a_request_without_a_body_is_not_sent_again(
    tmp_path: Path, protocol: Protocol
) -> None:
    """There is nothing of it to wind back, which is what libcurl asks for otherwise."""
    async with ending(tmp_path, protocol, Moment.AFTER, Manner.CLOSED, 1) as (server, transport):
        assert await transport.post(server.url, [], [b""]) == [LOST]
        assert (read_times(server), server.connections) == (1, 1)


@pytest.mark.parametrize("protocol", [Protocol.PLAIN, Protocol.TLS])
async def test_what_follows_a_kept_alive_connection_that_ended_is_sent_once(
    tmp_path: Path, protocol: Protocol
) -> None:
    """A whole batch over one connection, which ends in its middle: one is lost, no more."""
    async with EndingServer(tmp_path, protocol, Moment.AFTER, Manner.CLOSED, 50) as server:
        transport = Transport(server.ca_file, TransportOptions(connections=1))
        bodies = [b"body-%d" % number for number in range(100)]
        async with asyncio.timeout(SECONDS_MAX):
            answers = await transport.post(server.url, [], bodies)
        transport.close()
    assert [answer for answer in answers if answer != TAKEN] == [LOST]
    assert sorted(server.whole) == sorted(bodies)
