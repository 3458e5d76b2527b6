"""The row that all senders of a Firebase project share: how fast its pushes may leave."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.apps.pacing import Grant, Later, Limits, Pace, draw, fresh, throttled
from clarion.storage.bulk import upsert
from clarion.storage.dialect import Id, insert
from clarion.storage.schema import firebase_apps, paces


async def make_pace(connection: AsyncConnection, project_id: str, now: datetime) -> None:
    """A project's row; one that is there stays as it is, for another workspace may send there."""
    made = fresh(now)
    values = {name: getattr(made, name) for name in _FIELDS}
    statement = insert(connection, paces).values(project_id=project_id, **values)
    await connection.execute(statement.on_conflict_do_nothing())


async def draw_pace(
    connection: AsyncConnection, app_id: UUID, count: int, now: datetime, *, passes: bool = False
) -> Grant | Later | None:
    """Let up to `count` pushes go through a Firebase app, `passes`: before those of campaigns;
    None: no such app. Of those who ask at once each waits for the other's transaction."""
    locked = await _locked(connection, app_id)
    if locked is None:
        return None
    project_id, pace, limits = locked
    drawn, grant = draw(pace, limits, count, now, passes=passes)
    await _save(connection, project_id, drawn)
    return grant


async def slow_down(
    connection: AsyncConnection,
    app_id: UUID,
    *,
    quiet_seconds: float,
    drawn_at: datetime,
    now: datetime,
) -> float | None:
    """FCM has answered 429 for the project: see `pacing.throttled`. Returns the new rate, where
    this is the first to say so."""
    locked = await _locked(connection, app_id)
    if locked is None:
        return None
    project_id, pace, limits = locked
    slower = throttled(pace, limits, quiet_seconds=quiet_seconds, drawn_at=drawn_at, now=now)
    await _save(connection, project_id, slower)
    return slower.cut_rate if slower.cut_at != pace.cut_at else None


async def _locked(connection: AsyncConnection, app_id: UUID) -> tuple[str, Pace, Limits] | None:
    rows = await connection.execute(_LOCK, {"app": app_id})
    row = rows.one_or_none()
    if row is None:
        return None
    project_id, *values, per_minute, avoids_peaks = row
    pace = Pace(**dict(zip(_FIELDS, values, strict=True)))
    return project_id, pace, Limits(per_minute=per_minute, avoids_peaks=avoids_peaks)


async def _save(connection: AsyncConnection, project_id: str, pace: Pace) -> None:
    row = {"project_id": project_id} | {name: getattr(pace, name) for name in _FIELDS}
    await upsert(connection, paces, [row], key=("project_id",))


_FIELDS = ("next_at", "queued_until", "rate", "cut_rate", "cut_at", "passing_at", "quiet_until")
_LOCK = (
    select(
        paces.c.project_id,
        *(paces.c[name] for name in _FIELDS),
        firebase_apps.c.per_minute,
        firebase_apps.c.avoids_peaks,
    )
    .join_from(firebase_apps, paces, paces.c.project_id == firebase_apps.c.project_id)
    .where(firebase_apps.c.id == bindparam("app", type_=Id))
    .with_for_update(of=paces)
)
"""Made once: once for each chunk would be felt."""
