"""Workspaces: isolated sets of customers, devices and campaigns, in one installation."""

from cyclopts import App as Commands

from clarion.cli.accounts import limits, retention, workspace
from clarion.cli.api import ask, ask_list
from clarion.cli.output import AsJson, console, print_record, print_records

commands = Commands(
    name="workspaces", help="Workspaces: isolated sets of customers, devices and campaigns."
)
commands.command(workspace.show, name="show")
commands.command(workspace.set_, name="set")
commands.command(retention.show_retention, name="retention")
commands.command(retention.set_retention, name="set-retention")
commands.command(limits.show_limits, name="limits")
commands.command(limits.set_limits, name="set-limits")


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List every workspace of the installation, the oldest first; with an API key its own.

    For example:

    ```
    clarion workspaces list
    ```
    """
    workspaces = await ask_list("/workspaces")
    print_records(
        workspaces,
        as_json=json,
        columns=("id", "name", "stale_after_days", "time_zone"),
        none="There is no workspace.",
    )


@commands.command
async def create(name: str, *, json: AsJson = False) -> None:
    """Make a workspace with nothing in it, and an API key that can do everything in it.

    The key is shown this once. Commands work in a workspace with `--workspace` or
    CLARION_WORKSPACE; without either in the oldest.

    For example:

    ```
    clarion workspaces create shop
    clarion --workspace shop sources create android
    ```

    Parameters
    ----------
    name
        What people call it.
    """
    made = await ask("POST", "/workspaces", body={"name": name})
    print_record(made, as_json=json)
    if not json:
        console.print("Keep the key: it is not shown again.", style="dim")
