"""check: what would go wrong, looked for without starting anything."""

import asyncio
import shlex
from datetime import timedelta

from clarion.accounts.workspace_store import list_workspaces
from clarion.broker import BrokerUnavailable, JobKind
from clarion.brokers.address import read_url
from clarion.cli.installation.first_start import sqlite_file
from clarion.cli.installation.machine import Finding, check_fcm, check_machine, finding, warning
from clarion.cli.output import AsJson, ExitCode, print_records
from clarion.cli.session import load_settings
from clarion.cli.sources.choice import sign_command
from clarion.clock import SystemClock
from clarion.config import Settings
from clarion.deliveries.apps.store import list_apps, open_app
from clarion.parts import open_broker, open_vault
from clarion.sources.store import list_sources
from clarion.storage.database import Database, StorageUnavailable, is_other_schema
from clarion.storage.migrate import SchemaState, schema_state
from clarion.storage.postgres.server_facts import POSTGRESQL_MIN, ServerFacts, server_facts
from clarion.storage.sqlite.file import damage_of
from clarion.storage.vault import VaultLocked
from clarion.telemetry import set_up_logs
from clarion.text import without_passwords

CLOCK_DIFFERENCE_MAX = timedelta(seconds=2)
"""Between this machine and the database's: leases are counted by either."""
TABLES_SHOWN = 5

_SCHEMA_FAULTS = {
    SchemaState.CURRENT: None,
    SchemaState.NONE: "holds nothing of Clarion's yet: run `clarion migrate`",
    SchemaState.BEHIND: "is not at this version: run `clarion migrate`",
    SchemaState.FOREIGN: "holds the tables of another version of Clarion, or of another program: "
    "name Clarion's own with CLARION_DATABASE_URL",
}


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
        finding("settings", None, f"data directory {settings.data_dir}"),
        *check_machine(settings),
        *await _check_storage(settings),
        *await asyncio.to_thread(check_fcm, settings),
    ]
    print_records(findings, as_json=json, columns=("part", "result", "detail"), none="")
    is_wrong = any(finding["result"] == "wrong" for finding in findings)
    return ExitCode.FAILURE if is_wrong else ExitCode.OK


async def _check_storage(settings: Settings) -> list[Finding]:
    shown = without_passwords(settings.database_url)
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        return [finding("database", "is not there yet: run `clarion migrate`", shown)]
    if file is not None:
        damage = await asyncio.to_thread(damage_of, file)
        if damage is not None:
            wrong = f"is damaged: {damage}. Stop Clarion, and restore the backup"
            return [finding("database", wrong, shown)]
    database = Database(settings.database_url)
    findings = []
    try:
        await database.ping()
        state = await schema_state(settings.database_url)
        findings.append(finding("database", _SCHEMA_FAULTS[state], shown))
        facts = await server_facts(database)
        findings += [] if facts is None else _check_server(facts)
        if state is SchemaState.CURRENT:
            findings += await _check_broker(settings, database)
            findings += await _check_sources(database)
            findings += await _check_apps(settings, database)
    except Exception as error:
        wrong = _why(error)
        if is_other_schema(error):
            wrong = f"{_SCHEMA_FAULTS[SchemaState.FOREIGN]}"
        findings.append(finding("database", wrong, shown))
    finally:
        await database.close()
    return findings


def _check_server(facts: ServerFacts) -> list[Finding]:
    """Its version, what our role may do there, and how late it is."""
    wrong = None
    tables = ", ".join(facts.unusable[:TABLES_SHOWN])
    if facts.version < POSTGRESQL_MIN:
        wrong = f"is too old: Clarion needs PostgreSQL {POSTGRESQL_MIN} or later"
    elif facts.is_standby:
        wrong = "is a standby, which only reads: name the primary in CLARION_DATABASE_URL"
    elif facts.unusable:
        wrong = f"lets the role not use {tables}: GRANT it ALL on the schema's tables"
    role = f"PostgreSQL {facts.version}, as {facts.role}"
    findings = [finding("database server", wrong, role)]
    if facts.is_superuser:
        cure = f"{facts.role} is a superuser: make a role that owns Clarion's database alone"
        findings.append(warning("database role", cure))
    elif not facts.may_migrate:
        cure = f"{facts.role} may not change the tables: run `clarion migrate` as their owner"
        findings.append(warning("database role", cure))
    difference = abs(facts.at - SystemClock().now())
    if difference > CLOCK_DIFFERENCE_MAX:
        cure = f"{difference.total_seconds():,.0f} s from the database server's: keep them together"
        findings.append(warning("clock", f"{cure} with NTP"))
    return findings


async def _check_broker(settings: Settings, database: Database) -> list[Finding]:
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
        return [finding("broker", _why(error), shown)]
    counts = ", ".join(f"{count} {kind}" for kind, count in waiting.items())
    findings = [finding("broker", None, f"{shown}; waiting: {counts}")]
    if settings.broker_url is not None:
        address = read_url(settings.broker_url)
        if len(address.servers) > 1 and address.replicas in (None, 1):
            cure = "of several servers one keeps the jobs: add ?replicas=3 to CLARION_BROKER_URL"
            findings.append(warning("broker", cure))
    return findings


async def _check_sources(database: Database) -> list[Finding]:
    """Sources whose key, in the hands of anybody, can send as anybody or without end."""
    now = SystemClock().now()
    findings = []
    async with database.read() as connection:
        for place, workspace in enumerate(await list_workspaces(connection)):
            elsewhere = f" --workspace {shlex.quote(workspace.name)}" if place else ""
            for source in await list_sources(connection, workspace.id):
                details = []
                if source.revoked_at is None and not source.asks_for_signatures(now):
                    details.append(f"its userIds are not signed: {sign_command(source.name)}")
                if source.revoked_at is None and source.limit is None:
                    command = f"clarion sources limit {shlex.quote(source.name)} 1000"
                    details.append(f"it has no rate limit: {command}")
                findings += [
                    warning(f"source {source.name}", detail + elsewhere) for detail in details
                ]
    return findings


async def _check_apps(settings: Settings, database: Database) -> list[Finding]:
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
                findings.append(finding(part, wrong, app.client_email))
    return findings


def _why(error: Exception) -> str:
    """Why a part can not be used, with the cure where somebody must act. Only our own words: others
    may repeat what they were asked."""
    if not isinstance(error, StorageUnavailable | BrokerUnavailable):
        return f"does not answer ({type(error).__name__})"
    if not error.cure:
        return f"does not answer: {error}"
    return f"can not be used: {str(error).rstrip('.')}. {error.cure}"
