"""A large workspace, written as rows: customers with a device and events each, campaigns that have
ended, and every push of the newest of them."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.campaign import people
from bench.installation import Installation
from clarion.accounts.actor import operator
from clarion.accounts.command import Services
from clarion.campaigns.campaign import Campaign, DefinitionState
from clarion.campaigns.commands import create_campaign
from clarion.campaigns.launches.launch import LaunchState, launch_id
from clarion.deliveries.counts_store import COUNTED
from clarion.deliveries.delivery import DeliveryState
from clarion.storage.bulk import append, insert_new
from clarion.storage.schema import (
    campaigns,
    customer_deliveries,
    deliveries,
    devices,
    events,
    launch_counts,
    launches,
)

DRAFT = {
    "name": "Spring sale",
    "content": {"title": "Hello {{ customer.name | default: 'you' }}", "body": "Spring is here."},
    "audience": {"everyone": True},
}
"""It names a trait that nobody has: that is what takes longest to find out."""
EVENTS = 10_000
PART = 1_000
DEAD_OF = 50
"""Of so many devices FCM knows one no more."""
_OF_DELIVERIES = ("platform", "state", "attempts", "unanswered", "settled_at")
_CASES = ((DeliveryState.ACCEPTED, None), (DeliveryState.UNREGISTERED, "UNREGISTERED"))


async def fill(
    services: Services,
    installation: Installation,
    *,
    customer_count: int,
    campaign_count: int,
    delivery_count: int,
) -> Campaign:
    """Write it; returns its one draft. The other campaigns have ended, each an hour before the
    next; the newest have pushed to everybody, as often as makes `delivery_count`."""
    await people(services.database, installation, customer_count)
    await _events(services, installation, customer_count)
    made = await create_campaign(
        services, operator(installation.workspace_id), DRAFT, lambda *_, **__: ()
    )
    assert isinstance(made, Campaign)
    ended = await _ended(services, campaign_count)
    for launch in ended[: delivery_count // customer_count]:
        async with services.database.write() as connection:
            await _push_to_all(connection, launch)
    return made


async def _events(services: Services, installation: Installation, customer_count: int) -> None:
    chance, now = Random(EVENTS), services.clock.now()
    for start in range(0, EVENTS, PART):
        rows = []
        for number in range(start, start + PART):
            user_id, name = f"user-{chance.randrange(customer_count)}", f"Event {number % 10}"
            rows.append(
                {
                    "workspace_id": installation.workspace_id,
                    "message_id": f"e{number}",
                    "source_id": installation.source_id,
                    "type": "track",
                    "name": name,
                    "user_id": user_id,
                    "key": user_id,
                    "at": now,
                    "received_at": now,
                    "body": f'{{"event": "{name}", "properties": {{"total": 12.5, "a": "b"}}}}',
                }
            )
        async with services.database.write() as connection:
            await append(connection, events, rows)


async def _ended(services: Services, count: int) -> list[UUID]:
    """The launches of `count` - 1 campaigns that are the draft's row again, the newest first."""
    async with services.database.read() as connection:
        row = (await connection.execute(select(campaigns))).one()._asdict()
    made = []
    for start in range(1, count, PART):
        rows: list[dict[str, Any]] = []
        theirs: list[dict[str, Any]] = []
        for number in range(start, min(start + PART, count)):
            at = row["created_at"] - timedelta(hours=number)
            # Ids begin with the time: those of older campaigns are smaller.
            own = UUID(int=row["id"].int - (number << 80) * 3_600_000)
            made.append(launch_id(own, at.isoformat()))
            ages = {"created_at": at, "updated_at": at, "scheduled_at": at}
            more = {"id": own, "name": f"Campaign {number}", "launch_id": made[-1]}
            rows.append({**row, **ages, **more, "state": DefinitionState.ENDED.value})
            theirs.append(
                {
                    "id": made[-1],
                    "workspace_id": row["workspace_id"],
                    "campaign_id": own,
                    "state": LaunchState.DONE.value,
                    "planned": 0,
                    "occurrence": at.isoformat(),
                    **dict.fromkeys(
                        ("started_at", "planned_at", "done_at", "due_at", "updated_at"), at
                    ),
                    "indexed_at": at,
                }
            )
        async with services.database.write() as connection:
            await insert_new(connection, campaigns, rows)
            await insert_new(connection, launches, theirs)
    return made


async def _push_to_all(connection: AsyncConnection, launch: UUID) -> None:
    """A settled delivery for every device, in the index by customer and in the launch's counts."""
    found = await connection.execute(select(launches).where(launches.c.id == launch))
    at = found.one().started_at
    is_dead = func.abs(func.random() % DEAD_OF) == 0
    (fine, _), (dead, reason) = _CASES
    await connection.execute(
        insert(deliveries).from_select(
            ["launch_id", "device_id", "customer_id", *_OF_DELIVERIES],
            select(
                literal(launch, deliveries.c.launch_id.type),
                devices.c.id,
                devices.c.customer_id,
                devices.c.platform,
                case((is_dead, dead.value), else_=fine.value),
                literal(1),
                literal(0),
                literal(at, deliveries.c.settled_at.type),
            ).order_by(devices.c.id),
        )
    )
    await connection.execute(
        deliveries.update()
        .where(deliveries.c.launch_id == launch, deliveries.c.state == dead.value)
        .values(reason=reason)
    )
    theirs = (deliveries.c.launch_id == launch,)
    key = (deliveries.c.platform, deliveries.c.state, func.coalesce(deliveries.c.reason, ""))
    await connection.execute(
        insert(launch_counts).from_select(
            ["launch_id", "platform", "state", "reason", *COUNTED[:-1]],
            select(
                literal(launch, deliveries.c.launch_id.type),
                *key,
                func.count(),
                literal(0),
                literal(0),
                func.count(),
                literal(0),
            )
            .where(*theirs)
            .group_by(*key),
        )
    )
    names = ["customer_id", "launch_id", "device_id"]
    pairs = select(*(deliveries.c[name] for name in names)).where(*theirs)
    await connection.execute(
        insert(customer_deliveries).from_select(names, pairs.order_by(deliveries.c.customer_id))
    )
    counted = select(func.count()).where(*theirs).scalar_subquery()
    await connection.execute(
        launches.update().where(launches.c.id == launch).values(planned=counted)
    )
