"""The file of a SQLite database, looked at from outside: is it there, is it the one that was
opened, is it whole?

A file that is removed or replaced under open connections goes on living in them, and what is
committed there is gone when the process ends. SQLite does not notice; so it is looked for before
each transaction (two calls of the system, microseconds).
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic

from clarion.storage.outage import StorageUnavailable

CHECK_SECONDS = 3.0
"""How long a start looks for damage; a whole look is `clarion check`'s."""
_STEPS = 20_000
_NULL_FOUND = re.compile(r"NULL value in (\w+)\.(\w+)")
"""Of SQLite's, between two looks at the time."""
_PUT_BACK = "Stop Clarion, put the file or the backup back, and start again."
_RESTORE = "Stop Clarion, and restore the backup."

Identity = tuple[int, int]


class SqliteFile:
    """One database's file and its write-ahead log, as they were when they were opened."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._log_path = Path(f"{path}-wal")
        self._file: Identity | None = None
        self._log: Identity | None = None
        self._open = 0
        self.damage: StorageUnavailable | None = None
        """What SQLite said, once it has: nothing is written to a damaged file any more."""

    def check(self) -> None:
        """Raises StorageUnavailable where what was opened is not there any more, or damaged."""
        if self.damage is not None:
            raise StorageUnavailable(str(self.damage), cure=self.damage.cure)
        for path, was in ((self._path, self._file), (self._log_path, self._log)):
            if was is not None and _identity(path) != was:
                raise StorageUnavailable(
                    f"{path} was removed or replaced while Clarion runs", cure=_PUT_BACK
                )

    def opened(self) -> None:
        """A connection is open."""
        self._open += 1
        if self._file is None:
            self._file = _identity(self._path)

    def closed(self) -> None:
        """Call when a connection is closed. The last one removes the log, if no other process uses
        it."""
        self._open -= 1
        if self._open == 0:
            self._log = None

    def used(self) -> None:
        """A transaction has ended well: from now on nobody else removes the log."""
        if self._log is None and self._open:
            self._log = _identity(self._log_path)


def damage_of(path: Path, seconds: float | None = None) -> str | None:
    """What is wrong with a database's file; None: nothing was found. Looks for `seconds` at most,
    where that is given, and reads every page otherwise."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    until = None if seconds is None else monotonic() + seconds
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            if until is not None:
                connection.set_progress_handler(lambda: monotonic() > until, _STEPS)
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()
            if answer is not None and _is_false_alarm(connection, answer[0]):
                answer = _damage_beside_alarms(connection)
    except sqlite3.OperationalError as error:
        # Out of time, or not now: the file's contents are not in doubt.
        if error.sqlite_errorname in ("SQLITE_INTERRUPT", "SQLITE_BUSY", "SQLITE_CANTOPEN"):
            return None
        return str(error)
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer is None or answer[0] == "ok" else str(answer[0]).replace("\n", " ")


def _is_false_alarm(connection: sqlite3.Connection, answer: str) -> bool:
    """Whether there is no such NULL as the check has found. SQLite before 3.42 reads a wrong column
    of a table without row ids where one of its key stands behind others."""
    alarm = _NULL_FOUND.fullmatch(answer)
    if alarm is None:
        return False
    table, column = alarm.groups()
    # Not IS NULL: SQLite knows what that says of a column that is declared NOT NULL.
    nulls = f"""SELECT 1 FROM "{table}" WHERE typeof("{column}") = 'null' LIMIT 1"""  # noqa: S608
    return connection.execute(nulls).fetchone() is None


def _damage_beside_alarms(connection: sqlite3.Connection) -> tuple[str] | None:
    """The first that is wrong in any table."""
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for (answer,) in connection.execute(f'PRAGMA quick_check("{table}")').fetchall():
            if answer != "ok" and not _is_false_alarm(connection, answer):
                return (answer,)
    return None


def check_start(path: Path) -> None:
    """Raises StorageUnavailable where the file is damaged, as far as can be seen quickly."""
    damage = damage_of(path, CHECK_SECONDS)
    if damage is not None:
        raise StorageUnavailable(f"{path} is damaged: {damage}", cure=_RESTORE)


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
