"""Signing in and out, and one's own sessions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import PathParameter

from clarion.accounts import workspace_store
from clarion.accounts.people import store
from clarion.accounts.people.commands import change_session_workspace, end_session
from clarion.accounts.people.person import Member
from clarion.accounts.people.queries import list_sessions
from clarion.accounts.people.session import csrf_token_of
from clarion.accounts.people.signing_in import SignedIn, change_password, sign_in
from clarion.accounts.queries import list_workspaces
from clarion.faults import not_found
from clarion.web.console.browser import clear_cookie, place_of, set_cookie, token_in
from clarion.web.console.parts import Parts
from clarion.web.console.session_api.answers import ConsoleError, accepted, read
from clarion.web.console.session_api.caller import GivenCaller, GivenParts, request_id_of

SessionId = Annotated[UUID, PathParameter(description="The session's id.")]


class SignIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    email: str
    password: str


class PasswordChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    current: str
    new: str


class WorkspaceChoice(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    workspace_id: UUID


class ShownPerson(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    email: str
    name: str


class ShownWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str


class ShownSession(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, where they work, and the token that their calls carry."""

    session_id: UUID
    person: ShownPerson
    workspace: ShownWorkspace
    role: str
    csrf_token: str


class ListedSession(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    address: str | None
    browser: str | None
    created_at: datetime
    last_used_at: datetime
    is_current: bool


class SigningIn(Controller):
    @post("/sign-in", status_code=200)
    async def sign_in(
        self, request: Request[Any, Any, Any], parts: GivenParts
    ) -> Response[ShownSession]:
        """A new session, and its cookie. Whatever session the browser had before has ended."""
        body = await read(request, SignIn)
        outcome = await sign_in(
            parts.services,
            parts.hasher,
            email=body.email,
            password=body.password,
            place=place_of(request.scope),
            former_token=token_in(request.scope),
            request_id=request_id_of(request),
        )
        return await begun(request, parts, accepted(outcome))

    @post("/sign-out", status_code=204)
    async def sign_out(
        self, request: Request[Any, Any, Any], parts: GivenParts, caller: GivenCaller
    ) -> Response[None]:
        """The session ends at once, wherever its cookie may be."""
        accepted(await end_session(parts.services, caller.actor, caller.session.id))
        return Response(None, headers={"Set-Cookie": clear_cookie(request.scope)})

    @post("/password", status_code=200)
    async def change_password(
        self, request: Request[Any, Any, Any], parts: GivenParts, caller: GivenCaller
    ) -> Response[ShownSession]:
        """Another password. All sessions end but for a new one in this browser."""
        body = await read(request, PasswordChange)
        outcome = await change_password(
            parts.services,
            parts.hasher,
            caller.actor,
            current=body.current,
            new=body.new,
            place=place_of(request.scope),
        )
        return await begun(request, parts, accepted(outcome))


class Sessions(Controller):
    @get("/session")
    async def show(self, parts: GivenParts, caller: GivenCaller) -> ShownSession:
        """Who is signed in."""
        async with parts.services.database.read() as connection:
            member = await store.get_member(
                connection, caller.session.workspace_id, caller.session.person_id
            )
        if member is None:
            raise ConsoleError(not_found("person"))
        return await _shown(parts, member, caller.session.id, caller.csrf_token)

    @get("/workspaces")
    async def list_workspaces(self, parts: GivenParts, caller: GivenCaller) -> list[ShownWorkspace]:
        """Where the person may work."""
        async with parts.services.database.read() as connection:
            workspaces = await list_workspaces(connection, caller.actor)
        return [ShownWorkspace(id=workspace.id, name=workspace.name) for workspace in workspaces]

    @post("/session/workspace", status_code=200)
    async def change_workspace(
        self, request: Request[Any, Any, Any], parts: GivenParts, caller: GivenCaller
    ) -> ShownSession:
        """Work in another workspace of theirs from now on."""
        body = await read(request, WorkspaceChoice)
        member = accepted(
            await change_session_workspace(
                parts.services, caller.actor, caller.session.id, body.workspace_id
            )
        )
        return await _shown(parts, member, caller.session.id, caller.csrf_token)

    @get("/sessions")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> list[ListedSession]:
        """Where the person is signed in."""
        async with parts.services.database.read() as connection:
            sessions = await list_sessions(connection, caller.actor, parts.services.clock.now())
        return [
            ListedSession(
                id=session.id,
                address=session.address,
                browser=session.browser,
                created_at=session.created_at,
                last_used_at=session.last_used_at,
                is_current=session.id == caller.session.id,
            )
            for session in sessions
        ]

    @post("/sessions/{session_id:uuid}/end", status_code=204)
    async def end(self, parts: GivenParts, caller: GivenCaller, session_id: SessionId) -> None:
        """Sign out elsewhere, say of a phone that was lost."""
        accepted(await end_session(parts.services, caller.actor, session_id))


async def begun(
    request: Request[Any, Any, Any], parts: Parts, signed_in: SignedIn
) -> Response[ShownSession]:
    """The answer to a sign-in: the session, and its cookie."""
    shown = await _shown(
        parts, signed_in.member, signed_in.session.id, csrf_token_of(signed_in.token)
    )
    return Response(shown, headers={"Set-Cookie": set_cookie(request.scope, signed_in.token)})


async def _shown(parts: Parts, member: Member, session_id: UUID, csrf_token: str) -> ShownSession:
    async with parts.services.database.read() as connection:
        workspace = await workspace_store.get_workspace(connection, member.workspace_id)
    if workspace is None:
        raise ConsoleError(not_found("workspace"))
    person = member.person
    return ShownSession(
        session_id=session_id,
        person=ShownPerson(id=person.id, email=person.email, name=person.name),
        workspace=ShownWorkspace(id=workspace.id, name=workspace.name),
        role=member.role.value,
        csrf_token=csrf_token,
    )
