"""Connections to PostgreSQL that end when the other side does, however silently.

A server, a pooler or a firewall can vanish without a word; the connection then looks open for ever.
So the kernel asks whether the other side is there (keepalives), gives up what is not acknowledged
(`tcp_user_timeout`), and no statement is waited for longer than `statement_seconds`. The server is
asked to do the same, for what a vanished process holds there holds up the others. A connection is
asked for a sign of life before it is used; one that gives none takes all of its age with it.

Behind a pooler (PgBouncer in transaction mode) statements are not prepared by name, and nothing is
kept in a session. Whether there is one is found out: a pooler's answer to 'which process are you?'
is another one than the server's.
"""

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from clarion.storage.outage import must_reopen
from clarion.storage.postgres.address import PostgresAddress

POOL_SIZE = 10
POOL_OVERFLOW = 10
ASKED_SECONDS = 5.0
IDLE_SECONDS, INTERVAL_SECONDS, PROBES = 15, 5, 3
UNACKNOWLEDGED_SECONDS = 30
IDLE_IN_TRANSACTION_SECONDS = 600
_SERVER_SETTINGS = {
    "tcp_keepalives_idle": f"{IDLE_SECONDS}",
    "tcp_keepalives_interval": f"{INTERVAL_SECONDS}",
    "tcp_keepalives_count": f"{PROBES}",
    "tcp_user_timeout": f"{UNACKNOWLEDGED_SECONDS * 1000}",
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS * 1000}",
}
_KERNEL = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, IDLE_SECONDS),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, INTERVAL_SECONDS),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, PROBES),
    ("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, UNACKNOWLEDGED_SECONDS * 1000),
)
"""Not every system has all of them."""


def postgres_engine(
    address: PostgresAddress,
    *,
    statement_seconds: float | None,
    ping_seconds: float,
    **shared: Any,
) -> AsyncEngine:
    """An engine on `address`. `statement_seconds` None: statements may take as long as they do."""
    connector = _Connector(address, statement_seconds)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        connect_args={"async_creator_fn": connector.connect},
        **shared,
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def _choose(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        if await_only(connector.is_pooled()):
            parameters["prepared_statement_cache_size"] = 0

    @event.listens_for(engine.sync_engine, "checkout")
    def _ping(connection: Any, record: Any, _proxy: Any) -> None:
        if record.fresh:
            return
        try:
            connection.run_async(lambda raw: _answers(raw, ping_seconds))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise InvalidatePoolError(str(error)) from error

    @event.listens_for(engine.sync_engine, "handle_error")
    def _give_up(context: Any) -> None:
        if must_reopen(context.original_exception):
            context.is_disconnect = True
        # PostgreSQL's detail repeats the row that failed, and a log would repeat it again.
        cause = context.original_exception.__cause__
        if getattr(cause, "detail", None):
            cause.detail = None

    return engine


class _Connector:
    """Opens connections, and knows whether a pooler is between."""

    def __init__(self, address: PostgresAddress, statement_seconds: float | None) -> None:
        self._address = address
        self._statement_seconds = statement_seconds
        self._is_pooled = address.is_pooled

    async def connect(self) -> Any:
        raw = await self._open(is_pooled=await self.is_pooled())
        _watch(raw)
        return raw

    async def is_pooled(self) -> bool:
        """Finds out with a connection of its own, once."""
        if self._is_pooled is None:
            raw = await self._open(is_pooled=True)
            try:
                theirs = await raw.fetchval("SELECT pg_backend_pid()", timeout=ASKED_SECONDS)
                self._is_pooled = theirs != raw.get_server_pid()
            finally:
                raw.terminate()
        return self._is_pooled

    async def _open(self, *, is_pooled: bool) -> Any:
        address = self._address
        settings = dict(address.server_settings)
        if not is_pooled:  # a pooler refuses settings that it does not know
            settings |= _SERVER_SETTINGS
        return await asyncpg.connect(
            address.dsn,
            timeout=address.connect_seconds,
            command_timeout=self._statement_seconds,
            statement_cache_size=0 if is_pooled else 100,
            server_settings=settings,
            ssl=_trusted_by_the_system() if _needs_system(address) else None,
        )


def _needs_system(address: PostgresAddress) -> bool:
    """Whether a certificate is to be looked at by what the system trusts: nobody names a file."""
    named = address.has_authorities or os.environ.get("PGSSLROOTCERT")
    own = Path("~/.postgresql/root.crt").expanduser().exists()
    return address.verifies_host and not named and not own


def _trusted_by_the_system() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _answers(raw: Any, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await raw.fetchrow(";")
    except BaseException:
        raw.terminate()  # it must not be asked to end in peace: nobody would answer
        raise


def _watch(raw: Any) -> None:
    """Have the kernel find out that the other side is gone."""
    descriptor = raw._transport.get_extra_info("socket").fileno()
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return
        for name, level, value in _KERNEL:
            option = getattr(socket, name, None)
            if option is not None:
                connection.setsockopt(level, option, value)
