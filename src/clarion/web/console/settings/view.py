"""`/console/settings`: team, keys, what is kept how long, and the audit log. For admins."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission, Role, Scope
from clarion.accounts.audit_store import AuditFilter
from clarion.accounts.command import forbidden
from clarion.accounts.commands import (
    change_retention,
    change_workspace,
    create_api_key,
    revoke_api_key,
)
from clarion.accounts.people.commands import (
    change_role,
    deactivate,
    invite,
    reactivate,
    revoke_invitation,
)
from clarion.accounts.people.password_reset import offer_password_reset
from clarion.accounts.people.queries import list_invitations, list_people
from clarion.accounts.queries import list_api_keys, list_audit
from clarion.accounts.retention import Retained
from clarion.faults import Rejected
from clarion.retention.queries import Removal, get_retention, preview_retention
from clarion.web.console.amount import whole
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field, read_id
from clarion.web.console.when import zones

SETTINGS = "/console/settings"
PAGE = 50
ROLES = [(role.value, role.value.capitalize()) for role in Role]
SCOPES = [
    (Scope.READ.value, "Read: looks at everything but keys"),
    (Scope.WRITE.value, "Write: changes campaigns and sources, sends"),
    (Scope.ADMIN.value, "Admin: everything"),
]
KEPT = {
    Retained.EVENTS.value: "Events",
    Retained.DELIVERIES.value: "Deliveries",
    Retained.INGEST_LOG.value: "What was refused",
    Retained.AUDIT.value: "Audit log",
}


@get(SETTINGS)
async def show_workspace(me: Person) -> Response[str]:
    return await _workspace(me, None)


@post(SETTINGS)
async def do_workspace(me: Person) -> Response[Any]:
    """Its name, its zone, when registrations are stale, and how long things are kept; or what would
    be removed with these days."""
    wanted = {name: _read_days(me.form.get(name, "")) for name in KEPT}
    if "preview" in me.form:
        _needs_admin(me)
        previewed = await me.try_ask(preview_retention, wanted, now=me.now)
        if isinstance(previewed, Rejected):
            return await _workspace(me, previewed)
        return await _workspace(me, None, previewed)
    days = me.form.get("stale_after_days", "")
    changed = await me.try_do(
        change_workspace,
        name=me.form.get("name", ""),
        stale_after_days=whole(days) or 0,
        time_zone=me.form.get("time_zone") or None,
    )
    if isinstance(changed, Rejected):
        return await _workspace(me, changed)
    kept = await me.try_do(change_retention, wanted)
    if isinstance(kept, Rejected):
        return await _workspace(me, kept)
    return me.go(SETTINGS, "Saved.")


@get(f"{SETTINGS}/team")
async def show_team(me: Person) -> Response[str]:
    return await _team(me)


@post(f"{SETTINGS}/invitations")
async def do_invite(me: Person) -> Response[Any]:
    """Shows the link, once."""
    made = await me.try_do(invite, _role(me), me.form.get("email", ""))
    if isinstance(made, Rejected):
        return await _team(me, rejected=made)
    return await _team(me, link=f"{me.host}{made.path}", link_for=made.invitation.email or "")


@post(f"{SETTINGS}/invitations/{{invitation_id:uuid}}/revoke")
async def do_revoke_invitation(me: Person, invitation_id: FromPath[UUID]) -> Response[Any]:
    await me.do(revoke_invitation, invitation_id)
    return me.go(f"{SETTINGS}/team", "Its link is of no use any more.")


@post(f"{SETTINGS}/people/{{person_id:uuid}}/{{act:str}}")
async def do_person(me: Person, person_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Another role, shut out, let in again, a link for another password."""
    match act:
        case "role":
            outcome: Any = await me.try_do(change_role, person_id, _role(me))
            said = "They have another role now."
        case "deactivate":
            outcome = await me.try_do(deactivate, person_id)
            said = "They are signed out of this workspace, and can not come in."
        case "reactivate":
            outcome, said = await me.try_do(reactivate, person_id), "They may work here again."
        case "reset-password":
            outcome = await me.try_do(offer_password_reset, person_id)
            if not isinstance(outcome, Rejected):
                return await _team(me, link=f"{me.host}{outcome.path}", link_for="them")
            said = ""
        case _:
            raise PageError(Rejected("not_found", "There is no such act on people."))
    return me.go_after(outcome, f"{SETTINGS}/team", said)


