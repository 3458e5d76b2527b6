"""Rows of chunks: claimed by one sender at a time, and settled only by the one that claimed last.

The fence is the chunk's `attempt`. A claim bumps it; whatever a sender writes about a chunk it
writes in one transaction that first checks that the attempt is still its own. So a sender that was
believed dead, and is not, changes nothing any more.
"""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.commands import apply_launch_transition
from clarion.campaigns.launches.launch import STOPPED, LaunchState, finish
from clarion.campaigns.launches.store import get_launch
from clarion.clock import SKEW, Clock, first_id_after, made_at
from clarion.deliveries.counts_store import Tally, read_counts
from clarion.deliveries.launch_failure import failure_of
from clarion.deliveries.planning.chunk import LEASED, READY, Chunk, Member, unpack
from clarion.storage.bulk import in_parts
from clarion.storage.dialect import Id, Instant
from clarion.storage.schema import (
    chunks,
    firebase_apps,
    launches,
)

LEASE_MAX = timedelta(minutes=5)
"""Several times what a sender takes at once."""
CHUNKS_AT_ONCE = 16
"""Whose members are read at once."""

_OPEN = chunks.c.state != literal_column("'settled'")
"""A literal, not a parameter: only then do databases use the indexes of the open ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A delivery that is planned and has no row yet, and the open chunk it is in."""

    launch_id: UUID
    chunk_id: UUID
    member: Member


async def claim_chunk(
    connection: AsyncConnection, chunk_id: UUID, *, now: datetime, lease_until: datetime
) -> Chunk | None:
    """Claims the chunk if it is due and not leased. Returns None otherwise."""
    values = {
        "chunk": chunk_id,
        "now": now,
        "ahead": first_id_after(now + SKEW),
        "longest": now + LEASE_MAX,
        "until": lease_until,
    }
    row = (await connection.execute(_CLAIM, values)).one_or_none()
    return None if row is None else Chunk(**row._mapping)


async def keep_chunk(connection: AsyncConnection, chunk: Chunk, *, lease_until: datetime) -> bool:
    """Extends the lease. Returns False if another sender has claimed the chunk since."""
    rows = await connection.execute(
        update(chunks).where(*_ours(chunk)).values(lease_until=lease_until).returning(chunks.c.id)
    )
    return rows.one_or_none() is not None


async def release_chunk(
    connection: AsyncConnection, chunk: Chunk, *, due_at: datetime, held: bool
) -> bool:
    """Puts the chunk back unsent, due at `due_at`; with `held`, earlier if a person acts before.
    When its turn was stays known."""
    rows = await connection.execute(
        update(chunks)
        .where(*_ours(chunk))
        .values(state=READY, due_at=due_at, turn_at=chunk.turn, lease_until=None, is_held=held)
        .returning(chunks.c.id)
    )
    return rows.one_or_none() is not None


async def find_planned(
    connection: AsyncConnection,
    launch_ids: Collection[UUID],
    device_ids: Collection[UUID],
    *,
    lock: bool = False,
) -> list[Planned]:
    """Those deliveries to these devices that are members of open chunks. One that has a row, too,
    is among them. `lock`: their chunks stay as they are until this transaction ends. Without it,
    look here first and at the rows then: what is settled in between is there."""
    wanted = sorted(device_ids)
    planned: list[Planned] = []
    for part in in_parts(launch_ids) if wanted else ():
        members = None
        while members is None:
            near = await _chunks_near(connection, part, wanted)
            members = await _members_among(connection, near, set(wanted), lock=lock)
        planned += members
    return planned


async def _chunks_near(
    connection: AsyncConnection, launch_ids: Sequence[UUID], wanted: Sequence[UUID]
) -> list[UUID]:
    """The open chunks whose range holds any of these devices, which are sorted."""
    rows = await connection.execute(
        select(chunks.c.id, chunks.c.first_device_id, chunks.c.last_device_id).where(
            _OPEN,
            chunks.c.launch_id.in_(launch_ids),
            chunks.c.first_device_id <= wanted[-1],
            chunks.c.last_device_id >= wanted[0],
        )
    )
    near = []
    for chunk_id, first, last in rows:
        place = bisect_left(wanted, first)
        if place < len(wanted) and wanted[place] <= last:
            near.append(chunk_id)
    return sorted(near)


