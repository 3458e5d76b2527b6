"""The row that all senders of a Firebase project share: how fast its pushes may leave."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.apps.pacing import (
    Grant,
    Later,
    Limits,
    Pace,
    believed,
    draw,
    fresh,
    rate_now,
    throttled,
)
from clarion.storage.bulk import upsert
from clarion.storage.dialect import Id, insert
from clarion.storage.schema import firebase_apps, paces


async def make_pace(connection: AsyncConnection, project_id: str, now: datetime) -> None:
    """A project's row; one that is there stays as it is, for another workspace may send there."""
    made = fresh(now)
    values = {name: getattr(made, name) for name in _FIELDS}
    statement = insert(connection, paces).values(project_id=project_id, **values)
    await connection.execute(statement.on_conflict_do_nothing())


class DrawnPaces:
    """What is drawn in one transaction: each project's row is read once, and written by `save`. Of
    transactions that draw at once each waits for the other."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._project_of: dict[UUID, tuple[str, Limits] | None] = {}
        self._paces: dict[str, Pace] = {}

    async def draw(
        self, app_id: UUID, count: int, now: datetime, *, passes: bool = False
    ) -> Grant | Later | None:
        """Lets up to `count` pushes go through a Firebase app, `passes`: before those of campaigns;
        None: no such app."""
        if app_id not in self._project_of:
            locked = await _locked(self._connection, app_id)
            if locked is not None:
                project_id, pace, limits = locked
                self._paces.setdefault(project_id, pace)
            self._project_of[app_id] = None if locked is None else (project_id, limits)
        project = self._project_of[app_id]
        if project is None:
            return None
        project_id, limits = project
        drawn, grant = draw(self._paces[project_id], limits, count, now, passes=passes)
        self._paces[project_id] = drawn
        return grant

    async def save(self) -> None:
        """Writes what was drawn."""
        for project_id, pace in sorted(self._paces.items()):
            await _save(self._connection, project_id, pace)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast pushes may leave for a project: `per_second` now, `quota` by FCM's leave; `quiet`:
    nothing leaves for so many seconds."""

    project_id: str
    per_second: float
    quota: float
    quiet: float


async def speeds(connection: AsyncConnection, now: datetime) -> list[Speed]:
    """Of the `SPEEDS_MAX` projects that sent last."""
    rows = await connection.execute(_SPEEDS)
    speed_by_project = {}
    for project_id, *values, per_minute in rows:
        pace = believed(Pace(**dict(zip(_FIELDS, values, strict=True))), now)
        limits = Limits(per_minute=per_minute)
        quiet = 0.0 if pace.quiet_until is None else (pace.quiet_until - now).total_seconds()
        speed_by_project[project_id] = Speed(
            project_id=project_id,
            per_second=0.0 if quiet > 0 else rate_now(pace, limits, now),
            quota=per_minute / 60,
            quiet=max(0.0, quiet),
        )
    return list(speed_by_project.values())


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


SPEEDS_MAX = 200
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
_SPEEDS = (
    select(
        paces.c.project_id,
        *(paces.c[name] for name in _FIELDS),
        # Of several workspaces that send to one project, the one that may send most.
        func.max(firebase_apps.c.per_minute),
    )
    .join_from(firebase_apps, paces, paces.c.project_id == firebase_apps.c.project_id)
    .group_by(*paces.c)
    .order_by(paces.c.next_at.desc())
    .limit(SPEEDS_MAX)
)
