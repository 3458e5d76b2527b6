"""/people: who works in this workspace, in which role, and who is invited."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, patch, post
from litestar.params import PathParameter

from clarion.accounts.actor import Role, Scope
from clarion.accounts.people import person
from clarion.accounts.people.commands import (
    change_role,
    deactivate,
    invite,
    reactivate,
    revoke_invitation,
)
from clarion.accounts.people.password_reset import offer_password_reset
from clarion.accounts.people.queries import list_invitations, list_people
from clarion.clock import Moment
from clarion.web.api.bodies import read
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import Page, whole

PersonId = Annotated[UUID, PathParameter(description="The person's id.")]
InvitationId = Annotated[UUID, PathParameter(description="The invitation's id.")]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works in this workspace. `created_at`: since when; `deactivated_at`: since when
    they may do nothing there any more."""

    id: UUID
    email: str
    name: str
    role: Role
    created_at: Moment
    deactivated_at: Moment | None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that may still be accepted, once. `email` null: whoever has it says theirs."""

    id: UUID
    email: str | None
    role: Role
    invited_by: str
    created_at: Moment
    expires_at: Moment


class MadeInvitation(Invitation, frozen=True, kw_only=True):
    """A new invitation. `path` is shown only in this answer; the link is this installation's
    address followed by it."""

    path: str


class MadePasswordReset(msgspec.Struct, frozen=True, kw_only=True):
    """A link by which a person sets a new password, once. `path` is shown only in this answer; the
    link is this installation's address followed by it."""

    person_id: UUID
    path: str
    expires_at: Moment


class NewInvitation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Somebody to invite. `email` is left out by the operator's own command line alone: whoever
    has that link says theirs."""

    email: str | None = None
    role: Role


class RoleChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The new role of a person."""

    role: Role


class People(Controller):
    path = "/people"
    tags = ("people",)
    opt = {NEEDS: Scope.ADMIN}  # noqa: RUF012 - Litestar's own shape

    @get("", summary="List people")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> Page[Person]:
        """Everybody of the workspace, deactivated people included; always one page."""
        members = await parts.ask(list_people, caller)
        return whole([_shown(member) for member in members])

    @get("/invitations", summary="List invitations")
    async def list_invitations(self, parts: GivenParts, caller: GivenCaller) -> Page[Invitation]:
        """Invitations that can still be accepted; always one page."""
        invitations = await parts.ask(list_invitations, caller, parts.clock.now())
        return whole([Invitation(**_fields(invitation)) for invitation in invitations])

    @post("/invitations", summary="Invite somebody", opt={BODY: NewInvitation, MAY_CONFLICT: True})
    async def invite(self, request: Call, parts: GivenParts, caller: GivenCaller) -> MadeInvitation:
        """Creates an invitation. Nothing is mailed: pass the link on yourself. It is valid for
        three days, and once."""
        wanted = await read(request, NewInvitation)
        made = await parts.do(invite, caller, wanted.role, wanted.email)
        return MadeInvitation(**_fields(made.invitation), path=made.path)

    @post(
        "/invitations/{invitation_id:uuid}/revoke", summary="Revoke an invitation", status_code=200
    )
    async def revoke(
        self, parts: GivenParts, caller: GivenCaller, invitation_id: InvitationId
    ) -> Invitation:
        """Ends an invitation: its link can not be used any more."""
        removed = await parts.do(revoke_invitation, caller, invitation_id)
        return Invitation(**_fields(removed))

    @patch(
        "/{person_id:uuid}",
        summary="Change a person's role",
        opt={BODY: RoleChange, MAY_CONFLICT: True},
    )
    async def change_role(
        self, request: Call, parts: GivenParts, caller: GivenCaller, person_id: PersonId
    ) -> Person:
        """Changes a role at once, in open sessions too. The last admin stays an admin."""
        change = await read(request, RoleChange)
        return _shown(await parts.do(change_role, caller, person_id, change.role))

    @post(
        "/{person_id:uuid}/deactivate",
        summary="Deactivate a person",
        status_code=200,
        opt={MAY_CONFLICT: True},
    )
    async def deactivate(
        self, parts: GivenParts, caller: GivenCaller, person_id: PersonId
    ) -> Person:
        """Ends a person's access to this workspace and their sessions in it. The last admin can not
        be deactivated."""
        return _shown(await parts.do(deactivate, caller, person_id))

    @post("/{person_id:uuid}/reactivate", summary="Reactivate a person", status_code=200)
    async def reactivate(
        self, parts: GivenParts, caller: GivenCaller, person_id: PersonId
    ) -> Person:
        """Gives a deactivated person access again, in the role that they had."""
        return _shown(await parts.do(reactivate, caller, person_id))

    @post(
        "/{person_id:uuid}/reset-password",
        summary="Offer a new password",
        opt={MAY_CONFLICT: True},
    )
    async def reset_password(
        self, parts: GivenParts, caller: GivenCaller, person_id: PersonId
    ) -> MadePasswordReset:
        """A link for somebody who has forgotten theirs. Nothing is mailed: hand it to them
        yourself. It holds for a day, and once; until then the old password holds. Of somebody who
        works in other workspaces, too, only the operator's own command line makes one."""
        made = await parts.do(offer_password_reset, caller, person_id)
        return MadePasswordReset(
            person_id=made.reset.person_id, path=made.path, expires_at=made.reset.expires_at
        )


def _shown(member: person.Member) -> Person:
    return Person(
        id=member.person.id,
        email=member.person.email,
        name=member.person.name,
        role=member.role,
        created_at=member.created_at,
        deactivated_at=member.deactivated_at,
    )


def _fields(invitation: person.Invitation) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }
