"""What is done with people: invited, let in, given a role, shut out."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from clarion.accounts.actor import Actor, ActorKind, Permission, Role
from clarion.accounts.audit import Thing, difference
from clarion.accounts.command import Run, command
from clarion.accounts.people import session_store, store
from clarion.accounts.people.person import INVITATION_LIFE, Invitation, Member, read_email
from clarion.accounts.people.preferences import Preferences, read_preferences
from clarion.accounts.people.session import TOKEN_BYTES, hash_of
from clarion.faults import Fault, Rejected, invalid, not_found

LINK = "/console/invitations/"
"""Where an invitation is accepted; its token follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation:
    """An invitation that was just made, and its token: the only time that it is known."""

    invitation: Invitation
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """The link, without the address of the installation."""
        return f"{LINK}{self.token}"


@command("invitation.create", needs=Permission.ADMIN)
async def invite(
    run: Run, actor: Actor, role: Role, email: str | None = None
) -> NewInvitation | Rejected:
    """Let somebody become a member of the actor's workspace. `email` None, for the operator and the
    system alone: whoever has the link says theirs."""
    checked = None if email is None else read_email(email)
    if isinstance(checked, Fault):
        return invalid(checked)
    if checked is None and actor.kind not in (ActorKind.OPERATOR, ActorKind.SYSTEM):
        why = "is missing: only the operator, where the data is, makes a link for anybody"
        return invalid(Fault("email", why))
    for member in await store.list_members(run.connection, actor.workspace_id):
        if member.person.email == checked:
            hint = "reactivate them" if member.deactivated_at else "change their role instead"
            return Rejected("conflict", f"{checked} is a member of this workspace: {hint}.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation(
        id=run.new_id(),
        workspace_id=actor.workspace_id,
        email=checked,
        role=role,
        invited_by=actor.name,
        created_at=run.now,
        expires_at=run.now + INVITATION_LIFE,
    )
    await store.create_invitation(run.connection, invitation, hash_of(token))
    run.audit(Thing("invitation", invitation.id), {"email": checked, "role": role.value})
    return NewInvitation(invitation=invitation, token=token)


@command("invitation.revoke", needs=Permission.ADMIN)
async def revoke_invitation(run: Run, actor: Actor, invitation_id: UUID) -> Invitation | Rejected:
    """Its link is of no use from now on."""
    removed = await store.remove_invitation(run.connection, actor.workspace_id, invitation_id)
    if removed is None:
        return not_found("invitation")
    run.audit(Thing("invitation", invitation_id), {"email": removed.email})
    return removed


@command("person.change_role", needs=Permission.ADMIN)
async def change_role(run: Run, actor: Actor, person_id: UUID, role: Role) -> Member | Rejected:
    """What a member may do from now on, in sessions that are open, too."""
    member = await _get_member(run, actor, person_id)
    if isinstance(member, Rejected):
        return member
    changed = replace(member, role=role)
    if await _is_last_admin(run, member) and role is not Role.ADMIN:
        return _LAST_ADMIN
    await store.save_member(run.connection, changed)
    run.audit(Thing("person", person_id), {"role": [member.role.value, role.value]})
    return changed


@command("person.deactivate", needs=Permission.ADMIN)
async def deactivate(run: Run, actor: Actor, person_id: UUID) -> Member | Rejected:
    """They may do nothing in the actor's workspace from now on, and their sessions there end. In
    other workspaces nothing changes: those are not the actor's."""
    member = await _get_member(run, actor, person_id)
    if isinstance(member, Rejected):
        return member
    if await _is_last_admin(run, member):
        return _LAST_ADMIN
    changed = replace(member, deactivated_at=member.deactivated_at or run.now)
    await store.save_member(run.connection, changed)
    await session_store.end_sessions(run.connection, person_id, actor.workspace_id)
    run.audit(
        Thing("person", person_id),
        {"deactivated_at": [member.deactivated_at, changed.deactivated_at]},
    )
    return changed


@command("person.reactivate", needs=Permission.ADMIN)
async def reactivate(run: Run, actor: Actor, person_id: UUID) -> Member | Rejected:
    """They may work in the actor's workspace again, in the role that they had."""
    member = await _get_member(run, actor, person_id)
    if isinstance(member, Rejected):
        return member
    changed = replace(member, deactivated_at=None)
    await store.save_member(run.connection, changed)
    run.audit(Thing("person", person_id), {"deactivated_at": [member.deactivated_at, None]})
    return changed


@command("person.prefer", needs=Permission.READ)
async def change_preferences(
    run: Run, actor: Actor, wanted: Mapping[str, Any]
) -> Preferences | Rejected:
    """How the actor themselves reads, in whatever browser."""
    if actor.id is None:
        return not_found("person")
    after = read_preferences(wanted)
    if isinstance(after, Rejected):
        return after
    before = await store.get_preferences(run.connection, actor.id)
    await store.save_preferences(run.connection, actor.id, after)
    run.audit(Thing("person", actor.id), difference(asdict(before), asdict(after)))
    return after


@command("session.end", needs=Permission.READ)
async def end_session(run: Run, actor: Actor, session_id: UUID) -> UUID | Rejected:
    """Sign out of one of the actor's own sessions."""
    if actor.id is None or not await session_store.end_session(
        run.connection, actor.id, session_id
    ):
        return not_found("session")
    run.audit(Thing("session", session_id), {})
    return session_id


@command("session.change_workspace", needs=Permission.READ)
async def change_session_workspace(
    run: Run, actor: Actor, session_id: UUID, workspace_id: UUID
) -> Member | Rejected:
    """Work in another workspace from now on, in one of the actor's own sessions."""
    member = None
    if actor.id is not None:
        member = await store.get_member(run.connection, workspace_id, actor.id)
    if member is None or member.deactivated_at is not None:
        return not_found("workspace")
    if not await session_store.move_session(
        run.connection, member.person.id, session_id, workspace_id
    ):
        return not_found("session")
    run.audit(
        Thing("session", session_id), {"workspace_id": [str(actor.workspace_id), str(workspace_id)]}
    )
    return member


_LAST_ADMIN = Rejected("conflict", "This is the last admin: make somebody else one first.")


async def _get_member(run: Run, actor: Actor, person_id: UUID) -> Member | Rejected:
    await store.lock_members(run.connection, actor.workspace_id)
    member = await store.get_member(run.connection, actor.workspace_id, person_id)
    return member or not_found("person")


async def _is_last_admin(run: Run, member: Member) -> bool:
    """Whether nobody could let anybody in any more without this member."""
    admins = [
        other.person.id
        for other in await store.list_members(run.connection, member.workspace_id)
        if other.role is Role.ADMIN and other.deactivated_at is None
    ]
    return admins == [member.person.id]
