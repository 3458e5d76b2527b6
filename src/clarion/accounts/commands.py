"""What is done with workspaces and API keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from clarion.accounts import retention
from clarion.accounts.actor import Actor, ActorKind, Permission, Role, Scope
from clarion.accounts.api_key import ApiKey
from clarion.accounts.api_key_store import create_key, get_key, revoke_key
from clarion.accounts.audit import Thing, difference
from clarion.accounts.command import Run, command
from clarion.accounts.people.store import put_member
from clarion.accounts.retention import Retention
from clarion.accounts.workspace import Workspace, check_stale_after_days, read_name
from clarion.accounts.workspace_store import create_workspace as insert_workspace
from clarion.accounts.workspace_store import (
    get_workspace,
    load_retention,
    rename_workspace,
    save_retention,
    set_stale_after_days,
    set_time_zone,
)
from clarion.faults import Fault, Rejected, invalid, not_found
from clarion.time_zone import read_zone

FIRST_KEY_NAME = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiKey:
    """A key that was just made, and its secret: the only time that it is known."""

    key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkspace:
    """A workspace that was just made, and a key that can do everything in it."""

    workspace: Workspace
    api_key: NewApiKey


@command("api_key.create", needs=Permission.ADMIN)
async def create_api_key(
    run: Run, actor: Actor, name: str, scopes: Sequence[str]
) -> NewApiKey | Rejected:
    """Make an API key of the actor's workspace."""
    checked = read_name(name)
    if isinstance(checked, Fault):
        return invalid(checked)
    if not scopes or not set(scopes) <= set(Scope):
        return invalid(Fault("scopes", "must name read, author, write or admin"))
    made = await _insert_key(run, actor, actor.workspace_id, checked, scopes)
    run.audit(
        Thing("api_key", made.key.id), {"name": made.key.name, "scopes": list(made.key.scopes)}
    )
    return made


@command("api_key.revoke", needs=Permission.ADMIN)
async def revoke_api_key(run: Run, actor: Actor, key_id: UUID) -> ApiKey | Rejected:
    """Refuse a key from now on, even the actor's own. Revoking twice is once."""
    before = await get_key(run.connection, actor.workspace_id, key_id)
    after = await revoke_key(run.connection, actor.workspace_id, key_id, run.now)
    if before is None or after is None:
        return not_found("API key")
    run.audit(
        Thing("api_key", key_id),
        difference({"revoked_at": before.revoked_at}, {"revoked_at": after.revoked_at}),
    )
    return after


@command("workspace.change", needs=Permission.ADMIN)
async def change_workspace(
    run: Run,
    actor: Actor,
    *,
    name: str | None = None,
    stale_after_days: int | None = None,
    time_zone: str | None = None,
) -> Workspace | Rejected:
    """Change what is given of the actor's workspace; None: it stays as it is."""
    days = stale_after_days
    fault = None if days is None else check_stale_after_days(days)
    if fault is not None:
        return invalid(fault)
    checked = None if name is None else read_name(name)
    if isinstance(checked, Fault):
        return invalid(checked)
    zone = None if time_zone is None else read_zone(time_zone, "time_zone")
    if isinstance(zone, Fault):
        return invalid(zone)
    before = await get_workspace(run.connection, actor.workspace_id)
    if checked is not None:
        await rename_workspace(run.connection, actor.workspace_id, checked)
    if days is not None:
        await set_stale_after_days(run.connection, actor.workspace_id, days)
    if zone is not None:
        await set_time_zone(run.connection, actor.workspace_id, zone)
    after = await get_workspace(run.connection, actor.workspace_id)
    if before is None or after is None:
        return not_found("workspace")
    run.audit(Thing("workspace", after.id), difference(_changeable(before), _changeable(after)))
    return after


@command("workspace.retention", needs=Permission.ADMIN)
async def change_retention(
    run: Run, actor: Actor, wanted: Mapping[str, Any]
) -> Retention | Rejected:
    """Keep what `wanted` names for another number of days (None: for ever). What is older then goes
    with the next run of the remover."""
    before = await load_retention(run.connection, actor.workspace_id)
    after = retention.change(before, wanted)
    if isinstance(after, Rejected):
        return after
    await save_retention(run.connection, actor.workspace_id, after)
    run.audit(
        Thing("workspace", actor.workspace_id),
        difference(retention.dump(before), retention.dump(after)),
    )
    return after


@command("workspace.create", needs=Permission.ADMIN)
async def create_workspace(run: Run, actor: Actor, name: str) -> NewWorkspace | Rejected:
    """Make a workspace with nothing in it, and its first API key; a person is its first admin. The
    entry is in the log of the workspace in which the actor works."""
    checked = read_name(name)
    if isinstance(checked, Fault):
        return invalid(checked)
    workspace_id = run.new_id()
    await insert_workspace(run.connection, workspace_id=workspace_id, name=checked, now=run.now)
    workspace = await get_workspace(run.connection, workspace_id)
    assert workspace is not None  # it was inserted in this transaction
    made = await _insert_key(run, actor, workspace_id, FIRST_KEY_NAME, [Scope.ADMIN])
    if actor.kind is ActorKind.PERSON and actor.id is not None:
        await put_member(run.connection, actor.id, workspace_id, Role.ADMIN, run.now)
    run.audit(Thing("workspace", workspace_id), {"name": checked, "api_key": made.key.id})
    return NewWorkspace(workspace=workspace, api_key=made)


async def _insert_key(
    run: Run, actor: Actor, workspace_id: UUID, name: str, scopes: Sequence[str]
) -> NewApiKey:
    key, secret = await create_key(
        run.connection,
        workspace_id=workspace_id,
        name=name,
        scopes=[scope.value for scope in Scope if scope in scopes],
        key_id=run.new_id(),
        now=run.now,
        made_by=actor.person_id,
    )
    return NewApiKey(key=key, secret=secret)


def _changeable(workspace: Workspace) -> dict[str, str | int]:
    return {
        "name": workspace.name,
        "stale_after_days": workspace.stale_after_days,
        "time_zone": workspace.time_zone,
    }
