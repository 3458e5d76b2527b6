"""Everything a workspace holds of customers, devices and events, page by page, for its export."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.disclosure import without_tokens
from clarion.customers.registration_store import kept_device
from clarion.events.record import RecordKind
from clarion.storage.database import Database
from clarion.storage.schema import customers, devices, events

PAGE = 1_000


async def count_rows(connection: AsyncConnection, workspace_id: UUID, kind: RecordKind) -> int:
    """How many rows the export will have, but for what arrives meanwhile, and a device's second
    and third registration."""
    table = {
        RecordKind.CUSTOMERS: customers,
        RecordKind.DEVICES: devices,
        RecordKind.EVENTS: events,
    }[kind]
    rows = await connection.execute(
        select(func.count()).select_from(table).where(table.c.workspace_id == workspace_id)
    )
    return int(rows.scalar_one())


async def export_pages(
    database: Database, workspace_id: UUID, kind: RecordKind, *, with_tokens: bool
) -> AsyncIterator[list[dict[str, Any]]]:
    """Records that can be imported again, each page read in a transaction of its own.

    Without `with_tokens` registration tokens are left out, in events replaced by fingerprints.
    """
    after: Any = None
    while True:
        statement, key = _page(kind, workspace_id, after)
        async with database.read() as connection:
            rows = (await connection.execute(statement.limit(PAGE))).all()
        if not rows:
            return
        if kind is RecordKind.DEVICES:
            yield [one for row in rows for one in _registrations(row, with_tokens=with_tokens)]
        else:
            yield [_record(kind, row, with_tokens=with_tokens) for row in rows]
        after = getattr(rows[-1], key)


def _page(kind: RecordKind, workspace_id: UUID, after: Any) -> tuple[Select[Any], str]:
    if kind is RecordKind.CUSTOMERS:
        of_customers = select(customers).where(customers.c.workspace_id == workspace_id)
        if after is not None:
            of_customers = of_customers.where(customers.c.id > after)
        return of_customers.order_by(customers.c.id), "id"
    if kind is RecordKind.DEVICES:
        owner = customers.c.id == devices.c.customer_id
        of_devices = (
            select(devices, customers.c.user_id.label("user_id"))
            .select_from(devices.outerjoin(customers, owner))
            .where(devices.c.workspace_id == workspace_id)
        )
        if after is not None:
            of_devices = of_devices.where(devices.c.id > after)
        return of_devices.order_by(devices.c.id), "id"
    of_events = select(events).where(events.c.workspace_id == workspace_id)
    if after is not None:
        of_events = of_events.where(events.c.seq > after)
    return of_events.order_by(events.c.seq), "seq"


def _registrations(row: Any, *, with_tokens: bool) -> list[dict[str, Any]]:
    """A device's lines: the registration it is sent to by, then those that could take its place."""
    device = kept_device(row)
    return [
        {
            "device_id": row.device_id,
            "user_id": row.user_id,
            "platform": one.platform.value,
            "token_kind": one.token_kind.value,
            "state": one.state.value,
            "reason": one.reason,
            "registered_at": one.registered_at,
            "last_seen_at": row.last_seen_at,
            "facts": row.facts,
        }
        | ({"token": one.token} if with_tokens else {})
        for one in device.registrations
        if one is device.current or one.is_active
    ]


def _record(kind: RecordKind, row: Any, *, with_tokens: bool) -> dict[str, Any]:
    if kind is RecordKind.CUSTOMERS:
        return {
            "id": row.id,
            "user_id": row.user_id,
            "anonymous_id": row.key,
            "traits": row.traits if with_tokens else without_tokens(row.traits),
            "push_opted_out": row.push_opted_out,
            "first_seen_at": row.first_seen_at,
            "last_seen_at": max(row.first_seen_at, row.last_seen_at),
        }
    body: dict[str, Any] = msgspec.json.decode(row.body)
    if not with_tokens:
        body = without_tokens(body)
    body.pop("writeKey", None)
    body.pop("sentAt", None)
    body.pop("originalTimestamp", None)
    # Both times, as whoever hands events on tells them: the corrected one, and that of the app's
    # own clock, which keeps the order. Where that clock was plainly wrong, what stands for it.
    own = {} if row.clock_at is None or row.order_at else {"originalTimestamp": row.clock_at}
    return (
        body
        | own
        | {
            "type": row.type,
            "messageId": row.message_id,
            "timestamp": row.order_at or row.at,
            "receivedAt": row.received_at,
        }
    )
