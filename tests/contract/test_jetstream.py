"""What JetStream promises besides the contract: through the loss of servers, disks and streams."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TypeVar

import nats as nats_client
import pytest
import structlog
import uvloop
from nats.js.api import StreamConfig

from clarion.broker import DEDUPE_WINDOW_SECONDS, BrokerUnavailable, JobKind, NewJob
from clarion.brokers.jetstream import JetStreamBroker
from clarion.brokers.link import REQUEST_SECONDS
from support.nats import NatsServer, nats_cluster
from support.patience import NEVER, PATIENCE, patience
from support.relay import relay

LONG = NEVER


@pytest.fixture
def server() -> Iterator[NatsServer]:
    """A server of the test's own, to be killed."""
    with NatsServer() as server:
        yield server


def job(payload: bytes = b"job", *, key: str | None = None, later: float | None = None) -> NewJob:
    available_at = None if later is None else datetime.now(UTC) + timedelta(seconds=later)
    return NewJob(kind=JobKind.EVENTS, payload=payload, key=key, available_at=available_at)


T = TypeVar("T")


async def soon(do: Callable[[], Awaitable[T]]) -> T:
    """`do`, again and again until the broker can."""
    until = monotonic() + PATIENCE
    while True:
        try:
            return await do()
        except BrokerUnavailable:
            if monotonic() > until:
                raise


async def payloads(broker: JetStreamBroker, number: int) -> set[bytes]:
    """Fetch and acknowledge until `number` different jobs have come, through any loss."""
    found: set[bytes] = set()
    until = monotonic() + PATIENCE
    while len(found) < number:
        assert monotonic() < until, f"only {len(found)} of {number} jobs came"
        with suppress(BrokerUnavailable):
            for lease in await broker.fetch(
                JobKind.EVENTS, limit=10, wait_seconds=2, lease_seconds=LONG
            ):
                found.add(lease.payload)
                await lease.ack()
    return found


async def test_what_was_published_is_there_after_the_server_was_killed(server: NatsServer) -> None:
    broker = await JetStreamBroker.connect(server.url("t"))
    await broker.publish(*(job(b"%d" % number) for number in range(100)))
    await broker.publish(job(b"once", key="k"), job(b"later", later=1))
    server.kill()
    server.start()
    await soon(lambda: broker.publish(job(b"again", key="k")))
    found = await payloads(broker, 102)
    assert found == {b"%d" % number for number in range(100)} | {b"once", b"later"}
    assert await broker.depth(JobKind.EVENTS) == 0
    await broker.close()


async def test_a_dead_server_ends_waiting_fetches_at_once(server: NatsServer) -> None:
    broker = await JetStreamBroker.connect(server.url("t"))
    fetching = asyncio.create_task(
        broker.fetch(JobKind.EVENTS, limit=1, wait_seconds=LONG, lease_seconds=LONG)
    )
    await asyncio.wait({fetching}, timeout=0.1)
    server.kill()
    async with patience():
        with pytest.raises(BrokerUnavailable):
            await fetching
    asked = 0
    async with patience():
        # Whoever waited for an answer each time would sit out all of the patience.
        while asked * REQUEST_SECONDS <= 2 * PATIENCE:
            with pytest.raises(BrokerUnavailable):
                await broker.publish(job())
            asked += 1
    server.start()
    await broker.publish(job())
    assert await payloads(broker, 1) == {b"job"}
    await broker.close()


async def test_a_server_that_answers_nothing_keeps_nobody_waiting(server: NatsServer) -> None:
    broker = await JetStreamBroker.connect(server.url("t"))
    server.freeze()
    async with patience():  # 200 jobs that waited one after another would take longer
        outcomes = await asyncio.gather(
            broker.publish(*(job() for _ in range(200))),
            broker.fetch(JobKind.EVENTS, limit=1, wait_seconds=0, lease_seconds=LONG),
            broker.depth(JobKind.EVENTS),
            return_exceptions=True,
        )
    assert [type(outcome) for outcome in outcomes] == [BrokerUnavailable] * 3
    server.thaw()
    await soon(lambda: broker.publish(job(b"after")))
    assert await payloads(broker, 2) == {b"job", b"after"}
    await broker.close()


async def test_a_full_disk_refuses_new_jobs_and_keeps_the_old_ones() -> None:
    with NatsServer({"max_file_store": "8MB"}) as server:
        broker = await JetStreamBroker.connect(server.url("t"))
        stored = 0
        with pytest.raises(BrokerUnavailable):
            while stored < 100:
                await broker.publish(job(b"%03d" % stored + b"x" * 400_000))
                stored += 1
        assert stored > 3
        assert await broker.depth(JobKind.EVENTS) == stored
        found = await payloads(broker, stored)
        assert {payload[:3] for payload in found} == {b"%03d" % number for number in range(stored)}
        await broker.publish(job(b"room again"))
        await broker.close()


async def test_a_stream_that_was_removed_is_made_again(server: NatsServer) -> None:
    broker = await JetStreamBroker.connect(server.url("t"))
    client = await nats_client.connect(server.url("t").partition("?")[0])
    await client.jetstream().delete_stream("t")
    await client.close()
    with pytest.raises(BrokerUnavailable):
        await broker.publish(job())
    await broker.publish(job())
    assert await payloads(broker, 1) == {b"job"}
    await broker.close()


