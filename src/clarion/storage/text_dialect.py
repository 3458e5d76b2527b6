"""How both databases read numbers, dates, versions and locales in texts, and digits of ids: each
function means the same on both, and what `audiences/value.py` and `matching.py` say in Python."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Numeric, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class number_of_text(FunctionElement[Any]):
    """A text that is a number in full, of 16 characters at most, as that number; or else NULL."""

    name = "number_of_text"
    type = Numeric()
    inherit_cache = True


@compiles(number_of_text, "postgresql")
def _number_of_text_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    # Without a subquery: PostgreSQL asks several processes only where there is none.
    return (
        f"(CASE WHEN length({text}) <= 16 AND {text} ~ '^-?[0-9]+([.][0-9]+)?$' "
        f"THEN CAST({text} AS numeric) END)"
    )


@compiles(number_of_text, "sqlite")
def _number_of_text_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return (
        "(SELECT CASE WHEN length(t) <= 16 AND u GLOB '[0-9]*' AND u NOT GLOB '*[^0-9.]*' "  # noqa: S608
        "AND u NOT GLOB '*.*.*' AND u NOT GLOB '*.' THEN CAST(t AS NUMERIC) END "
        "FROM (SELECT t, substr(t, 1 + (substr(t, 1, 1) = '-')) AS u "
        f"FROM (SELECT {text} AS t)))"
    )


class has_text(FunctionElement[Any]):
    """True where the first text holds the second, letters as they are."""

    type = Boolean()
    inherit_cache = True


@compiles(has_text, "postgresql")
def _has_text_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **kw)}) > 0)"


@compiles(has_text, "sqlite")
def _has_text_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **kw)}) > 0)"


class date_lies_in(FunctionElement[Any]):
    """(text, number, six bounds): true where the text is a date, or the number a time, within the
    bounds of the clock it is written by; those of a day, a local time, an instant, each from and up
    to but not including, in seconds since 1970. NULL or false otherwise."""

    type = Boolean()
    inherit_cache = True


class month_day_of(FunctionElement[Any]):
    """`MM-DD` of a text that is a date, as it stands there; or else NULL."""

    type = Text()
    inherit_cache = True


_PG_DATE = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
    "(Z|[+-][0-9]{2}:[0-5][0-9])?)?$"
)


def _written_postgresql(what: str, text: str, more: str) -> str:
    """`what` over a row with t, n and, where t is a date, b (without offset), o, seconds."""
    return (
        f"(SELECT {what} FROM (SELECT parts.*, CASE WHEN is_date THEN "  # noqa: S608
        "CAST(make_date(y, m, d) - DATE '1970-01-01' AS bigint) * 86400 "
        "+ coalesce(CAST(nullif(substr(b, 12, 2), '') AS bigint), 0) * 3600 "
        "+ coalesce(CAST(nullif(substr(b, 15, 2), '') AS bigint), 0) * 60 "
        "+ coalesce(CAST(nullif(substr(b, 18, 2), '') AS bigint), 0) "
        "- CASE WHEN o IN ('', 'Z') THEN 0 ELSE (CASE WHEN substr(o, 1, 1) = '-' THEN -1 ELSE 1 "
        "END) * (CAST(substr(o, 2, 2) AS bigint) * 3600 + CAST(substr(o, 5, 2) AS bigint) * 60) "
        "END END AS seconds "
        "FROM (SELECT shaped.*, CASE WHEN y IS NULL OR y = 0 OR m NOT BETWEEN 1 AND 12 THEN false "
        "ELSE d BETWEEN 1 AND extract(day FROM make_date(y, m, 1) + interval '1 month - 1 day') "
        "END AS is_date, substr(t, 1, length(t) - length(o)) AS b "
        "FROM (SELECT t, n, "
        "CASE WHEN fits THEN CAST(substr(t, 1, 4) AS int) END AS y, "
        "CASE WHEN fits THEN CAST(substr(t, 6, 2) AS int) END AS m, "
        "CASE WHEN fits THEN CAST(substr(t, 9, 2) AS int) END AS d, "
        "CASE WHEN length(t) = 10 THEN '' WHEN right(t, 1) = 'Z' THEN 'Z' "
        "WHEN substr(right(t, 6), 1, 1) IN ('+', '-') THEN right(t, 6) ELSE '' END AS o "
        f"FROM (SELECT given.*, t ~ '{_PG_DATE}' AS fits FROM (SELECT {text} AS t, {more} AS n) "
        "AS given) AS tried) AS shaped) AS parts) AS written)"
    )


def _written_sqlite(what: str, text: str, more: str) -> str:
    day = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
    minute = day + "[T ][0-2][0-9]:[0-5][0-9]"
    return (
        f"(SELECT {what} FROM (SELECT *, CASE WHEN is_date THEN "  # noqa: S608
        "CAST(strftime('%s', substr(b, 1, 10)) AS INTEGER) "
        "+ substr(b, 12, 2) * 3600 + substr(b, 15, 2) * 60 + substr(b, 18, 2) * 1 "
        "- CASE WHEN o IN ('', 'Z') THEN 0 ELSE (CASE substr(o, 1, 1) WHEN '-' THEN -1 ELSE 1 END) "
        "* (substr(o, 2, 2) * 3600 + substr(o, 5, 2) * 60) END END AS seconds "
        "FROM (SELECT *, substr(b, 1, 4) <> '0000' "
        "AND date(substr(b, 1, 10), '+0 days') = substr(b, 1, 10) "
        f"AND (b GLOB '{day}' AND o = '' OR substr(b, 12, 2) < '24' AND (b GLOB '{minute}' "
        f"OR b GLOB '{minute}:[0-5][0-9]' OR b GLOB '{minute}:[0-5][0-9].[0-9]*' "
        "AND substr(b, 21) NOT GLOB '*[^0-9]*' AND length(b) <= 29)) AS is_date "
        "FROM (SELECT t, n, o, substr(t, 1, length(t) - length(o)) AS b "
        "FROM (SELECT t, n, CASE WHEN substr(t, -1) = 'Z' THEN 'Z' "
        "WHEN substr(t, -6) GLOB '[+-][0-9][0-9]:[0-5][0-9]' THEN substr(t, -6) ELSE '' END AS o "
        f"FROM (SELECT {text} AS t, {more} AS n))))))"
    )


def _lies_in(bounds: Sequence[str], whole: str, instant: str) -> str:
    day, local, moment = (bounds[at : at + 2] for at in (0, 2, 4))
    return (
        f"CASE WHEN n IS NOT NULL THEN n BETWEEN -100000000000000 AND 100000000000000 "
        f"AND {instant.format(whole=whole)} >= {moment[0]} "
        f"AND {instant.format(whole=whole)} < {moment[1]} "
        f"WHEN is_date AND length(b) = 10 THEN seconds >= {day[0]} AND seconds < {day[1]} "
        f"WHEN is_date AND o = '' THEN seconds >= {local[0]} AND seconds < {local[1]} "
        f"WHEN is_date THEN seconds >= {moment[0]} AND seconds < {moment[1]} END"
    )


@compiles(date_lies_in, "postgresql")
def _date_lies_in_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text, more, *bounds = [compiler.process(clause, **kw) for clause in element.clauses]
    instant = "(CASE WHEN abs({whole}) >= 100000000000 THEN floor({whole} / 1000) ELSE {whole} END)"
    return _written_postgresql(_lies_in(bounds, "floor(n)", instant), text, more)


@compiles(date_lies_in, "sqlite")
def _date_lies_in_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text, more, *bounds = [compiler.process(clause, **kw) for clause in element.clauses]
    whole = "(CAST(n AS INTEGER) - (n < CAST(n AS INTEGER)))"
    instant = (
        "(CASE WHEN abs({whole}) >= 100000000000 "
        "THEN ({whole} - (({whole} % 1000) + 1000) % 1000) / 1000 ELSE {whole} END)"
    )
    return _written_sqlite(_lies_in(bounds, whole, instant), text, more)


@compiles(month_day_of, "postgresql")
def _month_day_of_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return _written_postgresql("CASE WHEN is_date THEN substr(b, 6, 5) END", text, "NULL")


@compiles(month_day_of, "sqlite")
def _month_day_of_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return _written_sqlite("CASE WHEN is_date THEN substr(b, 6, 5) END", text, "NULL")


_ZEROS = "0" * 24


class version_key_of(FunctionElement[Any]):
    """A text that sorts as the version does that a text begins with; NULL: it begins with none."""

    type = Text()
    inherit_cache = True


def _numbers(text: str) -> str:
    """A row with p, the numbers that a version begins with."""
    return (
        "(SELECT substr(t, 1, length(t) - length(ltrim(t, '0123456789.'))) AS p "  # noqa: S608
        f"FROM (SELECT ltrim({text}, 'vV ') AS t) AS given) AS version"
    )


_IS_VERSION = "p <> '' AND substr(p, 1, 1) <> '.' AND length(p) <= 24"


@compiles(version_key_of, "postgresql")
def _version_key_of_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    key = " || ".join(f"lpad(split_part(p, '.', {place}), 24, '0')" for place in (1, 2, 3, 4))
    return f"(SELECT CASE WHEN {_IS_VERSION} THEN {key} END FROM {_numbers(text)})"  # noqa: S608


@compiles(version_key_of, "sqlite")
def _version_key_of_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    listed = "'[\"' || replace(p, '.', '\",\"') || '\"]'"
    key = " || ".join(
        f"substr('{_ZEROS}' || coalesce(json_extract({listed}, '$[{place}]'), ''), -24)"
        for place in range(4)
    )
    return f"(SELECT CASE WHEN {_IS_VERSION} THEN {key} END FROM {_numbers(text)})"  # noqa: S608


class plain_locale_of(FunctionElement[Any]):
    """A locale in small letters (of A to Z alone), its parts divided by hyphens."""

    type = Text()
    inherit_cache = True


@compiles(plain_locale_of, "postgresql")
def _plain_locale_of_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return f"translate({text}, '{letters}_.@', '{letters.lower()}---')"


@compiles(plain_locale_of, "sqlite")
def _plain_locale_of_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"lower(replace(replace(replace({text}, '_', '-'), '.', '-'), '@', '-'))"


class last_digits_of(FunctionElement[Any]):
    """The last seven hexadecimal digits of an id, as a number."""

    type = BigInteger()
    inherit_cache = True


@compiles(last_digits_of, "postgresql")
def _last_digits_of_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    row_id = compiler.process(element.clauses, **kw)
    return f"CAST(CAST('x0' || right(CAST({row_id} AS text), 7) AS bit(32)) AS bigint)"


@compiles(last_digits_of, "sqlite")
def _last_digits_of_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    row_id = compiler.process(element.clauses, **kw)
    digits = [
        f"((instr('0123456789ABCDEF', substr(hex({row_id}), {26 + place}, 1)) - 1) << "
        f"{4 * (6 - place)})"
        for place in range(7)
    ]
    return f"({' + '.join(digits)})"
