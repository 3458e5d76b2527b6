"""What is told without anything being done: `config`, the settings in force and where each comes
from; `migrate --plan`, what an upgrade does to the database and how long it takes."""

import asyncio
import os
from pathlib import Path
from typing import Any

from clarion.cli.installation.first_start import sqlite_file
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    print_done,
    print_json,
    print_records,
)
from clarion.clock import SystemClock
from clarion.config import SETTINGS, Settings, read_settings, read_values
from clarion.config.setting import Setting
from clarion.storage.backup.sqlite_backup import copy_database
from clarion.storage.migrate import Plan, SchemaState, migrate, plan, schema_state
from clarion.text import without_passwords
from clarion.value_file import file_of

MASK = "***"
TRIED = ".planned"
"""What is added to the name of the database's file, for the copy on which it is tried."""
TABLES_SHOWN = 8


async def config(*, json: AsJson = False) -> int:
    """Show every setting in force, and whether it comes from a variable, a file or the default.

    Secrets are masked, and so are passwords in addresses. Fails where a setting is wrong, and says
    which.

    For example:

    ```
    clarion config
    clarion config --json
    ```
    """
    given, _ = read_values(os.environ)
    records = [_record(setting, given) for setting in SETTINGS]
    print_records(records, as_json=json, columns=("setting", "value", "from"), none="")
    settings = read_settings(os.environ)
    if isinstance(settings, list):
        faults = [(fault.field, fault.message) for fault in settings]
        raise Ending(ExitCode.USAGE, "The settings are wrong:", word="settings", faults=faults)
    return ExitCode.OK


async def tell_plan(settings: Settings, *, as_json: bool) -> None:
    """Print it; nothing is changed. Raises ForeignSchema, and StorageUnavailable where a copy has
    no room."""
    file = sqlite_file(settings)
    is_there = file is None or await asyncio.to_thread(file.exists)
    state = await schema_state(settings.database_url) if is_there else SchemaState.NONE
    if not is_there or state is SchemaState.NONE:
        _print(None, None, as_json=as_json)
        return
    planned = await plan(settings.database_url)
    seconds = None
    if file is not None and planned.steps:
        seconds = await _try_on_copy(file)
    _print(planned, seconds, as_json=as_json)


def _record(setting: Setting, given: dict[str, str]) -> dict[str, Any]:
    file = file_of(os.environ, setting.name)
    if setting.name not in given:
        comes_from = "default" if file is None else f"{file}, which can not be used"
        return {"setting": setting.name, "value": setting.default, "from": comes_from}
    value = MASK if setting.is_secret else without_passwords(given[setting.name])
    return {
        "setting": setting.name,
        "value": value,
        "from": "environment" if file is None else str(file),
    }


async def _try_on_copy(file: Path) -> float:
    """How many seconds the migration of a copy takes."""
    copy, clock = file.with_name(f"{file.name}{TRIED}"), SystemClock()
    try:
        await asyncio.to_thread(copy_database, file, copy)
        begun = clock.monotonic()
        await migrate(f"sqlite:///{copy}")
        return clock.monotonic() - begun
    finally:
        for end in ("", "-wal", "-shm"):
            await asyncio.to_thread(Path(f"{copy}{end}").unlink, missing_ok=True)


def _print(planned: Plan | None, seconds: float | None, *, as_json: bool) -> None:
    """`planned` None: there is nothing yet."""
    steps: list[dict[str, Any]] = []
    if planned is not None:
        steps = [{"revision": step.revision, "summary": step.summary} for step in planned.steps]
    if as_json:
        print_json(
            {
                "before": planned and planned.before,
                "steps": steps,
                "rows": planned.rows if planned else {},
                "seconds": seconds,
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
        _say(f"All of it in one transaction, while no process runs. Rows: {counted or 'none'}.")
        if seconds is None:
            _say(
                "How long it takes, a copy tells: restore a backup into another database of the "
                "same server (`clarion restore`), which migrates it, and take the time."
            )
        else:
            _say(f"On a copy, just now, it took {seconds:,.1f} s.")


def _say(sentence: str) -> None:
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