async def test_a_stream_that_would_throw_jobs_away_is_refused(nats: NatsServer) -> None:
    broker = await JetStreamBroker.connect(nats.url("limited"))
    client = await nats_client.connect(nats.url("limited").partition("?")[0])
    jetstream = client.jetstream()
    config = (await jetstream.stream_info("limited")).config
    await jetstream.update_stream(config.evolve(max_bytes=1_000_000))
    with pytest.raises(BrokerUnavailable, match="throws jobs away"):
        await JetStreamBroker.connect(nats.url("limited"))
    await jetstream.add_stream(StreamConfig(name="foreign", subjects=["foreign.>"]))
    with pytest.raises(BrokerUnavailable, match="not one of Clarion's"):
        await JetStreamBroker.connect(nats.url("foreign"))
    await client.close()
    await broker.close()


async def test_the_server_forgets_a_key_when_the_contract_says(nats: NatsServer) -> None:
    broker = await JetStreamBroker.connect(nats.url("window"))
    client = await nats_client.connect(nats.url("window").partition("?")[0])
    config = (await client.jetstream().stream_info("window")).config
    assert config.duplicate_window == DEDUPE_WINDOW_SECONDS
    await client.close()
    await broker.close()


async def test_replicas_stand_the_kill_of_the_server_that_led_them() -> None:
    with nats_cluster(3) as servers:
        hosts = [f"nats://127.0.0.1:{server.port}" for server in servers]
        broker = await soon(lambda: JetStreamBroker.connect(f"{','.join(hosts)}?replicas=3"))
        await broker.publish(job(b"before"))
        client = await nats_client.connect(hosts)
        cluster = (await client.jetstream().stream_info("clarion")).cluster
        await client.close()
        assert cluster is not None
        assert cluster.leader is not None
        servers[int(cluster.leader)].kill()
        await soon(lambda: broker.publish(job(b"after")))
        assert await payloads(broker, 2) == {b"before", b"after"}
        await broker.close()


async def test_a_server_that_takes_no_large_messages_is_refused() -> None:
    with NatsServer(more="max_payload: 500000") as server:
        with pytest.raises(BrokerUnavailable, match="max_payload"):
            await JetStreamBroker.connect(server.url("t"))


async def test_a_password_is_in_no_error_and_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with NatsServer(more='authorization { user: "clarion", password: "right-secret" }') as server:
        host = server.url("t").removeprefix("nats://")
        with structlog.testing.capture_logs() as told:
            broker = await JetStreamBroker.connect(f"nats://clarion:right-secret@{host}")
            with pytest.raises(BrokerUnavailable) as refused:
                await JetStreamBroker.connect(f"nats://clarion:wrong-secret@{host}")
            server.kill()
            with pytest.raises(BrokerUnavailable) as lost:
                await broker.publish(job())
        await broker.close()
    for text in (repr(refused.value), repr(lost.value), repr(told), caplog.text, repr(broker)):
        assert "secret" not in text


async def test_what_happens_after_the_broker_is_closed_is_an_error(nats: NatsServer) -> None:
    broker = await JetStreamBroker.connect(nats.url("closed"))
    await broker.close()
    with pytest.raises(BrokerUnavailable, match="closed"):
        await broker.publish(job())
    await broker.close()


INFO = b'INFO {"server_id":"x","version":"%s","headers":true,"max_payload":1048576}\r\n'


async def _reset_after_info(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(INFO % b"2.12.0")
    await writer.drain()
    writer.transport.abort()


async def _reset_after_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(INFO % b"2.12.0")
    await reader.read(100)
    writer.transport.abort()


async def _answer_in_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def _answer_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"x" * 100_000 + b"\r\n")
    await writer.drain()
    writer.close()


async def _be_no_version(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _be_of(b"unknown", reader, writer)


async def _be_too_old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _be_of(b"2.9.25", reader, writer)


async def _be_of(
    version: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(INFO % version)
    while line := await reader.readline():
        if line == b"PING\r\n":
            writer.write(b"PONG\r\n")
    writer.close()


BAD_SERVERS = [
    _reset_after_info, _reset_after_connect, _answer_in_http, _answer_without_end, _be_no_version,
    _be_too_old,
]  # fmt: skip


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("behave", BAD_SERVERS)
def test_any_fault_of_a_server_while_connecting_raises_unavailable(
    behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def connect() -> BrokerUnavailable:
        server = await asyncio.start_server(behave, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(BrokerUnavailable) as refused:
                    await JetStreamBroker.connect(f"nats://127.0.0.1:{port}")
        finally:
            server.close()
        return refused.value

    with asyncio.Runner(loop_factory=factory) as runner:
        refused = runner.run(connect())
    if behave in (_be_no_version, _be_too_old):
        assert "2.12 or newer" in refused.cure


async def test_a_server_without_jetstream_is_told_with_the_cure() -> None:
    with NatsServer(has_jetstream=False) as server:
        with pytest.raises(BrokerUnavailable) as refused:
            await JetStreamBroker.connect(server.url("t"))
    assert "nats-server -js" in refused.value.cure


async def test_a_connection_that_dies_silently_keeps_nobody_waiting(server: NatsServer) -> None:
    async with relay(server.port) as wire:
        broker = await JetStreamBroker.connect(f"nats://127.0.0.1:{wire.port}?stream=t")
        await broker.publish(job(b"before"))
        wire.swallow()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(BrokerUnavailable):
                await broker.publish(job(b"lost"))
            await soon(lambda: broker.publish(job(b"after")))
            assert await payloads(broker, 2) >= {b"before", b"after"}
            await broker.close()
