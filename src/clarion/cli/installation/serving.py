"""serve and run: Clarion's processes."""

from clarion.accounts import actor
from clarion.accounts.command import Services
from clarion.accounts.people.commands import invite
from clarion.app import Role
from clarion.cli.installation.first_start import FirstStart, first_start
from clarion.cli.installation.migrating import first_key_file, print_first_start
from clarion.cli.installation.roles import look_at_file, run_app, run_roles
from clarion.cli.output import (
    Ending,
    ExitCode,
    console,
)
from clarion.cli.practice_phone import practice_phone
from clarion.cli.session import broker_of, console_address, load_settings
from clarion.clock import SystemClock
from clarion.config import Settings
from clarion.faults import Rejected
from clarion.parts import open_vault
from clarion.storage.database import Database
from clarion.telemetry import set_up_logs


async def serve() -> None:
    """Serve everything in one process: collector, API and every agent.

    The first start makes the database, a workspace, a source and an API key, and prints them once;
    where it does not print to a terminal, the API key is written to a file that it names.
    SIGTERM or Ctrl-C stops: calls under way are answered, nothing durable is lost.

    For example:

    ```
    clarion serve
    CLARION_LISTEN=0.0.0.0:8080 CLARION_DATA_DIR=/var/lib/clarion clarion serve
    ```
    """
    settings = load_settings()
    set_up_logs(settings.log)
    await look_at_file(settings)
    database = Database(settings.database_url)
    try:
        made = await first_start(
            settings, database, SystemClock(), key_file=first_key_file(settings)
        )
        link = await _first_admin_link(settings, database, made)
    finally:
        await database.close()
    if made is not None:
        print_first_start(made, link)
    await run_app(settings, list(Role), practice_phone(settings))


async def run(*roles: Role) -> None:
    """Run one role, or several, in this process.

    Needs a database that `clarion migrate` has prepared, shared with the other processes, and
    CLARION_SECRET_KEY where processes do not share a data directory.

    For example:

    ```
    clarion run collector
    clarion run ingestor scheduler planner attributor sweeper
    clarion run sender
    ```

    Parameters
    ----------
    roles
        What to run. `collector` and `web` listen on CLARION_LISTEN; every process serves /metrics,
        /livez and /readyz on CLARION_METRICS_LISTEN, too, where that is set.
    """
    if not roles:
        raise Ending(ExitCode.USAGE, f"Name a role: {', '.join(Role)}.", word="usage")
    settings = load_settings()
    await run_roles(settings, list(roles))


async def _first_admin_link(
    settings: Settings, database: Database, made: FirstStart | None
) -> str | None:
    """The link by which whoever starts an installation becomes its first admin. It lets anybody in
    who has it, so that it is made for a person at a terminal alone."""
    if made is None or made.api_key is None or not console.is_terminal:
        return None
    clock = SystemClock()
    services = Services(
        database=database,
        clock=clock,
        broker=broker_of(settings, database, clock),
        vault=open_vault(settings),
    )
    invited = await invite(services, actor.operator(made.workspace_id), actor.Role.ADMIN)
    assert not isinstance(invited, Rejected), "an operator may do everything"
    return f"{console_address(settings)}{invited.path}"
