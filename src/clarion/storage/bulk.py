"""Writing many rows at once, as fast as the driver can: the one way rows are inserted in numbers.

The statement is made once a table and shape and handed to the driver as text; values go column by
column. SQLite repeats a prepared statement; PostgreSQL gets one array a column (`unnest`), which is
one statement for any number of rows, or a stream of rows (COPY) where none of them can be there.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import JSON, CursorResult, Table, bindparam, delete
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import to_micros
from clarion.storage.dialect import Id, Instant, aware

PART = 1_000
"""Values in one list of a statement: PostgreSQL takes 32,767 of them in all."""

T = TypeVar("T")
Row = Mapping[str, Any]
_NOTHING: Row = {}
ALIKE = "workspace_id"
"""A column that is nearly always the same in all rows."""
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    sql: str
    names: tuple[str, ...]
    converts: tuple[Convert | None, ...]


_shapes: dict[tuple[str, str, tuple[str, ...], str], _Shape] = {}


def in_parts(values: Iterable[T], size: int = PART) -> Iterator[Sequence[T]]:
    """`values` in lists that a statement may hold."""
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


async def insert_new(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], same: Row | None = None
) -> None:
    """Insert `rows`, which all name the same columns; one that is already there (by any unique
    key) stays as it is. `same`: columns that are alike in all of them, and another one at least
    is not."""
    await _write(connection, table, rows, "ON CONFLICT DO NOTHING", same or _NOTHING)


async def insert_columns(
    connection: AsyncConnection, table: Table, each: Mapping[str, Sequence[Any]], same: Row
) -> None:
    """`insert_new`, of rows that are given as columns, all of one length. `same`: columns that are
    alike in all rows."""
    count = len(next(iter(each.values())))
    if not count:
        return
    shape = _shape(connection, table, each, same, "ON CONFLICT DO NOTHING")
    values = [
        _converted(same[name], convert) if name in same else _each(each[name], convert)
        for name, convert in zip(shape.names, shape.converts, strict=True)
    ]
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(shape.sql, tuple(values))
        return
    columns = [
        repeat(column, count) if name in same else column
        for name, column in zip(shape.names, values, strict=True)
    ]
    await connection.exec_driver_sql(shape.sql, list(zip(*columns, strict=True)))


async def append(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], same: Row | None = None
) -> None:
    """Insert `rows`, of which none is there. PostgreSQL takes them by COPY: a third less work than
    `insert_new` for its server and its driver. `same`: columns that are alike in all of them."""
    if connection.dialect.name != "postgresql":
        await _write(connection, table, rows, "", same or _NOTHING)
    elif rows:
        same = same or _NOTHING
        shape = _shape(connection, table, rows[0], same, "")
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        if not driver.is_in_transaction():  # SQLAlchemy begins one with its first own statement
            await connection.exec_driver_sql("SELECT 1")
        await driver.copy_records_to_table(
            table.name, records=_by_row(shape, rows, same), columns=shape.names
        )


async def insert_unseen(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Row],
    *,
    returning: str,
    same: Row | None = None,
) -> list[Any]:
    """`insert_new`, telling the column `returning` of those that were not there. PostgreSQL alone:
    SQLite's driver repeats a statement for each row, and what that returns is lost."""
    written = await _write(
        connection, table, rows, f'ON CONFLICT DO NOTHING RETURNING "{returning}"', same or _NOTHING
    )
    return [] if written is None else list(written.scalars())


async def next_numbers(connection: AsyncConnection, table: Table, count: int) -> list[int]:
    """The numbers that the next `count` rows of a table with a `seq` have, in their order."""
    if connection.dialect.name == "postgresql":
        numbers = await connection.exec_driver_sql(
            "SELECT nextval($1::text::regclass) FROM generate_series(1, $2)",
            (f"{table.name}_seq_seq", count),
        )
        return list(numbers.scalars())
    newest = await connection.exec_driver_sql(f'SELECT max(seq) FROM "{table.name}"')  # noqa: S608
    last = newest.scalar_one() or 0
    return list(range(last + 1, last + 1 + count))


