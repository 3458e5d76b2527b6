"""What a database can not do now, in words that name the cure."""

from typing import Any

from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_UNAVAILABLE_STATES = ("08", "28", "3D", "53", "57", "58", "25006", "42501", "0A000")
"""How PostgreSQL says 'not now', by the beginning of its SQLSTATE: connection lost; we are not let
in; no such database; disk, memory or connections used up; stopped by an administrator; input or
output failed; a server that only reads; a right that is missing. All of them end without a change
of ours, and what waits for that loses nothing."""
_REFUSED_STATES = (*_UNAVAILABLE_STATES, "55000", "42704", "22023")
"""The same while connecting: the database takes no connections; the URL names a parameter, or a
value of one, that the server does not know."""
_CURES = {
    "28P01": "The password in CLARION_DATABASE_URL is not the role's: put it right there, or set "
    "it with ALTER ROLE … PASSWORD.",
    "28": "Make the role with CREATE ROLE … LOGIN PASSWORD, let it in by pg_hba.conf, or name "
    "another in CLARION_DATABASE_URL.",
    "3D": "Make the database with CREATE DATABASE … OWNER, or name another in "
    "CLARION_DATABASE_URL.",
    "42501": "Make the role in CLARION_DATABASE_URL the owner of the database, or GRANT it ALL on "
    "the schema and its tables.",
    "25006": "It is a standby, or set to read only: name the primary in CLARION_DATABASE_URL "
    "(with several hosts, add target_session_attrs=read-write).",
    "55000": "Let connections in with ALTER DATABASE … ALLOW_CONNECTIONS true, or name another in "
    "CLARION_DATABASE_URL.",
    "42704": "Put the options in CLARION_DATABASE_URL right.",
    "22023": "Put the options in CLARION_DATABASE_URL right.",
    "53300": "Raise max_connections, or put PgBouncer between.",
    "53100": "Make room on the server's disk.",
}
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_REOPENED = (*DAMAGED, "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN")
"""What a connection of SQLite may say for ever, though its cause is gone: it is opened again."""
_SQLITE_CURES = {
    "SQLITE_CORRUPT": "The file is damaged: stop Clarion, look with `clarion check`, and restore "
    "the backup.",
    "SQLITE_NOTADB": "The file is no database, or damaged: stop Clarion, and restore the backup.",
    "SQLITE_READONLY": "Let the user that runs Clarion write to the file and its directory.",
    "SQLITE_CANTOPEN": "Let the user that runs Clarion read and write the file and its directory.",
    "SQLITE_FULL": "Make room on the disk.",
}


class StorageUnavailable(Exception):
    """The database can not do it now: full disk, lost server, locked file.

    Nothing was committed, as far as anybody knows.
    """

    def __init__(self, message: str = "", *, cure: str = "") -> None:
        super().__init__(message)
        self.cure = cure
        """A sentence for the operator, where somebody must act."""


def as_unavailable(error: BaseException) -> StorageUnavailable | None:
    """The driver's ways of saying 'not now'; None: it says something else."""
    if isinstance(error, StorageUnavailable):
        return None
    original = getattr(error, "orig", None) or error
    if not _is_unavailable(error, original):
        return None
    # The driver's own words: those of SQLAlchemy would repeat the statement.
    words = " ".join(f"{_in_words(original)}".split())
    return StorageUnavailable(words or type(error).__name__, cure=_cure(original))


def must_reopen(error: BaseException) -> bool:
    """Whether the connection that said so is of no use any more, nor are those beside it."""
    if isinstance(error, TimeoutError):  # the server, or the network, has gone without a word
        return True
    return _sqlite_name(error).startswith(_REOPENED)


def is_damaged(error: BaseException) -> bool:
    return _sqlite_name(getattr(error, "orig", None) or error).startswith(DAMAGED)


def _is_unavailable(error: BaseException, original: Any) -> bool:
    state = getattr(original, "sqlstate", None)
    if isinstance(error, DBAPIError):
        if state is not None:
            return str(state).startswith(_UNAVAILABLE_STATES) or error.connection_invalidated
        if error.connection_invalidated or is_damaged(original):
            return True
        # asyncpg calls a value that it can not send an error of the interface: that is for ever.
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(error, OperationalError | InterfaceError) and not isinstance(
            cause, ValueError
        )
    if state is not None:  # said while connecting
        return str(state).startswith(_REFUSED_STATES)
    return isinstance(error, DisconnectionError | PoolTimeout | OSError) or _is_drivers(error)


def _is_drivers(error: Any) -> bool:
    """Whether asyncpg says so, which is loaded only where it is used."""
    return type(error).__module__.startswith("asyncpg")


def _in_words(original: Any) -> str:
    if isinstance(original, TimeoutError) and not str(original):
        return "no answer in time"
    cause = getattr(original, "__cause__", None)
    text = str(cause) if _is_drivers(cause) else str(original)
    return text.partition(": ")[2] if text.startswith("<class ") else text


def _cure(original: Any) -> str:
    name = _sqlite_name(original)
    for beginning, cure in _SQLITE_CURES.items():
        if name.startswith(beginning):
            return cure
    state = str(getattr(original, "sqlstate", ""))
    for beginning in (state, state[:2]):
        if beginning and beginning in _CURES:
            return _CURES[beginning]
    if "unsupported startup parameter" in str(original):
        return "A pooler stands between: add ?pgbouncer=true to CLARION_DATABASE_URL."
    if type(original).__name__ == "ClientConfigurationError":
        return "Put CLARION_DATABASE_URL right."
    return ""


def _sqlite_name(error: Any) -> str:
    return str(getattr(error, "sqlite_errorname", None) or "")
