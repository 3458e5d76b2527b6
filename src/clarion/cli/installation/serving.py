"""serve, run, migrate and check: Clarion's processes, and what they need."""

import asyncio
import shlex
import shutil
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.panel import Panel

from clarion.accounts import actor
from clarion.accounts.command import Services
from clarion.accounts.people.commands import invite
from clarion.accounts.workspace_store import list_workspaces
from clarion.app import Role
from clarion.broker import BrokerUnavailable, JobKind
from clarion.cli.installation.first_start import FirstStart, first_start, sqlite_file
from clarion.cli.installation.private_files import cure_of, open_to_others
from clarion.cli.installation.roles import look_at_file, run_app, run_roles
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    escape,
    print_done,
    print_json,
    print_records,
)
from clarion.cli.session import broker_of, console_address, load_settings
from clarion.cli.sources.choice import sign_command
from clarion.clock import SystemClock
from clarion.config import Settings
from clarion.deliveries.apps.store import list_apps, open_app
from clarion.faults import Rejected
from clarion.parts import open_broker, open_vault
from clarion.sources.store import list_sources
from clarion.storage.database import Database, StorageUnavailable, is_other_schema
from clarion.storage.migrate import SchemaState, schema_state
from clarion.storage.sqlite_file import damage_of
from clarion.storage.vault import VaultLocked
from clarion.telemetry import set_up_logs
from clarion.text import without_passwords

FCM_CONNECT_SECONDS = 5.0
FILES_SHOWN = 5
FIRST_KEY_FILE = "first-api-key"

_SCHEMA_FAULTS = {
    SchemaState.CURRENT: None,
    SchemaState.NONE: "holds nothing of Clarion's yet: run `clarion migrate`",
    SchemaState.BEHIND: "is not at this version: run `clarion migrate`",
    SchemaState.FOREIGN: "holds the tables of another version of Clarion, or of another program: "
    "name Clarion's own with CLARION_DATABASE_URL",
}


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
    await run_app(settings, list(Role))


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


async def migrate(*, json: AsJson = False) -> None:
    """Bring the database to this version. Running it again changes nothing.

    A database without a source or an API key gets them, printed this once; where it does not print
    to a terminal, the API key is written to a file that it names.

    For example:

    ```
    clarion migrate
    ```
    """
    settings = load_settings()
    set_up_logs(settings.log)
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


async def check(*, json: AsJson = False) -> int:
    """Look at settings, database, broker, keys and FCM without starting anything.

    Fails for what is wrong; a warning is something to decide.

    For example:

    ```
    clarion check
    clarion check --json
    ```
    """
    settings = load_settings()
    set_up_logs(settings.log)
    findings = [
        _finding("settings", None, f"data directory {settings.data_dir}"),
        _check_files(settings),
        *_check_disk(settings),
        *await _check_storage(settings),
        _check_fcm(settings),
    ]
    print_records(findings, as_json=json, columns=("part", "result", "detail"), none="")
    is_wrong = any(finding["result"] == "wrong" for finding in findings)
    return ExitCode.FAILURE if is_wrong else ExitCode.OK


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


def _check_files(settings: Settings) -> dict[str, Any]:
    paths = open_to_others(settings)
    shown = ", ".join(path.name for path in paths[:FILES_SHOWN])
    if len(paths) > FILES_SHOWN:
        shown += f" and {len(paths) - FILES_SHOWN} more"
    wrong = f"may be read by others: {cure_of(paths, settings)}" if paths else None
    return _finding("files", wrong, shown or "for their owner alone")


async def _check_storage(settings: Settings) -> list[dict[str, Any]]:
    shown = without_passwords(settings.database_url)
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        return [_finding("database", "is not there yet: run `clarion migrate`", shown)]
    if file is not None:
        damage = await asyncio.to_thread(damage_of, file)
        if damage is not None:
            wrong = f"is damaged: {damage}. Stop Clarion, and restore the backup"
            return [_finding("database", wrong, shown)]
    database = Database(settings.database_url)
    findings = []
    try:
        await database.ping()
        state = await schema_state(settings.database_url)
        findings.append(_finding("database", _SCHEMA_FAULTS[state], shown))
        if state is SchemaState.CURRENT:
            findings.append(await _check_broker(settings, database))
            findings += await _check_sources(database)
            findings += await _check_apps(settings, database)
    except Exception as error:
        wrong = _why(error)
        if is_other_schema(error):
            wrong = f"{_SCHEMA_FAULTS[SchemaState.FOREIGN]}"
        findings.append(_finding("database", wrong, shown))
    finally:
        await database.close()
    return findings


