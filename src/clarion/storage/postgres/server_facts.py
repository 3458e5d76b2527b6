"""What a database server says of itself and of the role that asks: for whoever looks before it is
too late."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.database import Database
from clarion.storage.schema import metadata

POSTGRESQL_MIN = 15

_ASKED = """
SELECT current_setting('server_version_num')::int / 10000 AS version,
       current_user::text AS role,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
       pg_is_in_recovery() AS is_standby,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       clock_timestamp() AS at
"""
_TABLES = """
SELECT tablename,
       has_table_privilege(
         format('%I.%I', schemaname, tablename), 'SELECT'
       ) AND has_table_privilege(
         format('%I.%I', schemaname, tablename), 'INSERT'
       ) AND has_table_privilege(
         format('%I.%I', schemaname, tablename), 'UPDATE'
       ) AND has_table_privilege(
         format('%I.%I', schemaname, tablename), 'DELETE'
       ) AS may_use,
       pg_has_role(tableowner, 'USAGE') AS owns
  FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """Of a PostgreSQL server, and of our role there."""

    version: int
    """The major one, such as 18."""
    role: str
    is_superuser: bool
    is_standby: bool
    may_migrate: bool
    """It may make tables, and owns those of ours that are there."""
    unusable: tuple[str, ...]
    """Tables of ours that it may not read and write."""
    at: datetime
    """What time it is there."""


async def server_facts(database: Database) -> ServerFacts | None:
    """None: SQLite, which has no server."""
    if database.is_sqlite:
        return None
    async with database.read() as connection:
        return await _ask(connection)


async def _ask(connection: AsyncConnection) -> ServerFacts:
    facts = (await connection.execute(text(_ASKED))).one()
    rows = (await connection.execute(text(_TABLES))).all()
    ours = [row for row in rows if row.tablename in metadata.tables]
    return ServerFacts(
        version=facts.version,
        role=facts.role,
        is_superuser=bool(facts.is_superuser),
        is_standby=facts.is_standby,
        may_migrate=facts.may_create and all(row.owns for row in ours),
        unusable=tuple(row.tablename for row in ours if not row.may_use),
        at=facts.at,
    )
