"""A real `kill -9` of `clarion serve`, in the middle of taking events in and of a campaign.

The embedded default: one process, SQLite. What was acknowledged is there, the campaign goes on by
itself after the restart, and the account is what the simulator counted.
"""

from pathlib import Path

import httpx

from support.patience import PATIENCE
from support.processes import api_client, until
from support.shop import registrations, shop

DEVICES = 1_500
BATCH = 50
AFTER_BATCHES = DEVICES // BATCH * 2 // 3
LATENCY_MS = 400
"""So that a campaign takes long enough to be killed in."""


async def test_a_campaign_survives_kill_9(tmp_path: Path) -> None:
    async with shop(tmp_path) as one:
        process = await one.served()
        async with httpx.AsyncClient(auth=(one.write_key, ""), timeout=PATIENCE) as app:
            for index, start in enumerate(range(0, DEVICES, BATCH)):
                if index == AFTER_BATCHES:
                    await process.kill()
                    process = await one.served()
                answer = await app.post(f"{process.url}/v1/batch", json=registrations(start, BATCH))
                assert answer.json() == {"success": True}
        await until_known(process.url, one.api_key)

        await one.simulator.faults(latency_ms=LATENCY_MS)
        async with api_client(f"{process.url}/api/v1", one.api_key) as api:
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

            await until(one.accepted, lambda count: count > 0)
        await process.kill()
        at_the_kill = await one.accepted()
        assert at_the_kill < DEVICES, "the campaign was over before the kill"

        process = await one.served()
        async with api_client(f"{process.url}/api/v1", one.api_key) as api:
            found = await one.settled(api, campaign, DEVICES)
            state = (await api.get(campaign)).json()["state"]
        stats = await one.simulator.stats()
        assert (found["accepted"], state) == (DEVICES, "done")
        assert stats["distinct_pushes"] == DEVICES
        # What was in the air is sent again, with the same tag, and counted as unanswered.
        assert stats["repeated_pushes"] <= found["unanswered"]
        assert "PRIVATE KEY" not in one.clarion.logs()


async def until_known(url: str, api_key: str, devices: int = DEVICES) -> None:
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

        await until(count, lambda known: known == devices)
