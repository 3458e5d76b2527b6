"""/workspace: the isolated set of customers, devices and campaigns that a key belongs to;
/workspaces: to make another."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, patch, post

from clarion.accounts import workspace
from clarion.accounts.actor import Scope
from clarion.accounts.commands import change_workspace, create_workspace
from clarion.accounts.queries import get_workspace, list_workspaces
from clarion.accounts.workspace import STALE_DAYS_MAX
from clarion.web.api.bodies import read
from clarion.web.api.gate import BODY, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import Page, whole

TimeZone = Annotated[
    str, msgspec.Meta(description='An IANA time zone\'s name, such as "Europe/Vienna".')
]


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One isolated set of customers, devices and campaigns. A device whose registration is not
    refreshed for `stale_after_days` is removed. `time_zone` is the zone of what says no other."""

    id: UUID
    name: str
    stale_after_days: int
    time_zone: str


class MadeWorkspace(Workspace, frozen=True, kw_only=True):
    """A new workspace, and an API key with the scope `admin` for it. `key` is shown only in this
    answer."""

    key: str


class NewWorkspace(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A workspace to create."""

    name: str


class WorkspaceChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields to change."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    stale_after_days: (
        Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": STALE_DAYS_MAX})]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    time_zone: TimeZone | msgspec.UnsetType = msgspec.UNSET


class WorkspaceOfCaller(Controller):
    path = "/workspace"
    tags = ("workspace",)

    @get("", summary="Show the workspace")
    async def show(self, parts: GivenParts, caller: GivenCaller) -> Workspace:
        """The workspace of the API key."""
        return Workspace(**_fields(await parts.ask(get_workspace, caller)))

    @patch("", summary="Change the workspace", opt={BODY: WorkspaceChange, NEEDS: Scope.ADMIN})
    async def change(self, request: Call, parts: GivenParts, caller: GivenCaller) -> Workspace:
        """Changes the name, after how many days a registration is stale, or the time zone."""
        change = msgspec.structs.asdict(await read(request, WorkspaceChange))
        wanted = {name: value for name, value in change.items() if value is not msgspec.UNSET}
        return Workspace(**_fields(await parts.do(change_workspace, caller, **wanted)))


class Workspaces(Controller):
    path = "/workspaces"
    tags = ("workspace",)

    @get("", summary="List workspaces")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> Page[Workspace]:
        """The workspaces that the API key opens, which is its own; always one page."""
        shown = await parts.ask(list_workspaces, caller)
        return whole([Workspace(**_fields(workspace)) for workspace in shown])

    @post("", summary="Make a workspace", opt={BODY: NewWorkspace, NEEDS: Scope.ADMIN})
    async def create(self, request: Call, parts: GivenParts, caller: GivenCaller) -> MadeWorkspace:
        """Creates an empty, isolated workspace. The key of this call does not open it: store the
        key in the answer, Clarion keeps only its hash."""
        wanted = await read(request, NewWorkspace)
        made = await parts.do(create_workspace, caller, wanted.name)
        return MadeWorkspace(**_fields(made.workspace), key=made.api_key.secret)


def _fields(shown: workspace.Workspace) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in Workspace.__struct_fields__}
