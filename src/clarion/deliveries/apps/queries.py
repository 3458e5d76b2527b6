"""What is shown of Firebase apps. Their keys never are."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.clock import Moment
from clarion.deliveries.apps import store
from clarion.deliveries.apps.quarantine_store import quarantined
from clarion.faults import Rejected, not_found


class FirebaseApp(msgspec.Struct, frozen=True, kw_only=True):
    """A Firebase project. `paused_reason`: why nothing is sent through it; null: it is in use.
    `tries_again_at`: FCM's answers have paused it, and then it is tried again; null: it is in use,
    or waits for a person.
    `pushes_per_minute`: its quota at FCM. `avoid_peaks`: nothing leaves from two minutes before to
    two minutes after each quarter of an hour. `removals_stopped_reason`: why FCM's word that
    registrations are dead is in doubt; those devices are `quarantined` until somebody decides."""

    id: UUID
    project_id: str
    client_email: str
    private_key_id: str | None
    paused_reason: str | None
    paused_at: Moment | None
    tries_again_at: Moment | None
    pushes_per_minute: int
    avoid_peaks: bool
    removals_stopped_at: Moment | None
    removals_stopped_reason: str | None
    quarantined: int
    created_at: Moment
    replaced_at: Moment | None


async def list_apps(connection: AsyncConnection, actor: Actor) -> list[FirebaseApp]:
    """Every Firebase app of the workspace, by project id."""
    return await _views(connection, await store.list_apps(connection, actor.workspace_id))


async def get_app(
    connection: AsyncConnection, actor: Actor, app_id: UUID
) -> FirebaseApp | Rejected:
    app = await store.get_app(connection, actor.workspace_id, app_id)
    return not_found("Firebase app") if app is None else (await _views(connection, [app]))[0]


async def _views(
    connection: AsyncConnection, apps: Sequence[store.FirebaseApp]
) -> list[FirebaseApp]:
    counts = await quarantined(connection, [app.id for app in apps])
    return [
        FirebaseApp(
            **{name: getattr(app, name) for name in _STORED},
            pushes_per_minute=app.limits.per_minute,
            avoid_peaks=app.limits.avoids_peaks,
            quarantined=counts.get(app.id, 0),
        )
        for app in apps
    ]


_STORED = set(FirebaseApp.__struct_fields__) - {"pushes_per_minute", "avoid_peaks", "quarantined"}
