"""What is shown of workspaces, API keys and the audit log."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts import api_key_store, audit_store, workspace_store
from clarion.accounts.actor import Actor, ActorKind, Permission
from clarion.accounts.api_key import ApiKey
from clarion.accounts.audit import AuditEntry
from clarion.accounts.audit_store import AuditFilter
from clarion.accounts.command import forbidden
from clarion.accounts.people.store import memberships_of
from clarion.accounts.workspace import Workspace
from clarion.faults import Rejected, not_found


async def get_workspace(connection: AsyncConnection, actor: Actor) -> Workspace | Rejected:
    """The workspace in which the actor works."""
    workspace = await workspace_store.get_workspace(connection, actor.workspace_id)
    return workspace or not_found("workspace")


async def list_workspaces(connection: AsyncConnection, actor: Actor) -> list[Workspace]:
    """Those that the actor may work in, the oldest first: the operator in all, a person where they
    are a member, a key in its own."""
    if actor.kind is ActorKind.OPERATOR:
        return await workspace_store.list_workspaces(connection)
    if actor.kind is ActorKind.PERSON and actor.id is not None:
        members = await memberships_of(connection, actor.id)
        open_to = {member.workspace_id for member in members}
        workspaces = await workspace_store.list_workspaces(connection)
        return [workspace for workspace in workspaces if workspace.id in open_to]
    workspace = await workspace_store.get_workspace(connection, actor.workspace_id)
    return [] if workspace is None else [workspace]


async def list_api_keys(connection: AsyncConnection, actor: Actor) -> list[ApiKey] | Rejected:
    """Every key of the workspace, revoked ones too, oldest first."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    return await api_key_store.list_keys(connection, actor.workspace_id)


async def list_audit(
    connection: AsyncConnection,
    actor: Actor,
    wanted: AuditFilter,
    *,
    limit: int,
    before: UUID | None = None,
) -> list[AuditEntry] | Rejected:
    """At most `limit` entries, the newest first; `before`: those older than this one. For admins:
    it tells who else works here."""
    if not actor.may(Permission.ADMIN):
        return forbidden(Permission.ADMIN)
    return await audit_store.list_entries(
        connection, actor.workspace_id, wanted, limit=limit, before=before
    )
