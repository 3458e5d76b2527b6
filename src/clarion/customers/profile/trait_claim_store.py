"""Rows of trait claims: what identifies taught, kept apart from the events that said it.

A profile is made of them alone, so that events can be removed. Whose a claim is follows from its
key and time, as it does for the event.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity.batch import Arrival
from clarion.customers.profile.compaction import HeldClaim
from clarion.customers.profile.customer import (
    TraitClaim,
    installation_of,
    lesson_of,
    trait_claim,
)
from clarion.customers.profile.wrong_clock import Installation
from clarion.events.messages.message import Event
from clarion.events.ownership_store import is_in_period, owned_by
from clarion.storage.bulk import in_parts, insert_new, remove_each
from clarion.storage.schema import ownership_periods, trait_claims


class RemovableClaim(Struct, frozen=True, gc=False):
    """A claim that goes with the person it is of."""

    key: str
    message_id: str
    traits: Any


class StrangersClaim(Struct, frozen=True, kw_only=True, gc=False):
    """A claim that no person's user id decides: what tells whose it was."""

    key: str
    is_user: bool
    message_id: str
    source_id: UUID
    at: datetime
    clock_at: datetime | None
    order_at: datetime | None
    received_at: datetime


async def add_trait_claims(
    connection: AsyncConnection, workspace_id: UUID, taught: Iterable[tuple[str | None, Arrival]]
) -> None:
    """What these identifies teach, each with the key that decides whose it is."""
    rows = [
        _row(workspace_id, key, arrival.source_id, arrival.event) for key, arrival in taught if key
    ]
    await insert_new(connection, trait_claims, rows)


async def trait_claims_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID]
) -> dict[UUID, list[TraitClaim]]:
    """The claims of each customer that has any."""
    claims_by_customer: dict[UUID, list[TraitClaim]] = defaultdict(list)
    for part in in_parts(customer_ids):
        rows = await connection.execute(
            select(
                trait_claims, ownership_periods.c.customer_id, ownership_periods.c.is_real
            ).where(*owned_by(connection, workspace_id, part, trait_claims))
        )
        for row in rows:
            claims_by_customer[row.customer_id].append(_trait_claim(row))
    return claims_by_customer


async def with_few_claims(
    connection: AsyncConnection, workspace_id: UUID, ids: Iterable[UUID], most: int
) -> set[UUID]:
    """Those of `ids` who have no more than `most` claims."""
    few = set()
    for customer_id in sorted(ids):
        owned = owned_by(connection, workspace_id, [customer_id], trait_claims)
        rows = await connection.execute(select(trait_claims.c.key).where(*owned).limit(most + 1))
        if len(rows.all()) <= most:
            few.add(customer_id)
    return few


async def some_claims_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID], limit: int
) -> list[RemovableClaim]:
    """Up to `limit` of the claims of these customers."""
    for part in in_parts(customer_ids):
        rows = await connection.execute(
            select(trait_claims.c.key, trait_claims.c.message_id, trait_claims.c.traits)
            .where(*owned_by(connection, workspace_id, part, trait_claims))
            .limit(limit)
        )
        if rows_read := rows.all():
            return [RemovableClaim(row.key, row.message_id, _traits_of(row)) for row in rows_read]
    return []


async def crowded_keys(
    connection: AsyncConnection, workspace_id: UUID, most: int, *, after: str, limit: int
) -> tuple[list[str], str | None]:
    """Of the next `limit` user ids that have claims, those with more than `most`; and where to go
    on, None: that was all."""
    rows = await connection.execute(
        select(trait_claims.c.key, func.count())
        .where(
            trait_claims.c.workspace_id == workspace_id,
            trait_claims.c.key > after,
            trait_claims.c.is_user,
        )
        .group_by(trait_claims.c.key)
        .order_by(trait_claims.c.key)
        .limit(limit)
    )
    page = rows.all()
    crowded = [key for key, count in page if count > most]
    return crowded, page[-1].key if len(page) == limit else None


async def some_held_claims(
    connection: AsyncConnection, workspace_id: UUID, key: str, *, after: str, limit: int
) -> list[HeldClaim]:
    """A page of the claims of a user id by messageId, those greater than `after`."""
    rows = await connection.execute(
        select(trait_claims)
        .where(
            trait_claims.c.workspace_id == workspace_id,
            trait_claims.c.key == key,
            trait_claims.c.is_user,
            trait_claims.c.message_id > after,
        )
        .order_by(trait_claims.c.message_id)
        .limit(limit)
    )
    return [
        HeldClaim(
            lesson=lesson_of(row, _traits_of(row), is_identified=True),
            is_certain=row.order_at is None,
            is_active=row.is_active,
        )
        for row in rows
    ]


async def strangers_claims(
    connection: AsyncConnection, workspace_id: UUID, key: str, installations: Iterable[str]
) -> list[StrangersClaim]:
    """The claims of a key that no person's user id decides and that these installations made."""
    of_person = exists().where(ownership_periods.c.is_real, is_in_period(trait_claims))
    rows_read: list[StrangersClaim] = []
    for part in in_parts(installations):
        rows = await connection.execute(
            select(trait_claims).where(
                trait_claims.c.workspace_id == workspace_id,
                trait_claims.c.key == key,
                trait_claims.c.installation.in_(part),
                ~of_person.correlate(trait_claims),
            )
        )
        rows_read += [
            StrangersClaim(
                key=row.key,
                is_user=row.is_user,
                message_id=row.message_id,
                source_id=row.source_id,
                at=row.at,
                clock_at=row.clock_at,
                order_at=row.order_at,
                received_at=row.received_at,
            )
            for row in rows
        ]
    return rows_read


async def remove_claims(
    connection: AsyncConnection, workspace_id: UUID, claims: Iterable[tuple[str | None, str]]
) -> None:
    """Remove these, by key and messageId."""
    await remove_each(
        connection,
        trait_claims,
        [
            {"workspace_id": workspace_id, "key": key, "message_id": message_id}
            for key, message_id in claims
            if key is not None
        ],
    )


def _traits_of(row: Any) -> Any:
    return msgspec.json.decode(row.traits)


def _row(workspace_id: UUID, key: str, source_id: UUID, event: Event) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "key": key,
        "message_id": event.message_id,
        "is_user": event.user_id is not None,
        "source_id": source_id,
        "installation": installation_of(event),
        "at": event.at,
        "clock_at": event.clock_at,
        "order_at": event.order_at,
        "received_at": event.received_at,
        "is_active": event.is_active,
        "traits": msgspec.json.encode(event.traits).decode(),
    }


def _trait_claim(row: Any) -> TraitClaim:
    clock = None if row.installation is None else Installation(row.source_id, row.installation)
    return trait_claim(row, lesson_of(row, _traits_of(row), is_identified=row.is_real), clock)
