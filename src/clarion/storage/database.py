"""Connections and transactions, the same on SQLite and PostgreSQL.

SQLite has one writer (`storage.sqlite` opens its connections). Writers of one process queue for
a turn instead of on SQLite's busy handler, and each begins with `BEGIN IMMEDIATE`, so that a
transaction that has read never fails for having to write. Readers see a snapshot and never wait.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic
from typing import Any, TypeVar

import msgspec
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from clarion.clock import Clock
from clarion.storage.outage import StorageUnavailable as StorageUnavailable
from clarion.storage.outage import as_unavailable, is_damaged, must_reopen
from clarion.storage.sqlite.connection import BUSY_TIMEOUT_MS, connector
from clarion.storage.sqlite.file import SqliteFile
from clarion.storage.sqlite.writer_turn import WriterTurn

READERS_MAX = 8
WRITER_CACHE_KIB = 65_536
READER_CACHE_KIB = 4_096
"""A reader's own; behind it is the system's. Memory is bounded by one writer and READERS_MAX."""
STATEMENT_SECONDS = 60.0
"""PostgreSQL: longer than any statement takes but those of a migration, which has no such limit."""
PING_SECONDS = 5.0
"""PostgreSQL: so long is a connection waited for that is asked for a sign of life."""
CONFLICT_TRIES = 6
"""How often a transaction that lost to another (PostgreSQL deadlock, serialisation) is repeated."""
CONFLICT_SECONDS = 20.0
"""No try begins later than so long after the first: a locked SQLite file alone is waited for by
each for `BUSY_TIMEOUT_MS`."""
CONFLICT_PAUSE_SECONDS = 0.01
"""Between the first two tries; doubled with each, and up to twice as long by chance, so that two
that fought do not meet again."""

T = TypeVar("T")

_CONFLICT_STATES = frozenset({"40001", "40P01"})
HELD_SECONDS_MAX = 30.0
"""SQLite: a transaction that holds up all others for longer is told."""
AUTO_VACUUM_INCREMENTAL = 2
PAGES_KEPT_FREE = 20
"""One page of so many stays in the file though it is empty: what comes next needs it."""
_PROBES = ("SELECT txid_current()", "PRAGMA user_version = 0")
"""What writes and changes nothing: in PostgreSQL, in SQLite."""
_SCHEMA_STATES = frozenset({"42P01", "42703"})
"""No such table, no such column."""


def is_conflict(error: BaseException) -> bool:
    """True where the same transaction may succeed when tried again at once."""
    return (
        isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICT_STATES
    )


def is_busy(error: BaseException) -> bool:
    """True where another process held SQLite's file for longer than it was waited for."""
    cause = error.__cause__ if isinstance(error, StorageUnavailable) else error
    name = getattr(getattr(cause, "orig", None), "sqlite_errorname", None)
    return str(name).startswith("SQLITE_BUSY")


def is_other_schema(error: BaseException) -> bool:
    """Whether a statement named a table or a column that does not exist: the schema is another."""
    if isinstance(error, StorageUnavailable) and error.__cause__ is not None:
        error = error.__cause__
    if not isinstance(error, DBAPIError):
        return False
    if getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR":
        return "no such" in str(error.orig) or "has no column" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in _SCHEMA_STATES


