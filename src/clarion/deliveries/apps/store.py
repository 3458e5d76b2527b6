"""Rows of Firebase apps. Their keys are sealed, and only `open_app` opens one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.apps.pace_store import make_pace
from clarion.deliveries.apps.pacing import Limits
from clarion.deliveries.apps.quarantine_store import forget_acceptance, forget_watch, make_watch
from clarion.deliveries.practice import PRACTICE_PROJECT
from clarion.deliveries.provider import ProviderApp
from clarion.sources.source import Source
from clarion.sources.store import bind_firebase_app, list_sources
from clarion.storage.dialect import Id, insert
from clarion.storage.schema import firebase_apps
from clarion.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class FirebaseApp:
    """A Firebase project we hold a key for; the key itself is never shown again."""

    id: UUID
    workspace_id: UUID
    project_id: str
    client_email: str
    private_key_id: str | None
    paused_reason: str | None
    """Why nothing is sent through it; None: it is in use."""
    paused_at: datetime | None
    tries_again_at: datetime | None
    """Its provider's answers have paused it, and by then it is tried again by itself; None: it is
    in use, or a person has paused it."""
    created_at: datetime
    replaced_at: datetime | None
    removals_stopped_at: datetime | None
    removals_stopped_reason: str | None
    """Why FCM's word that registrations are dead is not believed; None: it is."""
    limits: Limits = field(default_factory=Limits)


async def put_app(
    connection: AsyncConnection,
    *,
    workspace_id: UUID,
    app_id: UUID,
    project_id: str,
    client_email: str,
    private_key_id: str | None,
    sealed_key: bytes,
    now: datetime,
) -> FirebaseApp:
    """Add it, or replace the key of the one with that project id (which also ends its pause)."""
    statement = insert(connection, firebase_apps).values(
        id=app_id,
        workspace_id=workspace_id,
        project_id=project_id,
        client_email=client_email,
        private_key_id=private_key_id,
        sealed_key=sealed_key,
        created_at=now,
    )
    await make_pace(connection, project_id, now)
    rows = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "project_id"],
            set_={
                "client_email": client_email,
                "private_key_id": private_key_id,
                "sealed_key": sealed_key,
                **_IN_USE,
                "replaced_at": now,
            },
        ).returning(*_PUBLIC)
    )
    app = _app(rows.one())
    await make_watch(connection, app.id)
    if app.replaced_at is not None:
        await forget_acceptance(connection, app.id)
    return app


async def get_app(
    connection: AsyncConnection, workspace_id: UUID, app_id: UUID
) -> FirebaseApp | None:
    rows = await connection.execute(
        select(*_PUBLIC).where(
            firebase_apps.c.workspace_id == workspace_id, firebase_apps.c.id == app_id
        )
    )
    row = rows.one_or_none()
    return None if row is None else _app(row)


async def list_apps(connection: AsyncConnection, workspace_id: UUID) -> list[FirebaseApp]:
    rows = await connection.execute(
        select(*_PUBLIC)
        .where(firebase_apps.c.workspace_id == workspace_id)
        .order_by(firebase_apps.c.project_id)
    )
    return [_app(row) for row in rows]


async def only_app(connection: AsyncConnection, workspace_id: UUID) -> FirebaseApp | None:
    """The workspace's Firebase app if there is exactly one, but for the practice app: what a new
    source is bound to."""
    every = await list_apps(connection, workspace_id)
    apps = [app for app in every if app.project_id != PRACTICE_PROJECT]
    return apps[0] if len(apps) == 1 else None


async def bind_first_app(connection: AsyncConnection, app: FirebaseApp) -> list[Source]:
    """A workspace's only Firebase app takes every source that has none; returns these."""
    if await only_app(connection, app.workspace_id) is None:
        return []
    every = await list_sources(connection, app.workspace_id)
    unbound = [source for source in every if source.firebase_app_id is None]
    for source in unbound:
        await bind_firebase_app(connection, app.workspace_id, source.id, app.id)
    return unbound


async def delete_app(connection: AsyncConnection, workspace_id: UUID, app_id: UUID) -> bool:
    """Forget it with its key; its sources are bound to none. What is still to be sent through it
    is skipped. False: no such app."""
    for source in await list_sources(connection, workspace_id):
        if source.firebase_app_id == app_id:
            await bind_firebase_app(connection, workspace_id, source.id, None)
    rows = await connection.execute(
        delete(firebase_apps)
        .where(firebase_apps.c.workspace_id == workspace_id, firebase_apps.c.id == app_id)
        .returning(firebase_apps.c.id)
    )
    if rows.one_or_none() is None:
        return False
    await forget_watch(connection, app_id)
    return True


async def set_limits(
    connection: AsyncConnection, workspace_id: UUID, app_id: UUID, limits: Limits
) -> None:
    """How fast pushes may leave through it, from the next chunk on."""
    await connection.execute(
        update(firebase_apps)
        .where(firebase_apps.c.workspace_id == workspace_id, firebase_apps.c.id == app_id)
        .values(per_minute=limits.per_minute, avoids_peaks=limits.avoids_peaks)
    )


async def stopped_apps(connection: AsyncConnection) -> dict[str, int]:
    """How many apps, of all workspaces, wait for a person, and for what."""
    rows = await connection.execute(
        select(
            func.count(firebase_apps.c.paused_reason),
            func.count(firebase_apps.c.removals_stopped_reason),
        )
    )
    paused, in_doubt = rows.one()
    return {"paused": paused, "removals": in_doubt}


