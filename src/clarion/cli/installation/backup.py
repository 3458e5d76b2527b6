"""backup, restore and hold: a copy of all that the database holds, made and put back."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.launches.holding import Held, hold_everything
from clarion.cli.api.remote import API_KEY, URL, read_remote
from clarion.cli.installation.first_start import sqlite_file
from clarion.cli.output import AsJson, Ending, ExitCode, console, print_done, print_json, refused
from clarion.cli.session import load_settings, max_level, open_session
from clarion.clock import SystemClock
from clarion.config import Settings
from clarion.parts import open_vault
from clarion.storage.backup import postgres_backup, sqlite_backup
from clarion.storage.database import Database
from clarion.storage.migrate import REVISIONS, SchemaState, adopt, schema_state
from clarion.storage.postgres.server_facts import server_facts
from clarion.storage.reseal import Locked, look
from clarion.storage.vault import KEY_FILE
from clarion.telemetry import LogOptions, set_up_logs
from clarion.text import without_passwords

RESTORING, REPLACED = ".restoring", ".before-restore"
"""What is added to the name of the database's file: while the copy is made ready, and for the
database that was there before."""
_ANOTHER = "Restore a backup of SQLite into SQLite, and one of PostgreSQL into PostgreSQL: see "
_ANOTHER += "CLARION_DATABASE_URL."


async def backup(file: Path, /, *, json: AsJson = False) -> None:
    """Copy the database to a file, as it is at one instant; Clarion may run meanwhile.

    SQLite is copied by its own online backup, PostgreSQL by pg_dump of the server's version or a
    later one, which has to be in PATH or where packages put it. The file is for its owner alone
    (mode 0600): it holds tokens and traits. The secret that opens what is sealed is not in it.

    For example:

    ```
    clarion backup clarion-2026-03-01.backup
    ```

    Parameters
    ----------
    file
        Where to. It must not be there yet.
    """
    settings = _settings_of_this_machine()
    if await asyncio.to_thread(os.path.lexists, file):
        raise refused(f"{file} is there already: name another file, or remove it.", word="file")
    draft = file.with_name(f".{file.name}.draft")
    try:
        revision = await _copy(settings, draft)
        await asyncio.to_thread(draft.rename, file)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)
    size = (await asyncio.to_thread(file.stat)).st_size
    secret = _place_of_secret(settings)
    if json:
        print_json({"file": str(file), "bytes": size, "revision": revision, "secret": secret})
        return
    print_done(f"{size / 1e6:,.1f} MB in {file}, with tables of revision {revision}.")
    _say(_about_secret(secret))
    if settings.broker_url is not None:
        _say(
            "Events that NATS keeps and that are not taken in yet are not in it: keep NATS' files "
            "through a restore."
        )


async def restore(file: Path, /, *, replace: bool = False, json: AsJson = False) -> None:
    """Put a backup back, at this version, with everything held that would send.

    Stop every process first. Every scheduled campaign and every launch under way is paused in the
    restored database, with a reason that begins with `restored`: a person resumes or cancels each.
    PostgreSQL is restored into an empty database, by pg_restore.

    For example:

    ```
    clarion restore clarion-2026-03-01.backup
    ```

    Parameters
    ----------
    file
        What `clarion backup` wrote.
    replace
        SQLite: put it in the place of the database that is there, which is kept beside it.
    """
    settings = _settings_of_this_machine()
    if not await asyncio.to_thread(file.is_file):
        raise Ending(ExitCode.NOT_FOUND, f"There is no file {file}.", word="not_found")
    magic = await asyncio.to_thread(_first_bytes, file)
    target = sqlite_file(settings)
    if magic.startswith(sqlite_backup.MAGIC) and target is not None:
        restored = await _restore_sqlite(settings, file, target, replace=replace)
    elif magic.startswith(postgres_backup.MAGIC) and target is None:
        restored = await _restore_postgres(settings, file)
    elif magic.startswith((sqlite_backup.MAGIC, postgres_backup.MAGIC)):
        raise refused(f"{file} is of another kind of database. {_ANOTHER}", word="other_database")
    else:
        raise refused(f"{file} is no backup of Clarion.", word="no_backup")
    _tell_restored(settings, restored, as_json=json)


async def hold(*, json: AsJson = False) -> None:
    """Pause every scheduled campaign and every launch under way, in all workspaces.

    `clarion restore` does so by itself. Do it where a copy of the database was put back by other
    means, such as a snapshot of a disk or PostgreSQL's own recovery, before a process starts.

    For example:

    ```
    clarion hold
    ```
    """
    async with open_session() as session:

        async def work(connection: AsyncConnection) -> Held:
            return await hold_everything(connection, session.clock)

        held = await session.database.transact(work, session.clock)
    if json:
        print_json({"campaigns_held": held.campaigns, "launches_held": held.launches})
        return
    print_done(_about_held(held))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Restored:
    revision: str
    """Of the tables in the backup."""
    held: Held
    locked: tuple[Locked, ...]
    replaced: Path | None = None


def _settings_of_this_machine() -> Settings:
    """Ends the command where the settings name a Clarion elsewhere."""
    if read_remote(os.environ) is not None:
        message = (
            f"This command works on this machine's data only, and {URL} names another Clarion: run "
            f"it where that one runs, or unset {URL} and {API_KEY}."
        )
        raise Ending(ExitCode.USAGE, message, word="usage")
    settings = load_settings()
    set_up_logs(LogOptions(level=max_level(settings.log.level), form=settings.log.form))
    return settings


async def _copy(settings: Settings, draft: Path) -> str:
    """Write the copy; returns the revision of its tables. Ends the command where the database has
    none of Clarion's."""
    source = sqlite_file(settings)
    if source is not None:
        if not await asyncio.to_thread(source.exists):
            raise Ending(ExitCode.NOT_FOUND, f"There is no {source}.", word="no_installation")
        await asyncio.to_thread(sqlite_backup.copy_database, source, draft)
        revision = await asyncio.to_thread(sqlite_backup.revision_of, draft)
    else:
        version = await _server_version(settings.database_url)
        await postgres_backup.dump_database(settings.database_url, draft, version)
        revision = await postgres_backup.dumped_revision(draft)
    if revision is None:
        shown = without_passwords(settings.database_url)
        raise Ending(
            ExitCode.NOT_FOUND, f"{shown} holds no tables of Clarion's.", word="no_installation"
        )
    return revision


