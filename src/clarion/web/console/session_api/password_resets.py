"""Password resets: whose a link is, and choosing another password by it."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post

from clarion.accounts.people.password_reset import find_password_reset, reset_password
from clarion.web.console.browser import place_of, token_in
from clarion.web.console.session_api.answers import accepted, read
from clarion.web.console.session_api.caller import GivenParts, request_id_of
from clarion.web.console.session_api.invitations import Token
from clarion.web.console.session_api.sessions import ShownSession, begun


class NewPassword(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    password: str


class ShownPasswordReset(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    created_by: str
    expires_at: datetime


class PasswordResets(Controller):
    path = "/password-resets"

    @get("/{token:str}")
    async def show(self, parts: GivenParts, token: Token) -> ShownPasswordReset:
        """Whose password the link changes, and who made it."""
        reset, person = accepted(await find_password_reset(parts.services, token))
        return ShownPasswordReset(
            email=person.email, created_by=reset.created_by, expires_at=reset.expires_at
        )

    @post("/{token:str}", status_code=200)
    async def reset(
        self, request: Request[Any, Any, Any], parts: GivenParts, token: Token
    ) -> Response[ShownSession]:
        """Another password, and a session. All others of the person end; so does the link."""
        body = await read(request, NewPassword)
        outcome = await reset_password(
            parts.services,
            parts.hasher,
            token,
            password=body.password,
            place=place_of(request.scope),
            former_token=token_in(request.scope),
            request_id=request_id_of(request),
        )
        return await begun(request, parts, accepted(outcome))
