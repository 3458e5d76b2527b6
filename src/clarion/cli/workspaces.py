"""Workspaces: isolated sets of customers, devices and campaigns, in one installation."""

from cyclopts import App as Commands

from clarion.accounts.commands import create_workspace
from clarion.accounts.queries import list_workspaces
from clarion.cli import workspace
from clarion.cli.output import AsJson, console, print_record, print_records
from clarion.cli.session import accepted, open_session

commands = Commands(
    name="workspaces", help="Workspaces: isolated sets of customers, devices and campaigns."
)
commands.command(workspace.show, name="show")
commands.command(workspace.set_, name="set")


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List every workspace of the installation, the oldest first.

    For example:

    ```
    clarion workspaces list
    ```
    """
    async with open_session() as session, session.database.read() as connection:
        workspaces = await list_workspaces(connection, session.actor)
    print_records(
        [workspace.shown(one) for one in workspaces],
        as_json=json,
        columns=("id", "name", "stale_after_days"),
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
    async with open_session() as session:
        made = accepted(await create_workspace(session.services, session.actor, name))
    record = {**workspace.shown(made.workspace), "key": made.api_key.secret}
    print_record(record, as_json=json)
    if not json:
        console.print("Keep the key: it is not shown again.", style="dim")