async def upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    combine: Mapping[str, str] | None = None,
    same: Row | None = None,
    changes: Collection[str] | None = None,
) -> None:
    """Insert `rows`, or overwrite the columns they name where `key` is already there.

    Each key comes once. `same`: columns that are alike in all rows, and are not overwritten.
    `changes` names the only columns that are overwritten: SQLite writes every index anew that has
    one of them, though its value be the same.
    `combine` names columns that keep the "least" or the "greatest" of old and
    new, or their "sum"; with it, all other columns of a row that is there stay as they are.
    """
    if not rows:
        return
    if combine is None:
        names = changes or [name for name in rows[0] if name not in key]
        sets = [f'"{name}" = excluded."{name}"' for name in names]
    else:
        sets = [_combined(table.name, name, how) for name, how in combine.items()]
    conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(sets)}"
    await _write(connection, table, rows, conflict, same or _NOTHING)


async def update_known(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], *, key: str
) -> None:
    """Overwrite what `rows`, which all name the same columns, say beside `key`, in rows that are
    there; where there is none, nothing happens. Cheaper than `upsert`, which takes whole rows."""
    if not rows:
        return
    shape = _update_shape(connection, table, tuple(rows[0]), key)
    if connection.dialect.name != "postgresql":
        await connection.exec_driver_sql(shape.sql, _by_row(shape, rows, _NOTHING))
        return
    columns = zip(shape.names, shape.converts, strict=True)
    values = tuple(_column(rows, name, convert) for name, convert in columns)
    await connection.exec_driver_sql(shape.sql, values)


