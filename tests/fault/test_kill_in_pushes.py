"""A real `kill -9` of `clarion serve` while pushes to single customers are asked for and sent: what
was answered is sent, and who asks again with the same key has it sent once."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from fault.test_kill import until_known
from support.patience import PATIENCE
from support.processes import Process, api_client, until
from support.shop import registrations, shop

PUSHES = 120
AT_ONCE = 8
KILL_AFTER = PUSHES // 3
LATENCY_MS = 300
"""So that many are on their way when it is killed."""


async def ask(process: Process, api_key: str, number: int) -> dict[str, Any] | None:
    """The answer; None: there was none."""
    async with api_client(f"{process.url}/api/v1", api_key) as api:
        body = {
            "user_id": f"user-{number}",
            "content": {"title": "Order {{ event.order }}"},
            "event": {"order": number},
        }
        headers = {"Idempotency-Key": f"order-{number}"}
        try:
            answer = await api.post("/pushes", json=body, headers=headers)
        except httpx.TransportError:
            return None
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = answer.json()
        return shown


async def ask_for_all(
    process: Process, api_key: str, numbers: list[int], kill_after: int | None
) -> dict[int, str]:
    """The ids of the pushes whose answer came. `kill_after`: so many answers later the process is
    killed, with calls and pushes under way."""
    waiting, answered = iter(numbers), dict[int, str]()

    async def client() -> None:
        for number in waiting:
            push = await ask(process, api_key, number)
            if push is None:
                return
            answered[number] = push["id"]
            if len(answered) == kill_after:
                await process.kill()

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return answered


async def test_pushes_survive_kill_9_and_leave_once(tmp_path: Path) -> None:
    async with shop(tmp_path) as one:
        process = await one.served()
        async with httpx.AsyncClient(auth=(one.write_key, ""), timeout=PATIENCE) as app:
            await app.post(f"{process.url}/v1/batch", json=registrations(0, PUSHES))
        await until_known(process.url, one.api_key, PUSHES)
        await one.simulator.faults(latency_ms=LATENCY_MS)
        numbers = list(range(PUSHES))
        before = await ask_for_all(process, one.api_key, numbers, KILL_AFTER)
        assert KILL_AFTER <= len(before) < PUSHES
        process = await one.served()
        after = await ask_for_all(process, one.api_key, numbers, None)
        assert len(after) == PUSHES
        assert {number: after[number] for number in before} == before, "the same push, by its key"
        async with api_client(f"{process.url}/api/v1", one.api_key) as api:

            async def deliveries() -> list[dict[str, Any]]:
                pushes = [(await api.get(f"/pushes/{push}")).json() for push in after.values()]
                return [delivery for push in pushes for delivery in push["deliveries"]]

            told = await until(
                deliveries, lambda rows: all(row["state"] == "accepted" for row in rows)
            )
        assert len(told) == PUSHES
        stats = await one.simulator.stats()
        assert stats["distinct_pushes"] == PUSHES
        # What was in the air is sent again, with the same tag, and counted as unanswered.
        assert stats["repeated_pushes"] <= sum(row["unanswered"] for row in told)
