"""A real `kill -9` of `clarion serve`, in the middle of taking events in and of a campaign.

The embedded default: one process, SQLite. What was acknowledged is there, the campaign goes on by
itself after the restart, and the account is what the simulator counted.
"""

from pathlib import Path
from typing import Any

import httpx

from clarion.simulator.process import SimulatorProcess
from fakes.processes import Installation, Process, api_client, installation, until

DEVICES = 1_500
BATCH = 50
AFTER_BATCHES = 20
LATENCY_MS = 400
"""So that a campaign takes long enough to be killed in."""
SECONDS_MAX = 150.0


async def served(clarion: Installation) -> Process:
    process = await clarion.serve()
    await process.listening()
    return process


def batch(start: int) -> dict[str, Any]:
    return {
        "batch": [
            {
                "type": "track",
                "messageId": f"m-{number}",
                "userId": f"user-{number}",
                "event": "Register Push",
                "properties": {
                    "deviceId": f"device-{number}",
                    "fcmToken": f"token-of-device-{number}",
                    "deviceType": ("Android", "iOS", "Web")[number % 3],
                },
            }
            for number in range(start, start + BATCH)
        ]
    }


async def test_a_campaign_survives_kill_9(tmp_path: Path) -> None:
    async with SimulatorProcess(tmp_path / "simulator") as simulator:
        settings = {
            "DATA_DIR": str(tmp_path / "data"),
            "LISTEN": "127.0.0.1:0",
            "FCM_URL": simulator.base_url,
            "FCM_CA": simulator.ca_file,
            "LOG": "warning,json",
        }
        key_file = tmp_path / "key.json"
        async with installation(tmp_path, settings) as clarion:
            await clarion.command(
                "simulator", "key", "--project", "shop", "--out", str(key_file),
                "--url", simulator.base_url, "--data-dir", str(tmp_path / "simulator"),
            )  # fmt: skip
            await clarion.command("firebase-apps", "add", str(key_file))
            write_key = (await clarion.command("sources", "create", "app"))["write_key"]
            api_key = (await clarion.command("keys", "create", "test"))["key"]

            process = await served(clarion)
            async with httpx.AsyncClient(auth=(write_key, ""), timeout=30) as app:
                for index, start in enumerate(range(0, DEVICES, BATCH)):
                    if index == AFTER_BATCHES:
                        await process.kill()
                        process = await served(clarion)
                    answer = await app.post(f"{process.url}/v1/batch", json=batch(start))
                    assert answer.json() == {"success": True}
            await until_known(process.url, api_key)

            await simulator.faults(latency_ms=LATENCY_MS)
            async with api_client(f"{process.url}/api/v1", api_key) as api:
                made = await api.post(
                    "/campaigns",
                    json={
                        "name": "Killed",
                        "content": {"title": "Hello"},
                        "audience": {"everyone": True},
                        "at": "now",
                    },
                )
                campaign = f"/campaigns/{made.json()['id']}"

                async def accepted() -> int:
                    return int((await simulator.stats())["accepted"])

                await until(accepted, lambda count: count > 0, seconds=SECONDS_MAX)
            await process.kill()
            at_the_kill = await accepted()
            assert at_the_kill < DEVICES, "the campaign was over before the kill"

            process = await served(clarion)
            async with api_client(f"{process.url}/api/v1", api_key) as api:

                async def report() -> dict[str, Any]:
                    found: dict[str, Any] = (await api.get(f"{campaign}/report")).json()
                    assert found["balances"]
                    return found

                found = await until(
                    report,
                    lambda one: one["planned"] == DEVICES and one["in_flight"] == 0,
                    seconds=SECONDS_MAX,
                )
                state = (await api.get(campaign)).json()["state"]
            stats = await simulator.stats()
            assert (found["accepted"], state) == (DEVICES, "done")
            assert stats["distinct_pushes"] == DEVICES
            # What was in the air is sent again, with the same tag, and counted as unanswered.
            assert stats["repeated_pushes"] <= found["unanswered"]
            assert "PRIVATE KEY" not in clarion.logs()


async def until_known(url: str, api_key: str) -> None:
    """Every device is there: what was acknowledged before the kill included."""
    async with api_client(f"{url}/api/v1", api_key) as api:

        async def count() -> int:
            known = 0
            cursor: str | None = None
            while True:
                query = {"limit": 500} | ({"cursor": cursor} if cursor else {})
                page = (await api.get("/devices", params=query)).json()
                known += len(page["data"])
                cursor = page["next"]
                if cursor is None:
                    return known

        await until(count, lambda known: known == DEVICES, seconds=SECONDS_MAX)
