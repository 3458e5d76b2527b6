"""Rows of pushes to one customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, and_, bindparam, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.query import takes_no_push
from clarion.audiences.rule import Everyone
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.content.spec import Content, ContentSpec, dump_content, load_content
from clarion.campaigns.launches.launch import Launch, LaunchState
from clarion.campaigns.launches.store import LAUNCH_COLUMNS, create_launch, launch_beside
from clarion.campaigns.limits.store import get_limits
from clarion.campaigns.store import get_launched
from clarion.clock import first_id_after
from clarion.customers.devices.store import shows_nothing
from clarion.deliveries.counts_store import Tally, add_to_counts
from clarion.deliveries.customer_index.store import NOBODY
from clarion.deliveries.planning.chunk import READY
from clarion.deliveries.planning.planner import ReachedDevice
from clarion.deliveries.pushes.push import KEY_KEPT, PlannedDevice, Push
from clarion.storage.aged import AgedRows
from clarion.storage.bulk import in_parts, insert_new
from clarion.storage.dialect import Id, Instant, insert, prepared
from clarion.storage.schema import (
    chunks,
    customer_deliveries,
    customers,
    deliveries,
    devices,
    launches,
    pushes,
    sources,
)

NOTHING = ContentSpec(base=Content())
"""What a push says whose customer is erased: it is sent to nobody."""
_NAMED = ("name", "code", "category")
"""What templates read of its campaign, and its pushes are limited by, as that was when the push was
asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOfCustomer:
    """A device that is registered, and when it was seen last."""

    reached: ReachedDevice
    device_id: str
    last_seen_at: datetime


async def get_push(connection: AsyncConnection, workspace_id: UUID, push_id: UUID) -> Push | None:
    return await _one(connection, workspace_id, pushes.c.id == push_id)


async def push_of_key(
    connection: AsyncConnection, workspace_id: UUID, key_hash: str, now: datetime
) -> Push | None:
    """The push that was asked for with this key, as long as the key is kept."""
    push = await _one(connection, workspace_id, pushes.c.key_hash == key_hash)
    return None if push is None or push.created_at <= now - KEY_KEPT else push


async def is_suppressed(connection: AsyncConnection, customer_id: UUID) -> bool:
    """Whether nothing may be sent to the customer. That stays so until this transaction ends: an
    erasure that begins meanwhile finds what it writes."""
    row = (await connection.execute(_SUPPRESSED, {"customer": customer_id})).one_or_none()
    return row is None or row.suppressed_at is not None


async def devices_of_customer(
    connection: AsyncConnection, workspace_id: UUID, customer_id: UUID
) -> list[DeviceOfCustomer]:
    """The customer's devices that are registered, the one that was seen last first."""
    wanted = {"workspace": workspace_id, "customer": customer_id}
    rows = await connection.execute(_DEVICES, wanted)
    return [
        DeviceOfCustomer(
            reached=ReachedDevice(*row[:7]), device_id=row.device_id, last_seen_at=row.last_seen_at
        )
        for row in rows
    ]


_SUPPRESSED = (
    select(customers.c.suppressed_at)
    .where(customers.c.id == bindparam("customer", type_=Id))
    .with_for_update(read=True)
)
_DEVICES = (
    select(
        devices.c.id,
        devices.c.customer_id,
        devices.c.platform,
        devices.c.token_kind,
        takes_no_push().label("push_opted_out"),
        shows_nothing().label("notifications_off"),
        sources.c.firebase_app_id,
        devices.c.device_id,
        devices.c.last_seen_at,
    )
    .select_from(
        devices.join(customers, customers.c.id == devices.c.customer_id).outerjoin(
            sources, sources.c.id == devices.c.source_id
        )
    )
    .where(
        devices.c.workspace_id == bindparam("workspace", type_=Id),
        devices.c.customer_id == bindparam("customer", type_=Id),
        devices.c.state == "active",
    )
    .order_by(devices.c.last_seen_at.desc(), devices.c.id)
)
"""Made once: once for each push would be felt."""


