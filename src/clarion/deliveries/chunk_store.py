"""Rows of chunks: claimed by one sender at a time, and settled only by the one that claimed last.

The fence is the chunk's `attempt`. A claim bumps it; whatever a sender writes about a chunk it
writes in one transaction that first checks that the attempt is still its own. So a sender that was
believed dead, and is not, changes nothing any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, literal, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.query import takes_no_push
from clarion.campaigns.campaign import CampaignState, finish
from clarion.campaigns.commands import apply_transition
from clarion.campaigns.store import LaunchState, get_launch, set_launch_state
from clarion.clock import SKEW, first_id_after, made_at
from clarion.customers.devices.store import shows_nothing
from clarion.deliveries.delivery import DeliveryState, Settled
from clarion.faults import Rejected
from clarion.storage.bulk import insert_new
from clarion.storage.dialect import Instant
from clarion.storage.schema import (
    campaigns,
    chunks,
    customers,
    deliveries,
    devices,
    firebase_apps,
    launches,
)

LEASE_MAX = timedelta(minutes=5)
"""Several times what a sender takes at once."""
READY, LEASED, SETTLED = "ready", "leased", "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A claimed chunk. `attempt` is ours until somebody claims it after our lease.

    `lost` counts the claims before ours that ended in nothing: the sender died or was too late, so
    the answers to what it may have sent are lost.
    """

    id: UUID
    launch_id: UUID
    workspace_id: UUID
    firebase_app_id: UUID
    attempt: int
    lost: int
    size: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChunk:
    """Deliveries to be tried again together at `due_at`."""

    id: UUID
    due_at: datetime
    device_ids: Sequence[UUID]
    tried: bool
    """They were tried: from the first time on, the time runs in which they may be tried again."""
    held: bool = False
    """They wait for a person, not for the provider."""


async def claim_chunk(
    connection: AsyncConnection, chunk_id: UUID, *, now: datetime, lease_until: datetime
) -> Chunk | None:
    """Claim it if it is due and nobody works on it."""
    rows = await connection.execute(
        update(chunks)
        .where(
            chunks.c.id == chunk_id,
            or_(
                and_(chunks.c.state == READY, chunks.c.due_at <= now),
                # Made by a clock ahead of ours: when it is due, its job says better than its row.
                and_(chunks.c.state == READY, chunks.c.id >= first_id_after(now + SKEW)),
                and_(chunks.c.state == LEASED, _is_over(now)),
            ),
        )
        .values(
            state=LEASED,
            attempt=chunks.c.attempt + 1,
            lost=case((chunks.c.state == LEASED, chunks.c.lost + 1), else_=chunks.c.lost),
            lease_until=lease_until,
            is_held=False,
        )
        .returning(*(chunks.c[field.name] for field in fields(Chunk)))
    )
    row = rows.one_or_none()
    return None if row is None else Chunk(**row._mapping)


async def keep_chunk(connection: AsyncConnection, chunk: Chunk, *, lease_until: datetime) -> bool:
    """Prolong the lease; False: the chunk is not ours any more."""
    rows = await connection.execute(
        update(chunks).where(*_ours(chunk)).values(lease_until=lease_until).returning(chunks.c.id)
    )
    return rows.one_or_none() is not None


async def open_deliveries(
    connection: AsyncConnection, chunk: Chunk, *, with_traits: bool, with_facts: bool = False
) -> Sequence[Any]:
    """The chunk's pending deliveries with device and customer as they are now.

    `has_arrived`: an answer was lost, and meanwhile the app has reported the push.
    """
    reported: ColumnElement[bool] = deliveries.c.received_at.is_not(None)
    if not chunk.lost:
        reported = and_(reported, deliveries.c.unanswered > 0)
    columns = [
        deliveries.c.device_id,
        (devices.c.customer_id == deliveries.c.customer_id).label("is_still_theirs"),
        deliveries.c.platform,
        deliveries.c.attempts,
        deliveries.c.first_tried_at,
        deliveries.c.reason,
        devices.c.state.label("device_state"),
        devices.c.token,
        devices.c.token_kind,
        devices.c.token_hash,
        takes_no_push().label("push_opted_out"),
        shows_nothing().label("notifications_off"),
        reported.label("has_arrived"),
    ]
    if with_facts:
        columns.append(devices.c.facts)
    if with_traits:
        columns += [customers.c.user_id, customers.c.traits]
    rows = await connection.execute(
        select(*columns)
        .outerjoin_from(deliveries, devices, devices.c.id == deliveries.c.device_id)
        .outerjoin(customers, customers.c.id == devices.c.customer_id)
        .where(deliveries.c.chunk_id == chunk.id, deliveries.c.state == "pending")
    )
    return rows.all()


