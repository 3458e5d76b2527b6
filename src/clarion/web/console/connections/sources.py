"""Sources: their list, their keys, and what they send, with reason and cure."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.customers.queries import get_event, list_activity
from clarion.deliveries.apps.queries import list_apps
from clarion.deliveries.apps.source_commands import change_source, create_source
from clarion.faults import Rejected
from clarion.ingest_log.outcome import Outcome, Position
from clarion.ingest_log.queries import Wanted
from clarion.sources.commands import (
    restore_key,
    restore_source,
    retire_key,
    revoke_source,
    rotate_write_key,
)
from clarion.sources.queries import get_source, list_sources
from clarion.sources.source import KeyKind
from clarion.web.console.amount import whole
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field, read_id

PAGE = 50
OUTCOMES = {
    "": ("All", frozenset(Outcome)),
    "accepted": ("Taken", frozenset({Outcome.ACCEPTED})),
    "refused": ("Refused", frozenset({Outcome.REFUSED})),
    "warning": ("Warnings", frozenset({Outcome.WARNING})),
    "duplicate": ("Repeated", frozenset({Outcome.DUPLICATE})),
}
SOURCE = "/console/sources/{source_id:uuid}"


@get("/console/connections")
async def show_connections(me: Person) -> Response[str]:
    return me.page(
        "connections/page.html",
        sources=await me.ask(list_sources, me.now),
        apps=await me.ask(list_apps),
        rejected=None,
        faults={},
    )


@post("/console/sources")
async def do_create(me: Person) -> Response[Any]:
    made = await me.try_do(create_source, me.form.get("name", ""))
    if isinstance(made, Rejected):
        return me.page(
            "connections/page.html",
            422,
            sources=await me.ask(list_sources, me.now),
            apps=await me.ask(list_apps),
            rejected=made,
            faults=faults_by_field(made),
        )
    return me.go(f"/console/sources/{made.id}", "The source is made. Put its key into the app.")


@get(SOURCE)
async def show_source(me: Person, source_id: FromPath[UUID]) -> Response[str]:
    """A source, its keys, and what it sent, newest first; `outcome`, `name`, `before` and `live`
    stand in the URL."""
    source = await me.ask(get_source, source_id, me.now)
    chosen = me.asked("outcome") if me.asked("outcome") in OUTCOMES else ""
    name = me.asked("name").strip()
    wanted = Wanted(source_id=source_id, outcomes=OUTCOMES[chosen][1], name=name or None)
    before = _position(me.asked("before"))
    activity, following = await me.ask(list_activity, wanted, before=before, limit=PAGE)
    return me.page(
        "connections/source.html",
        source=source,
        apps=await me.ask(list_apps),
        activity=activity,
        outcomes=OUTCOMES,
        chosen=chosen,
        name=name,
        before=me.asked("before"),
        following=following,
        is_live=me.asked("live") != "off",
        host=me.host,
    )


@get("/console/events")
async def show_event(me: Person) -> Response[str]:
    """The event whose messageId stands in the URL as `id`, whole."""
    return me.page("connections/event.html", event=await me.ask(get_event, me.asked("id")))


@post(f"{SOURCE}/{{act:str}}")
async def do_source(me: Person, source_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Rotate its key, revoke or restore it, bind it to another Firebase app."""
    match act:
        case "rotate":
            ends = whole(me.form.get("days", ""))
            outcome: Any = await me.try_do(
                rotate_write_key, source_id, retire_former_after_days=ends
            )
            said = "There is another key. The former one stays valid until you retire it."
            if ends is not None:
                said = f"There is another key. The former ones end in {ends} days."
        case "revoke":
            outcome, said = await me.try_do(revoke_source, source_id), "It may send no more."
        case "restore":
            outcome, said = await me.try_do(restore_source, source_id), "It may send again."
        case "change":
            outcome = await me.try_do(
                change_source,
                source_id,
                name=me.form.get("name", ""),
                firebase_app_id=read_id(me.form.get("firebase_app_id", "")),
            )
            said = "Saved."
        case _:
            raise PageError(Rejected("not_found", "There is no such act on sources."))
    return me.go_after(outcome, f"/console/sources/{source_id}", said)


@post(f"{SOURCE}/keys/{{key_id:uuid}}/{{act:str}}")
async def do_key(
    me: Person, source_id: FromPath[UUID], key_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Retire a write key, or take that back."""
    outcome = await change_key(me, source_id, KeyKind.WRITE_KEY, key_id, act)
    said = "The key is refused from now on." if act == "retire" else "The key is valid again."
    return me.go_after(outcome, f"/console/sources/{source_id}", said)


async def change_key(
    me: SignedIn, source_id: UUID, kind: KeyKind, key_id: UUID, act: str
) -> object:
    """Retire a key of a source at once, or take that back, as `act` says."""
    match act:
        case "retire":
            return await me.try_do(retire_key, source_id, kind, key_id, days=0)
        case "restore":
            return await me.try_do(restore_key, source_id, kind, key_id)
    raise PageError(Rejected("not_found", "There is no such act on keys."))


def _position(text: str) -> Position | None:
    first, _, second = text.partition(".")
    return Position(int(first), int(second)) if first.isdecimal() and second.isdecimal() else None


ROUTES = [show_connections, do_create, show_source, show_event, do_source, do_key]
