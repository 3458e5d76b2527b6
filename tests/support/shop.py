"""An installation that can send: a Firebase app on a simulator of its own, a source, an API key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fcm_simulator.process import SimulatorProcess
from support.processes import Installation, Process, installation, until

PLATFORMS = ("Android", "iOS", "Web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The Firebase app's project is `shop`; nothing is served yet."""

    clarion: Installation
    simulator: SimulatorProcess
    write_key: str
    api_key: str

    async def served(self) -> Process:
        """`clarion serve`, once it listens."""
        process = await self.clarion.serve()
        await process.listening()
        return process

    async def accepted(self) -> int:
        """How many pushes the simulator has accepted."""
        return int((await self.simulator.stats())["accepted"])

    async def settled(self, api: httpx.AsyncClient, campaign: str, count: int) -> dict[str, Any]:
        """The report of `campaign` once all of `count` are settled; it balances all the while."""

        async def report() -> dict[str, Any]:
            found: dict[str, Any] = (await api.get(f"{campaign}/report")).json()
            assert found["balances"]
            return found

        return await until(
            report,
            lambda told: told["planned"] == count and told["in_flight"] == 0,
        )


@asynccontextmanager
async def shop(directory: Path) -> AsyncIterator[Shop]:
    """On SQLite, in `directory`."""
    async with SimulatorProcess(directory / "simulator") as simulator:
        settings = {
            "DATA_DIR": str(directory / "data"),
            "LISTEN": "127.0.0.1:0",
            "FCM_URL": simulator.base_url,
            "FCM_CA": simulator.ca_file,
            "LOG": "warning,json",
        }
        key_file = directory / "key.json"
        async with installation(directory, settings) as clarion:
            await clarion.command("migrate")
            await clarion.command(
                "simulator", "key", "--project", "shop", "--out", str(key_file),
                "--url", simulator.base_url, "--data-dir", str(directory / "simulator"),
            )  # fmt: skip
            await clarion.command("firebase-apps", "add", str(key_file))
            write_key = (await clarion.command("sources", "create", "app"))["write_key"]
            api_key = (await clarion.command("keys", "create", "test", "--scope", "admin"))["key"]
            yield Shop(clarion=clarion, simulator=simulator, write_key=write_key, api_key=api_key)


def registrations(start: int, count: int) -> dict[str, Any]:
    """A batch of `Register Push`: device and user `start` and those that follow."""
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
                    "deviceType": PLATFORMS[number % len(PLATFORMS)],
                },
            }
            for number in range(start, start + count)
        ]
    }
