"""Clarion on PostgreSQL and NATS, a process for each role: nothing lost, nothing twice, balanced.

What the processes share is what machines would: the database, the broker, the secret.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select, update

from clarion.deliveries.planning.chunk import LEASED
from clarion.storage.database import Database
from clarion.storage.schema import chunks, devices
from fcm_simulator.process import SimulatorProcess
from support.nats import NatsServer
from support.patience import PATIENCE
from support.postgres import PostgresServer
from support.processes import Installation, api_client, installation, until

DEVICES = 1_000
CUSTOMERS = 700
BATCH = 100
PLATFORMS = ("Android", "iOS", "Web")
SECRET = "the same in every process, and long enough"


@dataclass
class Stage:
    """What a test acts on: the processes, the API, the simulator, the rows."""

    installation: Installation
    collector: httpx.AsyncClient
    api: httpx.AsyncClient
    simulator: SimulatorProcess
    database: Database

    async def report(self, campaign_id: str) -> dict[str, Any]:
        """The account as it is now; it balances now."""
        report: dict[str, Any] = (await self.api.get(f"/campaigns/{campaign_id}/report")).json()
        parts = ("accepted", "rejected", "unregistered", "skipped", "expired", "cancelled")
        assert report["planned"] == sum(report[part] for part in parts) + report["in_flight"]
        return report

    async def launch(self, name: str) -> str:
        """A campaign to everyone, now; its id."""
        made = await self.api.post(
            "/campaigns",
            json={
                "name": name,
                "content": {"title": "Hi {{ customer.first_name | default: 'there' }}"},
                "audience": {"everyone": True},
            },
        )
        campaign_id: str = made.json()["id"]
        scheduled = await self.api.post(f"/campaigns/{campaign_id}/schedule", json={"at": "now"})
        assert scheduled.status_code == 200, scheduled.text
        return campaign_id

    async def settled(self, campaign_id: str) -> dict[str, Any]:
        return await until(
            lambda: self.report(campaign_id),
            lambda report: report["planned"] == DEVICES and not report["in_flight"],
        )


@pytest.fixture
async def stage(tmp_path: Path, postgres: PostgresServer, nats: NatsServer) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        database_url = await stack.enter_async_context(postgres.new_database())
        simulator = await stack.enter_async_context(SimulatorProcess(tmp_path / "fcm"))
        settings = {
            "DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": database_url,
            "BROKER_URL": nats.url("many-processes"),
            "LISTEN": "127.0.0.1:0",
            "FCM_URL": simulator.base_url,
            "FCM_CA": simulator.ca_file,
            "SECRET_KEY": SECRET,
            "LOG": "info,json",
        }
        here = await stack.enter_async_context(installation(tmp_path, settings))
        made = await here.command("migrate")
        key_file = tmp_path / "key.json"
        key_file.write_bytes(msgspec.json.encode(simulator.key("shop")))
        await here.command("firebase-apps", "add", str(key_file))
        collector = await here.run("collector")
        web = await here.run("web")
        await here.run("ingestor")
        await here.run("scheduler", "planner")
        await here.run("attributor")
        calls = httpx.AsyncClient(
            base_url=await collector.listening(), auth=(made["write_key"], ""), timeout=30
        )
        api = await stack.enter_async_context(
            api_client(
                f"{await web.listening()}/api/v1",
                await asyncio.to_thread(_read_key, Path(made["key_file"])),
            )
        )
        database = Database(database_url)
        stack.push_async_callback(database.close)
        yield Stage(
            installation=here,
            collector=await stack.enter_async_context(calls),
            api=api,
            simulator=simulator,
            database=database,
        )


def registration(number: int) -> dict[str, Any]:
    """Device `number`'s Register Push; some devices are of people who have not signed in."""
    customer = f"customer-{number % CUSTOMERS}"
    device = f"device-{number}"
    return {
        "type": "track",
        "event": "Register Push",
        "messageId": f"register-{number}",
        "userId": device if number % 10 == 0 else customer,
        "properties": {
            "deviceId": device,
            "fcmToken": f"token-of-device-{number:06d}",
            "deviceType": PLATFORMS[number % 3],
        },
    }


async def send(collector: httpx.AsyncClient, events: list[dict[str, Any]]) -> None:
    """Batches of them, and the first batch again, as an SDK does that heard no answer."""
    batches = [events[start : start + BATCH] for start in range(0, len(events), BATCH)]
    for batch in [*batches, batches[0]]:
        reply = await collector.post("/v1/batch", json={"batch": batch})
        assert reply.status_code == 200, reply.text


