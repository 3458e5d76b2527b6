"""A campaign to many devices, from launch to settled, against a static HTTP/2 server."""

import asyncio
import random
from datetime import timedelta
from statistics import median
from time import monotonic, perf_counter
from typing import Any
from uuid import UUID

from rich.progress import Progress, TaskID

from bench.installation import Installation, Store, add_app, install
from bench.process import Memory, clarion, used
from bench.static import Static
from bench.stories import token
from clarion.audiences.rule import Everyone
from clarion.campaigns.campaign import Campaign, CampaignState, DefinitionState
from clarion.campaigns.content.spec import ContentSpec, parse_content
from clarion.campaigns.store import create_campaign, get_campaign
from clarion.campaigns.timing.trigger import Once
from clarion.clock import SystemClock
from clarion.reports.funnel_store import report
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import customers, devices
from fcm_simulator.credentials import make_key

PROJECT = "bench"
PLATFORMS = ("Android", "Android", "iOS", "Web")
PAGE = 5_000
LOOK_SECONDS = 0.5
REPORTS = 9
"""Asked for so often; the one in the middle counts."""
SECONDS_MAX = 600
CONTENT = {
    "title": "Spring is here",
    "body": "Two days early, for you alone.",
    "link": "https://shop.example/spring",
    "data": {"screen": "spring"},
}
LIQUID = {**CONTENT, "title": "{{ customer.first_name | default: 'Hello' }}, spring is here"}


async def measure(
    store: Store, static: Static, count: int, content: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Send one campaign to `count` devices."""
    installation = await install(
        store, {"CLARION_FCM_URL": static.url, "CLARION_FCM_CA": str(static.ca_file)}
    )
    await add_app(installation, make_key(PROJECT, static.url, static.directory))
    task = progress.add_task(f"campaign · {store.name}", total=count)
    with installation.database() as database:
        try:
            await people(database, installation, count)
            return await _send(database, installation, store, count, content, (progress, task))
        finally:
            await database.close()


async def _send(
    database: Database,
    installation: Installation,
    store: Store,
    count: int,
    content: dict[str, Any],
    shown: tuple[Progress, TaskID],
) -> dict[str, Any]:
    progress, task = shown
    with clarion(["serve"], installation.environment, store.directory / "campaign.log") as (_, pid):
        before, store_before, memory = used(pid), store.used(), Memory(pid)
        campaign_id = await schedule(database, installation, content)
        until = monotonic() + SECONDS_MAX
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            async with database.read() as connection:
                campaign = await get_campaign(connection, installation.workspace_id, campaign_id)
            assert campaign is not None
            launch = campaign.launch
            progress.update(task, completed=0 if launch is None else launch.planned)
            if campaign.state is CampaignState.DONE:
                break
            if monotonic() > until:
                raise RuntimeError("the campaign was not sent")
        memory.close()
        cpu, store_cpu = used(pid).since(before), store.used().since(store_before)
    report_ms = []
    for _ in range(REPORTS):
        began = perf_counter()
        async with database.read() as connection:
            account = await report(connection, installation.workspace_id, campaign_id)
        report_ms.append((perf_counter() - began) * 1e3)
    assert account.balances and account.total.accepted == count, account
    assert launch is not None and launch.done_at is not None and launch.planned_at is not None
    seconds = (launch.done_at - launch.started_at) / timedelta(seconds=1)
    planned = (launch.planned_at - launch.started_at) / timedelta(seconds=1)
    return {
        "pushes": count,
        "seconds, launch to settled": round(seconds, 2),
        "seconds, launch to planned": round(planned, 2),
        "pushes/s": round(count / seconds),
        "CPU µs a push": round(cpu.total / count * 1e6, 1),
        "of it system": round(cpu.system / count * 1e6, 1),
        "database CPU µs a push": round(store_cpu.total / count * 1e6, 1),
        "its report, ms": round(median(report_ms), 1),
        "memory MiB": memory.told(),
    }


async def schedule(database: Database, installation: Installation, content: dict[str, Any]) -> UUID:
    clock = SystemClock()
    spec = parse_content(content)
    assert isinstance(spec, ContentSpec)
    now = clock.now()
    campaign = Campaign(
        id=clock.new_id(),
        workspace_id=installation.workspace_id,
        name="bench",
        definition=DefinitionState.SCHEDULED,
        content=spec,
        audience=Everyone(),
        trigger=Once(now),
        created_at=now,
        changed_at=now,
    )
    async with database.write() as connection:
        await create_campaign(connection, campaign)
    return campaign.id


async def people(database: Database, installation: Installation, count: int) -> None:
    """`count` customers with a device each, written as rows: ingestion is measured elsewhere."""
    chance = random.Random(count)
    now = SystemClock().now()
    workspace_id = installation.workspace_id
    for start in range(0, count, PAGE):
        people, things = [], []
        for number in range(start, min(count, start + PAGE)):
            customer_id = UUID(int=chance.getrandbits(128))
            people.append(
                {
                    "id": customer_id,
                    "workspace_id": workspace_id,
                    "user_id": f"user-{number}",
                    "traits": {"first_name": "Ada", "plan": "pro", "city": "Berlin"},
                    "stamps": {},
                    "push_opted_out": False,
                    "first_seen_at": now,
                    "last_seen_at": now,
                }
            )
            things.append(
                {
                    "id": UUID(int=chance.getrandbits(128)),
                    "workspace_id": workspace_id,
                    "device_id": f"device-{number}",
                    "customer_id": customer_id,
                    "source_id": installation.source_id,
                    "platform": PLATFORMS[number % len(PLATFORMS)],
                    "token": token(chance),
                    "token_kind": "fcm",
                    "token_hash": f"{chance.getrandbits(256):064x}",
                    "token_rank": 1,
                    "token_message_id": f"m-{number}",
                    "registered_at": now,
                    "state": "active",
                    "last_seen_at": now,
                }
            )
        async with database.write() as connection:
            await insert_new(connection, customers, people)
            await insert_new(connection, devices, things)
