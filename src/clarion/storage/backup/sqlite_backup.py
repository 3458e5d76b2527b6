"""A copy of a SQLite database in one file, made while processes go on reading and writing."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from clarion.storage.outage import StorageUnavailable
from clarion.storage.sqlite.connection import BUSY_TIMEOUT_MS
from clarion.storage.sqlite.file import damage_of

MAGIC = b"SQLite format 3\0"
"""What the file begins with."""


def copy_database(source: Path, target: Path) -> None:
    """Copy the database as it is at one instant to `target`, a file of mode 0600 that is durable
    when this returns; one that is there is overwritten. It is written as `target` itself, so give
    it a name that nobody uses yet. Blocks. Raises StorageUnavailable with the cure."""
    _check_room(source, target)
    make_private(target)
    seconds = BUSY_TIMEOUT_MS / 1_000
    try:
        with (
            closing(sqlite3.connect(source, timeout=seconds)) as reader,
            closing(sqlite3.connect(target)) as writer,
        ):
            # All in one step is one read transaction: writers of a WAL neither wait for it nor
            # make it begin anew.
            reader.backup(writer, pages=-1)
    except sqlite3.Error as error:
        raise StorageUnavailable(f"{source} can not be copied: {error}") from error
    close_log(target)
    damage = damage_of(target)
    if damage is not None:
        raise StorageUnavailable(
            f"the copy of {source} is damaged: {damage}",
            cure="Look at the database with `clarion check`.",
        )
    _sync(target)


def make_private(file: Path) -> None:
    """An empty file for its owner alone, in the place of one that is there."""
    file.unlink(missing_ok=True)  # whoever made it could read it
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def close_log(file: Path) -> None:
    """Bring all of a database into its one file, and leave none beside it. Raises
    StorageUnavailable where a process has it open."""
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise StorageUnavailable(
            f"{file} is open in another process", cure="Stop every process of Clarion first."
        ) from error
    except sqlite3.DatabaseError:
        return  # damaged: nobody can have it open


def put_in_place(draft: Path, file: Path, *, kept: Path) -> bool:
    """Make `draft` the database at `file`, in one step: a crash leaves either the one or the other.
    A database that is there becomes `kept`; returns whether one was. Raises StorageUnavailable
    where a process has it open."""
    was_there = file.exists()
    close_log(draft)
    _sync(draft)
    if was_there:
        close_log(file)
        os.link(file, kept)  # until the next line, both names are its
        for end in ("-wal", "-shm"):  # of a damaged one: they would be taken for the new one's
            Path(f"{file}{end}").unlink(missing_ok=True)
    draft.replace(file)
    _sync(file.parent)
    return was_there


def revision_of(file: Path) -> str | None:
    """The revision of the tables in a database's file; None: it is no database of Clarion's."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        return None
    return None if row is None else str(row[0])


def _check_room(source: Path, target: Path) -> None:
    log = Path(f"{source}-wal")
    needed = source.stat().st_size + (log.stat().st_size if log.exists() else 0)
    free = shutil.disk_usage(target.absolute().parent).free
    if free < needed:
        raise StorageUnavailable(
            f"{target.absolute().parent} has {free / 1e9:,.1f} GB free and {needed / 1e9:,.1f} GB "
            "may be needed",
            cure="Make room, or name a file on another disk.",
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
