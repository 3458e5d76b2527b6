"""Connections and transactions, the same on SQLite and PostgreSQL.

SQLite: WAL, `synchronous=FULL` (a commit survives power loss), one writer. Writers of one process
queue on a lock instead of on SQLite's busy handler, and each begins with `BEGIN IMMEDIATE`, so that
a transaction that has read never fails for having to write. Readers see a snapshot and never wait.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

READERS_MAX = 8
BUSY_TIMEOUT_MS = 15_000
"""How long another process's write is waited for (SQLite)."""
CONFLICT_TRIES = 6
"""How often a transaction that lost to another (PostgreSQL deadlock, serialisation) is repeated."""

_CONFLICT_STATES = frozenset({"40001", "40P01"})


class StorageUnavailable(Exception):
    """The database can not do it now: full disk, lost server, locked file.

    Nothing was committed.
    """


def is_conflict(error: BaseException) -> bool:
    """True where the same transaction may succeed when tried again at once."""
    return (
        isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICT_STATES
    )


class Database:
    """One database: `read()` is a snapshot, `write()` a transaction that commits on leaving."""

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:///path` or `postgresql://user:password@host/name`."""
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            async_url = url.replace("sqlite://", "sqlite+aiosqlite://", 1)
            self._writer = _sqlite_engine(async_url, readers=1, begin="BEGIN IMMEDIATE")
            self._reader = _sqlite_engine(async_url, readers=READERS_MAX, begin="BEGIN")
        else:
            async_url = "postgresql+asyncpg://" + url.split("://", 1)[1]
            self._writer = create_async_engine(
                async_url, pool_size=10, max_overflow=10, pool_pre_ping=True, **_json()
            )
            self._reader = self._writer
        self._turn = asyncio.Lock()

    @property
    def engine(self) -> AsyncEngine:
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one snapshot (SQLite) or read-committed rows (PostgreSQL)."""
        with _unavailable():
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        with _unavailable():
            if self.is_sqlite:
                async with self._turn, self._writer.begin() as connection:
                    yield connection
            else:
                async with self._writer.begin() as connection:
                    yield connection

    async def ping(self) -> None:
        """Raises StorageUnavailable if the database does not answer."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


class _unavailable:
    """Turns the driver's ways of saying 'not now' into StorageUnavailable."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None or is_conflict(error):
            return
        if isinstance(
            error, OperationalError | InterfaceError | DisconnectionError | PoolTimeout | OSError
        ) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise StorageUnavailable(type(error).__name__) from error


def _sqlite_engine(url: str, *, readers: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=readers, max_overflow=0, pool_timeout=60, **_json())

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("PRAGMA journal_size_limit = 67108864")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _json() -> dict[str, Any]:
    return {
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
