"""The few things SQLite and PostgreSQL truly say differently."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    LargeBinary,
    Table,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from clarion.clock import from_micros, to_micros


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no such type and would compare texts: there it is µs."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name == "postgresql":
            return value  # type: ignore[no-any-return]
        return from_micros(value)


class Id(TypeDecorator[UUID]):
    """A UUID: PostgreSQL's own type; in SQLite sixteen bytes, which sort alike."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        if value is None or dialect.name == "postgresql":
            return value  # type: ignore[no-any-return]
        return UUID(bytes=value)


def insert(connection: AsyncConnection, table: Table) -> Any:
    """The INSERT that knows ON CONFLICT on this database."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def insert_new(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert `rows`; one that is already there (by any unique key) stays as it is."""
    if rows:
        await connection.execute(insert(connection, table).on_conflict_do_nothing(), list(rows))


async def upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
) -> None:
    """Insert `rows`, or overwrite the columns they name where `key` is already there."""
    if not rows:
        return
    statement = insert(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=list(key), set_=changed), list(rows)
    )


class json_equals(ColumnElement[bool]):
    """True where a JSON object's member `name` equals a scalar, types included.

    None equals a missing member and a null. The statement reads alike; PostgreSQL compares jsonb,
    SQLite the type and the value that its JSON functions give.
    """

    inherit_cache = True
    type = Boolean()
    _traverse_internals: Any = [  # noqa: RUF012 - SQLAlchemy's own shape
        ("column", InternalTraversal.dp_clauseelement),
        ("name", InternalTraversal.dp_clauseelement),
        ("value", InternalTraversal.dp_clauseelement),
        ("kind", InternalTraversal.dp_string),
    ]

    def __init__(
        self, column: ColumnElement[Any], name: str, value: str | int | float | bool | None
    ) -> None:
        self.column = column
        self.name = bindparam(None, name, type_=Text(), unique=True)
        self.kind = type(value).__name__
        wire = json.dumps(value) if not isinstance(value, str) else value
        self.value = bindparam(None, wire, type_=Text(), unique=True)


@compiles(json_equals, "postgresql")
def _json_equals_postgresql(element: json_equals, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    name = compiler.process(element.name, **kw)
    if element.kind == "NoneType":
        return f"(coalesce({column} -> {name}, 'null'::jsonb) = 'null'::jsonb)"
    value = compiler.process(element.value, **kw)
    if element.kind == "str":
        return f"({column} -> {name} = to_jsonb(CAST({value} AS text)))"
    return f"({column} -> {name} = CAST({value} AS jsonb))"


@compiles(json_equals, "sqlite")
def _json_equals_sqlite(element: json_equals, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    name = compiler.process(element.name, **kw)
    member = f"EXISTS (SELECT 1 FROM json_each({column}) WHERE key = {name}"  # noqa: S608
    if element.kind == "NoneType":
        return f"(NOT {member} AND type <> 'null'))"
    value = compiler.process(element.value, **kw)
    if element.kind == "str":
        return f"{member} AND type = 'text' AND atom = {value})"
    if element.kind == "bool":
        return f"{member} AND type = {value})"
    return f"{member} AND type IN ('integer', 'real') AND atom = CAST({value} AS NUMERIC))"
