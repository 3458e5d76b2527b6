"""The pages before there is a session, and its end."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from clarion.accounts.people.commands import end_session
from clarion.accounts.people.password_reset import find_password_reset, reset_password
from clarion.accounts.people.queries import find_invitation
from clarion.accounts.people.session import csrf_token_of
from clarion.accounts.people.signing_in import SignedIn as Begun
from clarion.accounts.people.signing_in import accept_invitation, sign_in
from clarion.faults import Rejected
from clarion.web.console.browser import clear_cookie, place_of, set_cookie, token_in
from clarion.web.console.kept import KeptForm, read_kept
from clarion.web.console.page import (
    SIGN_IN,
    Person,
    Visit,
    Visitor,
    accepted,
    faults_by_field,
)

HOME = "/console/"


@get(SIGN_IN)
async def show_sign_in(visit: Visitor) -> Response[str]:
    way = _inside(visit.asked("next"))
    return visit.page("sign_in/page.html", next=way, rejected=None, kept=None)


@post(SIGN_IN)
async def do_sign_in(visit: Visitor) -> Response[Any]:
    """Begins a session. Whatever session the browser had before has ended."""
    outcome = await sign_in(
        visit.services,
        visit.parts.hasher,
        email=visit.form.get("email", ""),
        password=visit.form.get("password", ""),
        place=place_of(visit.request.scope),
        former_token=token_in(visit.request.scope),
        request_id=visit.request_id,
    )
    way, kept = _inside(visit.form.get("next", "")), read_kept(visit.form.get("kept", ""))
    if isinstance(outcome, Rejected):
        status = 429 if outcome.code == "too_many_tries" else 422
        return visit.page("sign_in/page.html", status, next=way, rejected=outcome, kept=kept)
    if kept is not None:
        return _resend(visit, outcome, kept)
    return _begun(visit, outcome, way)


@post("/console/sign-out")
async def do_sign_out(me: Person) -> Response[Any]:
    """The session ends at once, wherever its cookie may be."""
    await me.do(end_session, me.session.id)
    answer = me.go(SIGN_IN)
    answer.headers["Set-Cookie"] = clear_cookie(me.request.scope)
    return answer


@get("/console/invitations/{token:str}")
async def show_invitation(visit: Visitor, token: FromPath[str]) -> Response[str]:
    return await _invitation(visit, token, None)


@post("/console/invitations/{token:str}")
async def do_accept(visit: Visitor, token: FromPath[str]) -> Response[Any]:
    """Makes a member of whoever has the link, and begins a session."""
    outcome = await accept_invitation(
        visit.services,
        visit.parts.hasher,
        token,
        email=visit.form.get("email", ""),
        name=visit.form.get("name", ""),
        password=visit.form.get("password", ""),
        place=place_of(visit.request.scope),
        former_token=token_in(visit.request.scope),
        request_id=visit.request_id,
    )
    if isinstance(outcome, Rejected):
        return await _invitation(visit, token, outcome)
    return _begun(visit, outcome, HOME)


@get("/console/password-resets/{token:str}")
async def show_reset(visit: Visitor, token: FromPath[str]) -> Response[str]:
    return await _reset(visit, token, None)


@post("/console/password-resets/{token:str}")
async def do_reset(visit: Visitor, token: FromPath[str]) -> Response[Any]:
    """Another password. All sessions of the person end but for a new one in this browser."""
    outcome = await reset_password(
        visit.services,
        visit.parts.hasher,
        token,
        password=visit.form.get("password", ""),
        place=place_of(visit.request.scope),
        former_token=token_in(visit.request.scope),
        request_id=visit.request_id,
    )
    if isinstance(outcome, Rejected):
        return await _reset(visit, token, outcome)
    return _begun(visit, outcome, HOME)


async def _invitation(visit: Visit, token: str, rejected: Rejected | None) -> Response[str]:
    async with visit.services.database.read() as connection:
        invitation, workspace = accepted(await find_invitation(connection, token, visit.now))
    return visit.page(
        "sign_in/invitation.html",
        200 if rejected is None else 422,
        invitation=invitation,
        workspace=workspace,
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


async def _reset(visit: Visit, token: str, rejected: Rejected | None) -> Response[str]:
    _, person = accepted(await find_password_reset(visit.services, token))
    return visit.page(
        "sign_in/reset.html",
        200 if rejected is None else 422,
        person=person,
        rejected=rejected,
        faults=faults_by_field(rejected),
    )


def _resend(visit: Visit, begun: Begun, kept: KeptForm) -> Response[Any]:
    """What was sent while nobody was signed in, with one button."""
    answer = visit.page(
        "kit/resend.html",
        title="You are signed in again",
        words="What you sent was not saved, because your session had ended. It is still here.",
        kept=kept,
        token=csrf_token_of(begun.token),
    )
    answer.headers["Set-Cookie"] = set_cookie(visit.request.scope, begun.token)
    return answer


def _begun(visit: Visit, begun: Begun, way: str) -> Response[Any]:
    answer = visit.go(way)
    answer.headers["Set-Cookie"] = set_cookie(visit.request.scope, begun.token)
    return answer


def _inside(way: str) -> str:
    """The way back to a page of ours; any other leads home."""
    is_inside = way.startswith(HOME) and "\\" not in way and "\n" not in way
    return way if is_inside else HOME


ROUTES = [
    show_sign_in,
    do_sign_in,
    do_sign_out,
    show_invitation,
    do_accept,
    show_reset,
    do_reset,
]
