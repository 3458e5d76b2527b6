"""Access tokens where the way to the token endpoint is not the usual one."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import uuid4

import pytest

from clarion.deliveries.provider import Misconfigured, ProviderApp, Unavailable
from clarion.providers.fcm.auth import BELIEVED_SECONDS, AccessTokens
from fcm_simulator.process import SimulatorProcess
from support.clock import FakeClock

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("simulator"),
]

TOO_FAR = (
    b'{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token '
    b'(60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}'
)
GRANT = b'{"access_token":"ya29.good","expires_in":3599,"token_type":"Bearer"}'


def app(simulator: SimulatorProcess, **changed: str) -> ProviderApp:
    key = simulator.key("shop-1")
    return ProviderApp(id=uuid4(), project_id="shop-1", service_account={**key, **changed})


@asynccontextmanager
async def endpoint(answer: Callable[[], tuple[int, bytes, datetime]]) -> AsyncIterator[str]:
    """A token endpoint on this machine, whose clock `answer` tells; its address."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status, body, date = answer()
        head = f"HTTP/1.1 {status} X\r\nDate: {format_datetime(date, usegmt=True)}\r\n"
        head += f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"


@pytest.mark.parametrize(("hours", "told"), [(-1, "60 minutes ahead of"), (1, "60 minutes behind")])
async def test_a_clock_that_is_an_hour_wrong_is_named_and_once_right_it_goes_on(
    simulator: SimulatorProcess, clock: FakeClock, hours: int, told: str
) -> None:
    is_wrong = True

    def answer() -> tuple[int, bytes, datetime]:
        if is_wrong:
            return 400, TOO_FAR, datetime.now(UTC) + timedelta(hours=hours)
        return 200, GRANT, datetime.now(UTC)

    async with endpoint(answer) as address:
        tokens = AccessTokens(None, clock, (address,))
        one = app(simulator, token_uri=address)
        found = await tokens.get(one)
        assert isinstance(found, Misconfigured)
        assert (found.reason, found.left) == ("clock_wrong", False)
        assert told in found.detail and "by itself" in found.detail
        is_wrong = False
        clock.advance(BELIEVED_SECONDS + 1)
        assert await tokens.get(one) == "ya29.good"
        tokens.close()


async def test_a_refusal_is_not_believed_for_longer_because_our_clock_is_set_back(
    simulator: SimulatorProcess, clock: FakeClock
) -> None:
    answers = [(400, TOO_FAR), (200, GRANT)]
    async with endpoint(lambda: (*answers.pop(0), datetime.now(UTC))) as address:
        tokens = AccessTokens(None, clock, (address,))
        one = app(simulator, token_uri=address)
        assert isinstance(await tokens.get(one), Misconfigured)
        clock.advance(-3_600)
        assert await tokens.get(one) == "ya29.good"
        tokens.close()


async def test_the_extra_authority_is_trusted_through_a_proxy_too(
    simulator: SimulatorProcess, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy passes bytes on, as one that knows nothing of TLS."""
    tunnels = 0

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tunnels
        request = await reader.readuntil(b"\r\n\r\n")
        host, _, port = request.split()[1].decode().rpartition(":")
        tunnels += 1
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", address)
        one = app(simulator)
        assert one.service_account["token_uri"].startswith("https://")
        simulators = (one.service_account["token_uri"],)
        trusting = AccessTokens(simulator.ca_file, clock, simulators)
        assert isinstance(await trusting.get(one), str)
        assert tunnels == 1
        trusting.close()
        usual = AccessTokens(None, clock, simulators)
        assert await usual.get(one) == Unavailable(reason="oauth_unreachable", left=False)
        usual.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()
