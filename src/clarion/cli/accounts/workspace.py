"""The workspace that commands work in: its name, and when a registration is stale."""

from typing import Annotated

from cyclopts import App as Commands
from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.cli.api import ask
from clarion.cli.output import AsJson, Ending, ExitCode, print_done, print_record

STALE_DAYS_MAX = 365

commands = Commands(name="workspace", help="The workspace: what holds for all of it.")


@commands.command
async def show(*, json: AsJson = False) -> None:
    """Show the workspace that commands work in.

    For example:

    ```
    clarion workspace show
    ```
    """
    workspace = await ask("GET", "/workspace")
    print_record(workspace, as_json=json)


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
    wanted = {"name": name, "stale_after_days": stale_after_days}
    change = {field: value for field, value in wanted.items() if value is not None}
    workspace = await ask("PATCH", "/workspace", body=change)
    if name is not None:
        print_done(f"The workspace is called {workspace['name']}.")
    if stale_after_days is not None:
        print_done(f"Registrations are removed {stale_after_days} days after their last refresh.")