async def _restore_sqlite(
    settings: Settings, file: Path, target: Path, *, replace: bool
) -> _Restored:
    kept = target.with_name(f"{target.name}{REPLACED}")
    if await asyncio.to_thread(target.exists):
        if not replace:
            message = f"{target} is there: with --replace the backup takes its place."
            raise refused(message, word="database_there")
        if await asyncio.to_thread(kept.exists):
            message = f"{kept}, of an earlier restore, is there: move or remove it first."
            raise refused(message, word="database_there")
        await asyncio.to_thread(sqlite_backup.close_log, target)  # so that nobody has it open
    revision = _known(file, await asyncio.to_thread(sqlite_backup.revision_of, file))
    draft = target.with_name(f"{target.name}{RESTORING}")
    await asyncio.to_thread(draft.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    try:
        await asyncio.to_thread(sqlite_backup.copy_database, file, draft)
        held, locked = await _make_fit(settings, f"sqlite:///{draft}", None)
        was_there = await asyncio.to_thread(sqlite_backup.put_in_place, draft, target, kept=kept)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)
    replaced = kept if was_there else None
    return _Restored(revision=revision, held=held, locked=locked, replaced=replaced)


async def _restore_postgres(settings: Settings, file: Path) -> _Restored:
    url = settings.database_url
    revision = _known(file, await postgres_backup.dumped_revision(file))
    if await schema_state(url) is not SchemaState.NONE:
        message = (
            f"{without_passwords(url)} holds tables already: make an empty database with CREATE "
            "DATABASE, and name it in CLARION_DATABASE_URL."
        )
        raise refused(message, word="database_there")
    await postgres_backup.load_tables(url, file, await _server_version(url))
    # A crash up to here leaves tables without a revision, which no process starts on.
    held, locked = await _make_fit(settings, url, revision)
    return _Restored(revision=revision, held=held, locked=locked)


async def _make_fit(
    settings: Settings, url: str, revision: str | None
) -> tuple[Held, tuple[Locked, ...]]:
    """Bring the tables to this version and hold what would send, in one transaction. Returns what
    no key of this machine opens, too."""
    async with _opened(url) as database:
        async with database.write() as connection:
            await adopt(connection, revision)
            held = await hold_everything(connection, SystemClock())
        return held, (await look(database, open_vault(settings))).locked


async def _server_version(url: str) -> int:
    async with _opened(url) as database:
        facts = await server_facts(database)
    assert facts is not None, "asked of PostgreSQL alone"
    return facts.version


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, statement_seconds=None)
    try:
        yield database
    finally:
        await database.close()


def _known(file: Path, revision: str | None) -> str:
    """The revision, where this version knows it."""
    if revision is None:
        raise refused(f"{file} holds no tables of Clarion's.", word="no_backup")
    if revision not in REVISIONS:
        message = (
            f"{file} is of revision {revision}, and this version of Clarion ends at "
            f"{REVISIONS[-1]}: restore it with the version that made it, or a later one."
        )
        raise refused(message, word="newer_backup")
    return revision


def _place_of_secret(settings: Settings) -> str | None:
    """Where the secret is; None: there is none yet."""
    if settings.secret_key is not None:
        return "CLARION_SECRET_KEY"
    file = settings.data_dir / KEY_FILE
    return str(file) if file.exists() else None


def _about_secret(secret: str | None) -> str:
    if secret is None:
        return "Nothing was sealed yet: there is no secret to keep beside it."
    what = secret if "/" in secret else f"what {secret} says"
    return (
        f"The secret is not in it: keep {what} in another place. Without it Firebase keys and "
        "identity secrets can not be opened; the two together open them for whoever finds both."
    )


def _about_held(held: Held) -> str:
    return (
        f"{held.campaigns} scheduled campaigns and {held.launches} launches under way wait for a "
        "person: `clarion campaigns list`, then resume or cancel each."
    )


def _tell_restored(settings: Settings, restored: _Restored, *, as_json: bool) -> None:
    if as_json:
        locked = [{"what": secret.what, "id": secret.id} for secret in restored.locked]
        document: dict[str, Any] = {
            "revision": restored.revision,
            "campaigns_held": restored.held.campaigns,
            "launches_held": restored.held.launches,
            "locked": locked,
            "replaced": restored.replaced and str(restored.replaced),
        }
        print_json(document)
        return
    print_done(f"{without_passwords(settings.database_url)} is restored, at this version.")
    _say(_about_held(restored.held))
    if restored.replaced is not None:
        _say(f"What was there before is kept as {restored.replaced}: remove it in the end.")
    if restored.locked:
        _say(
            f"{len(restored.locked)} sealed things can not be opened with this machine's secret: "
            "put the one of then back (`clarion secrets check`)."
        )


def _first_bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(len(sqlite_backup.MAGIC))


def _say(sentence: str) -> None:
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
