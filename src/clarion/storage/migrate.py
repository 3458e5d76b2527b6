"""Brings a database to the newest schema. Safe when several processes start together."""

import ast
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.database import Database
from clarion.storage.migration_work import Work, work_of
from clarion.storage.schema import metadata

REVISIONS = tuple(f"{number:04}" for number in range(1, 37))
"""In their order. Known without Alembic, which takes longer to load than a short command."""
NEWEST = REVISIONS[-1]
MIGRATIONS = Path(__file__).with_name("migrations")
ROW_BYTES = 200
"""PostgreSQL: about what a row takes in a table that was never looked at."""
_ESTIMATED = f"""
SELECT relname, (pages * CASE
    WHEN reltuples > 0 AND relpages >= 10 THEN reltuples / relpages
    ELSE current_setting('block_size')::int / {ROW_BYTES} END)::bigint
FROM pg_class, LATERAL (
    SELECT pg_relation_size(oid) / current_setting('block_size')::int AS pages
) AS size
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""  # noqa: S608
"""As PostgreSQL itself counts before it plans a query: how dense a table was when it last looked,
which a few pages do not tell, and how large it is now. The tables are not read for it."""
_COLUMNS = {
    "postgresql": text(
        "SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns "
        "WHERE table_schema = current_schema()"
    ),
    "sqlite": text(
        'SELECT tables.name, columns.name, NOT columns."notnull" FROM sqlite_master AS tables '
        "JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
    ),
}
_INDEXES = {
    "postgresql": text(
        "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = current_schema()"
    ),
    "sqlite": text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'"),
}
LOCK = 0x636C6172696F6E
"""The PostgreSQL advisory lock under which one process migrates; the others wait for it."""


class SchemaState(StrEnum):
    """Whose tables a database holds."""

    NONE = "none"
    """None of ours, nor any that would be in their way."""
    BEHIND = "behind"
    """Those of an earlier version."""
    CURRENT = "current"
    FOREIGN = "foreign"
    """Those of a later version, of another program, or not what their revision says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A revision that is to be applied."""

    revision: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `migrate` would do."""

    before: str | None
    """The revision of the tables that are there; None: there are none."""
    steps: tuple[Step, ...]
    rows: dict[str, int]
    """Of each table of ours that is there, about how many, the largest first."""
    work: Work | None
    """By the rows that are there; None on SQLite, where a copy tells how long it takes."""


class ForeignSchema(Exception):
    """The database holds tables of something else, and is not migrated. Its message says why."""


