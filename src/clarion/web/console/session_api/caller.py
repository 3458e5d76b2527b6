"""Who calls: the person whose session it is; and whether a page of ours makes the call."""

import hmac
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from clarion.accounts.actor import Actor
from clarion.accounts.people.session import Session, csrf_token_of
from clarion.accounts.people.signing_in import authenticate
from clarion.faults import Rejected
from clarion.web.console.browser import SAFE_METHODS, is_from_us, token_in
from clarion.web.console.parts import Parts, parts_in
from clarion.web.console.session_api.answers import ConsoleError
from clarion.web.request_id import REQUEST_ID

CSRF_HEADER = "x-csrf-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInCaller:
    """Somebody who is signed in."""

    actor: Actor
    session: Session
    csrf_token: str


GivenParts = NamedDependency[Parts]
GivenCaller = NamedDependency[SignedInCaller]


def parts_of(request: Request[Any, Any, Any]) -> Parts:
    """What this console works with, for handlers."""
    return parts_in(request.scope)


def comes_from_us(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """A guard: rejects calls of other sites' pages (CSRF)."""
    if connection.scope.get("method") in SAFE_METHODS or is_from_us(connection.scope):
        return
    raise ConsoleError(Rejected("csrf", "This call does not come from a page of this console."))


async def signed_in(request: Request[Any, Any, Any], parts: GivenParts) -> SignedInCaller:
    """Whose session the cookie holds. Ends the call where it is nobody's, and where what would
    change something lacks the session's CSRF token."""
    token = token_in(request.scope)
    caller = None
    if token is not None:
        request_id = request_id_of(request)
        caller = await authenticate(parts.services, token, request_id=request_id)
    if token is None or caller is None:
        raise ConsoleError(Rejected("unauthorized", "You are not signed in, or no longer."))
    csrf_token = csrf_token_of(token)
    sent = request.headers.get(CSRF_HEADER, "")
    is_safe = request.method in SAFE_METHODS
    if not is_safe and not hmac.compare_digest(sent.encode(), csrf_token.encode()):
        raise ConsoleError(Rejected("csrf", "The call lacks the session's X-CSRF-Token."))
    actor, session = caller
    return SignedInCaller(actor=actor, session=session, csrf_token=csrf_token)


def request_id_of(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get(REQUEST_ID))