async def add_push(
    connection: AsyncConnection,
    push: Push,
    campaign: Campaign | None,
    *,
    content: ContentSpec,
    event: Mapping[str, Any],
    key_hash: str | None,
) -> bool:
    """Inserts the push, with what it says, and what its campaign is called: a draft may be edited
    before the push is sent, or tried again. Returns False if another one with its key is there,
    whose transaction is over by then."""
    if key_hash is not None:
        too_old = push.created_at - KEY_KEPT
        await connection.execute(
            update(pushes)
            .where(
                pushes.c.workspace_id == push.workspace_id,
                pushes.c.key_hash == key_hash,
                pushes.c.created_at <= too_old,
            )
            .values(key_hash=None, request_hash=None)
        )
    values = {
        "id": push.id,
        "workspace_id": push.workspace_id,
        "campaign_id": push.campaign_id,
        "customer_id": push.customer_id,
        "content": dump_content(content),
        "event": dict(event) or None,
        "named": None if campaign is None else {name: getattr(campaign, name) for name in _NAMED},
        "planned": msgspec.to_builtins(list(push.planned)),
        "skipped": push.skipped,
        "key_hash": key_hash,
        "request_hash": push.request_hash if key_hash is not None else None,
        "created_at": push.created_at,
    }
    rows = await connection.execute(_insert_push(connection), values)
    return rows.one_or_none() is not None


@prepared
def _insert_push(connection: AsyncConnection) -> Any:
    return insert(connection, pushes).on_conflict_do_nothing().returning(pushes.c.id)


async def plan_push(
    connection: AsyncConnection,
    launch: Launch,
    planned: Sequence[Mapping[str, Any]],
    app_chunks: Mapping[UUID, UUID],
    now: datetime,
) -> None:
    """Inserts the launch that a push is, with all its deliveries and its chunks, and counts them.

    `planned`: its deliveries, all of one customer, which are found by that customer from now on;
    `app_chunks`: the id of the chunk for each Firebase app.
    """
    await create_launch(connection, launch, indexed_at=now)
    tally = Tally()
    for row in planned:
        tally.add(row["platform"], row["state"], row["reason"], 1)
    sizes = [row["chunk_id"] for row in planned]
    await insert_new(
        connection,
        chunks,
        [
            {
                "id": chunk_id,
                "launch_id": launch.id,
                "workspace_id": launch.workspace_id,
                "firebase_app_id": app_id,
                "state": READY,
                "attempt": 0,
                "due_at": now,
                "size": sizes.count(chunk_id),
                "is_transactional": True,
            }
            for app_id, chunk_id in app_chunks.items()
        ],
    )
    await insert_new(connection, deliveries, planned)
    await insert_new(
        connection,
        customer_deliveries,
        [
            {name: row[name] for name in ("customer_id", "launch_id", "device_id")}
            for row in planned
        ],
    )
    await add_to_counts(connection, launch.id, tally)


async def get_pushed(
    connection: AsyncConnection, launch_id: UUID
) -> tuple[Campaign | None, Mapping[str, Any] | None]:
    """What the push says: the campaign whose content it has, as it was called and with the content
    of when the push was asked for, the push as its launch; and what its templates read as `event`.
    A push with content of its own is a campaign by itself here."""
    row = (await connection.execute(_PUSHED, {"push": launch_id})).one_or_none()
    launch = None if row is None else launch_beside(row._asdict())
    if row is None or launch is None:
        return None, None
    content = NOTHING if row.content is None else load_content(row.content)
    assert isinstance(content, ContentSpec), "only checked content is saved"
    if row.campaign_id is not None:
        launched = await get_launched(connection, launch_id)
        if launched is None:
            return None, row.event
        if row.content is None:  # asked for by an earlier version, or its customer is erased
            content = launched.content
        named = {name: value for name, value in (row.named or {}).items() if name in _NAMED}
        return replace(launched, content=content, is_transactional=True, **named), row.event
    campaign = Campaign(
        id=launch_id,
        workspace_id=launch.workspace_id,
        name="",
        content=content,
        audience=Everyone(),
        is_transactional=True,
        limits=await get_limits(connection, launch.workspace_id),
        launch=launch,
        created_at=row.created_at,
        changed_at=row.created_at,
    )
    return campaign, row.event


