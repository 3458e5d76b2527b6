"""migrate: the tables of this version, and what is planned before they are made.

Loads no more than that takes: it is run before each start, and in every upgrade.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from clarion.cli.installation.first_start import FirstStart, first_start, sqlite_file
from clarion.cli.output import AsJson, console, escape, print_done, print_json, print_records
from clarion.cli.session import load_settings
from clarion.clock import SystemClock
from clarion.config import Settings
from clarion.storage.backup.sqlite_backup import copy_database
from clarion.storage.database import Database
from clarion.storage.migrate import Plan, SchemaState, schema_state
from clarion.storage.migrate import migrate as apply_migrations
from clarion.storage.migrate import plan as read_plan
from clarion.storage.migration_work import ROUGHLY
from clarion.telemetry import set_up_logs
from clarion.text import without_passwords

FIRST_KEY_FILE = "first-api-key"
TRIED = ".planned"
"""What is added to the name of the database's file, for the copy on which it is tried."""
TABLES_SHOWN = 8


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
        Only tell what would be done, and how long: tried on a copy on SQLite, else by table sizes.
    """
    settings = load_settings()
    set_up_logs(settings.log)
    if plan:
        await _tell_plan(settings, as_json=json)
        return
    database = Database(settings.database_url)
    try:
        made = await first_start(
            settings, database, SystemClock(), key_file=first_key_file(settings)
        )
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


def first_key_file(settings: Settings) -> Path | None:
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
        lines += ["", "Open this link to become the first admin; it holds for three days:"]
        lines.append(f"[bold]{link}[/]")
    text = "\n".join(lines)
    if console.is_terminal:
        console.rule("Clarion")
    # In no frame, and broken by the terminal alone: what is opened or copied must stay whole.
    console.print(text, highlight=False, soft_wrap=True)
    if console.is_terminal:
        console.rule()


async def _tell_plan(settings: Settings, *, as_json: bool) -> None:
    """Print it; nothing is changed. Raises ForeignSchema, and StorageUnavailable where a copy has
    no room."""
    file = sqlite_file(settings)
    is_there = file is None or await asyncio.to_thread(file.exists)
    state = await schema_state(settings.database_url) if is_there else SchemaState.NONE
    if not is_there or state is SchemaState.NONE:
        _print(None, None, as_json=as_json)
        return
    planned = await read_plan(settings.database_url)
    seconds = None
    if file is not None and planned.steps:
        seconds = await _try_on_copy(file)
    _print(planned, seconds, as_json=as_json)


async def _try_on_copy(file: Path) -> float:
    """How many seconds the migration of a copy takes."""
    copy, clock = file.with_name(f"{file.name}{TRIED}"), SystemClock()
    try:
        await asyncio.to_thread(copy_database, file, copy)
        begun = clock.monotonic()
        await apply_migrations(f"sqlite:///{copy}")
        return clock.monotonic() - begun
    finally:
        for end in ("", "-wal", "-shm"):
            await asyncio.to_thread(Path(f"{copy}{end}").unlink, missing_ok=True)


def _print(planned: Plan | None, seconds: float | None, *, as_json: bool) -> None:
    """`planned` None: there is nothing yet."""
    steps: list[dict[str, Any]] = []
    if planned is not None:
        steps = [{"revision": step.revision, "summary": step.summary} for step in planned.steps]
    work = planned.work if planned is not None and steps else None
    if as_json:
        print_json(
            {
                "before": planned and planned.before,
                "steps": steps,
                "rows": planned.rows if planned else {},
                "seconds": seconds if work is None else work.seconds,
                "is_estimate": work is not None,
            }
        )
    elif planned is None:
        print_done("There are no tables yet: `clarion migrate` makes them.")
    elif not steps:
        print_done(f"The tables are at revision {planned.before}: there is nothing to do.")
    else:
        print_records(steps, as_json=False, columns=("revision", "summary"), none="")
        largest = list(planned.rows.items())[:TABLES_SHOWN]
        counted = ", ".join(f"{count:,} {table}" for table, count in largest if count)
        _say(
            "All of it in one transaction. Processes may go on meanwhile where they are of the "
            f"version before, 0.2 or later; others have to be stopped. Rows: {counted or 'none'}."
        )
        if work is not None:
            _say(
                f"By the size of the tables it takes about {_roughly(work.seconds)}, from "
                f"{_roughly(work.seconds / ROUGHLY)} to {_roughly(work.seconds * ROUGHLY)} as "
                "disks and server are, and what it waits for locks besides. A copy tells exactly: "
                "restore a backup into another database of the same server (`clarion restore`), "
                "which migrates it, and take the time."
            )
        elif seconds is not None:
            _say(f"On a copy, just now, it took {seconds:,.1f} s.")


def _roughly(seconds: float) -> str:
    """No more digits than the estimate is good for."""
    if seconds < 1:
        return "a second"
    return f"{seconds:.0f} s" if seconds < 2 * 60 else f"{seconds / 60:,.0f} min"


def _say(sentence: str) -> None:
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