async def remove_each(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Delete what equals one of `rows` in all the columns they name. One statement, repeated:
    SQLite looks up by index one value of several columns, but no list of them."""
    if rows:
        are_equal = (table.c[name] == bindparam(f"this_{name}") for name in rows[0])
        await connection.execute(
            delete(table).where(*are_equal),
            [{f"this_{name}": value for name, value in row.items()} for row in rows],
        )


def _combined(table: str, name: str, how: str) -> str:
    old, new = f'{table}."{name}"', f'excluded."{name}"'
    if how == "sum":
        return f'"{name}" = {old} + {new}'
    sign = "<" if how == "least" else ">"
    return f'"{name}" = CASE WHEN {new} {sign} {old} THEN {new} ELSE {old} END'


async def _write(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Row],
    ending: str,
    same: Row = _NOTHING,
) -> CursorResult[Any] | None:
    if not rows:
        return None
    if ALIKE in rows[0] and _is_alike([row[ALIKE] for row in rows]):
        same = {**same, ALIKE: rows[0][ALIKE]}
    if connection.dialect.name != "postgresql":
        shape = _shape(connection, table, rows[0], same, ending)
        return await connection.exec_driver_sql(shape.sql, _by_row(shape, rows, same))
    shape = _shape(connection, table, rows[0], same, ending)
    values = [
        _converted(same[name], convert) if name in same else _column(rows, name, convert)
        for name, convert in zip(shape.names, shape.converts, strict=True)
    ]
    return await connection.exec_driver_sql(shape.sql, tuple(values))


def _is_alike(values: Sequence[Any]) -> bool:
    """As nearly always: they are one and the same object, and none is compared."""
    return values.count(values[0]) == len(values)


def _shape(connection: AsyncConnection, table: Table, row: Row, same: Row, ending: str) -> _Shape:
    dialect, names = connection.dialect.name, (*row, *same)
    known = (dialect, table.name, names, ending)
    shape = _shapes.get(known)
    if shape is None:
        names = tuple(dict.fromkeys(names))
        if dialect == "postgresql":
            shape = _postgresql(table, names, frozenset(same), ending)
        else:
            shape = _sqlite(table, names, ending)
        _shapes[known] = shape
    return shape


def _update_shape(
    connection: AsyncConnection, table: Table, names: tuple[str, ...], key: str
) -> _Shape:
    dialect = connection.dialect.name
    known = (dialect, table.name, names, f"UPDATE BY {key}")
    shape = _shapes.get(known)
    if shape is None:
        changed = [name for name in names if name != key]
        if dialect == "postgresql":
            shape = _postgresql_update(table, (*changed, key), changed, key)
        else:
            sets = ", ".join(f'"{name}" = ?' for name in changed)
            shape = _Shape(
                f'UPDATE "{table.name}" SET {sets} WHERE "{key}" = ?',  # noqa: S608
                (*changed, key),
                tuple(_convert(table, name, _SQLITE) for name in (*changed, key)),
            )
        _shapes[known] = shape
    return shape


def _by_row(shape: _Shape, rows: Sequence[Row], same: Row) -> list[tuple[Any, ...]]:
    columns = [
        repeat(_converted(same[name], convert), len(rows))
        if name in same
        else _column(rows, name, convert)
        for name, convert in zip(shape.names, shape.converts, strict=True)
    ]
    return list(zip(*columns, strict=True))


def _column(rows: Sequence[Row], name: str, convert: Convert | None) -> Sequence[Any]:
    return _each([row[name] for row in rows], convert)


def _each(values: Sequence[Any], convert: Convert | None) -> Sequence[Any]:
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def _converted(value: Any, convert: Convert | None) -> Any:
    return value if value is None or convert is None else convert(value)


def _sqlite(table: Table, names: tuple[str, ...], ending: str) -> _Shape:
    places = ", ".join("?" * len(names))
    return _Shape(
        f'INSERT INTO "{table.name}" ({_listed(names)}) VALUES ({places}) {ending}',  # noqa: S608
        names,
        tuple(_convert(table, name, _SQLITE) for name in names),
    )


def _postgresql(table: Table, names: tuple[str, ...], same: frozenset[str], ending: str) -> _Shape:
    arrays, taken = [], []
    for number, name in enumerate(names, 1):
        is_json = isinstance(table.c[name].type, JSON)
        kind = _sent_as(table, name)
        if name not in same:
            arrays.append(f"${number}::{kind}[]")
        value = f"${number}::{kind}" if name in same else f'r."{name}"'
        taken.append(f"{value}::JSONB" if is_json else value)
    each = [name for name in names if name not in same]
    return _Shape(
        f'INSERT INTO "{table.name}" ({_listed(names)}) SELECT {", ".join(taken)} '  # noqa: S608
        f"FROM unnest({', '.join(arrays)}) AS r({_listed(each)}) {ending}",
        names,
        tuple(_convert(table, name, _POSTGRESQL) for name in names),
    )


def _postgresql_update(
    table: Table, names: tuple[str, ...], changed: Sequence[str], key: str
) -> _Shape:
    arrays = [f"${number}::{_sent_as(table, name)}[]" for number, name in enumerate(names, 1)]
    sets = [
        f'"{name}" = r."{name}"' + ("::JSONB" if isinstance(table.c[name].type, JSON) else "")
        for name in changed
    ]
    return _Shape(
        f'UPDATE "{table.name}" AS t SET {", ".join(sets)} FROM unnest({", ".join(arrays)}) '  # noqa: S608
        f'AS r({_listed(names)}) WHERE t."{key}" = r."{key}"',
        names,
        tuple(_convert(table, name, _POSTGRESQL) for name in names),
    )


def _sent_as(table: Table, name: str) -> str:
    """PostgreSQL's type of a value of this column, as the driver hands it over."""
    if isinstance(table.c[name].type, JSON):
        return "TEXT"
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    kind = table.c[name].type.compile(dialect)
    return kind.partition(" COLLATE ")[0]  # the column's own: an array's members need none


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _convert(table: Table, name: str, converts: Mapping[type, Convert]) -> Convert | None:
    kind = table.c[name].type
    return next((convert for type_, convert in converts.items() if isinstance(kind, type_)), None)


def _bytes(value: UUID) -> bytes:
    return value.bytes


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_SQLITE: Mapping[type, Convert] = {Id: _bytes, Instant: to_micros, JSON: _json}
_POSTGRESQL: Mapping[type, Convert] = {Instant: aware, JSON: _json}
