"""How both databases read a value in JSON: each function means the same on both, and what
`audiences/value.py` and `comparison.py` say in Python."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Numeric,
    String,
    Text,
    bindparam,
    cast,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

Scalar = str | int | float | bool | None


class json_value(ColumnElement[Any]):
    """What stands at a path of names in a JSON object, read as `kind`; NULL: it is not there, it is
    null, or it is of another kind.

    text      a text
    number    a number, exactly
    type      text, number, true, false, list or object
    """

    inherit_cache = True
    _traverse_internals: Any = [  # noqa: RUF012 - SQLAlchemy's own shape
        ("column", InternalTraversal.dp_clauseelement),
        ("names", InternalTraversal.dp_clauseelement_list),
        ("path", InternalTraversal.dp_clauseelement),
        ("kind", InternalTraversal.dp_string),
        ("shape", InternalTraversal.dp_string),
    ]

    def __init__(self, column: ColumnElement[Any], path: Sequence[str], kind: str) -> None:
        self.column = column
        self.kind = kind
        self.names = [_text(name) for name in path]
        # SQLite's paths can not say every name; what they can not is looked for step by step.
        self.shape = "plain" if all(map(_is_plain, path)) else "odd"
        self.path = _text("$" + "".join(f'."{name}"' for name in path))
        self.type = Numeric() if kind == "number" else Text()


class json_equals(json_value):
    """True where the value at a path equals a scalar, types included. None equals a missing member
    and a null."""

    inherit_cache = True
    _traverse_internals: Any = [  # noqa: RUF012 - SQLAlchemy's own shape
        *json_value._traverse_internals,
        ("value", InternalTraversal.dp_clauseelement),
        ("document", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], path: Sequence[str], value: Scalar) -> None:
        super().__init__(column, path, type(value).__name__)
        # SQLite compares the value itself, PostgreSQL the document that it is.
        self.value = _text(value if isinstance(value, str) else json.dumps(value))
        self.document = _text(json.dumps(value))
        self.type = Boolean()


class json_list_has(json_value):
    """True where a list stands at the path that has an element equal to a scalar, types included;
    false or NULL otherwise."""

    inherit_cache = True
    _traverse_internals: Any = [  # noqa: RUF012 - SQLAlchemy's own shape
        *json_value._traverse_internals,
        ("value", InternalTraversal.dp_clauseelement),
        ("document", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], path: Sequence[str], value: Scalar) -> None:
        super().__init__(column, path, type(value).__name__)
        # SQLite compares the value itself, PostgreSQL the document that it is.
        self.value = _text(value if isinstance(value, str) else json.dumps(value))
        self.document = _text(json.dumps(value))
        self.type = Boolean()


def json_text(column: ColumnElement[Any], path: Sequence[str]) -> ColumnElement[Any]:
    return json_value(column, path, "text")


def json_number(column: ColumnElement[Any], path: Sequence[str]) -> ColumnElement[Any]:
    return json_value(column, path, "number")


def json_type(column: ColumnElement[Any], path: Sequence[str]) -> ColumnElement[Any]:
    return json_value(column, path, "type")


def number(value: float) -> ColumnElement[Any]:
    """A number as both databases hold one that came in JSON."""
    return cast(_text(json.dumps(value)), Numeric())


def _text(value: str) -> BindParameter[str]:
    return bindparam(None, value, type_=Text(), unique=True)


def _is_plain(name: str) -> bool:
    """Whether JSON holds it unescaped, and SQLite's paths can say it."""
    return bool(name) and not any(
        char in '"\\' or ord(char) < 32 or char == "\x7f" for char in name
    )


@compiles(json_value, "postgresql")
def _json_value_postgresql(element: json_value, compiler: SQLCompiler, **kw: Any) -> str:
    value = _arrow(element, compiler, **kw)
    if element.kind == "number":
        return f"(CASE WHEN jsonb_typeof({value}) = 'number' THEN CAST({value} AS numeric) END)"
    if element.kind == "text":
        return f"(CASE WHEN jsonb_typeof({value}) = 'string' THEN {value} #>> '{{}}' END)"
    return (
        f"(CASE jsonb_typeof({value}) WHEN 'string' THEN 'text' WHEN 'boolean' THEN "
        f"CAST({value} AS text) WHEN 'array' THEN 'list' WHEN 'null' THEN NULL "
        f"ELSE jsonb_typeof({value}) END)"
    )


