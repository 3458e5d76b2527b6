"""A kept database with many times as many rows, for tests that count what a migration does."""

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

UNDEFINED_TABLE = "42P01"
_NEW = {
    "events": "'seq', 1000 + n * 1000 + row.seq, 'message_id', row.message_id || '-' || n",
    "devices": "'id', md5(row.id::text || n)::uuid, 'device_id', row.device_id || '-' || n, "
    "'token', n || '~' || row.token, 'token_hash', md5(row.token_hash || n)",
    "deliveries": "'device_id', md5(row.device_id::text || n)::uuid",
    "identifiers": "'key', n || '~' || row.key",
    "customers": "'id', md5(row.id::text || n)::uuid, 'user_id', row.user_id || '-' || n, "
    "'key', row.key || '-' || n",
    "launches": "'id', md5(row.id::text || n)::uuid",
    "launch_counts": "'launch_id', md5(row.launch_id::text || n)::uuid",
    "campaigns": "'id', md5(row.id::text || n)::uuid",
}
"""What a copy of a row has for itself: a unique key does not hold it twice."""


async def fill(connection: AsyncConnection, times: int) -> dict[str, int]:
    """PostgreSQL: every row of the large tables `times` more; returns how many each has now."""
    rows: dict[str, int] = {}
    for table, new in _NEW.items():
        copies = text(
            f"INSERT INTO {table} "  # noqa: S608
            f"SELECT (jsonb_populate_record(row, jsonb_build_object({new}))).* "
            f"FROM {table} AS row, generate_series(1, :times) AS n"
        )
        try:
            async with connection.begin_nested():
                await connection.execute(copies, {"times": times})
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != UNDEFINED_TABLE:
                raise
            # The database is of before the table.
            continue
        counted = text(f"SELECT count(*) FROM {table}")  # noqa: S608
        rows[table] = (await connection.execute(counted)).scalar_one()
    return rows
