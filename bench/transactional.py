"""Pushes to single customers, asked for over HTTP while a campaign is being sent.

Each is measured from the call to the settled delivery: the provider's answer is written by then, so
that the time until the push has reached the provider is less. The calls come at a fixed rate,
whether those before them are answered or not.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
from rich.progress import Progress
from sqlalchemy import select

from bench.campaign import CONTENT, PROJECT, people, schedule
from bench.installation import Installation, Store, add_app, install
from bench.process import clarion
from bench.static import Static
from clarion.accounts.actor import Scope
from clarion.accounts.api_key_store import create_key
from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.store import get_campaign
from clarion.clock import SystemClock
from clarion.deliveries.apps.pacing import Limits
from clarion.deliveries.apps.store import set_limits
from clarion.storage.bulk import in_parts
from clarion.storage.database import Database
from clarion.storage.schema import deliveries
from fcm_simulator.credentials import make_key

RATE = 100
"""Calls a second."""
ALONE_SECONDS = 5
SETTLED_SECONDS_MAX = 60
SENDING_SECONDS_MAX = 60
BODY = {
    "content": {"title": "Order {{ event.order_id }} is on its way"},
    "event": {"order_id": 4711},
}

Call = tuple[datetime, UUID, float]
"""When it began, the push, and the seconds until it was answered."""


async def measure(store: Store, static: Static, count: int, progress: Progress) -> dict[str, Any]:
    """Ask for `RATE` pushes a second, alone and then beside a campaign to `count` devices."""
    installation = await install(
        store, {"CLARION_FCM_URL": static.url, "CLARION_FCM_CA": str(static.ca_file)}
    )
    app = await add_app(installation, make_key(PROJECT, static.url, static.directory))
    task = progress.add_task(f"transactional · {store.name}", total=count)
    with installation.database() as database:
        try:
            await people(database, installation, count)
            async with database.write() as connection:
                # The quota that every project has: a campaign holds the line then.
                await set_limits(connection, installation.workspace_id, app.id, Limits())
                _, key = await create_key(
                    connection,
                    workspace_id=installation.workspace_id,
                    name="bench",
                    scopes=[Scope.WRITE],
                    key_id=SystemClock().new_id(),
                    now=SystemClock().now(),
                )
            with clarion(
                ["serve"], installation.environment, store.directory / "transactional.log"
            ) as (url, _):
                async with httpx.AsyncClient(
                    base_url=url,
                    headers={"Authorization": f"Bearer {key}"},
                    limits=httpx.Limits(max_connections=500, max_keepalive_connections=500),
                    timeout=SETTLED_SECONDS_MAX,
                ) as client:
                    await _ask(client, count, seconds=2)  # connections, access token, plans
                    alone = await _ask(client, count, seconds=ALONE_SECONDS)
                    beside = await _beside(database, installation, client, count)
                progress.update(task, completed=count)
                return {
                    "calls/s": RATE,
                    **await _figures(database, "alone", alone),
                    "devices of the campaign": count,
                    **await _figures(database, "beside the campaign", beside),
                }
        finally:
            await database.close()


async def _beside(
    database: Database, installation: Installation, client: httpx.AsyncClient, count: int
) -> list[Call]:
    """What is asked for while the campaign is being sent."""
    campaign_id = await schedule(database, installation, CONTENT)

    async def state() -> CampaignState:
        async with database.read() as connection:
            campaign = await get_campaign(connection, installation.workspace_id, campaign_id)
        assert campaign is not None
        return campaign.state

    until = monotonic() + SENDING_SECONDS_MAX
    while await state() in (CampaignState.SCHEDULED, CampaignState.DRAFT):
        if monotonic() > until:
            raise RuntimeError("the campaign was not launched")
        await asyncio.sleep(0.05)
    calls: list[Call] = []
    while await state() in (CampaignState.LAUNCHING, CampaignState.SENDING):
        calls += await _ask(client, count, seconds=1)
        if monotonic() > until:
            break
    return calls


async def _ask(client: httpx.AsyncClient, count: int, *, seconds: int) -> list[Call]:
    """Calls at the rate, each to another customer; returns when all are answered."""
    began = monotonic()

    async def call(number: int) -> Call:
        await asyncio.sleep(max(0.0, began + number / RATE - monotonic()))
        at, started = datetime.now(UTC), monotonic()
        user = f"user-{(number * 7919) % count}"
        answer = await client.post("/api/v1/pushes", json={**BODY, "user_id": user})
        answer.raise_for_status()
        return at, UUID(answer.json()["id"]), monotonic() - started

    return list(await asyncio.gather(*(call(number) for number in range(RATE * seconds))))


async def _figures(database: Database, name: str, calls: list[Call]) -> dict[str, Any]:
    """p50 and p95, in ms, until the answer of the API and until the push is settled."""
    settled = await _settled(database, [push_id for _, push_id, _ in calls])
    sent = [(settled[push_id] - at) / timedelta(milliseconds=1) for at, push_id, _ in calls]
    return {
        f"{name}: calls": len(calls),
        f"{name}: p50 and p95 to the API's answer, ms": _told([call[2] * 1e3 for call in calls]),
        f"{name}: p50 and p95 to settled, ms": _told(sent),
    }


def _told(values: list[float]) -> str:
    parts = quantiles(values, n=20)
    return f"{parts[9]:.0f} and {parts[18]:.0f}"


async def _settled(database: Database, push_ids: list[UUID]) -> dict[UUID, datetime]:
    """When each was; waits until all are."""
    until = monotonic() + SETTLED_SECONDS_MAX
    while True:
        settled: dict[UUID, datetime] = {}
        async with database.read() as connection:
            for part in in_parts(push_ids):
                rows = await connection.execute(
                    select(deliveries.c.launch_id, deliveries.c.settled_at).where(
                        deliveries.c.launch_id.in_(part), deliveries.c.settled_at.is_not(None)
                    )
                )
                settled |= {row.launch_id: row.settled_at for row in rows}
        if len(settled) == len(push_ids):
            return settled
        if monotonic() > until:
            raise RuntimeError(f"{len(push_ids) - len(settled)} pushes were not settled")
        await asyncio.sleep(0.5)
