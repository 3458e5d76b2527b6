"""Everything a workspace holds of customers, devices and events, page by page, for its export."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.registration_store import kept_device
from clarion.customers.identity.identifier import User
from clarion.customers.identity.store import read_identifiers
from clarion.customers.identity.timeline import Timeline
from clarion.customers.profile.redaction import body_left_out, facts_left_out, traits_left_out
from clarion.customers.profile.redaction_store import known_tokens
from clarion.events.ownership_store import stored_event
from clarion.importing.lines.columns import LEFT_OUT, SOURCE
from clarion.importing.lines.row import RecordKind
from clarion.sources.store import list_sources
from clarion.storage.schema import customers, devices, events

OWNERS_MAX = 50
"""Of one device, the last."""


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


async def export_page(
    connection: AsyncConnection,
    workspace_id: UUID,
    kind: RecordKind,
    *,
    after: UUID | int | None,
    limit: int,
    with_tokens: bool,
) -> tuple[list[dict[str, Any]], UUID | int | None]:
    """Records of at most `limit` rows that can be imported again, and the key of the last row,
    after which the next page begins; None: this is the last page. An event's key is its `seq`.

    Without `with_tokens` registration tokens are left out, and with them the traits and the members
    of events that they stand in.
    """
    statement, key = _page(kind, workspace_id, after)
    rows = (await connection.execute(statement.limit(limit))).all()
    shared = await _shared(connection, workspace_id, kind, rows, with_tokens=with_tokens)
    match kind:
        case RecordKind.CUSTOMERS:
            records = [_customer(row, shared) for row in rows]
        case RecordKind.DEVICES:
            records = [registration for row in rows for registration in _registrations(row, shared)]
        case RecordKind.EVENTS:
            records = [_event(row, shared) for row in rows]
    return records, getattr(rows[-1], key) if len(rows) == limit else None


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
    of_events = stored_event().where(events.c.workspace_id == workspace_id)
    if after is not None:
        of_events = of_events.where(events.c.seq > after)
    return of_events.order_by(events.c.seq), "seq"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What is asked for a page at once."""

    known: Collection[str] | None
    """Tokens to be left out; None: they are written."""
    sources: Mapping[UUID, str]
    timelines: Mapping[str, Timeline]
    """Of devices: who owned each when."""


async def _shared(
    connection: AsyncConnection,
    workspace_id: UUID,
    kind: RecordKind,
    rows: Sequence[Any],
    *,
    with_tokens: bool,
) -> _Shared:
    hidden_tokens: set[str] | None = None
    sources: dict[UUID, str] = {}
    timelines: dict[str, Timeline] = {}
    if not with_tokens:
        values: list[Any] = []
        owners: list[UUID] = []
        if kind is RecordKind.EVENTS:
            values, owners = [row.body for row in rows], [row.customer_id for row in rows]
        elif kind is RecordKind.CUSTOMERS:
            values, owners = [row.traits for row in rows], [row.id for row in rows]
        hidden_tokens = await known_tokens(connection, workspace_id, values, owners)
    if kind is not RecordKind.CUSTOMERS:
        sources = {
            source.id: source.name for source in await list_sources(connection, workspace_id)
        }
    if kind is RecordKind.DEVICES:
        keys = [row.device_id for row in rows]
        identifiers = await read_identifiers(connection, workspace_id, keys)
        timelines = {key: identifier.timeline for key, identifier in identifiers.items()}
    return _Shared(known=hidden_tokens, sources=sources, timelines=timelines)


def _owners(timeline: Timeline, key: str) -> list[tuple[datetime, str | None]]:
    """Since when a device has been whose (None: signed out), up to its owner of now."""
    owner = timeline.device_owner(key)
    user_id = owner.user_id if isinstance(owner, User) else None
    spans = list(timeline.spans)
    while spans and spans[-1].user_id != user_id:
        spans.pop()  # seen with somebody, but not theirs
    return [(span.at, span.user_id) for span in spans[-OWNERS_MAX:]]


def _registrations(row: Any, shared: _Shared) -> list[dict[str, Any]]:
    """A device's lines: the registration it is sent to by, then those that could take its place."""
    device = kept_device(row)
    line = shared.timelines.get(row.device_id, Timeline())
    return [
        {
            "device_id": row.device_id,
            "user_id": row.user_id,
            "platform": registration.platform.value,
            "token_kind": registration.token_kind.value,
            "state": registration.state.value,
            "reason": registration.reason,
            "registered_at": registration.registered_at,
            "last_seen_at": row.last_seen_at,
            "owners": _owners(line, row.device_id),
            "facts": row.facts if shared.known is None else facts_left_out(row.facts),
            SOURCE: shared.sources.get(registration.source_id),
        }
        | ({"token": registration.token} if shared.known is None else {})
        for registration in device.registrations
        if registration is device.current or registration.is_active
    ]


def _customer(row: Any, shared: _Shared) -> dict[str, Any]:
    traits: dict[str, Any] = row.traits
    left_out: list[str] = []
    if shared.known is not None:
        traits, left_out = traits_left_out(traits, shared.known)
    return {
        "id": row.id,
        "user_id": row.user_id,
        "anonymous_id": row.key,
        "traits": traits,
        "push_opted_out": row.push_opted_out,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": max(row.first_seen_at, row.last_seen_at),
        "suppressed_at": row.suppressed_at,
    } | ({LEFT_OUT: left_out} if left_out else {})


def _event(row: Any, shared: _Shared) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(row.body)
    for name in ("writeKey", "sentAt", "originalTimestamp", SOURCE, LEFT_OUT):
        body.pop(name, None)
    left_out: list[str] = []
    if shared.known is not None:
        body, left_out = body_left_out(body, shared.known)
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
            SOURCE: shared.sources.get(row.source_id),
        }
        | ({LEFT_OUT: left_out} if left_out else {})
    )
