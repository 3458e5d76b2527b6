"""How long the server takes for each page of the console in a large workspace: the middle, what
19 of 20 calls stay below, and its CPU. One call at a time, by somebody who is signed in."""

from collections.abc import Sequence
from statistics import median, quantiles
from time import perf_counter

import httpx
from rich.progress import Progress
from sqlalchemy import select

from bench.installation import SECRET, Installation, Store, add_app, install
from bench.process import clarion, used
from bench.workspace import fill
from clarion.accounts.actor import Role, operator
from clarion.accounts.command import Services
from clarion.accounts.people.commands import NewInvitation, invite
from clarion.accounts.people.passwords import PasswordHasher
from clarion.accounts.people.session import Place
from clarion.accounts.people.signing_in import SignedIn, accept_invitation
from clarion.brokers.database import DatabaseBroker
from clarion.campaigns.campaign import Campaign
from clarion.clock import SystemClock
from clarion.storage.database import Database
from clarion.storage.schema import customers, launches
from clarion.storage.vault import load_or_make_vault
from fcm_simulator.credentials import make_key

TIMES = 40
WARM_UP = 2
AIM_MS = 100
"""Of the 95th percentile."""


async def measure(
    store: Store,
    customer_count: int,
    campaign_count: int,
    delivery_count: int,
    progress: Progress,
) -> dict[str, dict[str, str]]:
    """By page, in the workspace that `workspace.fill` writes."""
    installation = await install(store, {})
    await add_app(installation, make_key("bench", "https://127.0.0.1:1", store.directory))
    with installation.database() as database:
        try:
            services = Services(
                database=database,
                clock=SystemClock(),
                broker=DatabaseBroker(database, SystemClock()),
                vault=load_or_make_vault(installation.settings.data_dir, SECRET),
            )
            campaign = await fill(
                services,
                installation,
                customer_count=customer_count,
                campaign_count=campaign_count,
                delivery_count=delivery_count,
            )
            token = await _admin(services, installation)
            pages = await _pages(database, campaign)
        finally:
            await database.close()
    results: dict[str, dict[str, str]] = {}
    task = progress.add_task(f"console · {store.name}", total=len(pages))
    log = store.directory / "console.log"
    with clarion(["serve"], installation.environment, log) as (url, pid):
        with httpx.Client(base_url=url, cookies={"clarion": token}, timeout=120) as client:
            for name, path in pages.items():
                before = used(pid)
                taken = _milliseconds(client, path)
                spent = used(pid).since(before).total / (WARM_UP + TIMES)
                results[name] = _judged(taken) | {"CPU": f"{spent * 1_000:.0f} ms"}
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


async def _pages(database: Database, draft: Campaign) -> dict[str, str]:
    """What is asked for after a page, by the page itself, is said so: it may take longer the more
    there are, and nobody waits for it before they read."""
    async with database.read() as connection:
        rows = await connection.execute(select(customers.c.id, customers.c.user_id).limit(1))
        customer = rows.one()
        newest = select(launches.c.campaign_id).order_by(launches.c.started_at.desc()).limit(1)
        sent = (await connection.execute(newest)).scalar_one()
    return {
        "home": "/console/",
        "campaigns": "/console/campaigns",
        "campaigns, done": "/console/campaigns?state=done",
        "campaigns, sending": "/console/campaigns?state=sending",
        "campaigns, found": "/console/campaigns?q=99",
        "calendar": "/console/campaigns/calendar",
        "calendar, a week": "/console/campaigns/calendar?week=now",
        "compose": f"/console/campaigns/{draft.id}/edit",
        "review": f"/console/campaigns/{draft.id}/review",
        "report": f"/console/campaigns/{sent}",
        "deliveries": f"/console/campaigns/{sent}/deliveries",
        "deliveries, unregistered": f"/console/campaigns/{sent}/deliveries?state=unregistered",
        "customers": "/console/customers",
        "customers, a late page": "/console/customers?after=" + str(customer.id),
        "customers, found": f"/console/customers?q={customer.user_id}",
        "customer": f"/console/customers/{customer.id}",
        "customer, why": f"/console/customers/{customer.id}?why={sent}",
        "device": "/console/devices?id=device-5",
        "audiences": "/console/audiences",
        "audience, new": "/console/audiences/new",
        "connections": "/console/connections",
        "freshness": "/console/connections/freshness",
        "settings": "/console/settings",
        "sending": "/console/settings/sending",
        "audit": "/console/settings/audit",
        "after the page: review, counted": f"/console/campaigns/{draft.id}/review?counted=1",
        "after the page: freshness, counted": "/console/connections/freshness?counted=1",
    }
