"""serve, run and migrate: Clarion's processes, and what they need."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.panel import Panel

from clarion.accounts import actor
from clarion.accounts.command import Services
from clarion.accounts.people.commands import invite
from clarion.app import Role
from clarion.cli.installation.first_start import FirstStart, first_start
from clarion.cli.installation.roles import look_at_file, run_app, run_roles
from clarion.cli.installation.showing import tell_plan
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    escape,
    print_done,
    print_json,
)
from clarion.cli.practice_phone import practice_phone
from clarion.cli.session import broker_of, console_address, load_settings
from clarion.clock import SystemClock
from clarion.config import Settings
from clarion.faults import Rejected
from clarion.parts import open_vault
from clarion.storage.database import Database
from clarion.telemetry import set_up_logs
from clarion.text import without_passwords

FIRST_KEY_FILE = "first-api-key"


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
        made = await first_start(settings, database, SystemClock(), key_file=_key_file(settings))
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


async def migrate(
    *,
    plan: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
    """Bring the database to this version. Running it again changes nothing.

    A database without a source or an API key gets them, printed this once; where it does not print
    to a terminal, the API key is written to a file that it names.

    For example:

    ```
    clarion migrate
    clarion migrate --plan
    ```

    Parameters
    ----------
    plan
        Only tell what would be done, and on SQLite how long it takes, as tried on a copy.
    """
    settings = load_settings()
    set_up_logs(settings.log)
    if plan:
        await tell_plan(settings, as_json=json)
        return
    database = Database(settings.database_url)
    try:
        made = await first_start(settings, database, SystemClock(), key_file=_key_file(settings))
    finally:
        await database.close()
    if json:
        print_json(
            {
                "migrated": True,
                "write_key": made and made.write_key,
                "key": (made and made.key_file is None and made.api_key) or None,
                "key_file": made and made.key_file and str(made.key_file),
            }
        )
        return
    if made is not None:
        print_first_start(made)
    print_done(f"{without_passwords(settings.database_url)} is at this version.")


def _key_file(settings: Settings) -> Path | None:
    """Where the first API key is written, unless it is shown to a person."""
    return None if sys.stdout.isatty() else settings.data_dir / FIRST_KEY_FILE


def print_first_start(made: FirstStart, link: str | None = None) -> None:
    """The credentials of a first start: shown now and never again. API key and `link` can do
    everything, so that they are shown on a terminal alone: what is printed elsewhere lands in a
    log."""
    lines = ["This is the first start. [bold]Keep these: they are not shown again.[/]", ""]
    if made.write_key is not None:
        lines.append(f"write key  [bold]{made.write_key}[/]   apps send events with it")
    if made.key_file is not None:
        file = escape(str(made.key_file))
        lines.append(f"API key    in [bold]{file}[/]: take it from there, and delete the file")
    elif made.api_key is not None:
        lines.append(f"API key    [bold]{made.api_key}[/]   for /api/v1, as a Bearer token")
    if link is not None:
        lines.append(f"first admin  [bold]{link}[/]   holds for three days")
    text = "\n".join(lines)
    if console.is_terminal:
        console.print(Panel(text, title="Clarion", expand=False), highlight=False)
    else:
        console.print(text, highlight=False, soft_wrap=True)


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