async def finish_push(connection: AsyncConnection, push_id: UUID, now: datetime) -> None:
    """Marks the push's launch as done if none of its chunks is open; no agent's act that the audit
    log tells."""
    await connection.execute(_FINISH, {"push": push_id, "now": now})


_PUSHED = (
    select(
        pushes.c.campaign_id,
        pushes.c.content,
        pushes.c.event,
        pushes.c.named,
        pushes.c.created_at,
        *LAUNCH_COLUMNS,
    )
    .join_from(pushes, launches, launches.c.id == pushes.c.id)
    .where(pushes.c.id == bindparam("push", type_=Id))
)
_OPEN_CHUNKS = select(chunks.c.id).where(
    chunks.c.launch_id == bindparam("push", type_=Id),
    chunks.c.state != literal_column("'settled'"),
)
_FINISH = (
    update(launches)
    .where(
        launches.c.id == bindparam("push", type_=Id),
        launches.c.state == LaunchState.SENDING.value,
        ~_OPEN_CHUNKS.exists(),
    )
    .values(
        state=LaunchState.DONE.value,
        done_at=bindparam("now", type_=Instant),
        updated_at=bindparam("now", type_=Instant),
    )
)
"""Made once: once for each push would be felt."""


async def pushes_to(
    connection: AsyncConnection, customer_id: UUID, *, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """A page of the pushes to one customer, by id, which is by age: what they said, and what they
    were asked for with."""
    columns = ("id", "campaign_id", "created_at", "content", "event", "planned", "skipped")
    statement = (
        select(*(pushes.c[name] for name in columns))
        .where(pushes.c.customer_id == customer_id)
        .order_by(pushes.c.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(pushes.c.id > after)
    return [dict(row._mapping) for row in await connection.execute(statement)]


async def forget_pushes(connection: AsyncConnection, customer_ids: Sequence[UUID]) -> None:
    """Takes out of the pushes to a person who is erased whose they were, what they said, and to
    which devices; that there was a push stays."""
    for part in in_parts(customer_ids):
        await connection.execute(
            update(pushes)
            .where(pushes.c.customer_id.in_(part))
            .values(
                customer_id=NOBODY,
                content=None,
                event=None,
                named=None,
                planned=[],
                key_hash=None,
                request_hash=None,
            )
        )


def _are_done(before: datetime) -> Any:
    is_open = select(launches.c.id).where(
        launches.c.id == pushes.c.id, launches.c.emptied_at.is_(None)
    )
    # What has a key is kept for as long beyond that, so that a repeat sends nothing.
    is_old = or_(
        and_(pushes.c.id < first_id_after(before), pushes.c.key_hash.is_(None)),
        pushes.c.id < first_id_after(before - KEY_KEPT),
    )
    return and_(is_old, ~is_open.exists())


PUSHES_BY_AGE = AgedRows(table=pushes, key=pushes.c.id, is_old=_are_done)
"""Once their deliveries are removed."""


async def _one(connection: AsyncConnection, workspace_id: UUID, condition: Any) -> Push | None:
    statement: Select[Any] = (
        select(pushes, customers.c.user_id)
        .outerjoin(customers, customers.c.id == pushes.c.customer_id)
        .where(pushes.c.workspace_id == workspace_id, condition)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return Push(
        id=row.id,
        workspace_id=row.workspace_id,
        campaign_id=row.campaign_id,
        customer_id=row.customer_id,
        user_id=row.user_id,
        planned=msgspec.convert(row.planned, list[PlannedDevice]),
        skipped=row.skipped,
        request_hash=row.request_hash,
        created_at=row.created_at,
    )
