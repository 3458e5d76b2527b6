"""The few things SQLite and PostgreSQL truly say differently."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Double,
    FromClause,
    LargeBinary,
    Table,
    Text,
    TypeDecorator,
    any_,
    bindparam,
    func,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal

from clarion.clock import from_micros, id_maker, to_micros

S = TypeVar("S")

BYTES_OF_AN_ID = 16
"""And of the hashes that rows are found by."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no such type and would compare texts: there it is µs."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    # The processors themselves, rather than the hooks they would call: times and ids are most of
    # what the hot paths read and write.

    def bind_processor(self, dialect: Dialect) -> Any:
        convert = aware if dialect.name == "postgresql" else to_micros
        return lambda value: None if value is None else convert(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return None if dialect.name == "postgresql" else _from_micros


def _from_micros(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def aware(at: datetime) -> datetime:
    """`at` itself. PostgreSQL's driver would take one without a zone for the machine's local time,
    in silence."""
    if at.tzinfo is None:
        raise ValueError("a naive time is no instant: it needs an offset")
    return at


class Id(TypeDecorator[UUID]):
    """A UUID: PostgreSQL's own type; in SQLite sixteen bytes, which sort alike."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(BYTES_OF_AN_ID))

    def bind_processor(self, dialect: Dialect) -> Any:
        return None if dialect.name == "postgresql" else _to_bytes

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        if dialect.name == "postgresql":
            return None
        make = id_maker()
        return lambda value: None if value is None else make(value)


def _to_bytes(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def insert(connection: AsyncConnection, table: Table) -> Any:
    """The INSERT that knows ON CONFLICT on this database."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def among(
    connection: AsyncConnection,
    column: ColumnElement[Any],
    values: Collection[Any] | BindParameter[Any],
) -> ColumnElement[bool]:
    """True where `column` is one of `values`, of which there may be thousands.

    They are given as one value: an array to PostgreSQL, which with a place for each would plan
    every number of them anew, and rather read a young table whole than look up a thousand; to
    SQLite a list in JSON, or bytes end to end, so that one statement is prepared for any number.
    `values` that come later are a parameter made by `several`.
    """
    if not isinstance(values, BindParameter):
        values = several(connection, None, column, list(values))
    if _takes_arrays(connection):
        return column == any_(values)
    return _IsAmong(column, values)


class _IsAmong(ColumnElement[bool]):
    """`column` is in a list of SQLite's. An element of its own: put together from functions and
    selects it cost as much as to run it, and statements are made for every batch."""

    __visit_name__ = "is_among"
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]
    inherit_cache = True
    _is_implicitly_boolean = True
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], values: BindParameter[Any]) -> None:
        self.column = column
        self.values = values

    @property
    def _from_objects(self) -> Any:
        """The tables that it speaks of, for statements that name them nowhere else."""
        return self.column._from_objects