class Database:
    """One database: `read()` is a snapshot, `write()` a transaction that commits on leaving."""

    def __init__(
        self,
        url: str,
        *,
        statement_seconds: float | None = STATEMENT_SECONDS,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        """`url`: `sqlite:///path` or `postgresql://user:password@host/name`. On PostgreSQL no
        statement is waited for longer than `statement_seconds`, nor a sign of life longer than
        `ping_seconds`."""
        self.is_sqlite = url.startswith("sqlite")
        self._file: SqliteFile | None = None
        self._failed = False
        """The last transaction that was to write could not."""
        self._held_since: float | None = None
        if self.is_sqlite:
            path = url.removeprefix("sqlite:///")
            self._file = SqliteFile(path)
            self._writer = self._sqlite_engine(
                path, connections=1, begin="BEGIN IMMEDIATE", cache_kib=WRITER_CACHE_KIB
            )
            self._reader = self._sqlite_engine(
                path, connections=READERS_MAX, begin="BEGIN", cache_kib=READER_CACHE_KIB
            )
        else:
            from clarion.storage.postgres.address import read_postgres_url
            from clarion.storage.postgres.connection import postgres_engine  # only where it is used

            self._writer = postgres_engine(
                read_postgres_url(url),
                statement_seconds=statement_seconds,
                ping_seconds=ping_seconds,
                **_shared(),
            )
            self._reader = self._writer
        self._turn = WriterTurn()

    @property
    def engine(self) -> AsyncEngine:
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one snapshot (SQLite) or read-committed rows (PostgreSQL)."""
        with self._watched():
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *, first: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed when the block ends, rolled back when it raises. `first`: on
        SQLite it goes before those of this process that wait for their turn."""
        with self._watched():
            try:
                if self.is_sqlite:
                    async with self._one_writer(first), self._writer.begin() as connection:
                        yield connection
                else:
                    async with self._writer.begin() as connection:
                        yield connection
            except BaseException as error:
                self._failed = self._failed or as_unavailable(error) is not None
                raise
            self._failed = False

    async def transact(
        self,
        work: Callable[[AsyncConnection], Awaitable[T]],
        clock: Clock,
        *,
        first: bool = False,
    ) -> T:
        """Run `work` in one write transaction; again from its beginning, in a new one, where that
        lost to another. So `work` has no effect but through its connection. `first`: see `write`.
        Raises what `work` raises, and StorageUnavailable where it loses `CONFLICT_TRIES` times."""
        begun = clock.monotonic()
        for attempt in range(CONFLICT_TRIES):
            try:
                async with self.write(first=first) as connection:
                    return await work(connection)
            except Exception as error:
                if not is_conflict(error) and not is_busy(error):
                    raise
                is_late = clock.monotonic() - begun > CONFLICT_SECONDS
                if is_late or attempt + 1 == CONFLICT_TRIES:
                    raise StorageUnavailable(
                        "the transaction lost to others each time it was tried"
                    ) from error
            await clock.sleep(CONFLICT_PAUSE_SECONDS * 2**attempt * (1 + clock.chance()))
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def _one_writer(self, first: bool) -> AsyncIterator[None]:
        async with self._turn.taken(first=first):
            self._held_since = monotonic()
            try:
                yield
            finally:
                self._held_since = None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """The driver's ways of saying 'not now' are StorageUnavailable; a file that is gone or
        damaged is, too."""
        if self._file is not None:
            self._file.check()
        try:
            yield
        except BaseException as error:
            if is_conflict(error):
                raise
            unavailable = as_unavailable(error)
            if unavailable is None:
                raise
            if self._file is not None and is_damaged(error):
                self._file.damage = unavailable
            raise unavailable from error
        if self._file is not None:
            self._file.used()

    async def empty_log(self) -> None:
        """SQLite: empty the write-ahead log, which repeats rows that are gone, unless somebody is
        reading in it; then it is overwritten from its beginning, sooner or later. PostgreSQL: does
        nothing, and does not have to."""
        if not self.is_sqlite:
            return
        with self._watched():
            async with self._turn.taken(), self._writer.connect() as connection:
                raw: Any = (await connection.get_raw_connection()).driver_connection
                # Most of it while others write; the rest only if nobody has to be waited for.
                for pragma in (
                    "wal_checkpoint(PASSIVE)",
                    "busy_timeout = 0",
                    "wal_checkpoint(TRUNCATE)",
                    f"busy_timeout = {BUSY_TIMEOUT_MS}",
                ):
                    await raw.execute_fetchall(f"PRAGMA {pragma}")

    async def give_back(self, pages: int) -> int:
        """SQLite: give at most so many pages that nothing is in back to the file system; returns
        how many. Some stay for what is written next. 0 as well for a file that was made before
        Clarion asked for that. PostgreSQL: does nothing, it reuses and gives back by itself."""
        if not self.is_sqlite:
            return 0
        with self._watched():
            async with self._turn.taken(), self._writer.connect() as connection:
                raw: Any = (await connection.get_raw_connection()).driver_connection
                free, total, mode = [
                    (await raw.execute_fetchall(f"PRAGMA {name}"))[0][0]
                    for name in ("freelist_count", "page_count", "auto_vacuum")
                ]
                count = min(pages, free - total // PAGES_KEPT_FREE)
                if mode != AUTO_VACUUM_INCREMENTAL or count <= 0:
                    return 0
                await raw.execute_fetchall(f"PRAGMA incremental_vacuum({count})")
                return int(count)

    async def ping(self) -> None:
        """Raises StorageUnavailable if the database does not answer, or answers but can not be
        written to: after a write that failed, one is tried."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))
        held_since = self._held_since
        if held_since is not None and monotonic() - held_since > HELD_SECONDS_MAX:
            raise StorageUnavailable("one transaction has held up all others for long")
        if self._failed:
            async with self.write() as connection:
                await connection.execute(text(_PROBES[self.is_sqlite]))

    def connections(self) -> tuple[int, int]:
        """How many are in use in this process, and how many are open and idle."""
        pools: list[Any] = [engine.pool for engine in {self._writer, self._reader}]
        return sum(pool.checkedout() for pool in pools), sum(pool.checkedin() for pool in pools)

    def connections_max(self) -> int:
        """So many this process opens at most."""
        pools: list[Any] = [engine.pool for engine in {self._writer, self._reader}]
        return sum(pool.size() + max(0, pool._max_overflow) for pool in pools)

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    def _sqlite_engine(
        self, path: str, *, connections: int, begin: str, cache_kib: int
    ) -> AsyncEngine:
        assert self._file is not None
        file = self._file
        engine = create_async_engine(
            "sqlite+aiosqlite://",
            async_creator=connector(path, file, cache_kib=cache_kib),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=60,
            **_shared(),
        )

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        @event.listens_for(engine.sync_engine, "handle_error")
        def _give_up(context: Any) -> None:
            if must_reopen(context.original_exception):
                context.is_disconnect = True
                # What is known of the file, all connections of a process share: while one that may
                # only read is open, none that is opened may write.
                for other in (self._writer, self._reader):
                    if other is not engine:
                        other.sync_engine.dispose()

        @event.listens_for(engine.sync_engine, "close")
        def _closed(_connection: Any, _record: Any) -> None:
            file.closed()

        return engine


def _shared() -> dict[str, Any]:
    """What both kinds are made with. An error never repeats the values: tokens are among them."""
    return {
        "hide_parameters": True,
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