@compiles(json_value, "sqlite")
def _json_value_sqlite(element: json_value, compiler: SQLCompiler, **kw: Any) -> str:
    kind, value = _type_and_value(element, compiler, **kw)
    if element.kind == "number":
        return f"(CASE WHEN {kind} IN ('integer', 'real') THEN {value} END)"
    if element.kind == "text":
        return f"(CASE WHEN {kind} = 'text' THEN {value} END)"
    return (
        f"(CASE {kind} WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' WHEN 'array' THEN "
        f"'list' WHEN 'null' THEN NULL ELSE {kind} END)"
    )


@compiles(json_equals, "postgresql")
def _json_equals_postgresql(element: json_equals, compiler: SQLCompiler, **kw: Any) -> str:
    member = _arrow(element, compiler, **kw)
    if element.kind == "NoneType":
        return f"(coalesce({member}, 'null'::jsonb) = 'null'::jsonb)"
    return f"({member} = CAST({_document(element, compiler, **kw)} AS jsonb))"


@compiles(json_equals, "sqlite")
def _json_equals_sqlite(element: json_equals, compiler: SQLCompiler, **kw: Any) -> str:
    kind, member = _type_and_value(element, compiler, **kw)
    if element.kind == "NoneType":
        return f"(coalesce({kind}, 'null') = 'null')"
    return f"({_same(kind, member, element, compiler, **kw)})"


@compiles(json_list_has, "postgresql")
def _json_list_has_postgresql(element: json_list_has, compiler: SQLCompiler, **kw: Any) -> str:
    listed = _arrow(element, compiler, **kw)
    wanted = f"CAST({_document(element, compiler, **kw)} AS jsonb)"
    return (
        f"(EXISTS (SELECT 1 FROM jsonb_array_elements(CASE WHEN jsonb_typeof({listed}) = 'array' "  # noqa: S608
        f"THEN {listed} ELSE '[]' END) AS of_list (element) WHERE of_list.element = {wanted}))"
    )


@compiles(json_list_has, "sqlite")
def _json_list_has_sqlite(element: json_list_has, compiler: SQLCompiler, **kw: Any) -> str:
    kind, listed = _type_and_value(element, compiler, **kw)
    same = _same("type", "atom", element, compiler, **kw)
    listed = f"CASE WHEN {kind} = 'array' THEN {listed} END"
    return f"(EXISTS (SELECT 1 FROM json_each({listed}) WHERE {same}))"  # noqa: S608


def _same(
    kind: str, member: str, element: json_equals | json_list_has, compiler: SQLCompiler, **kw: Any
) -> str:
    """SQLite: a value, by its type and itself, equals that of the element."""
    value = compiler.process(element.value, **kw)
    if element.kind == "str":
        return f"{kind} = 'text' AND {member} = {value}"
    if element.kind == "bool":
        return f"{kind} = {value}"
    return f"{kind} IN ('integer', 'real') AND {member} = CAST({value} AS NUMERIC)"


def _document(element: json_equals | json_list_has, compiler: SQLCompiler, **kw: Any) -> str:
    """PostgreSQL: the value as JSON. As a text: the driver would encode it once more."""
    return f"CAST({compiler.process(element.document, **kw)} AS text)"


def _arrow(element: json_value, compiler: SQLCompiler, **kw: Any) -> str:
    """PostgreSQL: the member as jsonb. Steps by name alone: they find nothing in a list."""
    column = compiler.process(element.column, **kw)
    if isinstance(element.column.type, String):
        column = f"CAST({column} AS jsonb)"
    steps = [f" -> CAST({compiler.process(name, **kw)} AS text)" for name in element.names]
    return f"({column}{''.join(steps)})"


def _type_and_value(element: json_value, compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
    """SQLite: the member's type, and its value; objects and lists as JSON."""
    column = compiler.process(element.column, **kw)
    if element.shape == "plain":
        path = compiler.process(element.path, **kw)
        return f"json_type({column}, {path})", f"json_extract({column}, {path})"
    *outer, last = [compiler.process(name, **kw) for name in element.names]
    for name in outer:
        column = f"(SELECT value FROM json_each({column}) WHERE key = {name} AND type = 'object')"  # noqa: S608
    member = f"FROM json_each({column}) WHERE key = {last}"
    return f"(SELECT type {member})", f"(SELECT value {member})"
