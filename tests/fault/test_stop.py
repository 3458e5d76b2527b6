"""SIGTERM in the middle of a campaign: what is in the air is waited for, and nothing is repeated.

The embedded default, as a service manager stops it, on a real simulator with a real clock.
"""

from pathlib import Path
from typing import Any

import httpx

from clarion.simulator.process import SimulatorProcess
from fakes.processes import api_client, installation, until

DEVICES = 600
BATCH = 100
LATENCY_MS = 400
SECONDS_MAX = 100.0


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
                    "deviceType": "Android",
                },
            }
            for number in range(start, start + BATCH)
        ]
    }


async def test_a_stop_in_the_middle_of_a_campaign_repeats_nothing(tmp_path: Path) -> None:
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
            # So slowly that the campaign takes some seconds.
            await clarion.command("firebase-apps", "set", "shop", "--pushes-per-minute", "6000")
            write_key = (await clarion.command("sources", "create", "app"))["write_key"]
            api_key = (await clarion.command("keys", "create", "test"))["key"]
            await simulator.faults(latency_ms=LATENCY_MS)

            process = await clarion.serve()
            await process.listening()
            async with httpx.AsyncClient(auth=(write_key, ""), timeout=30) as app:
                for start in range(0, DEVICES, BATCH):
                    answer = await app.post(f"{process.url}/v1/batch", json=batch(start))
                    assert answer.json() == {"success": True}
            async with api_client(f"{process.url}/api/v1", api_key) as api:

                async def reach() -> int:
                    made = await api.post("/campaigns", json=campaign)
                    shown = await api.post(f"/campaigns/{made.json()['id']}/preview")
                    return int(shown.json()["reach"]["devices"])

                campaign = {
                    "name": "Stopped",
                    "content": {"title": "Hello"},
                    "audience": {"everyone": True},
                }
                await until(reach, lambda count: count == DEVICES, seconds=SECONDS_MAX)
                made = await api.post("/campaigns", json=campaign | {"at": "now"})
                path = f"/campaigns/{made.json()['id']}"

                async def accepted() -> int:
                    return int((await simulator.stats())["accepted"])

                await until(accepted, lambda count: count > 0, seconds=SECONDS_MAX)
            assert await process.stop() == 0
            at_the_stop = await accepted()
            assert 0 < at_the_stop < DEVICES

            process = await clarion.serve()
            await process.listening()
            async with api_client(f"{process.url}/api/v1", api_key) as api:

                async def report() -> dict[str, Any]:
                    found: dict[str, Any] = (await api.get(f"{path}/report")).json()
                    assert found["balances"]
                    return found

                found = await until(
                    report,
                    lambda one: one["planned"] == DEVICES and one["in_flight"] == 0,
                    seconds=SECONDS_MAX,
                )
            stats = await simulator.stats()
            assert (found["accepted"], found["attempts"], found["unanswered"]) == (
                DEVICES,
                DEVICES,
                0,
            )
            assert (stats["distinct_pushes"], stats["repeated_pushes"]) == (DEVICES, 0)
            assert "stopped_in_the_air" not in clarion.logs()
