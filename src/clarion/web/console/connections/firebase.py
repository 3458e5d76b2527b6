"""Firebase apps: their keys, pauses, and removals in doubt."""

from functools import partial
from typing import Any, assert_never
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.deliveries.apps.commands import (
    change_app,
    decide_removals,
    delete_app,
    pause_app,
    resume_app,
    set_app_key,
)
from clarion.deliveries.apps.key_check import KeyVerdict, check_key
from clarion.deliveries.apps.queries import get_app
from clarion.faults import Rejected
from clarion.providers.fcm.credentials import read_service_account
from clarion.sources.queries import list_sources
from clarion.web.console.amount import counted, whole
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field

ADD = "/console/connections/firebase"
APP = "/console/firebase-apps/{app_id:uuid}"


@get(ADD)
async def show_add(me: Person) -> Response[str]:
    return _add(me, None)


@post(ADD)
async def do_add(me: Person) -> Response[Any]:
    """A key as a file, or as text; what kind of file a wrong one is, is said."""
    file = me.files.get("file") or me.form.get("json", "").encode()
    read_key = partial(read_service_account, fcm_url=me.parts.fcm_url)
    keyed = await me.try_do(set_app_key, file, read_key)
    if isinstance(keyed, Rejected):
        return _add(me, keyed)
    bound = counted(len(keyed.bound), "source", me.place.locale)
    kind, said = await _checked(me, keyed.app.id)
    said = f"The key is sealed. {said} Bound to it now: {bound}."
    return me.go(f"/console/firebase-apps/{keyed.app.id}", said, kind)


@get(APP)
async def show_app(me: Person, app_id: FromPath[UUID]) -> Response[str]:
    return await _app_page(me, app_id, None)


@get(f"{APP}/delete")
async def show_delete(me: Person, app_id: FromPath[UUID]) -> Response[str]:
    """Names what is lost by it, before it is."""
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    app = await me.ask(get_app, app_id)
    sources = [
        source for source in await me.ask(list_sources, me.now) if source.firebase_app_id == app_id
    ]
    return me.page("connections/delete.html", app=app, sources=sources)


@post(f"{APP}/delete")
async def do_delete(me: Person, app_id: FromPath[UUID]) -> Response[Any]:
    """With its key."""
    deleted = await me.do(delete_app, app_id)
    return me.go("/console/connections", f"{deleted.project_id} and its key are gone.")


@post(f"{APP}/{{act:str}}")
async def do_app(me: Person, app_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Pause, resume, decide about removals."""
    way, said = f"/console/firebase-apps/{app_id}", "Done."
    match act:
        case "pause":
            outcome: Any = await me.try_do(pause_app, app_id)
            said = "Paused: nothing is sent through it, and nothing planned is lost."
        case "resume":
            outcome, said = await me.try_do(resume_app, app_id), "It sends again."
        case "check":
            kind, said = await _checked(me, app_id)
            return me.go(way, said, kind)
        case "pace":
            text = me.form.get("pushes_per_minute", "").strip()
            outcome = await me.try_do(
                change_app,
                app_id,
                pushes_per_minute=whole(text) or 0,
                avoid_peaks="avoid_peaks" in me.form,
            )
            if isinstance(outcome, Rejected):
                return await _app_page(me, app_id, outcome)
            said = "Saved. It holds from the next pushes on."
        case "keep" | "remove":
            outcome = await me.try_do(decide_removals, app_id, remove=act == "remove")
            said = "Removed." if act == "remove" else "Kept: they stay registered."
        case _:
            raise PageError(Rejected("not_found", "There is no such act on Firebase apps."))
    return me.go_after(outcome, way, said)


async def _app_page(me: SignedIn, app_id: UUID, rejected: Rejected | None) -> Response[str]:
    app = await me.ask(get_app, app_id)
    sources = [
        source for source in await me.ask(list_sources, me.now) if source.firebase_app_id == app_id
    ]
    return me.page(
        "connections/app.html",
        200 if rejected is None else 422,
        app=app,
        sources=sources,
        pushes_per_minute=me.form.get("pushes_per_minute", app.pushes_per_minute),
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


async def _checked(me: SignedIn, app_id: UUID) -> tuple[str, str]:
    """Which kind of notice it is, and what FCM says of the key."""
    checked = await me.do(check_key, app_id, me.parts.provider)
    match checked.verdict:
        case KeyVerdict.WORKS:
            return "ok", "FCM takes it: a push was checked, and none was sent."
        case KeyVerdict.REFUSED:
            why = f"{checked.reason.replace('_', ' ')}. {checked.detail}".strip()
            return "bad", f"FCM refuses it: {why}"
        case KeyVerdict.UNKNOWN:
            reason = checked.reason.replace("_", " ")
            return "warn", f"FCM could not be asked now ({reason}): check it again in a moment."
        case _:
            assert_never(checked.verdict)


def _add(me: SignedIn, rejected: Rejected | None) -> Response[str]:
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    status = 200 if rejected is None else 422
    return me.page(
        "connections/firebase.html",
        status,
        rejected=rejected,
        is_wrong_file=rejected is not None and bool(me.files.get("file")),
    )


ROUTES = [show_add, do_add, show_app, show_delete, do_delete, do_app]
