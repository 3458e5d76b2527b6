"""/firebase-apps: the Firebase projects we hold a key for. Keys are never told again."""

from enum import StrEnum
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import PathParameter, QueryParameter
from msgspec.structs import asdict

from clarion.accounts.actor import Scope
from clarion.deliveries.apps.commands import (
    PAUSED_BY_PERSON,
    change_app,
    decide_removals,
    delete_app,
    pause_app,
    resume_app,
    set_app_key,
)
from clarion.deliveries.apps.key_check import KeyVerdict, check_key
from clarion.deliveries.apps.pacing import PER_MINUTE_MAX, PER_MINUTE_MIN
from clarion.deliveries.apps.queries import FirebaseApp, get_app, list_apps
from clarion.providers.fcm.credentials import read_service_account
from clarion.web.api.bodies import read
from clarion.web.api.gate import ALSO, BODY, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import Page, whole
from clarion.web.api.shown import shown

AppId = Annotated[UUID, PathParameter(description="The Firebase app's id.")]
SourceIds = Annotated[
    list[UUID] | None,
    QueryParameter(description="A source to be bound to it; may be given several times."),
]


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
    """The fields to change."""

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
    """Why the app is paused, for people who look at it."""

    reason: str = PAUSED_BY_PERSON


class CheckedKey(msgspec.Struct, frozen=True, kw_only=True):
    """What FCM says of a key: it works, is refused, or could not be asked now. `reason` and
    `detail` say why it does not work."""

    verdict: KeyVerdict
    reason: str
    detail: str


class FirebaseApps(Controller):
    path = "/firebase-apps"
    tags = ("firebase-apps",)

    @post(
        "",
        summary="Add a Firebase app, or replace its key",
        opt={BODY: ServiceAccount, NEEDS: Scope.ADMIN, ALSO: (200,)},
    )
    async def add(
        self, request: Call, parts: GivenParts, caller: GivenCaller, source_id: SourceIds = None
    ) -> Response[AddedFirebaseApp]:
        """The service-account JSON is the body. It is checked, encrypted at rest and never told
        again. One with the same `project_id` replaces the key (200) and ends a pause. Without
        `source_id` a workspace's first is bound to every source that has none."""
        read_key = partial(read_service_account, fcm_url=parts.fcm_url)
        keyed = await parts.do(set_app_key, caller, await request.body(), read_key, source_id or ())
        added = AddedFirebaseApp(**asdict(keyed.app), bound_source_ids=list(keyed.bound))
        return Response(added, status_code=201 if added.replaced_at is None else 200)

    @get("", summary="List Firebase apps")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> Page[FirebaseApp]:
        """Every Firebase app; always one page."""
        apps = await parts.ask(list_apps, caller)
        return whole(apps)

    @get("/{app_id:uuid}", summary="Show a Firebase app")
    async def show(self, parts: GivenParts, caller: GivenCaller, app_id: AppId) -> FirebaseApp:
        """A Firebase app without its key."""
        return await parts.ask(get_app, caller, app_id)

    @patch(
        "/{app_id:uuid}",
        summary="Change how fast a Firebase app sends",
        opt={BODY: FirebaseAppChange, NEEDS: Scope.ADMIN},
    )
    async def change(
        self, request: Call, parts: GivenParts, caller: GivenCaller, app_id: AppId
    ) -> FirebaseApp:
        """Its quota, if Google has granted another one than 600,000 a minute, and whether FCM's
        busiest minutes are avoided. All senders keep to it from their next chunk on."""
        change = await read(request, FirebaseAppChange)
        per_minute, avoid_peaks = change.pushes_per_minute, change.avoid_peaks
        return await parts.do(
            change_app,
            caller,
            app_id,
            pushes_per_minute=None if per_minute is msgspec.UNSET else per_minute,
            avoid_peaks=None if avoid_peaks is msgspec.UNSET else avoid_peaks,
        )

    @delete(
        "/{app_id:uuid}", summary="Delete a Firebase app", opt={NEEDS: Scope.ADMIN}, status_code=204
    )
    async def delete_one(self, parts: GivenParts, caller: GivenCaller, app_id: AppId) -> None:
        """Deletes the app with its key. Its sources are bound to none, and pushes that wait for it
        are skipped (`no_firebase_app`)."""
        await parts.do(delete_app, caller, app_id)

    @post(
        "/{app_id:uuid}/pause", summary="Pause a Firebase app", opt={BODY: Pause}, status_code=200
    )
    async def pause(
        self, request: Call, parts: GivenParts, caller: GivenCaller, app_id: AppId
    ) -> FirebaseApp:
        """Send nothing through it until it is resumed. Nothing planned is lost. One that a person
        has paused keeps its reason; one that FCM's answers have paused waits for a person from now
        on. The body may be empty."""
        wanted = await read(request, Pause, may_be_empty=True)
        return await parts.do(pause_app, caller, app_id, wanted.reason)

    @post(
        "/{app_id:uuid}/check",
        summary="Check a Firebase app's key",
        opt={NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def check(self, parts: GivenParts, caller: GivenCaller, app_id: AppId) -> CheckedKey:
        """Asks FCM to look at a push and to send none (`validate_only`). Nothing is changed by it,
        and no device hears of it."""
        return shown(await parts.do(check_key, caller, app_id, parts.provider), CheckedKey)

    @post(
        "/{app_id:uuid}/removals",
        summary="Decide about registrations in quarantine",
        opt={BODY: Removals},
        status_code=200,
    )
    async def decide(
        self, request: Call, parts: GivenParts, caller: GivenCaller, app_id: AppId
    ) -> FirebaseApp:
        """Remove the registrations in quarantine, or keep them; devices that have registered again
        since are kept in any case. Campaigns that were paused for it go on."""
        wanted = await read(request, Removals)
        remove = wanted.decision is Decision.REMOVE
        return await parts.do(decide_removals, caller, app_id, remove=remove)

    @post("/{app_id:uuid}/resume", summary="Resume a Firebase app", status_code=200)
    async def resume(self, parts: GivenParts, caller: GivenCaller, app_id: AppId) -> FirebaseApp:
        """Send through it again, after the cause of its pause is cured. What was held goes out at
        once. One that FCM's answers have paused is tried again by itself, too: after a minute, then
        more and more seldom, at least every ten minutes."""
        return await parts.do(resume_app, caller, app_id)