async def _members_among(
    connection: AsyncConnection, chunk_ids: Sequence[UUID], device_ids: set[UUID], *, lock: bool
) -> list[Planned] | None:
    """None: one of the chunks was settled before it could be locked, and may have handed on some
    of its members to a new one."""
    planned: list[Planned] = []
    for part in in_parts(chunk_ids, CHUNKS_AT_ONCE):
        statement = (
            select(chunks.c.id, chunks.c.launch_id, chunks.c.members)
            .where(chunks.c.id.in_(part), _OPEN)
            .order_by(chunks.c.id)
        )
        result = await connection.execute(statement.with_for_update() if lock else statement)
        rows = result.all()
        if lock and len(rows) < len(part):
            return None
        planned += [
            Planned(launch_id=row.launch_id, chunk_id=row.id, member=member)
            for row in rows
            for member in unpack(row.members)
            if member.device_id in device_ids
        ]
    return planned


async def planned_after(
    connection: AsyncConnection, launch_id: UUID, after: UUID | None, limit: int
) -> list[Member]:
    """A page, by device, of the members of a launch's open chunks, those greater than `after`."""
    nearest = (
        select(chunks.c.first_device_id, chunks.c.id)
        .where(_OPEN, chunks.c.launch_id == launch_id, chunks.c.first_device_id.is_not(None))
        .order_by(chunks.c.first_device_id, chunks.c.id)
        .limit(CHUNKS_AT_ONCE)
    )
    if after is not None:
        nearest = nearest.where(chunks.c.last_device_id > after)
    members_found: list[Member] = []
    last: tuple[UUID, UUID] | None = None
    while True:
        page = nearest
        if last is not None:
            page = page.where(tuple_(chunks.c.first_device_id, chunks.c.id) > last)
        rows = (await connection.execute(page)).all()
        packed = await connection.execute(
            select(chunks.c.members).where(chunks.c.id.in_([row.id for row in rows]))
        )
        members_found += [
            member
            for members in packed.scalars()
            for member in unpack(members)
            if after is None or member.device_id > after
        ]
        members_found = sorted(members_found, key=lambda member: member.device_id)[:limit]
        if len(rows) < CHUNKS_AT_ONCE:
            return members_found
        last = (rows[-1].first_device_id, rows[-1].id)
        if len(members_found) == limit and members_found[-1].device_id <= last[0]:
            return members_found


async def overdue_chunks(
    connection: AsyncConnection, now: datetime, *, grace_seconds: float, limit: int
) -> list[tuple[UUID, int, bool]]:
    """(id, attempt, whether it is transactional) of chunks whose job seems lost: due for a while,
    or their lease has ended.

    Not those that would only be put back: their launch or their Firebase app is paused, and it
    is not time to try the app again.
    """
    late = now - timedelta(seconds=grace_seconds)
    app_waits = and_(
        firebase_apps.c.paused_reason.is_not(None),
        or_(firebase_apps.c.tries_again_at.is_(None), firebase_apps.c.tries_again_at > now),
    )
    is_paused = or_(launches.c.state == LaunchState.PAUSED.value, app_waits)
    rows = await connection.execute(
        select(chunks.c.id, chunks.c.attempt, chunks.c.is_transactional)
        .join_from(chunks, launches, launches.c.id == chunks.c.launch_id)
        .outerjoin(firebase_apps, firebase_apps.c.id == chunks.c.firebase_app_id)
        .where(
            _OPEN,
            or_(launches.c.state.in_([state.value for state in STOPPED]), not_(is_paused)),
            or_(
                and_(chunks.c.state == READY, chunks.c.due_at <= late),
                and_(chunks.c.state == LEASED, _is_over(now)),
            ),
        )
        .order_by(chunks.c.due_at)
        .limit(limit)
    )
    return [(row.id, row.attempt, row.is_transactional) for row in rows]


async def chunks_of_another_time(
    connection: AsyncConnection, now: datetime, *, limit: int
) -> list[tuple[UUID, int, bool, timedelta, timedelta]]:
    """(id, attempt, whether it is transactional, how long it was to wait, by how much its maker's
    clock was ahead of ours) of chunks that wait for a time which was told by a clock that has been
    set back since."""
    rows = await connection.execute(
        select(chunks.c.id, chunks.c.attempt, chunks.c.is_transactional, chunks.c.due_at)
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
        (
            row.id,
            row.attempt,
            row.is_transactional,
            max(row.due_at - made_at(row.id), timedelta()),
            made_at(row.id) - now,
        )
        for row in rows
    ]


