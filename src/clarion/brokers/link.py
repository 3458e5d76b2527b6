"""One connection to NATS, for as long as it lasts. Used by `brokers/jetstream.py` only.

Nothing is buffered over a loss and nothing is sent again by itself: what was under way when the
connection went is an error to whoever waits, and the next user opens another link. Every call ends
within `REQUEST_SECONDS` (a pull: after its wait), however dead the server is.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import AuthorizationError, ConnectionClosedError, Error, NoRespondersError
from nats.js import JetStreamContext
from nats.js.errors import NoStreamResponseError, ServiceUnavailableError

from clarion.broker import BrokerUnavailable

REQUEST_SECONDS = 5.0
CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 2.0
PING_SECONDS = 10
PINGS_UNANSWERED_MAX = 2

NO_MESSAGES, PULL_ENDED, NO_RESPONDERS = "404", "408", "503"

_FAILURES = (Error, OSError, EOFError, RuntimeError)
"""How the library says that the connection is gone; the last is uvloop's, for a transport that has
closed under a write."""

_START_JETSTREAM = "Start nats-server with JetStream (`nats-server -js`), and for this account."
_LET_IN = "Put user and password in CLARION_BROKER_URL: nats://USER:PASSWORD@HOST."

log = structlog.get_logger(__name__)


class Link:
    """Open until the server, the network or `close` ends it. Raises BrokerUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._address = client.new_inbox()
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[Msg]] = {}
        self._pulls: set[asyncio.Queue[Msg | None]] = set()
        self._is_doubtful = False
        self.jetstream: JetStreamContext = client.jetstream(timeout=REQUEST_SECONDS)

    @classmethod
    async def open(cls, servers: Sequence[str]) -> "Link":
        """Connect to the first of `servers` that answers, tried in random order."""
        client = Client()
        link = cls(client)

        async def heard(error: Exception) -> None:
            log.debug("nats_error", reason=str(error))

        with as_unavailable():
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await client.connect(
                        servers=list(servers),
                        name="clarion",
                        allow_reconnect=False,
                        max_reconnect_attempts=1,
                        reconnect_time_wait=0,
                        ping_interval=PING_SECONDS,
                        max_outstanding_pings=PINGS_UNANSWERED_MAX,
                        drain_timeout=int(CLOSE_SECONDS),
                        disconnected_cb=link._lost,
                        error_cb=heard,
                    )
                    await client.subscribe(f"{link._address}.*", cb=link._answered)
            except BaseException as error:
                with suppress(Exception):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await client.close()
                if isinstance(error, Error | OSError) or not isinstance(error, Exception):
                    raise
                # Whatever else the library stumbles over there is not NATS, or was cut off.
                raise BrokerUnavailable(
                    f"no NATS answers there ({type(error).__name__})"
                ) from error
        return link

    @property
    def is_lost(self) -> bool:
        """The connection is lost, or had no answer for our stream or its consumers."""
        return self._is_doubtful or not self._client.is_connected

    @property
    def message_bytes_max(self) -> int:
        """What the server takes as one message, headers included."""
        return self._client.max_payload

    @property
    def server_version(self) -> tuple[int, int]:
        """(0, 0) for what is no version of nats-server's."""
        try:
            version = self._client.connected_server_version
            return version.major, version.minor
        except ValueError:
            return 0, 0

    def judge(self, failure: BrokerUnavailable) -> None:
        """Note of what a call met here whether waiting helps. JetStream is not heard while a
        cluster elects a leader, and of a lone server that has none it never is."""
        info = self._client._server_info
        is_alone = not info.get("jetstream") and not info.get("cluster")
        failure.lasts = failure.lasts or (is_alone and failure.cure == _START_JETSTREAM)

    def fresh_name(self) -> str:
        """A part of a subject that was never used."""
        return self._client.new_inbox().rpartition(".")[2]

    async def request(
        self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None
    ) -> Msg:
        """Send, and wait for the answer. A loss of the connection is an error at once."""
        name = str(next(self._numbers))
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        try:
            with self.calling():
                async with asyncio.timeout(REQUEST_SECONDS):
                    await self._client.publish(
                        subject, payload, f"{self._address}.{name}", headers or None
                    )
                    message = await answer
                    if (message.headers or {}).get("Status") == NO_RESPONDERS:
                        raise NoRespondersError
                    return message
        finally:
            del self._answers[name]

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        """Have a stream store a message; it has, when this returns."""
        answer = json.loads((await self.request(subject, payload, headers)).data)
        if "error" in answer:
            raise BrokerUnavailable(f"NATS: {answer['error'].get('description', 'refused')}")

    async def send(self, subject: str, payload: bytes) -> None:
        """Send, and wait for nothing. What is sent later on this link arrives later."""
        with self.calling():
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._client.publish(subject, payload)

    async def pull(self, subject: str, *, batch: int, wait_seconds: float = 0.0) -> list[Msg]:
        """Up to `batch` messages from the consumer that `subject` asks: those that are there, or,
        with a wait, as they come until all have come or the wait is over."""
        order: dict[str, object] = {"batch": batch}
        if wait_seconds > 0:
            order["expires"] = int(wait_seconds * 1e9)
        else:
            order["no_wait"] = True
        messages: list[Msg] = []
        try:
            with self.calling():
                async with asyncio.timeout(wait_seconds + REQUEST_SECONDS):
                    async with self._inbox() as (address, arrived):
                        await self._client.publish(subject, json.dumps(order).encode(), address)
                        while len(messages) < batch:
                            message = await arrived.get()
                            if message is None:
                                raise BrokerUnavailable("the connection to NATS was lost")
                            status = (message.headers or {}).get("Status")
                            if status in (NO_MESSAGES, PULL_ENDED):
                                break
                            if status is not None:
                                self._is_doubtful = True
                                raise BrokerUnavailable(f"NATS answers {status} to a pull")
                            messages.append(message)
        except BrokerUnavailable:
            if not messages:
                raise
        return messages

    async def close(self) -> None:
        """Let what was sent arrive, then end the connection."""
        with suppress(*_FAILURES):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.drain()
        with suppress(*_FAILURES):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.close()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Around a call of ours: as `as_unavailable`, and where nobody hears the call, what we
        made there is gone, or JetStream not up yet; where nobody answers, the connection may be
        dead without a word. Then the link is given up, and made anew."""
        with as_unavailable():
            try:
                yield
            except (NoRespondersError, NoStreamResponseError, TimeoutError):
                self._is_doubtful = True
                raise

    async def _answered(self, message: Msg) -> None:
        answer = self._answers.get(message.subject.rpartition(".")[2])
        if answer is not None and not answer.done():
            answer.set_result(message)

    async def _lost(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionClosedError())
        for arrived in self._pulls:
            arrived.put_nowait(None)

    @asynccontextmanager
    async def _inbox(self) -> AsyncIterator[tuple[str, asyncio.Queue[Msg | None]]]:
        """An address, and what arrives there; None where the connection was lost. Once the block
        has ended the server delivers nothing there, however long the pull was to wait."""
        arrived: asyncio.Queue[Msg | None] = asyncio.Queue()

        async def put(message: Msg) -> None:
            arrived.put_nowait(message)

        address = self._client.new_inbox()
        subscription = await self._client.subscribe(address, cb=put)
        self._pulls.add(arrived)
        try:
            yield address, arrived
        finally:
            self._pulls.discard(arrived)
            with suppress(*_FAILURES):
                await subscription.unsubscribe()


@contextmanager
def as_unavailable() -> Iterator[None]:
    """What NATS or the network refuses is a broker that can not now."""
    try:
        yield
    except _FAILURES as error:
        words = str(error) or "NATS did not answer in time"
        cure = _cure(error)
        raise BrokerUnavailable(words, cure=cure, lasts=cure == _LET_IN) from error


def _cure(error: Exception) -> str:
    if isinstance(error, ServiceUnavailableError | NoStreamResponseError | NoRespondersError):
        return _START_JETSTREAM
    if isinstance(error, AuthorizationError) or "authorization violation" in str(error).lower():
        return _LET_IN
    return ""
