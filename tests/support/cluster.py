"""Clarion as several machines would run it, on one: `make cluster`.

PostgreSQL, three NATS servers and two processes of each role on the loopback; a campaign goes out
while a process of each role and a NATS server are killed, and in the end the account balances:
every device got the push, and what was repeated is what was in the air at a kill.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import httpx
import msgspec

from clarion.app import Role
from fcm_simulator.process import SimulatorProcess
from support.nats import NatsServer, nats_cluster
from support.patience import PATIENCE
from support.postgres import PostgresServer
from support.processes import Installation, Process, api_client, installation, until

DEVICES = 2_000
BATCH = 500
LATENCY_MS = 500
"""Of the simulated FCM, so that a kill finds pushes in the air."""
SECRET = "the same in every process, and long enough"
SENT = ("Android", "iOS", "Web")
KILLED = (Role.PLANNER, Role.INGESTOR, Role.SCHEDULER)
"""Besides the senders."""

Say = Callable[[str], None]


@dataclass
class Cluster:
    """What runs: `processes` by role, some of each."""

    installation: Installation
    simulator: SimulatorProcess
    brokers: list[NatsServer]
    processes: dict[Role, list[Process]]
    write_key: str
    api_key: str


@asynccontextmanager
async def cluster(directory: Path, *, each: int, say: Say) -> AsyncIterator[Cluster]:
    """`each`: processes of each role."""
    async with AsyncExitStack() as stack:
        postgres = await asyncio.to_thread(stack.enter_context, PostgresServer(durable=True))
        database_url = await stack.enter_async_context(postgres.new_database())
        brokers = stack.enter_context(nats_cluster(3))
        hosts = ",".join(f"nats://127.0.0.1:{server.port}" for server in brokers)
        broker_url = f"{hosts}?replicas=3"
        simulator = await stack.enter_async_context(SimulatorProcess(directory / "fcm"))
        say("PostgreSQL, three NATS servers and a simulated FCM run")
        settings = {
            "DATA_DIR": str(directory / "data"),
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "LISTEN": "127.0.0.1:0",
            "FCM_URL": simulator.base_url,
            "FCM_CA": simulator.ca_file,
            "SECRET_KEY": SECRET,
            "LOG": "info,json",
        }
        here = await stack.enter_async_context(installation(directory, settings, real=True))
        made = await here.command("migrate")
        key_file = directory / "key.json"
        key_file.write_bytes(msgspec.json.encode(simulator.key("shop")))
        await here.command("firebase-apps", "add", str(key_file))
        processes = {role: [await here.run(role) for _ in range(each)] for role in Role}
        for role in (Role.COLLECTOR, Role.WEB):
            for process in processes[role]:
                await process.listening()
        say(f"{each} processes of each of {len(Role)} roles run")
        yield Cluster(
            installation=here,
            simulator=simulator,
            brokers=brokers,
            processes=processes,
            write_key=made["write_key"],
            api_key=(await asyncio.to_thread(Path(made["key_file"]).read_text)).strip(),
        )


async def play(cluster: Cluster, *, devices: int, say: Say) -> dict[str, Any]:
    """Registrations, a campaign, kills; returns the report, which balances. A killed process is
    started again, as a service manager would."""
    await _register(cluster, devices)
    web = cluster.processes[Role.WEB][0]
    async with api_client(f"{web.url}/api/v1", cluster.api_key) as api:
        await registered(api, devices)
        say(f"{devices:,} devices are registered")
        await cluster.simulator.faults(latency_ms=LATENCY_MS)
        begun = monotonic()
        campaign = {"name": "Cluster", "content": {"title": "Hello"}, "at": "now"}
        made = await api.post("/campaigns", json={**campaign, "audience": {"everyone": True}})
        assert made.status_code < 300, made.text
        path = f"/campaigns/{made.json()['id']}"
        await until(cluster.simulator.stats, lambda stats: bool(stats["requests"] > 0))
        # All senders: whichever has pushes in the air. Of the others one goes on.
        doomed = {role: cluster.processes[role][:1] for role in KILLED}
        doomed[Role.SENDER] = cluster.processes[Role.SENDER][:]
        for role, processes in doomed.items():
            await asyncio.gather(*(process.kill() for process in processes))
            for place in range(len(processes)):
                cluster.processes[role][place] = await cluster.installation.run(role)
        cluster.brokers[0].kill()
        say("every sender, one process of each of three roles and a NATS server were killed")
        await asyncio.to_thread(cluster.brokers[0].start)
        await cluster.simulator.faults(latency_ms=0)

        async def report() -> dict[str, Any]:
            answer: dict[str, Any] = (await api.get(f"{path}/report")).json()
            return answer

        done = await until(
            report, lambda told: told["planned"] == devices and not told["in_flight"]
        )
    counted = await cluster.simulator.stats()
    assert done["accepted"] == devices, done
    assert done["unanswered"] > 0, "the kill struck pushes that were in the air"
    assert counted["distinct_tokens"] == counted["distinct_pushes"] == devices, counted
    assert counted["accepted"] == devices + counted["repeated_pushes"], counted
    say(
        f"{devices:,} of {devices:,} pushes accepted in {monotonic() - begun:.0f} s, "
        f"{counted['repeated_pushes']:,} of them asked for twice, with one tag; nothing is lost"
    )
    return done


async def registered(api: httpx.AsyncClient, devices: int) -> None:
    """Returns when so many devices can be reached."""

    async def reach() -> int:
        draft = await api.post("/audiences/count", json={"rule": {"everyone": True}})
        assert draft.status_code == 200, draft.text
        return int(draft.json()["reach"]["devices"])

    await until(reach, lambda count: count == devices)


async def _register(cluster: Cluster, devices: int) -> None:
    """A Register Push of each device, batches by turns to the collectors."""
    collectors = cluster.processes[Role.COLLECTOR]
    async with httpx.AsyncClient(auth=(cluster.write_key, ""), timeout=PATIENCE) as calls:
        for start in range(0, devices, BATCH):
            url = collectors[start // BATCH % len(collectors)].url
            batch = [registration(number) for number in range(start, min(start + BATCH, devices))]
            answer = await calls.post(f"{url}/v1/batch", json={"batch": batch})
            assert answer.status_code == 200, answer.text


def registration(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Register Push",
        "messageId": f"register-{number}",
        "userId": f"customer-{number}",
        "properties": {
            "deviceId": f"device-{number}",
            "fcmToken": f"token-of-device-{number:06d}",
            "deviceType": SENT[number % len(SENT)],
        },
    }


async def main() -> None:
    begun = monotonic()

    def say(sentence: str) -> None:
        print(f"{monotonic() - begun:6.1f} s  {sentence}", flush=True)

    with TemporaryDirectory(prefix="clarion-cluster-") as directory:
        async with cluster(Path(directory), each=2, say=say) as running:
            await play(running, devices=DEVICES, say=say)
            # Who was started a moment ago and has not begun yet ends at once.
            assert set(await running.installation.stop()) <= {0, -signal.SIGTERM}
    say("every process has stopped in order")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
