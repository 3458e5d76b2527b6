"""The workspace: its name, and after how many days a registration is stale."""

from typing import Annotated, Any

from cyclopts import App as Commands
from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.accounts.workspace import Workspace
from clarion.accounts.workspace_store import get_workspace, set_stale_after_days
from clarion.cli.output import AsJson, not_found, print_done, print_record
from clarion.cli.session import open_session

commands = Commands(name="workspace", help="The workspace: what holds for all of it.")


@commands.command
async def show(*, json: AsJson = False) -> None:
    """Show the workspace.

    For example:

    ```
    clarion workspace show
    ```
    """
    async with open_session() as session, session.database.read() as connection:
        workspace = await get_workspace(connection, session.workspace_id)
    if workspace is None:
        raise not_found("workspace", session.workspace_id)
    print_record(_shown(workspace), as_json=json)


@commands.command(name="set")
async def set_(
    *, stale_after_days: Annotated[int, Parameter(validator=Number(gte=1, lte=365))]
) -> None:
    """Change after how many days without a refresh a registration is removed.

    `clarion devices stale --stale-after-days N` shows before what that would remove.

    For example:

    ```
    clarion workspace set --stale-after-days 90
    ```

    Parameters
    ----------
    stale_after_days
        Days, from 1 to 365.
    """
    async with open_session() as session, session.database.write() as connection:
        await set_stale_after_days(connection, session.workspace_id, stale_after_days)
    print_done(f"Registrations are removed {stale_after_days} days after their last refresh.")


def _shown(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "stale_after_days": workspace.stale_after_days,
    }
