"""Faults of HTTP/2 and cut connections, ordered of the simulator and met by Clarion's transport."""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from requests import Session

from clarion.providers.fcm.http.easy_handle import Answer, TransportOptions
from clarion.providers.fcm.http.transport import Transport
from fcm_simulator.process import SimulatorProcess
from harness import keep_home
from support.patience import PATIENCE

PROJECT = "shop-1"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
SEND = f"/v1/projects/{PROJECT}/messages:send"
SECONDS_MAX = PATIENCE


def body(token: str) -> bytes:
    return json.dumps({"message": {"token": token}}).encode()


def credentials(key: dict[str, str]) -> Credentials:
    return keep_home(Credentials.from_service_account_info(key, scopes=[SCOPE]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fronted(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatorProcess]:
    directory = tmp_path_factory.mktemp("fronted")
    async with SimulatorProcess(directory, http2_faults=True) as simulator:
        yield simulator


Post = Callable[..., Awaitable[list[Answer]]]


@pytest_asyncio.fixture(loop_scope="module")
async def post(fronted: SimulatorProcess) -> AsyncIterator[Post]:
    """POST messages as Clarion's sender does, over one connection."""
    await fronted.reset()
    made = credentials(fronted.key(PROJECT))
    with Session() as session:
        session.verify, session.trust_env = fronted.ca_file, False
        await asyncio.to_thread(made.refresh, Request(session))
    headers = [f"Authorization: Bearer {made.token}"]
    transport = Transport(fronted.ca_file, TransportOptions(connections=1, timeout_seconds=5))

    async def post_(*tokens: str) -> list[Answer]:
        async with asyncio.timeout(SECONDS_MAX):
            sent = [body(token) for token in tokens]
            return await transport.post(fronted.base_url + SEND, headers, sent)

    yield post_
    transport.close()


def tokens(count: int) -> list[str]:
    return [f"t{number}" for number in range(count)]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.xdist_group("fronted")
class TestFaultsOfHttp2:
    async def test_it_serves_as_the_fast_one_does(
        self, fronted: SimulatorProcess, post: Post
    ) -> None:
        assert [one.status for one in await post("a", "dead-1", "html-1")] == [200, 404, 502]
        assert [message["token"] for message in await fronted.messages()] == ["a"]

    @pytest.mark.parametrize("fault", ["refused", "goaway"])
    async def test_what_was_not_looked_at_is_sent_again_and_taken_once(
        self, fronted: SimulatorProcess, post: Post, fault: str
    ) -> None:
        await post("warm")
        await fronted.faults(plan=["ok", "ok", fault, "ok", fault], latency_ms=20)
        answers = await post(*tokens(30))
        assert [answer.status for answer in answers] == [200] * 30
        stats = await fronted.stats()
        assert stats["replies"] == {"accepted": 31, fault: 2}
        assert stats["repeated_pushes"] == 0

    async def test_goaway_ends_the_connection_and_the_next_one_is_a_new_one(
        self, fronted: SimulatorProcess, post: Post
    ) -> None:
        await post("warm")
        before = (await fronted.stats())["connections"]
        await post("goaway-once-1")
        await post("after")
        stats = await fronted.stats()
        assert stats["connections"] == before + 1
        assert stats["accepted"] == 3

    async def test_an_answer_can_still_be_lost(self, fronted: SimulatorProcess, post: Post) -> None:
        (answer,) = await post("lost-once-1")
        assert answer.left
        assert (await fronted.stats())["replies"] == {"accepted, lost": 1}

    async def test_a_long_answer_waits_for_the_callers_window(
        self, fronted: SimulatorProcess, post: Post
    ) -> None:
        for _ in range(4):
            await post(*[f"{number}-" + "x" * 1_000 for number in range(100)])
        trusting = ssl.create_default_context(cafile=fronted.ca_file)
        async with httpx.AsyncClient(http2=True, verify=trusting) as http:
            reply = await http.get(f"{fronted.base_url}/simulator/messages?limit=400")
        assert reply.http_version == "HTTP/2"
        assert Counter(len(one["token"]) > 1_000 for one in reply.json()["messages"]) == {True: 400}

    async def test_what_is_no_http_does_no_harm(
        self, fronted: SimulatorProcess, post: Post
    ) -> None:
        trusting = ssl.create_default_context(cafile=fronted.ca_file)
        host, _, port = fronted.base_url.removeprefix("https://").partition(":")
        for rubbish in (b"", b"P", b"PRI rubbish", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"x" * 99):
            _, writer = await asyncio.open_connection(host, int(port), ssl=trusting)
            writer.write(rubbish)
            await writer.drain()
            writer.transport.abort()
        assert [one.status for one in await post("a")] == [200]


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize(
    "options",
    [{}, {"http2_faults": True}, {"plain": True}],
    ids=["TLS", "with the front", "plain"],
)
async def test_however_many_connections_are_cut_nothing_is_left_open(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """Each push is sent as Clarion's sender does; what is lost is what it calls lost, and nothing
    is taken twice."""
    async with SimulatorProcess(tmp_path, schema=False, **options) as simulator:
        made = credentials(simulator.key(PROJECT))
        with Session() as session:
            session.verify, session.trust_env = simulator.ca_file, False
            await asyncio.to_thread(made.refresh, Request(session))
        headers = [f"Authorization: Bearer {made.token}"]
        transport = Transport(simulator.ca_file, TransportOptions(timeout_seconds=10))
        opened: list[int] = []
        sent = 0
        for fault in ["lost", "reset"] * 12:
            await simulator.faults(plan=["ok"] * 5 + [fault])
            bodies = [body(f"t{sent + number}") for number in range(20)]
            async with asyncio.timeout(SECONDS_MAX):
                answers = await transport.post(simulator.base_url + SEND, headers, bodies)
            assert all(answer.status == 200 or answer.left for answer in answers)
            assert any(answer.failure for answer in answers)
            sent += len(bodies)
            opened.append(await asyncio.to_thread(descriptors, simulator.pid))
        transport.close()
        stats = await simulator.stats()
    assert stats["repeated_pushes"] == 0
    assert stats["requests"] <= sent
    connections = TransportOptions().connections
    # A gate has two descriptors for a connection; some are still being closed.
    assert max(opened) <= opened[0] + 4 * connections, opened