@compiles(_IsAmong)
def _is_among(element: _IsAmong, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    if isinstance(element.values.type, _JsonList):
        listed = compiler.process(element.values, **kw)
        return f"({column} IN (SELECT value FROM json_each({listed})))"  # noqa: S608
    length, longest, listed = (compiler.process(element.values, **kw) for _ in range(3))
    return (
        f"({column} IN (WITH RECURSIVE places(place) AS "  # noqa: S608
        f"(SELECT 1 WHERE length({length}) > 0 "
        f"UNION ALL SELECT place + {BYTES_OF_AN_ID} FROM places "
        f"WHERE place + {BYTES_OF_AN_ID} <= length({longest})) "
        f"SELECT substr({listed}, place, {BYTES_OF_AN_ID}) FROM places))"
    )


class _JsonList(TypeDecorator[list[str]]):
    """Texts, for SQLite."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        return lambda texts: msgspec.json.encode(texts).decode()


class _BytesList(TypeDecorator[list[bytes]]):
    """Hashes as long as ids, for SQLite: end to end."""

    impl = LargeBinary
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        return b"".join


class _IdList(TypeDecorator[list[UUID]]):
    """Ids, for SQLite: end to end."""

    impl = LargeBinary
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        return lambda ids: b"".join([id_.bytes for id_ in ids])


def _kind_of_list(kind: Any) -> TypeDecorator[Any]:
    if isinstance(kind, Id):
        return _IdList()
    return _BytesList() if isinstance(kind, LargeBinary) else _JsonList()


def several(
    connection: AsyncConnection,
    name: str | None,
    column: ColumnElement[Any],
    values: list[Any] | None = None,
) -> BindParameter[Any]:
    """The parameter that tells `among` its values."""
    takes_arrays = _takes_arrays(connection)
    return bindparam(
        name,
        values,
        type_=postgresql.ARRAY(column.type) if takes_arrays else _kind_of_list(column.type),
        unique=name is None,
        required=values is None,
    )


def has_one_writer(connection: AsyncConnection) -> bool:
    """Whether nobody else writes in this database until the transaction ends, so that a row that is
    not there can not be inserted by another one meanwhile."""
    return connection.dialect.name == "sqlite"


def share_sampled(connection: AsyncConnection, table: Table, percent: float) -> FromClause | None:
    """About so many percent of a table's pages, always the same ones; None: this database, SQLite,
    takes no samples, and reads no table at once that it can look into."""
    if connection.dialect.name != "postgresql":
        return None
    return table.tablesample(func.system(percent), name="sampled", seed=literal_column("1"))


def prepared(make: Callable[[AsyncConnection], S]) -> Callable[[AsyncConnection], S]:
    """A statement that `make` puts together once for each kind of database; its values come as
    parameters, lists by `several`. For what every batch asks: to put it together anew, and to find
    out that it is the same as before, costs about as much as to run it."""
    made: dict[str, S] = {}

    @wraps(make)
    def statement(connection: AsyncConnection) -> S:
        dialect = connection.dialect.name
        if dialect not in made:
            made[dialect] = make(connection)
        return made[dialect]

    return statement


def _takes_arrays(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "postgresql"


class unindexed(FunctionElement[Any]):
    """A column that SQLite is to choose no index by, for lists that are read in another order.

    It keeps no statistics, so it takes any index that begins with a column that is compared, and
    sorts all it finds there: for a page of the newest of a million events, the million.
    PostgreSQL knows better.
    """

    inherit_cache = True

    def __init__(self, column: Column[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed, "postgresql")
def _unindexed_postgresql(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(unindexed, "sqlite")
def _unindexed_sqlite(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


class day_of(FunctionElement[datetime]):
    """The beginning of an instant's day in UTC."""

    name = "day_of"
    type = Instant()
    inherit_cache = True


@compiles(day_of, "postgresql")
def _day_of_postgresql(element: day_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"date_trunc('day', {compiler.process(element.clauses, **kw)}, 'UTC')"


@compiles(day_of, "sqlite")
def _day_of_sqlite(element: day_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)} / 86400000000 * 86400000000)"


class moved(FunctionElement[datetime]):
    """An instant, later by so many µs."""

    type = Instant()
    inherit_cache = True


@compiles(moved, "postgresql")
def _moved_postgresql(element: moved, compiler: SQLCompiler, **kw: Any) -> str:
    at, micros = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({at} + ({micros}) * interval '1 microsecond')"


@compiles(moved, "sqlite")
def _moved_sqlite(element: moved, compiler: SQLCompiler, **kw: Any) -> str:
    at, micros = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({at} + ({micros}))"


class seconds_between(FunctionElement[float]):
    """How long after the first instant the second one is."""

    type = Double()
    inherit_cache = True


@compiles(seconds_between, "postgresql")
def _seconds_between_postgresql(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    first, second = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"extract(epoch from {second} - {first})"


@compiles(seconds_between, "sqlite")
def _seconds_between_sqlite(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    first, second = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(({second} - {first}) / 1000000.0)"