async def register_everybody(stage: Stage) -> None:
    await send(stage.collector, [registration(number) for number in range(DEVICES)])
    draft = await stage.api.post(
        "/campaigns",
        json={"name": "-", "content": {"title": "-"}, "audience": {"everyone": True}},
    )

    async def reach() -> int:
        seen = await stage.api.post(f"/campaigns/{draft.json()['id']}/preview", json={})
        devices: int = seen.json()["reach"]["devices"]
        return devices

    await until(reach, lambda devices: devices == DEVICES)


def receipt(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    push = message["data"]["clarion_push"]
    return {
        "type": "track",
        "event": name,
        "messageId": f"{name}-{push}",
        "anonymousId": "whoever",
        "properties": {"clarion_push": push},
    }


async def test_processes_that_share_only_servers_do_the_main_job_and_survive_a_kill(
    stage: Stage,
) -> None:
    first, second = [await stage.installation.run("sender") for _ in range(2)]
    await register_everybody(stage)

    spring = await stage.launch("Spring")
    report = await stage.settled(spring)
    assert report["accepted"] == DEVICES
    counted = await stage.simulator.stats()
    assert (
        counted["accepted"] == counted["distinct_pushes"] == counted["distinct_tokens"] == DEVICES
    )

    messages = await stage.simulator.messages(limit=DEVICES)
    opened = [receipt(message, "Push Notification Tapped") for message in messages[:30]]
    received = [receipt(message, "Push Notification Received") for message in messages[:200]]
    await send(stage.collector, [*received, *opened])
    await until(
        lambda: stage.report(spring),
        lambda report: (report["received"], report["opened"]) == (200, 30),
        seconds=PATIENCE,
    )

    assert await second.stop() == 0
    await stage.simulator.reset()
    await stage.simulator.faults(latency_ms=60_000)
    summer = await stage.launch("Summer")
    await until(stage.simulator.stats, lambda stats: bool(stats["requests"] > 0))
    await first.kill()
    assert (await stage.report(summer))["accepted"] < DEVICES
    await stage.simulator.faults(latency_ms=0)
    await stage.installation.run("sender")
    async with stage.database.write() as connection:
        # Stands for the minutes in which the dead sender's leases end.
        await connection.execute(
            update(chunks).where(chunks.c.state == LEASED).values(lease_until=datetime.now(UTC))
        )
    report = await stage.settled(summer)
    assert report["accepted"] == DEVICES
    counted = await stage.simulator.stats()
    assert counted["distinct_pushes"] == counted["distinct_tokens"] == DEVICES
    assert counted["accepted"] == DEVICES + counted["repeated_pushes"]
    assert counted["repeated_pushes"] > 0, "the kill struck pushes that were in the air"
    assert (await stage.api.get(f"/campaigns/{summer}")).json()["state"] == "done"

    assert set(await stage.installation.stop()) == {0}
    told = stage.installation.logs()
    assert "token-of-device" not in told
    assert SECRET not in told
    assert "PRIVATE KEY" not in told


async def test_a_lost_broker_is_a_503_and_when_it_is_back_everything_goes_on(
    tmp_path: Path,
) -> None:
    with NatsServer() as server:
        settings = {
            "DATA_DIR": str(tmp_path / "data"),
            "BROKER_URL": server.url("clarion"),
            "LISTEN": "127.0.0.1:0",
            "LOG": "info,json",
        }
        async with installation(tmp_path, settings) as here:
            key = (await here.command("migrate"))["write_key"]
            process = await here.run("collector", "ingestor", "scheduler", "planner", "sender")
            url = await process.listening()
            database = Database(f"sqlite:///{tmp_path}/data/clarion.db")

            async def known() -> set[str]:
                async with database.read() as connection:
                    return set((await connection.execute(select(devices.c.device_id))).scalars())

            async with httpx.AsyncClient(
                base_url=url, auth=(key, ""), timeout=PATIENCE
            ) as collector:

                async def post(number: int) -> httpx.Response:
                    return await collector.post("/v1/track", json=registration(number))

                assert (await post(1)).status_code == 200
                await until(known, lambda ids: ids == {"device-1"})
                server.kill()
                refused = await post(2)
                assert refused.status_code == 503
                assert int(refused.headers["Retry-After"]) > 0
                server.start()
                await until(lambda: post(3), lambda reply: reply.status_code == 200)
            await until(known, lambda ids: ids >= {"device-3"})
            await database.close()
            assert await here.stop() == [0]
            assert "agent_failed" not in here.logs()


def _read_key(file: Path) -> str:
    return file.read_text().strip()