@get(f"{SETTINGS}/keys")
async def show_keys(me: Person) -> Response[str]:
    return await _keys(me)


@post(f"{SETTINGS}/keys")
async def do_key(me: Person) -> Response[Any]:
    """Shows the secret, once."""
    made = await me.try_do(create_api_key, me.form.get("name", ""), [me.form.get("scope", "")])
    if isinstance(made, Rejected):
        return await _keys(me, rejected=made)
    return await _keys(me, secret=made.secret)


@post(f"{SETTINGS}/keys/{{key_id:uuid}}/revoke")
async def do_revoke_key(me: Person, key_id: FromPath[UUID]) -> Response[Any]:
    await me.do(revoke_api_key, key_id)
    return me.go(f"{SETTINGS}/keys", "The key is refused from now on.")


@get(f"{SETTINGS}/audit")
async def show_audit(me: Person) -> Response[str]:
    """Who did what, newest first; `before`, `verb` and `thing` stand in the URL."""
    wanted = AuditFilter(
        verb=me.asked("verb") or None,
        thing_id=me.asked("thing") or None,
    )
    entries = await me.ask(list_audit, wanted, limit=PAGE + 1, before=read_id(me.asked("before")))
    shown = entries[:PAGE]
    return me.page(
        "settings/audit.html",
        here="audit",
        entries=shown,
        verb=me.asked("verb"),
        thing=me.asked("thing"),
        before=me.asked("before"),
        following=shown[-1].id if len(entries) > PAGE else None,
    )


async def _workspace(
    me: SignedIn, rejected: Rejected | None, removals: Sequence[Removal] = ()
) -> Response[str]:
    retention = await me.ask(get_retention)
    form = {
        "name": me.workspace.name,
        "time_zone": me.workspace.time_zone,
        "stale_after_days": str(me.workspace.stale_after_days),
        **{name: str(getattr(retention, name) or "") for name in KEPT},
    }
    return me.page(
        "settings/workspace.html",
        200 if rejected is None else 422,
        here="workspace",
        form=form | dict(me.form),
        kept=KEPT,
        removals=removals,
        zones=sorted(name for name in zones() if "/" in name or name == "UTC"),
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


async def _team(
    me: SignedIn, *, rejected: Rejected | None = None, link: str = "", link_for: str = ""
) -> Response[str]:
    _needs_admin(me)
    return me.page(
        "settings/team.html",
        200 if rejected is None else 422,
        here="team",
        people=await me.ask(list_people),
        invitations=await me.ask(list_invitations, me.now),
        roles=ROLES,
        link=link,
        link_for=link_for,
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


async def _keys(
    me: SignedIn, *, rejected: Rejected | None = None, secret: str = ""
) -> Response[str]:
    return me.page(
        "settings/keys.html",
        200 if rejected is None else 422,
        here="keys",
        keys=await me.ask(list_api_keys),
        scopes=SCOPES,
        secret=secret,
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


def _needs_admin(me: SignedIn) -> None:
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))


def _role(me: SignedIn) -> Role:
    """The one that was chosen. Ends the call where there is no such role."""
    try:
        return Role(me.form.get("role", ""))
    except ValueError:
        raise PageError(Rejected("invalid", "There is no such role.")) from None


def _read_days(text: str) -> int | str | None:
    """Days; None: for ever; what is no number is left for the command to say so."""
    text = text.strip()
    number = whole(text)
    return None if not text else text if number is None else number


ROUTES: Sequence[Any] = [
    show_workspace,
    do_workspace,
    show_team,
    do_invite,
    do_revoke_invitation,
    do_person,
    show_keys,
    do_key,
    do_revoke_key,
    show_audit,
]