async def pause_app(
    connection: AsyncConnection,
    app_id: UUID,
    reason: str,
    *,
    now: datetime,
    tries_again_at: datetime | None = None,
) -> bool:
    """Send nothing through it until it is resumed, or until `tries_again_at`, where its provider's
    answers pause it. False: it was paused already; a person's pause takes the place of the other
    kind."""
    values = {"paused_reason": reason, "tries_again_at": tries_again_at}
    is_it = firebase_apps.c.id == app_id
    rows = await connection.execute(
        update(firebase_apps)
        .where(is_it, firebase_apps.c.paused_reason.is_(None))
        .values(**values, paused_at=now)
        .returning(firebase_apps.c.id)
    )
    if rows.one_or_none() is not None:
        return True
    await connection.execute(
        update(firebase_apps)
        .where(is_it, firebase_apps.c.tries_again_at.is_not(None))
        .values(values)
    )
    return False


async def paused_ahead(connection: AsyncConnection, now: datetime) -> list[UUID]:
    """The apps that answers have paused, it seems, later than now: the clock was set back since."""
    rows = await connection.execute(
        select(firebase_apps.c.id).where(
            firebase_apps.c.paused_at > now, firebase_apps.c.tries_again_at.is_not(None)
        )
    )
    return list(rows.scalars())


async def set_back(connection: AsyncConnection, app_ids: Sequence[UUID], now: datetime) -> None:
    """Let them be tried again now: a wrong clock may be what has paused them."""
    await connection.execute(
        update(firebase_apps)
        .where(firebase_apps.c.id.in_(app_ids), firebase_apps.c.tries_again_at.is_not(None))
        .values(paused_at=now, tries_again_at=now)
    )


async def take_trial(
    connection: AsyncConnection, app_id: UUID, *, now: datetime, next_at: datetime
) -> bool:
    """Be the one that tries whether a paused app works again; the next one may at `next_at`."""
    rows = await connection.execute(
        update(firebase_apps)
        .where(firebase_apps.c.id == app_id, firebase_apps.c.tries_again_at <= now)
        .values(tries_again_at=next_at)
        .returning(firebase_apps.c.id)
    )
    return rows.one_or_none() is not None


async def resume_app(connection: AsyncConnection, workspace_id: UUID, app_id: UUID) -> bool:
    """Send through it again; False: no such app."""
    rows = await connection.execute(
        update(firebase_apps)
        .where(firebase_apps.c.workspace_id == workspace_id, firebase_apps.c.id == app_id)
        .values(_IN_USE)
        .returning(firebase_apps.c.id)
    )
    return rows.one_or_none() is not None


async def end_trial(connection: AsyncConnection, app_id: UUID) -> bool:
    """A paused app works again; False: meanwhile a person has paused or resumed it."""
    rows = await connection.execute(
        update(firebase_apps)
        .where(firebase_apps.c.id == app_id, firebase_apps.c.tries_again_at.is_not(None))
        .values(_IN_USE)
        .returning(firebase_apps.c.id)
    )
    return rows.one_or_none() is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPaused:
    reason: str
    at: datetime
    is_due: bool
    """Whether it is time to try it again."""


async def open_app(
    connection: AsyncConnection,
    vault: Vault,
    app_id: UUID,
    *,
    now: datetime,
    though_paused: bool = False,
) -> ProviderApp | AppPaused | None:
    """The app as a sender needs it. Raises VaultLocked where the secret key is another one."""
    row = (await connection.execute(_OPENED, {"app": app_id})).one_or_none()
    if row is None:
        return None
    if row.paused_reason is not None and not though_paused:
        return AppPaused(
            reason=row.paused_reason,
            at=row.paused_at or now,
            is_due=row.tries_again_at is not None and row.tries_again_at <= now,
        )
    account = msgspec.json.decode(vault.open(bytes(row.sealed_key)), type=dict[str, str])
    return ProviderApp(id=app_id, project_id=row.project_id, service_account=account)


class OpenedApps:
    """The apps that are opened in one transaction: each is read, and its key unsealed, once."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault
        self._apps: dict[UUID, ProviderApp] = {}

    async def open(self, app_id: UUID, *, now: datetime) -> ProviderApp | AppPaused | None:
        """As `open_app`. One that is paused is looked at anew: it may be tried."""
        if app_id in self._apps:
            return self._apps[app_id]
        app = await open_app(self._connection, self._vault, app_id, now=now)
        if isinstance(app, ProviderApp):
            self._apps[app_id] = app
        return app


_OPENED = select(
    firebase_apps.c.project_id,
    firebase_apps.c.sealed_key,
    firebase_apps.c.paused_reason,
    firebase_apps.c.paused_at,
    firebase_apps.c.tries_again_at,
).where(firebase_apps.c.id == bindparam("app", type_=Id))
"""Made once: once for each chunk would be felt."""
_IN_USE: dict[str, Any] = {"paused_reason": None, "paused_at": None, "tries_again_at": None}
_FIELDS = (
    "id",
    "workspace_id",
    "project_id",
    "client_email",
    "private_key_id",
    "paused_reason",
    "paused_at",
    "tries_again_at",
    "created_at",
    "replaced_at",
    "removals_stopped_at",
    "removals_stopped_reason",
)
_PUBLIC = [firebase_apps.c[name] for name in (*_FIELDS, "per_minute", "avoids_peaks")]


def _app(row: Any) -> FirebaseApp:
    return FirebaseApp(
        **{name: getattr(row, name) for name in _FIELDS},
        limits=Limits(per_minute=row.per_minute, avoids_peaks=row.avoids_peaks),
    )
