"""The workspace that commands work in: its name, when a registration is stale, its time zone."""

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
    time_zone: str | None = None,
) -> None:
    """Change its name, its time zone, or after how many days without a refresh a registration is
    removed.

    `clarion devices stale --stale-after-days N` shows before what that would remove.

    For example:

    ```
    clarion workspace set --stale-after-days 90
    clarion workspace set --name "Shop" --time-zone Europe/Vienna
    ```

    Parameters
    ----------
    name
        What people call it.
    stale_after_days
        Days, from 1 to 365.
    time_zone
        An IANA name: what says no other zone is in this one.
    """
    wanted = {"name": name, "stale_after_days": stale_after_days, "time_zone": time_zone}
    change = {field: value for field, value in wanted.items() if value is not None}
    if not change:
        raise Ending(ExitCode.USAGE, "Use --name, --stale-after-days or --time-zone.", word="usage")
    workspace = await ask("PATCH", "/workspace", body=change)
    if name is not None:
        print_done(f"The workspace is called {workspace['name']}.")
    if stale_after_days is not None:
        print_done(f"Registrations are removed {stale_after_days} days after their last refresh.")
    if time_zone is not None:
        print_done(f"The workspace's time zone is {workspace['time_zone']}.")
