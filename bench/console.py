"""How long the server takes for each page of the console in a large workspace: the middle, and
what 19 of 20 calls stay below. One call at a time, by somebody who is signed in."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import httpx
from rich.progress import Progress
from sqlalchemy import select

from bench.campaign import people
from bench.installation import SECRET, Installation, Store, install
from bench.process import clarion
from clarion.accounts.actor import Role, operator
from clarion.accounts.command import Services
from clarion.accounts.people.commands import NewInvitation, invite
from clarion.accounts.people.passwords import PasswordHasher
from clarion.accounts.people.session import Place
from clarion.accounts.people.signing_in import SignedIn, accept_invitation
from clarion.brokers.database import DatabaseBroker
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.commands import create_campaign
from clarion.clock import SystemClock
from clarion.storage.bulk import insert_new
from clarion.storage.database import Database
from clarion.storage.schema import campaigns, customers
from clarion.storage.vault import load_or_make_vault

TIMES = 40
WARM_UP = 2
PART = 1_000
AIM_MS = 100
"""Of the 95th percentile."""
DRAFT = {
    "name": "Spring sale",
    "content": {"title": "Hello {{ customer.name | default: 'you' }}", "body": "Spring is here."},
    "audience": {"everyone": True},
}


async def measure(
    store: Store, customer_count: int, campaign_count: int, progress: Progress
) -> dict[str, dict[str, str]]:
    """By page. `campaign_count` campaigns are drafts, all of another age."""
    installation = await install(store, {})
    with installation.database() as database:
        try:
            services = Services(
                database=database,
                clock=SystemClock(),
                broker=DatabaseBroker(database, SystemClock()),
                vault=load_or_make_vault(installation.settings.data_dir, SECRET),
            )
            await people(database, installation, customer_count)
            campaign = await _campaigns(services, installation, campaign_count)
            token = await _admin(services, installation)
            pages = await _pages(database, campaign)
        finally:
            await database.close()
    results: dict[str, dict[str, str]] = {}
    task = progress.add_task(f"console · {store.name}", total=len(pages))
    log = store.directory / "console.log"
    with clarion(["serve"], installation.environment, log) as (url, _):
        with httpx.Client(base_url=url, cookies={"clarion": token}, timeout=120) as client:
            for name, path in pages.items():
                results[name] = _judged(_milliseconds(client, path))
                progress.advance(task)
    return results


def _milliseconds(client: httpx.Client, path: str) -> list[float]:
    taken = []
    for _ in range(WARM_UP + TIMES):
        began = perf_counter()
        answer = client.get(path, headers={"Accept": "text/html"})
        taken.append((perf_counter() - began) * 1_000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answers {answer.status_code}")
    return taken[WARM_UP:]


def _judged(taken: Sequence[float]) -> dict[str, str]:
    p95 = quantiles(taken, n=20)[-1]
    return {
        "middle": f"{median(taken):.0f} ms",
        "p95": f"{p95:.0f} ms",
        f"p95 ≤ {AIM_MS} ms": "yes" if p95 <= AIM_MS else "no",
    }


async def _campaigns(services: Services, installation: Installation, count: int) -> Campaign:
    """One is made as people make it; the others are its row again, each older than the next."""
    actor = operator(installation.workspace_id)
    made = await create_campaign(services, actor, DRAFT, lambda *_, **__: ())
    assert isinstance(made, Campaign)
    async with services.database.read() as connection:
        row = (await connection.execute(select(campaigns))).one()._asdict()
    for start in range(1, count, PART):
        rows: list[dict[str, Any]] = []
        for number in range(start, min(start + PART, count)):
            age = timedelta(minutes=number)
            own = {"id": services.clock.new_id(), "name": f"Campaign {number}"}
            ages = {name: row[name] - age for name in ("created_at", "updated_at")}
            rows.append({**row, **own, **ages})
        async with services.database.write() as connection:
            await insert_new(connection, campaigns, rows)
    return made


async def _admin(services: Services, installation: Installation) -> str:
    """The token of somebody's session."""
    email = "bench@example.com"
    made = await invite(services, operator(installation.workspace_id), Role.ADMIN, email)
    assert isinstance(made, NewInvitation)
    begun = await accept_invitation(
        services,
        PasswordHasher(),
        made.token,
        email=email,
        name="Bench",
        password="measured, and never used",  # noqa: S106
        place=Place(address=None, browser=None),
    )
    assert isinstance(begun, SignedIn)
    return begun.token


async def _pages(database: Database, campaign: Campaign) -> dict[str, str]:
    async with database.read() as connection:
        rows = await connection.execute(select(customers.c.id, customers.c.user_id).limit(1))
        customer = rows.one()
    return {
        "home": "/console/",
        "campaigns": "/console/campaigns",
        "compose": f"/console/campaigns/{campaign.id}/edit",
        "review": f"/console/campaigns/{campaign.id}/review",
        "customers": "/console/customers",
        "customers, a late page": "/console/customers?after=" + str(customer.id),
        "customers, found": f"/console/customers?q={customer.user_id}",
        "customer": f"/console/customers/{customer.id}",
        "audiences": "/console/audiences",
        "audience, new": "/console/audiences/new",
        "connections": "/console/connections",
        "freshness": "/console/connections/freshness",
        "settings": "/console/settings",
        "sending": "/console/settings/sending",
        "audit": "/console/settings/audit",
    }
