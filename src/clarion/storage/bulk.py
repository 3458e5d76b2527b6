"""Writing many rows at once, as fast as the driver can: the one way rows are inserted in numbers.

The statement is made once a table and shape and handed to the driver as text; values go column by
column. SQLite repeats a prepared statement; PostgreSQL gets one array a column (`unnest`), which is
one statement for any number of rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import JSON, CursorResult, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import to_micros
from clarion.storage.dialect import Id, Instant, aware

PART = 1_000
"""Values in one list of a statement: PostgreSQL takes 32,767 of them in all."""

T = TypeVar("T")
Row = Mapping[str, Any]
_NOTHING: Row = {}
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    sql: str
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
    key) stays as it is. `same`: columns that are alike in all of them."""
    await _write(connection, table, rows, "ON CONFLICT DO NOTHING", same or _NOTHING)


async def insert_unseen(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], *, returning: str
) -> list[Any]:
    """`insert_new`, telling the column `returning` of those that were not there. PostgreSQL alone:
    SQLite's driver repeats a statement for each row, and what that returns is lost."""
    written = await _write(
        connection, table, rows, f'ON CONFLICT DO NOTHING RETURNING "{returning}"'
    )
    return [] if written is None else list(written.scalars())


async def upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    combine: Mapping[str, str] | None = None,
) -> None:
    """Insert `rows`, or overwrite the columns they name where `key` is already there.

    Each key comes once. `combine` names columns that keep the "least" or the "greatest" of old and
    new, or their "sum"; with it, all other columns of a row that is there stay as they are.
    """
    if not rows:
        return
    if combine is None:
        changes = [f"{name} = excluded.{name}" for name in rows[0] if name not in key]
    else:
        changes = [_combined(table.name, name, how) for name, how in combine.items()]
    conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changes)}"
    await _write(connection, table, rows, conflict)


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
    names = (*rows[0], *same)
    dialect = connection.dialect.name
    cache_key = (dialect, table.name, names, ending)
    shape = _shapes.get(cache_key)
    if shape is None:
        make = _postgresql if dialect == "postgresql" else _sqlite
        shape = _shapes[cache_key] = make(table, names, ending)
    columns = [
        _alike(same[name], convert, len(rows)) if name in same else _column(rows, name, convert)
        for name, convert in zip(names, shape.converts, strict=True)
    ]
    if dialect == "postgresql":
        return await connection.exec_driver_sql(shape.sql, tuple(columns))
    return await connection.exec_driver_sql(shape.sql, list(zip(*columns, strict=True)))


def _column(rows: Sequence[Row], name: str, convert: Convert | None) -> list[Any]:
    if convert is None:
        return [row[name] for row in rows]
    return [None if (value := row[name]) is None else convert(value) for row in rows]


def _alike(value: Any, convert: Convert | None, count: int) -> list[Any]:
    return [value if value is None or convert is None else convert(value)] * count


def _sqlite(table: Table, names: tuple[str, ...], ending: str) -> _Shape:
    places = ", ".join("?" * len(names))
    return _Shape(
        f'INSERT INTO "{table.name}" ({_listed(names)}) VALUES ({places}) {ending}',  # noqa: S608
        tuple(_convert(table, name, _SQLITE) for name in names),
    )


def _postgresql(table: Table, names: tuple[str, ...], ending: str) -> _Shape:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays, taken = [], []
    for number, name in enumerate(names, 1):
        is_json = isinstance(table.c[name].type, JSON)
        kind = "TEXT" if is_json else table.c[name].type.compile(dialect)
        kind = kind.partition(" COLLATE ")[0]  # the column's own: an array's members need none
        arrays.append(f"${number}::{kind}[]")
        taken.append(f'r."{name}"::JSONB' if is_json else f'r."{name}"')
    return _Shape(
        f'INSERT INTO "{table.name}" ({_listed(names)}) SELECT {", ".join(taken)} '  # noqa: S608
        f"FROM unnest({', '.join(arrays)}) AS r({_listed(names)}) {ending}",
        tuple(_convert(table, name, _POSTGRESQL) for name in names),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _convert(table: Table, name: str, converts: Mapping[type, Convert]) -> Convert | None:
    kind = table.c[name].type
    return next((convert for one, convert in converts.items() if isinstance(kind, one)), None)


def _bytes(value: UUID) -> bytes:
    return value.bytes


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_SQLITE: Mapping[type, Convert] = {Id: _bytes, Instant: to_micros, JSON: _json}
_POSTGRESQL: Mapping[type, Convert] = {Instant: aware, JSON: _json}