async def settle_chunk(
    connection: AsyncConnection,
    chunk: Chunk,
    *,
    settled: Mapping[UUID, Settled],
    sent: Iterable[UUID],
    unanswered: Iterable[UUID],
    again: Sequence[NewChunk],
    now: datetime,
    reasons: Mapping[UUID, str] | None = None,
) -> bool:
    """Write what became of the chunk, if its attempt is still ours; False: it is not.

    `settled` and `again` together name every pending delivery of the chunk; `sent` are those of
    both for which a push left, `unanswered` those whose answer never came, and `reasons` say why
    those of `again` are not settled. What earlier claims lost is counted with them.
    """
    rows = await connection.execute(
        update(chunks)
        .where(*_ours(chunk))
        .values(state=SETTLED, lease_until=None)
        .returning(chunks.c.id)
    )
    if rows.one_or_none() is None:
        return False
    groups: dict[tuple[Settled, bool, bool], list[UUID]] = defaultdict(list)
    left, silent = set(sent), set(unanswered)
    for device_id, verdict in settled.items():
        groups[verdict, device_id in left, device_id in silent].append(device_id)
    for (verdict, was_sent, is_silent), device_ids in groups.items():
        values: dict[str, Any] = {
            "state": verdict.state.value,
            "reason": verdict.reason,
            "settled_at": now,
            **_counted("attempts", was_sent + chunk.lost),
            **_counted("unanswered", is_silent + chunk.lost),
        }
        await connection.execute(
            update(deliveries).where(*_pending(chunk, device_ids)).values(values)
        )
    await insert_new(
        connection,
        chunks,
        [
            {
                "id": new.id,
                "launch_id": chunk.launch_id,
                "workspace_id": chunk.workspace_id,
                "firebase_app_id": chunk.firebase_app_id,
                "state": READY,
                "attempt": 0,
                "due_at": new.due_at,
                "is_held": new.held,
                "size": len(new.device_ids),
            }
            for new in again
        ],
    )
    for new in again:
        await _move_group(connection, chunk, new, left, silent, reasons or {}, now)
    return True


async def release_chunk(
    connection: AsyncConnection, chunk: Chunk, *, due_at: datetime, held: bool
) -> bool:
    """Put it back untouched, to be found again at `due_at`; `held`: or when a person has acted."""
    rows = await connection.execute(
        update(chunks)
        .where(*_ours(chunk))
        .values(state=READY, due_at=due_at, lease_until=None, is_held=held)
        .returning(chunks.c.id)
    )
    return rows.one_or_none() is not None


async def overdue_chunks(
    connection: AsyncConnection, now: datetime, *, grace_seconds: float, limit: int
) -> list[tuple[UUID, int]]:
    """(id, attempt) of chunks whose job seems lost: due for a while, or their lease has ended.

    Not those that would only be put back: their campaign or their Firebase app is paused, and it
    is not time to try the app again.
    """
    late = now - timedelta(seconds=grace_seconds)
    app_waits = and_(
        firebase_apps.c.paused_reason.is_not(None),
        or_(firebase_apps.c.tries_again_at.is_(None), firebase_apps.c.tries_again_at > now),
    )
    is_paused = or_(campaigns.c.state == CampaignState.PAUSED, app_waits)
    rows = await connection.execute(
        select(chunks.c.id, chunks.c.attempt)
        .join_from(chunks, launches, launches.c.id == chunks.c.launch_id)
        .join(campaigns, campaigns.c.id == launches.c.campaign_id)
        .outerjoin(firebase_apps, firebase_apps.c.id == chunks.c.firebase_app_id)
        .where(
            chunks.c.state != SETTLED,
            or_(campaigns.c.state == CampaignState.CANCELLED, not_(is_paused)),
            or_(
                and_(chunks.c.state == READY, chunks.c.due_at <= late),
                and_(chunks.c.state == LEASED, _is_over(now)),
            ),
        )
        .order_by(chunks.c.due_at)
        .limit(limit)
    )
    return [(row.id, row.attempt) for row in rows]


async def chunks_of_another_time(
    connection: AsyncConnection, now: datetime, *, limit: int
) -> list[tuple[UUID, int, timedelta, timedelta]]:
    """(id, attempt, how long it was to wait, by how much its maker's clock was ahead of ours) of
    chunks that wait for a time which was told by a clock that has been set back since."""
    rows = await connection.execute(
        select(chunks.c.id, chunks.c.attempt, chunks.c.due_at)
        .where(
            chunks.c.state == READY,
            chunks.c.due_at > now,
            chunks.c.id >= first_id_after(now + SKEW),
            not_(chunks.c.is_held),
        )
        .order_by(chunks.c.due_at)
        .limit(limit)
    )
    return [
        (row.id, row.attempt, max(row.due_at - made_at(row.id), timedelta()), made_at(row.id) - now)
        for row in rows
    ]