async def migrate(url: str) -> None:
    """Apply every revision that is not applied yet, in one transaction. Raises ForeignSchema."""
    database = Database(url, statement_seconds=None)  # a large table is long in the making
    try:
        async with database.write() as connection:
            if not database.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                await connection.execute(lock, {"lock": LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await database.close()


async def adopt(connection: AsyncConnection, revision: str | None) -> None:
    """Within a transaction: apply what is not applied yet, so that what follows in it finds the
    tables of this version. `revision`: that of tables that were loaded without it; None: they
    say it themselves. Raises ForeignSchema."""
    if revision is not None:
        statement = text("INSERT INTO alembic_version (version_num) VALUES (:revision)")
        await connection.execute(statement, {"revision": revision})
    await connection.run_sync(_upgrade)


async def plan(url: str) -> Plan:
    """What `migrate` would do; nothing is changed. Raises ForeignSchema."""
    database = Database(url)
    try:
        async with database.read() as connection:
            return await connection.run_sync(_plan)
    finally:
        await database.close()


async def schema_state(url: str) -> SchemaState:
    """Whose tables the database holds. A SQLite database that is not there yet is made, empty."""
    database = Database(url)
    try:
        async with database.read() as connection:
            return await connection.run_sync(_state)
    finally:
        await database.close()


async def has_tables(url: str) -> bool:
    """Whether the database holds tables of Clarion's, of whatever version."""
    database = Database(url)
    try:
        async with database.read() as connection:
            return bool(await connection.run_sync(_in_the_way))
    finally:
        await database.close()


async def is_current(url: str) -> bool:
    """Whether the database has the schema this version of Clarion needs."""
    return await schema_state(url) is SchemaState.CURRENT


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if _state(connection) is SchemaState.FOREIGN:
        raise ForeignSchema(_whose(connection))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if _gaps(connection):
        raise ForeignSchema(_whose(connection))


def _plan(connection: Connection) -> Plan:
    if _state(connection) is SchemaState.FOREIGN:
        raise ForeignSchema(_whose(connection))
    before = _revision(connection)
    behind = REVISIONS if before is None else REVISIONS[REVISIONS.index(before) + 1 :]
    ours = _rows(connection)
    steps = [Step(revision=revision, summary=_summary(revision)) for revision in behind]
    return Plan(
        before=before,
        steps=tuple(steps),
        rows=dict(sorted(ours.items(), key=lambda row: row[1], reverse=True)),
        work=work_of(behind, ours) if connection.dialect.name == "postgresql" else None,
    )


def _rows(connection: Connection) -> dict[str, int]:
    """About how many rows are in each table of ours that is there."""
    if connection.dialect.name == "postgresql":
        counted = connection.execute(text(_ESTIMATED)).all()
        return {name: int(count) for name, count in counted if name in metadata.tables}
    return {
        name: connection.execute(
            select(func.count()).select_from(metadata.tables[name])
        ).scalar_one()
        for name in _in_the_way(connection)
    }


def _summary(revision: str) -> str:
    """The first line of the revision's own words."""
    [file] = (MIGRATIONS / "versions").glob(f"{revision}_*.py")
    said = ast.get_docstring(ast.parse(file.read_text())) or ""
    return " ".join(said.partition("\n\n")[0].split()).rstrip(".")


def _state(connection: Connection) -> SchemaState:
    revision = _revision(connection)
    if revision == NEWEST:
        return SchemaState.FOREIGN if _gaps(connection) else SchemaState.CURRENT
    if revision in REVISIONS:
        return SchemaState.BEHIND
    is_free = revision is None and not _in_the_way(connection)
    return SchemaState.NONE if is_free else SchemaState.FOREIGN


def _whose(connection: Connection) -> str:
    revision = _revision(connection)
    if revision == NEWEST:
        return (
            f"it says that it is at revision {revision}, but {_gaps(connection)[0]}. A version "
            "between releases made it; take a backup, and bring its data over with `clarion export`"
        )
    if revision is not None and revision.isdecimal() and revision > NEWEST:
        return (
            f"its tables are those of revision {revision}, of a later version than this one, which "
            f"ends at {NEWEST}. Clarion does not go back: install the later version again, or "
            "restore the backup that was made before it (`clarion restore`)"
        )
    if revision is not None:
        return f"its tables are those of revision {revision}, which this version does not know"
    return f"it holds tables that are not Clarion's: {', '.join(_in_the_way(connection))}"


def _gaps(connection: Connection) -> list[str]:
    """What a database of the newest revision lacks of the schema that the code expects. What it has
    besides, say an index of its operator's, does no harm."""
    columns, indexes = _columns_there(connection), _indexes_there(connection)
    gaps = []
    for table in metadata.sorted_tables:
        if table.name not in columns:
            gaps.append(f"the table {table.name} is not there")
            continue
        there, named = columns[table.name], indexes[table.name]
        for column in table.columns:
            if column.name not in there:
                gaps.append(f"{table.name} has no column {column.name}")
            elif there[column.name] and not column.nullable:
                gaps.append(f"{table.name}.{column.name} may be empty")
            elif column.nullable and not there[column.name]:
                gaps.append(f"{table.name}.{column.name} may not be empty")
        for index in table.indexes:
            if index.name not in named:
                gaps.append(f"{table.name} has no index {index.name}")
    return gaps


def _columns_there(connection: Connection) -> dict[str, dict[str, bool]]:
    """The columns of each table, and whether each may be empty. Every command asks for them, and
    reflection by SQLAlchemy takes ten times as long."""
    columns: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for table, column, is_nullable in connection.execute(_COLUMNS[connection.dialect.name]):
        columns[table][column] = bool(is_nullable)
    return columns


def _indexes_there(connection: Connection) -> dict[str, set[str]]:
    indexes: defaultdict[str, set[str]] = defaultdict(set)
    for table, index in connection.execute(_INDEXES[connection.dialect.name]):
        indexes[table].add(index)
    return indexes


def _in_the_way(connection: Connection) -> list[str]:
    return sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revisions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return ", ".join(sorted(str(revision) for revision in revisions)) or None
