"""Claims that were left to their events, read from there."""

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.identity.claims.claim import Claim, ClaimKind, sender_of
from clarion.customers.identity.claims.extract import claims_of
from clarion.customers.identity.claims.repeated_claims import DAY, Day
from clarion.customers.identity.timeline import CLAIMS_READ_MAX
from clarion.events.messages.message import ahead, context_device_of
from clarion.sources.store import list_sources
from clarion.storage.dialect import Instant
from clarion.storage.schema import events


async def claims_told_again(
    connection: AsyncConnection,
    workspace_id: UUID,
    days: Mapping[str, AbstractSet[Day]],
    now: datetime,
) -> dict[str, list[Claim]]:
    """The claims on each of these keys that its days' events make: of a day, the newest
    CLAIMS_READ_MAX. A source that asks for proof by now says nothing: which of its events was
    proven is known no more."""
    keys_by_day: dict[Day, set[str]] = defaultdict(set)
    for key, many in days.items():
        for day in many:
            keys_by_day[day].add(key)
    claims_by_key: dict[str, list[Claim]] = defaultdict(list)
    if not keys_by_day:
        return claims_by_key
    sources = await list_sources(connection, workspace_id)
    asking = {source.id for source in sources if source.asks_for_signatures(now)}
    for day in sorted(keys_by_day):
        for claim in await _claims_of(connection, workspace_id, day, asking):
            if claim.key in keys_by_day[day]:
                claims_by_key[claim.key].append(claim)
    return claims_by_key


class _Told(Struct, frozen=True, kw_only=True, gc=False):
    """A stored event, as far as it claims."""

    message_id: str
    type: str
    name: str | None
    user_id: str
    anonymous_id: str | None
    device_id: str | None
    context_device_id: str | None
    at: datetime
    claimed_at: datetime
    clock_ahead: int | None
    previous_id: None = None
    traits: Mapping[str, Any] = {}
    proof: None = None


async def _claims_of(
    connection: AsyncConnection, workspace_id: UUID, day: Day, asking: AbstractSet[UUID]
) -> list[Claim]:
    claimed_at = func.coalesce(events.c.clock_at, events.c.order_at, events.c.at, type_=Instant())
    rows = await connection.execute(
        select(
            events.c.message_id,
            events.c.source_id,
            events.c.type,
            events.c.name,
            events.c.user_id,
            events.c.anonymous_id,
            events.c.device_id,
            events.c.at,
            events.c.clock_at,
            events.c.received_at,
            events.c.body,
            claimed_at.label("claimed_at"),
        )
        .where(
            events.c.workspace_id == workspace_id,
            events.c.key == day.user_id,
            # Those whose two times are further apart are always stored.
            events.c.at >= day.start - DAY,
            events.c.at < day.start + 2 * DAY,
            claimed_at >= day.start,
            claimed_at < day.start + DAY,
            events.c.user_id.is_not(None),
            events.c.source_id.not_in(asking),
        )
        .order_by(events.c.at.desc())
        .limit(CLAIMS_READ_MAX)
    )
    plain_claims: list[Claim] = []
    for row in rows:
        event = _Told(
            message_id=row.message_id,
            type=row.type,
            name=row.name,
            user_id=row.user_id,
            anonymous_id=row.anonymous_id,
            device_id=row.device_id,
            context_device_id=context_device_of(row.body),
            at=row.at,
            claimed_at=row.claimed_at,
            clock_ahead=None if row.clock_at is None else ahead(row.clock_at, row.received_at),
        )
        claims = claims_of(event, sender_of(row.source_id))
        plain_claims += [claim for claim in claims if claim.kind is ClaimKind.PLAIN]
    return plain_claims
