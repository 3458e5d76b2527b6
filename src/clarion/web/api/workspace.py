"""/workspace: the isolated set of customers, devices and campaigns that a key belongs to."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, patch
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Scope
from clarion.accounts.workspace_store import (
    get_workspace,
    rename_workspace,
    set_stale_after_days,
)
from clarion.web.api.bodies import read, read_name
from clarion.web.api.errors import Fault, invalid, not_found
from clarion.web.api.gate import BODY, NEEDS, GivenCaller, GivenParts

STALE_DAYS_MAX = 365


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One isolated set of customers, devices and campaigns. A device whose registration is not
    refreshed for `stale_after_days` is removed."""

    id: UUID
    name: str
    stale_after_days: int


class WorkspaceChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be another."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    stale_after_days: (
        Annotated[
            int,
            msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": STALE_DAYS_MAX}),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class WorkspaceOfCaller(Controller):
    path = "/workspace"
    tags = ("workspace",)

    @get("", summary="Show the workspace")
    async def show(self, parts: GivenParts, caller: GivenCaller) -> Workspace:
        """The workspace of the API key."""
        async with parts.database.read() as connection:
            return await _shown(connection, caller)

    @patch(
        "",
        summary="Change the workspace",
        opt={BODY: WorkspaceChange, NEEDS: Scope.ADMIN},
    )
    async def change(
        self, request: Request[Actor, Any, Any], parts: GivenParts, caller: GivenCaller
    ) -> Workspace:
        """Another name, or another time after which registrations are stale."""
        change = await read(request, WorkspaceChange)
        days = change.stale_after_days
        if days is not msgspec.UNSET and not 1 <= days <= STALE_DAYS_MAX:
            message = f"must be whole days from 1 to {STALE_DAYS_MAX}"
            raise invalid([Fault(field="stale_after_days", message=message)])
        name = change.name
        if name is not msgspec.UNSET:
            name = read_name(name)
        async with parts.database.write() as connection:
            if name is not msgspec.UNSET:
                await rename_workspace(connection, caller.workspace_id, name)
            if days is not msgspec.UNSET:
                await set_stale_after_days(connection, caller.workspace_id, days)
            return await _shown(connection, caller)


async def _shown(connection: AsyncConnection, caller: Actor) -> Workspace:
    workspace = await get_workspace(connection, caller.workspace_id)
    if workspace is None:
        raise not_found("workspace")
    return Workspace(
        id=workspace.id, name=workspace.name, stale_after_days=workspace.stale_after_days
    )
