"""What is shown of Firebase apps. Their keys never are."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.deliveries.apps import store
from clarion.deliveries.apps.quarantine_store import quarantined
from clarion.deliveries.apps.store import FirebaseApp
from clarion.faults import Rejected, not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownApp:
    """A Firebase app, and how many devices are quarantined for it."""

    app: FirebaseApp
    quarantined: int


async def list_apps(connection: AsyncConnection, actor: Actor) -> list[ShownApp]:
    """Every Firebase app of the workspace, by project id."""
    apps = await store.list_apps(connection, actor.workspace_id)
    counts = await quarantined(connection, [app.id for app in apps])
    return [ShownApp(app=app, quarantined=counts.get(app.id, 0)) for app in apps]


async def get_app(connection: AsyncConnection, actor: Actor, app_id: UUID) -> ShownApp | Rejected:
    app = await store.get_app(connection, actor.workspace_id, app_id)
    if app is None:
        return not_found("Firebase app")
    counts = await quarantined(connection, [app_id])
    return ShownApp(app=app, quarantined=counts.get(app_id, 0))
