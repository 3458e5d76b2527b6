"""The devices that a test push is for, as a sender sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.query import devices_of
from clarion.audiences.rule import Rule
from clarion.deliveries.planning.chunk import OpenDelivery
from clarion.storage.schema import customers, devices


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDevice:
    """A device by the app's own name for it, with what sending asks of it, and its app."""

    name: str
    firebase_app_id: UUID | None
    delivery: OpenDelivery


async def devices_to_test(
    connection: AsyncConnection, workspace_id: UUID, rule: Rule, *, now: datetime, limit: int
) -> Sequence[TestDevice]:
    """At most `limit` active devices that a rule (its audiences resolved) reaches."""
    statement = devices_of(workspace_id, rule, now=now, after=None, limit=limit).add_columns(
        devices.c.device_id,
        devices.c.token,
        devices.c.token_hash,
        devices.c.facts,
        customers.c.user_id,
        customers.c.traits,
    )
    return [
        TestDevice(
            name=row.device_id,
            firebase_app_id=row.firebase_app_id,
            delivery=OpenDelivery(
                device_id=row.id,
                platform=row.platform,
                is_still_theirs=True,
                device_state="active",
                token=row.token,
                token_kind=row.token_kind,
                token_hash=row.token_hash,
                push_opted_out=row.push_opted_out,
                notifications_off=row.notifications_off,
                user_id=row.user_id,
                traits=row.traits,
                facts=row.facts,
                customer_id=row.customer_id,
            ),
        )
        for row in await connection.execute(statement)
    ]
