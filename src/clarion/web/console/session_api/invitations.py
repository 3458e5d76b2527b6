"""Invitations: what a link offers, and accepting it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import PathParameter

from clarion.accounts.people.queries import find_invitation
from clarion.accounts.people.signing_in import accept_invitation
from clarion.web.console.browser import place_of, token_in
from clarion.web.console.session_api.answers import accepted, read
from clarion.web.console.session_api.caller import GivenParts, request_id_of
from clarion.web.console.session_api.sessions import ShownSession, begun

Token = Annotated[str, PathParameter(description="The last part of the link.")]


class Acceptance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`email` counts where the invitation names none; `name` where the person is new. Whoever has
    an account gives its password, and anybody else chooses one."""

    password: str
    email: str = ""
    name: str = ""


class ShownInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """`email` null: whoever accepts says theirs."""

    email: str | None
    role: str
    workspace: str
    invited_by: str
    expires_at: datetime


class Invitations(Controller):
    path = "/invitations"

    @get("/{token:str}")
    async def show(self, parts: GivenParts, token: Token) -> ShownInvitation:
        """What the link offers; it does not say whether the address has an account."""
        async with parts.services.database.read() as connection:
            now = parts.services.clock.now()
            invitation, workspace = accepted(await find_invitation(connection, token, now))
        return ShownInvitation(
            email=invitation.email,
            role=invitation.role.value,
            workspace=workspace.name,
            invited_by=invitation.invited_by,
            expires_at=invitation.expires_at,
        )

    @post("/{token:str}", status_code=200)
    async def accept(
        self, request: Request[Any, Any, Any], parts: GivenParts, token: Token
    ) -> Response[ShownSession]:
        """Become a member, and be signed in. The link is of no use afterwards."""
        body = await read(request, Acceptance)
        outcome = await accept_invitation(
            parts.services,
            parts.hasher,
            token,
            email=body.email,
            name=body.name,
            password=body.password,
            place=place_of(request.scope),
            former_token=token_in(request.scope),
            request_id=request_id_of(request),
        )
        return await begun(request, parts, accepted(outcome))
