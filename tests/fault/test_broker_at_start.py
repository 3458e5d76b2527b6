"""A role that starts before its broker can be used waits for it, and says so."""

import json
from pathlib import Path

import pytest

from clarion.broker import Broker, BrokerUnavailable
from clarion.brokers.database import DatabaseBroker
from clarion.parts import BROKER_WAIT_SECONDS, await_broker
from clarion.storage.database import Database
from support.clock import FakeClock
from support.nats import NatsServer, nats_cluster
from support.processes import Process, installation, until


async def says(process: Process, event: str) -> None:
    """Return once its log has told of it."""

    async def told() -> list[str]:
        assert process.is_running, process.log.read_text()
        return [json.loads(line)["event"] for line in process.log.read_text().splitlines()]

    await until(told, lambda events: event in events)


def settings(directory: Path, broker_url: str) -> dict[str, str]:
    return {
        "DATA_DIR": str(directory / "data"),
        "LOG": "info,json",
        "METRICS_LISTEN": "127.0.0.1:0",
        "BROKER_URL": broker_url,
    }


async def test_a_role_that_starts_before_its_server_goes_on_when_that_is_there(
    tmp_path: Path,
) -> None:
    with NatsServer() as server:
        server.kill()
        async with installation(tmp_path, settings(tmp_path, server.url("early"))) as here:
            await here.command("migrate")
            process = await here.run("planner")
            await says(process, "broker_awaited")
            server.start()
            await says(process, "broker_found")
            await says(process, "metrics_listening")
            assert await process.stop() == 0


async def test_a_role_that_starts_while_there_is_no_leader_goes_on_when_there_is(
    tmp_path: Path,
) -> None:
    with nats_cluster(3) as servers:
        hosts = ",".join(f"nats://127.0.0.1:{server.port}" for server in servers)
        for server in servers[1:]:
            server.kill()  # one of three elects nobody
        url = f"{hosts}?stream=leaderless&replicas=3"
        async with installation(tmp_path, settings(tmp_path, url)) as here:
            await here.command("migrate")
            process = await here.run("planner")
            await says(process, "broker_awaited")
            for server in servers[1:]:
                server.start()
            await says(process, "broker_found")
            await says(process, "metrics_listening")
            assert await process.stop() == 0


async def test_what_waiting_does_not_cure_is_not_waited_for() -> None:
    async def refused() -> Broker:
        raise BrokerUnavailable("wrong password", lasts=True)

    clock = FakeClock()
    began = clock.monotonic()
    with pytest.raises(BrokerUnavailable, match="wrong password"):
        await await_broker(refused, clock)
    assert clock.monotonic() == began


async def test_the_wait_ends(database: Database) -> None:
    """The clock of this test is moved on by each sleep."""
    clock = _Impatient()
    tries = 0

    async def away() -> Broker:
        nonlocal tries
        tries += 1
        raise BrokerUnavailable("nobody is there")

    with pytest.raises(BrokerUnavailable):
        await await_broker(away, clock)
    assert tries > 10
    assert clock.slept == pytest.approx(BROKER_WAIT_SECONDS, abs=1)

    async def there() -> Broker:
        return DatabaseBroker(database, clock)

    await (await await_broker(there, clock)).close()


class _Impatient(FakeClock):
    slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.advance(seconds)
