"""SIGTERM in the middle of a campaign: what is in the air is waited for, and nothing is repeated.

The embedded default, as a service manager stops it, on a real simulator with a real clock.
"""

from pathlib import Path

import httpx

from support.patience import PATIENCE
from support.processes import api_client, until
from support.shop import registrations, shop

DEVICES = 600
BATCH = 100
LATENCY_MS = 400


async def test_a_stop_in_the_middle_of_a_campaign_repeats_nothing(tmp_path: Path) -> None:
    async with shop(tmp_path) as one:
        # So slowly that the campaign takes some seconds.
        await one.clarion.command("firebase-apps", "set", "shop", "--pushes-per-minute", "6000")
        await one.simulator.faults(latency_ms=LATENCY_MS)

        process = await one.served()
        async with httpx.AsyncClient(auth=(one.write_key, ""), timeout=PATIENCE) as app:
            for start in range(0, DEVICES, BATCH):
                answer = await app.post(f"{process.url}/v1/batch", json=registrations(start, BATCH))
                assert answer.json() == {"success": True}
        async with api_client(f"{process.url}/api/v1", one.api_key) as api:

            async def reach() -> int:
                made = await api.post("/campaigns", json=campaign)
                shown = await api.post(f"/campaigns/{made.json()['id']}/preview")
                return int(shown.json()["reach"]["devices"])

            campaign = {
                "name": "Stopped",
                "content": {"title": "Hello"},
                "audience": {"everyone": True},
            }
            await until(reach, lambda count: count == DEVICES)
            made = await api.post("/campaigns", json=campaign | {"at": "now"})
            path = f"/campaigns/{made.json()['id']}"

            await until(one.accepted, lambda count: count > 0)
        assert await process.stop() == 0
        at_the_stop = await one.accepted()
        assert 0 < at_the_stop < DEVICES

        process = await one.served()
        async with api_client(f"{process.url}/api/v1", one.api_key) as api:
            found = await one.settled(api, path, DEVICES)
        stats = await one.simulator.stats()
        assert (found["accepted"], found["attempts"], found["unanswered"]) == (
            DEVICES,
            DEVICES,
            0,
        )
        assert (stats["distinct_pushes"], stats["repeated_pushes"]) == (DEVICES, 0)
        assert "stopped_in_the_air" not in one.clarion.logs()
