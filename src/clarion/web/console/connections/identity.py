"""A source's identity secrets, and what else can shut apps out: for admins."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.actor import Permission
from clarion.accounts.command import forbidden
from clarion.deliveries.apps.source_commands import change_source
from clarion.faults import Rejected
from clarion.sources.commands import create_identity_secret, retire_identity_secrets
from clarion.sources.queries import get_source, list_identity_secrets
from clarion.sources.rate_limit import Limit
from clarion.sources.source import KeyKind
from clarion.web.console.amount import whole
from clarion.web.console.connections.sources import change_key
from clarion.web.console.page import PageError, Person, SignedIn, faults_by_field

SOURCE = "/console/sources/{source_id:uuid}/identity"


@get(SOURCE)
async def show_identity(me: Person, source_id: FromPath[UUID]) -> Response[str]:
    return await _identity(me, source_id)


@post(f"{SOURCE}/secrets")
async def do_secret(me: Person, source_id: FromPath[UUID]) -> Response[Any]:
    """Shows the secret, once."""
    days = me.form.get("ask_after_days", "").strip()
    number = whole(days)
    made = await me.try_do(
        create_identity_secret,
        source_id,
        ask_after_days=None if not days else -1 if number is None else number,
    )
    if isinstance(made, Rejected):
        return await _identity(me, source_id, rejected=made)
    return await _identity(me, source_id, secret=made.secret)


@post(f"{SOURCE}/secrets/{{key_id:uuid}}/{{act:str}}")
async def do_key(
    me: Person, source_id: FromPath[UUID], key_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Retire one, or take that back."""
    outcome = await change_key(me, source_id, KeyKind.IDENTITY_SECRET, key_id, act)
    is_over = act == "retire"
    said = "What it signs is refused from now on." if is_over else "What it signs is taken again."
    return me.go_after(outcome, _path_of(source_id), said)


@post(f"{SOURCE}/end")
async def do_end(me: Person, source_id: FromPath[UUID]) -> Response[Any]:
    """Asks for no signatures any more."""
    outcome = await me.try_do(retire_identity_secrets, source_id)
    return me.go_after(outcome, _path_of(source_id), "User ids are taken at their word again.")


@post(f"{SOURCE}/limits")
async def do_limits(me: Person, source_id: FromPath[UUID]) -> Response[Any]:
    """Which pages may send, and how fast each key may."""
    rate, burst = (_number(me.form.get(name, "")) for name in ("events_per_second", "burst"))
    limit = None if rate is None else Limit(events_per_second=rate, burst=burst or rate)
    changed = await me.try_do(
        change_source,
        source_id,
        allowed_origins=me.form.get("allowed_origins", "").split(),
        rate_limit=limit,
    )
    if isinstance(changed, Rejected):
        return await _identity(me, source_id, rejected=changed)
    return me.go_after(changed, _path_of(source_id), "Saved.")


async def _identity(
    me: SignedIn, source_id: UUID, *, secret: str = "", rejected: Rejected | None = None
) -> Response[str]:
    if not me.may_administer:
        raise PageError(forbidden(Permission.ADMIN))
    source = await me.ask(get_source, source_id, me.now)
    limit = source.rate_limit
    form = {
        "allowed_origins": "\n".join(source.allowed_origins),
        "events_per_second": "" if limit is None else str(limit.events_per_second),
        "burst": "" if limit is None else str(limit.burst),
        "ask_after_days": "",
    }
    return me.page(
        "connections/identity.html",
        200 if rejected is None else 422,
        source=source,
        secrets=await me.ask(list_identity_secrets, source_id, me.now),
        secret=secret,
        form=form | dict(me.form),
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


def _path_of(source_id: UUID) -> str:
    return f"/console/sources/{source_id}/identity"


def _number(text: str) -> int | None:
    """None: the field is empty; 0, which is refused, where it holds no number."""
    text = text.strip()
    return None if not text else whole(text) or 0


ROUTES = [show_identity, do_secret, do_key, do_end, do_limits]
