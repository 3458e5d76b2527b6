"""More to send than FCM's quota allows: how much of it is used, and how much is refused."""

import asyncio
import random
from pathlib import Path
from time import monotonic
from typing import Any

from rich.progress import Progress

from bench.campaign import CONTENT, PROJECT, people, schedule
from bench.installation import Store, add_app, install
from bench.process import clarion
from clarion.deliveries.apps.pacing import Limits
from clarion.deliveries.apps.store import set_limits
from fcm_simulator.process import simulated_fcm

PER_MINUTE = 30_000
LATENCY_MS = {"median": 80, "p99": 300}
SETTLING_SECONDS = 5
"""Left out at the beginning: planning, connections, access token."""
START_SECONDS_MAX = 60


async def measure(
    store: Store, directory: Path, minutes: int, progress: Progress
) -> dict[str, Any]:
    """Send for so many minutes, always with more in hand than may leave."""
    with simulated_fcm(directory) as fcm:
        fcm.faults(quota_per_minute=PER_MINUTE, latency_ms=LATENCY_MS)
        installation = await install(
            store, {"CLARION_FCM_URL": fcm.base_url, "CLARION_FCM_CA": str(fcm.ca_file)}
        )
        app = await add_app(installation, fcm.key(PROJECT))
        seconds = minutes * 60
        task = progress.add_task(f"quota · {store.name}", total=seconds)
        with installation.database() as database:
            try:
                await people(database, installation, PER_MINUTE * (minutes + 1))
                async with database.write() as connection:
                    limits = Limits(per_minute=PER_MINUTE)
                    await set_limits(connection, installation.workspace_id, app.id, limits)
                with clarion(["serve"], installation.environment, store.directory / "quota.log"):
                    await schedule(database, installation, CONTENT)
                    until = monotonic() + START_SECONDS_MAX
                    while not fcm.stats()["accepted"]:
                        if monotonic() > until:
                            raise RuntimeError("nothing was sent")
                        await asyncio.sleep(0.1)
                    await asyncio.sleep(SETTLING_SECONDS + random.random())
                    first, began = fcm.stats(), monotonic()
                    while monotonic() < began + seconds:
                        await asyncio.sleep(1)
                        progress.update(task, completed=monotonic() - began)
                    last, passed = fcm.stats(), monotonic() - began
            finally:
                await database.close()
    accepted = last["accepted"] - first["accepted"]
    requests = last["requests"] - first["requests"]
    refused = requests - accepted
    return {
        "quota a minute": PER_MINUTE,
        "seconds": round(passed, 1),
        "accepted": accepted,
        "of the quota": f"{accepted / (PER_MINUTE * passed / 60):.1%}",
        "refused": refused,
        "of all": f"{refused / max(requests, 1):.2%}",
    }