def _is_over(now: datetime) -> ColumnElement[bool]:
    """A lease that has ended, or that nobody can have taken: it lasts longer than any does."""
    return or_(chunks.c.lease_until <= now, chunks.c.lease_until > now + LEASE_MAX)


async def hasten_chunks(
    connection: AsyncConnection, launch_id: UUID, now: datetime, *, held_only: bool
) -> list[UUID]:
    """Let a launch's waiting chunks be due now; returns them.

    `held_only`: only those that waited for a person. The others wait because the provider asked for
    it, or because their time has not come.
    """
    which = [chunks.c.launch_id == launch_id]
    return await _hasten(connection, [*which, chunks.c.is_held] if held_only else which, now)


async def hasten_app(connection: AsyncConnection, app_id: UUID, now: datetime) -> list[UUID]:
    """Let what was held for a Firebase app be due now; returns the chunks."""
    return await _hasten(connection, [chunks.c.firebase_app_id == app_id, chunks.c.is_held], now)


async def _hasten(
    connection: AsyncConnection, which: Sequence[ColumnElement[bool]], now: datetime
) -> list[UUID]:
    rows = await connection.execute(
        update(chunks)
        .where(chunks.c.state == READY, *which)
        .values(due_at=case((chunks.c.due_at > now, literal(now, Instant)), else_=chunks.c.due_at))
        .returning(chunks.c.id)
    )
    return list(rows.scalars())


async def finish_launch(connection: AsyncConnection, launch_id: UUID, now: datetime) -> bool:
    """Launch and campaign are done when all is planned and no chunk is open.

    The launch is locked before its chunks are looked at: of two senders that settle the last two
    at once each would see the other's open, and nobody would finish.
    """
    launch = await get_launch(connection, launch_id, lock=True)
    if launch is None or launch.state is not LaunchState.SENDING:
        return False
    still_open = await connection.execute(
        select(chunks.c.id)
        .where(chunks.c.launch_id == launch_id, chunks.c.state != SETTLED)
        .limit(1)
    )
    if still_open.one_or_none() is not None:
        return False
    finished = await apply_transition(
        connection, launch.workspace_id, launch.campaign_id, partial(finish, now=now)
    )
    # Everything is planned, so only a cancelled campaign can not be finished.
    state = LaunchState.CANCELLED if isinstance(finished, Rejected) else LaunchState.DONE
    return await set_launch_state(connection, launch_id, state, now, expected=LaunchState.SENDING)


async def _move_group(
    connection: AsyncConnection,
    chunk: Chunk,
    new: NewChunk,
    left: set[UUID],
    silent: set[UUID],
    reasons: Mapping[UUID, str],
    now: datetime,
) -> None:
    values: dict[str, Any] = {"chunk_id": new.id}
    if new.tried:
        values["first_tried_at"] = case(
            (deliveries.c.first_tried_at.is_(None), literal(now, Instant)),
            else_=deliveries.c.first_tried_at,
        )
    elif new.held:
        # Waiting for a person is not trying: they have all their time once it goes on.
        values["first_tried_at"] = None
    groups: dict[tuple[bool, bool, str | None], list[UUID]] = defaultdict(list)
    for one in new.device_ids:
        groups[one in left, one in silent, reasons.get(one)].append(one)
    for (has_left, is_silent, reason), device_ids in groups.items():
        changed = values | _counted("attempts", has_left + chunk.lost)
        changed |= _counted("unanswered", is_silent + chunk.lost)
        if reason is not None:
            changed["reason"] = reason
        await connection.execute(
            update(deliveries).where(*_pending(chunk, device_ids)).values(changed)
        )


def _counted(name: str, more: int) -> dict[str, Any]:
    return {name: deliveries.c[name] + more} if more else {}


def _ours(chunk: Chunk) -> tuple[Any, ...]:
    """Whether nobody has claimed the chunk after us."""
    return (chunks.c.id == chunk.id, chunks.c.attempt == chunk.attempt, chunks.c.state == LEASED)


def _pending(chunk: Chunk, device_ids: Sequence[UUID]) -> tuple[Any, ...]:
    return (
        deliveries.c.launch_id == chunk.launch_id,
        deliveries.c.device_id.in_(device_ids),
        deliveries.c.state == DeliveryState.PENDING.value,
    )
