"""SQLite behind asyncio: every connection has a thread, and a statement is one trip to it.

aiosqlite makes a trip for each of cursor, execute, fetch and close. Transactions here are many
short statements, and the trips were a good part of what a push costs; so the cursor here does all
four at once.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, Self
from weakref import WeakSet

import aiosqlite
from aiosqlite.core import _connection_worker_thread

from clarion.storage.sqlite.file import SqliteFile

BUSY_TIMEOUT_MS = 15_000
"""How long another process's write is waited for."""
CHECKPOINT_PAGES = 16_384
"""How many pages (64 MiB) the write-ahead log gathers before they go to the file: a page that many
transactions change goes there once."""
STATEMENTS_KEPT = 512
"""Prepared statements of a connection."""

Connector = Callable[[], Awaitable[aiosqlite.Connection]]


def connector(path: str, file: SqliteFile, *, cache_kib: int) -> Connector:
    """Opens connections to the file: WAL, and `synchronous=FULL`, so that a commit survives power
    loss. Transactions are begun by whoever uses the connection."""

    def open_file() -> sqlite3.Connection:
        _make_private(path)
        connection = sqlite3.connect(
            path,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_KEPT,
        )
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            # A new file: what is removed can be given back. In one that is there it would write.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",  # what is deleted is overwritten, however SQLite was compiled
            f"cache_size = -{cache_kib}",
            "temp_store = MEMORY",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            "journal_size_limit = 67108864",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    async def connect() -> aiosqlite.Connection:
        file.check()  # else a file that was removed would be made anew, empty
        connection = _Connection(open_file)
        opened = await connection
        _opened.add(connection)
        file.opened()
        return opened

    return connect


def has_lost_thread() -> bool:
    """Whether a connection's thread has died, say for want of memory: whoever waits for it would
    wait for ever."""
    return any(opened._running and not opened._thread.is_alive() for opened in list(_opened))


def _make_private(path: str) -> None:
    """A database that is not there yet is made for its owner alone, whatever the umask; SQLite
    gives its log and its index the same mode. One that is there keeps what the operator gave it."""
    with suppress(OSError):  # it is there, or SQLite says better why it can not be
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


INTERRUPT_SECONDS = 0.05
"""Between the interruptions of a statement that nobody waits for any more."""


class _Cursor:
    """What SQLAlchemy needs of a cursor. All of a statement's rows are there when it returns."""

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1
        self._is_done = True
        self._is_given_up = False
        self._ending = Lock()
        """Held while it ends or is interrupted, so that no later statement is."""

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        self._is_done = self._is_given_up = False
        try:
            await self._connection._execute(  # type: ignore[no-untyped-call]
                self._run, statement, parameters
            )
        except asyncio.CancelledError:
            # Nobody waits for it any more: it ends now, and not when it has read all it wanted.
            self._is_given_up = True
            self._interrupt()
            raise

    async def executemany(self, statement: str, parameters: Any) -> None:
        await self._connection._execute(  # type: ignore[no-untyped-call]
            self._run_many, statement, parameters
        )

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    def _run(self, statement: str, parameters: Any) -> None:
        try:
            if not self._is_given_up:
                self._finish(self._connection._conn.execute(statement, parameters))
        finally:
            with self._ending:
                self._is_done = True

    def _interrupt(self) -> None:
        """Again and again until it has ended: SQLite forgets it where nothing runs yet."""
        with self._ending, suppress(ValueError, sqlite3.ProgrammingError):  # closed
            if not self._is_done:
                self._connection._conn.interrupt()
                asyncio.get_running_loop().call_later(INTERRUPT_SECONDS, self._interrupt)

    def _run_many(self, statement: str, parameters: Any) -> None:
        self._finish(self._connection._conn.executemany(statement, parameters))

    def _finish(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else []
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()


class _Connection(aiosqlite.Connection):
    def __init__(self, open_file: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(open_file, iter_chunk_size=64)
        # A daemon: nothing waits for it when the process ends.
        self._thread = Thread(target=_serve, args=(self._tx,), daemon=True)

    def cursor(self) -> Any:
        return _Cursor(self)

    async def rollback(self) -> None:
        """SQLAlchemy asks for it behind every commit, too: a trip for nothing."""
        if self._conn.in_transaction:
            await super().rollback()


def _serve(asked: Any) -> None:
    """A connection's thread. It ends without a word where the loop was closed that it has an answer
    for: a command that was interrupted, or whose file is no database, waits for nothing more."""
    try:
        _connection_worker_thread(asked)
    except RuntimeError as error:
        if str(error) != "Event loop is closed":
            raise


_opened: "WeakSet[_Connection]" = WeakSet()