def _is_over(now: datetime) -> ColumnElement[bool]:
    """A lease that has ended, or that is longer than any sender takes one."""
    return or_(chunks.c.lease_until <= now, chunks.c.lease_until > now + LEASE_MAX)


_CLAIM = (
    update(chunks)
    .where(
        chunks.c.id == bindparam("chunk", type_=Id),
        or_(
            and_(chunks.c.state == READY, chunks.c.due_at <= bindparam("now", type_=Instant)),
            # Made by a clock ahead of ours: when it is due, its job says better than its row.
            and_(chunks.c.state == READY, chunks.c.id >= bindparam("ahead", type_=Id)),
            and_(
                chunks.c.state == LEASED,
                or_(
                    chunks.c.lease_until <= bindparam("now", type_=Instant),
                    chunks.c.lease_until > bindparam("longest", type_=Instant),
                ),
            ),
        ),
    )
    .values(
        state=LEASED,
        attempt=chunks.c.attempt + 1,
        lost=case((chunks.c.state == LEASED, chunks.c.lost + 1), else_=chunks.c.lost),
        lease_until=bindparam("until", type_=Instant),
        is_held=False,
    )
    .returning(*(chunks.c[field.name] for field in fields(Chunk)))
)
"""Made once: once for each chunk would be felt."""


async def hasten_chunks(
    connection: AsyncConnection, launch_id: UUID, now: datetime, *, held_only: bool
) -> list[UUID]:
    """Let a launch's waiting chunks be due now, as their turn; returns them.

    `held_only`: only those that waited for a person. The others wait because the provider asked for
    it, or because their time has not come.
    """
    which = [chunks.c.launch_id == launch_id]
    which += [chunks.c.is_held] if held_only else []
    return await _hasten(connection, which, due_at=now, turn_at=None)


async def hasten_app(
    connection: AsyncConnection, app_id: UUID, now: datetime, *, by_itself: bool
) -> list[UUID]:
    """Makes the chunks that are held for a Firebase app due now; returns their ids. `by_itself`: no
    person has resumed it, so that their turn is still when it was."""
    which = [chunks.c.firebase_app_id == app_id, chunks.c.is_held]
    turn: dict[str, Any] = {} if by_itself else {"turn_at": None}
    return await _hasten(connection, which, due_at=now, **turn)


async def _hasten(
    connection: AsyncConnection, which: Sequence[ColumnElement[bool]], **values: datetime | None
) -> list[UUID]:
    rows = await connection.execute(
        update(chunks).where(chunks.c.state == READY, *which).values(values).returning(chunks.c.id)
    )
    return list(rows.scalars())


async def finish_launch(
    connection: AsyncConnection,
    clock: Clock,
    launch_id: UUID,
    *,
    by: str,
    tally: Tally | None = None,
) -> bool:
    """Marks the launch as done, or as failed where nobody got it, if all is planned and no chunk is
    open. `by`: the agent that asks; `tally`: what its transaction will add to the counts."""
    launch = await get_launch(connection, launch_id, lock=True)
    if launch is None or launch.stage is not LaunchState.SENDING:
        return False
    still_open = await connection.execute(_STILL_OPEN, {"launch": launch_id})
    if still_open.one_or_none() is not None:
        return False
    failure = failure_of(await read_counts(connection, launch_id, tally))
    await apply_launch_transition(
        connection,
        clock,
        launch_id,
        partial(finish, now=clock.now(), failure=failure),
        by=by,
        verb="campaign.finish" if failure is None else "campaign.fail",
    )
    return True


_STILL_OPEN = (
    select(chunks.c.id).where(chunks.c.launch_id == bindparam("launch", type_=Id), _OPEN).limit(1)
)


def _ours(chunk: Chunk) -> tuple[Any, ...]:
    """The condition that nobody has claimed the chunk since."""
    return (chunks.c.id == chunk.id, chunks.c.attempt == chunk.attempt, chunks.c.state == LEASED)
