"""What is shown of people, their sessions and invitations."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import forbidden
from clarion.accounts.people import session_store, store
from clarion.accounts.people.person import Invitation, Member
from clarion.accounts.people.preferences import NOT_CHOSEN, Preferences
from clarion.accounts.people.session import Session, hash_of
from clarion.accounts.people.signing_in import NO_INVITATION
from clarion.accounts.workspace import Workspace
from clarion.accounts.workspace_store import get_workspace
from clarion.faults import Rejected


async def list_people(connection: AsyncConnection, actor: Actor) -> list[Member] | Rejected:
    """Everybody of the actor's workspace, those who were deactivated, too."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    return await store.list_members(connection, actor.workspace_id)


async def list_invitations(
    connection: AsyncConnection, actor: Actor, now: datetime
) -> list[Invitation] | Rejected:
    """Invitations that can still be accepted."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    return await store.list_invitations(connection, actor.workspace_id, now)


async def list_sessions(connection: AsyncConnection, actor: Actor, now: datetime) -> list[Session]:
    """The actor's own that are not over, in whatever workspace."""
    if actor.id is None:
        return []
    return await session_store.list_sessions(connection, actor.id, now)


async def get_preferences(connection: AsyncConnection, actor: Actor) -> Preferences:
    """How the actor reads."""
    return NOT_CHOSEN if actor.id is None else await store.get_preferences(connection, actor.id)


async def find_invitation(
    connection: AsyncConnection, token: str, now: datetime
) -> tuple[Invitation, Workspace] | Rejected:
    """The invitation of a link, and its workspace."""
    invitation = await store.get_invitation(connection, hash_of(token), now)
    if invitation is None:
        return NO_INVITATION
    workspace = await get_workspace(connection, invitation.workspace_id)
    return NO_INVITATION if workspace is None else (invitation, workspace)
