"""Rows of the breaker: how many registrations a Firebase app's answers end, and those in doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import Removal
from clarion.customers.devices.store import remove_registrations
from clarion.deliveries.apps.breaker import RemovalStats, count, describe, is_wave, settled
from clarion.storage.bulk import insert_new, upsert
from clarion.storage.dialect import Id
from clarion.storage.schema import devices, firebase_apps, quarantine, removal_watches

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """While an app is stopped nothing is removed, but a campaign has to pause only where its own
    answers go on being a wave: then there is a `doubt`. `is_new`: the app was stopped just now."""

    may_remove: bool = True
    doubt: str | None = None
    is_new: bool = False


async def make_watch(connection: AsyncConnection, app_id: UUID) -> None:
    """An app's row; one that is there stays as it is."""
    await insert_new(
        connection, removal_watches, [{"firebase_app_id": app_id} | _row(RemovalStats())]
    )


async def forget_watch(connection: AsyncConnection, app_id: UUID) -> None:
    """Its app is deleted. What was in quarantine is kept as it is."""
    for table in (removal_watches, quarantine):
        await connection.execute(delete(table).where(table.c.firebase_app_id == app_id))


async def watch(
    connection: AsyncConnection,
    app_id: UUID,
    *,
    answered: int,
    removals: Sequence[Removal],
    now: datetime,
    is_accepted: bool = False,
) -> Judgement:
    """Count a chunk's answers, and say what is to be done with the removals among them.
    `is_accepted`: a push was taken."""
    locked = await _locked(connection, app_id)
    if locked is None:
        return Judgement()
    stats, project_id, stopped_reason = locked
    mismatched = sum(removal.reason == "sender_mismatch" for removal in removals)
    counted = count(stats, answered=answered, removed=len(removals), mismatched=mismatched)
    await _save(connection, app_id, counted, accepted_at=now if is_accepted else None)
    if not removals or not is_wave(counted):
        return Judgement(may_remove=stopped_reason is None)
    is_new = stopped_reason is None
    if stopped_reason is None:
        stopped_reason = describe(counted, project_id)
        await connection.execute(
            update(firebase_apps)
            .where(firebase_apps.c.id == app_id)
            .values(removals_stopped_at=now, removals_stopped_reason=stopped_reason)
        )
    return Judgement(may_remove=False, doubt=stopped_reason, is_new=is_new)


async def put_in_quarantine(
    connection: AsyncConnection, app_id: UUID, removals: Sequence[Removal], now: datetime
) -> None:
    """Keep them as they are, until a person has decided."""
    rows = [
        {
            "firebase_app_id": app_id,
            "device_id": removal.device_row_id,
            "token_hash": removal.token_hash,
            "reason": removal.reason,
            "at": now,
        }
        for removal in removals
    ]
    await upsert(connection, quarantine, rows, key=("firebase_app_id", "device_id"))


async def quarantined(connection: AsyncConnection, app_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many devices of each app are in quarantine; those without any are not named."""
    rows = await connection.execute(
        select(quarantine.c.firebase_app_id, func.count())
        .where(quarantine.c.firebase_app_id.in_(app_ids))
        .group_by(quarantine.c.firebase_app_id)
    )
    return {row[0]: row[1] for row in rows}


async def empty_quarantine(connection: AsyncConnection, app_id: UUID, *, remove: bool) -> int:
    """Take up to `PAGE` devices out of it, removing their registrations or keeping them; returns
    how many. One that has been registered again since stays, whatever was decided."""
    rows = await connection.execute(
        select(quarantine, devices.c.registered_at)
        .outerjoin_from(quarantine, devices, devices.c.id == quarantine.c.device_id)
        .where(quarantine.c.firebase_app_id == app_id)
        .order_by(quarantine.c.at)
        .limit(PAGE)
    )
    page = rows.all()
    if remove:
        doomed = [
            registration
            for registration in page
            if registration.registered_at and registration.registered_at <= registration.at
        ]
        for at, group in groupby(doomed, key=lambda registration: registration.at):
            await remove_registrations(
                connection, [_removal(registration) for registration in group], at
            )
    await connection.execute(
        delete(quarantine).where(
            quarantine.c.firebase_app_id == app_id,
            quarantine.c.device_id.in_([registration.device_id for registration in page]),
        )
    )
    return len(page)


async def close_breaker(
    connection: AsyncConnection, app_id: UUID, *, was_right: bool
) -> str | None:
    """Remove again what the provider says is dead. Returns why it was stopped, if it was."""
    locked = await _locked(connection, app_id)
    if locked is None:
        return None
    stats, _, stopped_reason = locked
    if stopped_reason is not None:
        await _save(connection, app_id, settled(stats, was_right=was_right))
        await connection.execute(
            update(firebase_apps)
            .where(firebase_apps.c.id == app_id)
            .values(removals_stopped_at=None, removals_stopped_reason=None)
        )
    return stopped_reason


async def _locked(
    connection: AsyncConnection, app_id: UUID
) -> tuple[RemovalStats, str, str | None] | None:
    rows = await connection.execute(_LOCK, {"app": app_id})
    row = rows.one_or_none()
    if row is None:
        return None
    *values, project_id, stopped_reason = row
    return RemovalStats(**dict(zip(_FIELDS, values, strict=True))), project_id, stopped_reason


async def last_acceptance(connection: AsyncConnection, app_id: UUID) -> datetime | None:
    """When the provider last took a push through this app, by the key it has now."""
    rows = await connection.execute(
        select(removal_watches.c.accepted_at).where(removal_watches.c.firebase_app_id == app_id)
    )
    accepted_at: datetime | None = rows.scalar_one_or_none()
    return accepted_at


async def forget_acceptance(connection: AsyncConnection, app_id: UUID) -> None:
    """Its key is another one: what was accepted by the old one proves nothing."""
    await connection.execute(
        update(removal_watches)
        .where(removal_watches.c.firebase_app_id == app_id)
        .values(accepted_at=None)
    )


async def _save(
    connection: AsyncConnection,
    app_id: UUID,
    watched: RemovalStats,
    *,
    accepted_at: datetime | None = None,
) -> None:
    row = {"firebase_app_id": app_id} | _row(watched)
    if accepted_at is not None:
        row["accepted_at"] = accepted_at
    await upsert(connection, removal_watches, [row], key=("firebase_app_id",))


def _row(watched: RemovalStats) -> dict[str, Any]:
    return {name: getattr(watched, name) for name in _FIELDS}


def _removal(row: Any) -> Removal:
    return Removal(device_row_id=row.device_id, token_hash=row.token_hash, reason=row.reason)


_FIELDS = ("recent", "recent_removed", "recent_mismatched", "usual", "usual_removed")
_LOCK = (
    select(
        *(removal_watches.c[name] for name in _FIELDS),
        firebase_apps.c.project_id,
        firebase_apps.c.removals_stopped_reason,
    )
    .join_from(
        removal_watches, firebase_apps, firebase_apps.c.id == removal_watches.c.firebase_app_id
    )
    .where(removal_watches.c.firebase_app_id == bindparam("app", type_=Id))
    .with_for_update(of=removal_watches)
)
"""Made once: once for each chunk would be felt."""
