"""The workspace that commands work in: its name, and when a registration is stale."""

from typing import Annotated, Any

from cyclopts import App as Commands
from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.accounts.commands import change_workspace
from clarion.accounts.queries import get_workspace
from clarion.accounts.workspace import STALE_DAYS_MAX, Workspace
from clarion.cli.output import AsJson, Ending, ExitCode, print_done, print_record
from clarion.cli.session import accepted, open_session

commands = Commands(name="workspace", help="The workspace: what holds for all of it.")


@commands.command
async def show(*, json: AsJson = False) -> None:
    """Show the workspace that commands work in.

    For example:

    ```
    clarion workspace show
    ```
    """
    async with open_session() as session, session.database.read() as connection:
        workspace = accepted(await get_workspace(connection, session.actor))
    print_record(shown(workspace), as_json=json)


@commands.command(name="set")
async def set_(
    *,
    name: str | None = None,
    stale_after_days: Annotated[
        int | None, Parameter(validator=Number(gte=1, lte=STALE_DAYS_MAX))
    ] = None,
) -> None:
    """Change its name, or after how many days without a refresh a registration is removed.

    `clarion devices stale --stale-after-days N` shows before what that would remove.

    For example:

    ```
    clarion workspace set --stale-after-days 90
    clarion workspace set --name "Shop"
    ```

    Parameters
    ----------
    name
        What people call it.
    stale_after_days
        Days, from 1 to 365.
    """
    if name is None and stale_after_days is None:
        raise Ending(ExitCode.USAGE, "Use --name, --stale-after-days or both.", word="usage")
    async with open_session() as session:
        changed = await change_workspace(
            session.services, session.actor, name=name, stale_after_days=stale_after_days
        )
        workspace = accepted(changed)
    if name is not None:
        print_done(f"The workspace is called {workspace.name}.")
    if stale_after_days is not None:
        print_done(f"Registrations are removed {stale_after_days} days after their last refresh.")


def shown(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "stale_after_days": workspace.stale_after_days,
    }
