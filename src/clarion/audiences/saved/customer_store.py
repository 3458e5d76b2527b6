"""What a rule asks of one customer, read for an explanation."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import literal, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.matching import KnownCustomer, KnownDevice, KnownEvent, KnownPush
from clarion.audiences.rule import DidEvent, GotCampaign, InList, Rule, walk
from clarion.customers.profile.store import Customer
from clarion.events.ownership_store import owned_by_each
from clarion.storage.dialect import among
from clarion.storage.schema import (
    audience_members,
    customer_deliveries,
    deliveries,
    devices,
    events,
    launches,
)

EVENTS_MAX = 10_000
"""The newest so many events of one customer, of the names that a rule asks for, are looked at."""


async def read_known(
    connection: AsyncConnection, customer: Customer, rule: Rule, now: datetime
) -> KnownCustomer:
    """The customer with what the rule, whose audiences are resolved, asks for."""
    parts = list(walk(rule))
    names = {part.name for part in parts if isinstance(part, DidEvent)}
    campaign_ids = {part.campaign_id for part in parts if isinstance(part, GotCampaign)}
    list_ids = {part.audience_id for part in parts if isinstance(part, InList)}
    return KnownCustomer(
        id=customer.id,
        user_id=customer.user_id,
        traits=customer.traits,
        devices=await _devices(connection, customer),
        events=await _events(connection, customer, names) if names else (),
        pushes=await _pushes(connection, customer.id, campaign_ids) if campaign_ids else (),
        lists=await _lists(connection, customer, list_ids) if list_ids else frozenset(),
    )


async def _devices(connection: AsyncConnection, customer: Customer) -> list[KnownDevice]:
    rows = await connection.execute(
        select(
            devices.c.platform, devices.c.facts, devices.c.last_seen_at, devices.c.registered_at
        ).where(
            devices.c.workspace_id == customer.workspace_id,
            devices.c.customer_id == customer.id,
            devices.c.state == literal_column("'active'"),
        )
    )
    return [
        KnownDevice(
            platform=row.platform,
            facts=row.facts or {},
            last_seen_at=row.last_seen_at,
            registered_at=row.registered_at,
        )
        for row in rows
    ]


async def _events(
    connection: AsyncConnection, customer: Customer, names: Collection[str]
) -> list[KnownEvent]:
    rows = await connection.execute(
        select(events.c.name, events.c.at, events.c.body)
        .where(
            *owned_by_each(literal(customer.id, events.c.workspace_id.type)),
            events.c.type == literal_column("'track'"),
            among(connection, events.c.name, list(names)),
        )
        .order_by(events.c.at.desc())
        .limit(EVENTS_MAX)
    )
    return [KnownEvent(name=row.name, at=row.at, properties=_properties(row.body)) for row in rows]


def _properties(body: str) -> dict[str, Any]:
    properties = msgspec.json.decode(body).get("properties")
    return properties if isinstance(properties, dict) else {}


async def _pushes(
    connection: AsyncConnection, customer_id: UUID, campaign_ids: Collection[UUID]
) -> list[KnownPush]:
    """Those of launches that have ended, which are found by customer, and of those under way."""
    pushes = []
    columns = (launches.c.campaign_id, deliveries.c.received_at, deliveries.c.opened_at)
    accepted = (
        deliveries.c.customer_id == customer_id,
        deliveries.c.state == literal_column("'accepted'"),
        among(connection, launches.c.campaign_id, list(campaign_ids)),
    )
    ended = (
        select(*columns)
        .select_from(customer_deliveries)
        .join(launches, launches.c.id == customer_deliveries.c.launch_id)
        .join(
            deliveries,
            (deliveries.c.launch_id == customer_deliveries.c.launch_id)
            & (deliveries.c.device_id == customer_deliveries.c.device_id),
        )
        .where(
            customer_deliveries.c.customer_id == customer_id,
            launches.c.indexed_at.is_not(None),
            *accepted,
        )
    )
    under_way = (
        select(*columns)
        .select_from(deliveries)
        .join(launches, launches.c.id == deliveries.c.launch_id)
        .where(launches.c.indexed_at.is_(None), *accepted)
    )
    for statement in (ended, under_way):
        for row in await connection.execute(statement):
            pushes.append(
                KnownPush(
                    campaign_id=row.campaign_id,
                    was_received=row.received_at is not None,
                    was_opened=row.opened_at is not None,
                )
            )
    return pushes


async def _lists(
    connection: AsyncConnection, customer: Customer, list_ids: Collection[UUID]
) -> frozenset[UUID]:
    if customer.user_id is None:
        return frozenset()
    rows = await connection.execute(
        select(audience_members.c.audience_id).where(
            audience_members.c.user_id == customer.user_id,
            among(connection, audience_members.c.audience_id, list(list_ids)),
        )
    )
    return frozenset(rows.scalars())