async def _check_broker(settings: Settings, database: Database) -> dict[str, Any]:
    shown = (
        "in the database" if settings.broker_url is None else without_passwords(settings.broker_url)
    )
    try:
        broker = await open_broker(settings, database, SystemClock())
        try:
            waiting = {kind.value: await broker.depth(kind) for kind in JobKind}
        finally:
            await broker.close()
    except Exception as error:
        return _finding("broker", _why(error), shown)
    counts = ", ".join(f"{count} {kind}" for kind, count in waiting.items())
    return _finding("broker", None, f"{shown}; waiting: {counts}")


def _check_disk(settings: Settings) -> list[dict[str, Any]]:
    directory, least = settings.database_directory, settings.backpressure.disk_free_min
    if directory is None or not directory.is_dir():
        return []
    free = shutil.disk_usage(directory).free
    wrong = None
    if free < least:
        wrong = "is nearly full, and no events are taken: free some, see CLARION_DISK_FREE_MIN"
    return [_finding("disk", wrong, f"{free / 1e9:,.1f} GB free, {least / 1e9:,.1f} needed")]


async def _check_sources(database: Database) -> list[dict[str, Any]]:
    """Sources whose key, in the hands of anybody, can send as anybody or without end."""
    now = SystemClock().now()
    findings = []
    async with database.read() as connection:
        for workspace in await list_workspaces(connection):
            for source in await list_sources(connection, workspace.id):
                warnings = []
                if source.revoked_at is None and not source.asks_for_signatures(now):
                    warnings.append(f"its userIds are not signed: {sign_command(source.name)}")
                if source.revoked_at is None and source.limit is None:
                    command = f"clarion sources limit {shlex.quote(source.name)} 1000"
                    warnings.append(f"it has no rate limit: {command}")
                findings += [_warning(f"source {source.name}", warning) for warning in warnings]
    return findings


async def _check_apps(settings: Settings, database: Database) -> list[dict[str, Any]]:
    findings = []
    vault = open_vault(settings)
    async with database.read() as connection:
        for workspace in await list_workspaces(connection):
            for app in await list_apps(connection, workspace.id):
                part = f"Firebase app {app.project_id}"
                wrong = app.paused_reason and f"is paused: {app.paused_reason}"
                try:
                    await open_app(connection, vault, app.id, now=SystemClock().now())
                except VaultLocked:
                    wrong = "was sealed with another key: set CLARION_SECRET_KEY to that one"
                findings.append(_finding(part, wrong, app.client_email))
    return findings


def _check_fcm(settings: Settings) -> dict[str, Any]:
    parts = urlsplit(settings.fcm_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=FCM_CONNECT_SECONDS):
            return _finding("FCM", None, settings.fcm_url)
    except OSError as error:
        return _finding("FCM", f"can not be reached ({error})", settings.fcm_url)


def _why(error: Exception) -> str:
    """Why a part can not be used, with the cure where somebody must act. Only our own words: others
    may repeat what they were asked."""
    if not isinstance(error, StorageUnavailable | BrokerUnavailable):
        return f"does not answer ({type(error).__name__})"
    if not error.cure:
        return f"does not answer: {error}"
    return f"can not be used: {str(error).rstrip('.')}. {error.cure}"


def _warning(part: str, detail: str) -> dict[str, Any]:
    return {"part": part, "result": "warning", "detail": detail}


def _finding(part: str, wrong: str | None, detail: str) -> dict[str, Any]:
    if wrong:
        return {"part": part, "result": "wrong", "detail": f"{wrong} ({detail})"}
    return {"part": part, "result": "ok", "detail": detail}
