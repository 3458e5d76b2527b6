"""/firebase-apps: the Firebase projects we hold a key for. Keys are never told again."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import PathParameter

from clarion.accounts.actor import Actor, Scope
from clarion.deliveries.apps.commands import (
    PAUSED_BY_PERSON,
    change_app,
    decide_removals,
    delete_app,
    pause_app,
    resume_app,
    set_app_key,
)
from clarion.deliveries.apps.pacing import PER_MINUTE_MAX, PER_MINUTE_MIN
from clarion.deliveries.apps.queries import ShownApp, get_app, list_apps
from clarion.faults import Rejected
from clarion.providers.fcm.credentials import parse_service_account
from clarion.web.api.bodies import read
from clarion.web.api.errors import ErrorCode, Fault, accepted, invalid
from clarion.web.api.gate import ALSO, BODY, NEEDS, GivenCaller, GivenParts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import Page, whole

AppId = Annotated[UUID, PathParameter(description="The Firebase app's id.")]


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


class AddedFirebaseApp(FirebaseApp, frozen=True, kw_only=True):
    """A Firebase project and the sources that were bound to it because they had none."""

    bound_source_ids: list[UUID]


class ServiceAccount(msgspec.Struct, kw_only=True):
    """The file from the Firebase console as it is: Project settings, Service accounts, Generate
    new private key. Further fields are kept."""

    type: str
    project_id: str
    private_key: str
    client_email: str
    token_uri: str
    private_key_id: str | msgspec.UnsetType = msgspec.UNSET


class FirebaseAppChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be another."""

    pushes_per_minute: (
        Annotated[
            int,
            msgspec.Meta(extra_json_schema={"minimum": PER_MINUTE_MIN, "maximum": PER_MINUTE_MAX}),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    avoid_peaks: bool | msgspec.UnsetType = msgspec.UNSET


class Decision(StrEnum):
    REMOVE = "remove"
    KEEP = "keep"


class Removals(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`remove`: FCM is right, the registrations in quarantine are dead. `keep`: it is not."""

    decision: Decision


class Pause(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is paused, for those who wonder."""

    reason: str = PAUSED_BY_PERSON


class FirebaseApps(Controller):
    path = "/firebase-apps"
    tags = ("firebase-apps",)

    @post(
        "",
        summary="Add a Firebase app, or replace its key",
        opt={BODY: ServiceAccount, NEEDS: Scope.ADMIN, ALSO: (200,)},
    )
    async def add(
        self, request: Request[Actor, Any, Any], parts: GivenParts, caller: GivenCaller
    ) -> Response[AddedFirebaseApp]:
        """The service-account JSON is the body. It is checked, encrypted at rest and never told
        again. One with the same `project_id` replaces the key (200) and ends a pause; a
        workspace's first is bound to every source that has none."""
        account = parse_service_account(await request.body(), fcm_url=parts.fcm_url)
        if isinstance(account, list):
            faults = [Fault(fault.field, fault.message) for fault in account]
            raise invalid(faults, ErrorCode.INVALID_CREDENTIALS)
        keyed = accepted(await set_app_key(parts.services, caller, account))
        added = AddedFirebaseApp(**_fields(keyed.app), bound_source_ids=list(keyed.bound))
        return Response(added, status_code=201 if added.replaced_at is None else 200)

    @get("", summary="List Firebase apps")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> Page[FirebaseApp]:
        """Every Firebase app; always one page."""
        async with parts.database.read() as connection:
            apps = await list_apps(connection, caller)
        return whole([_shown(app) for app in apps])

    @get("/{app_id:uuid}", summary="Show a Firebase app")
    async def show(self, parts: GivenParts, caller: GivenCaller, app_id: AppId) -> FirebaseApp:
        """A Firebase app without its key."""
        async with parts.database.read() as connection:
            return _shown(await get_app(connection, caller, app_id))

    @patch(
        "/{app_id:uuid}",
        summary="Change how fast a Firebase app sends",
        opt={BODY: FirebaseAppChange, NEEDS: Scope.ADMIN},
    )
    async def change(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        app_id: AppId,
    ) -> FirebaseApp:
        """Its quota, if Google has granted another one than 600,000 a minute, and whether FCM's
        busiest minutes are avoided. All senders keep to it from their next chunk on."""
        change = await read(request, FirebaseAppChange)
        per_minute, avoid_peaks = change.pushes_per_minute, change.avoid_peaks
        changed = await change_app(
            parts.services,
            caller,
            app_id,
            pushes_per_minute=None if per_minute is msgspec.UNSET else per_minute,
            avoid_peaks=None if avoid_peaks is msgspec.UNSET else avoid_peaks,
        )
        return _shown(changed)

    @delete(
        "/{app_id:uuid}",
        summary="Delete a Firebase app",
        opt={NEEDS: Scope.ADMIN},
        status_code=204,
    )
    async def delete_one(self, parts: GivenParts, caller: GivenCaller, app_id: AppId) -> None:
        """Forget it with its key. Its sources are bound to none, and what is still to be sent
        through it is skipped (`no_firebase_app`)."""
        accepted(await delete_app(parts.services, caller, app_id))

    @post(
        "/{app_id:uuid}/pause", summary="Pause a Firebase app", opt={BODY: Pause}, status_code=200
    )
    async def pause(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        app_id: AppId,
    ) -> FirebaseApp:
        """Send nothing through it until it is resumed. Nothing planned is lost. One that a person
        has paused keeps its reason; one that FCM's answers have paused waits for a person from now
        on. The body may be empty."""
        wanted = await read(request, Pause, may_be_empty=True)
        return _shown(await pause_app(parts.services, caller, app_id, wanted.reason))

    @post(
        "/{app_id:uuid}/removals",
        summary="Decide about registrations in quarantine",
        opt={BODY: Removals},
        status_code=200,
    )
    async def decide(
        self,
        request: Request[Actor, Any, Any],
        parts: GivenParts,
        caller: GivenCaller,
        app_id: AppId,
    ) -> FirebaseApp:
        """Remove the registrations in quarantine, or keep them; devices that have registered again
        since are kept in any case. Campaigns that were paused for it go on."""
        wanted = await read(request, Removals)
        remove = wanted.decision is Decision.REMOVE
        return _shown(await decide_removals(parts.services, caller, app_id, remove=remove))

    @post("/{app_id:uuid}/resume", summary="Resume a Firebase app", status_code=200)
    async def resume(self, parts: GivenParts, caller: GivenCaller, app_id: AppId) -> FirebaseApp:
        """Send through it again, after the cause of its pause is cured. What was held goes out at
        once. One that FCM's answers have paused is tried again by itself, too: after a minute, then
        more and more seldom, at least every ten minutes."""
        return _shown(await resume_app(parts.services, caller, app_id))


def _shown(shown: ShownApp | Rejected) -> FirebaseApp:
    return FirebaseApp(**_fields(accepted(shown)))


def _fields(shown: ShownApp) -> dict[str, Any]:
    app = shown.app
    return {
        "id": app.id,
        "project_id": app.project_id,
        "client_email": app.client_email,
        "private_key_id": app.private_key_id,
        "paused_reason": app.paused_reason,
        "paused_at": app.paused_at,
        "tries_again_at": app.tries_again_at,
        "pushes_per_minute": app.limits.per_minute,
        "avoid_peaks": app.limits.avoids_peaks,
        "removals_stopped_at": app.removals_stopped_at,
        "removals_stopped_reason": app.removals_stopped_reason,
        "quarantined": shown.quarantined,
        "created_at": app.created_at,
        "replaced_at": app.replaced_at,
    }
