"""Reads the tests of a rule from its saved form: `test`, `value` and `zone`. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from clarion import time_zone
from clarion.audiences.comparison import (
    BARE,
    DATED,
    ORDERED,
    YEARS,
    Comparison,
    Operator,
    is_amount,
    is_date,
)
from clarion.audiences.value import Path, written_of
from clarion.faults import Fault
from clarion.impossible_date import why_impossible
from clarion.text import is_storable

TEXT_CHARACTERS_MAX = 1_000
"""Of a trait's name and of its value."""
INTEGER_MAX = 2**53
"""Beyond it JSON's numbers are not the same everywhere."""
VALUES_MAX = 500
"""Of one_of."""
PATH_MAX = 8
DAYS_MAX = 3_650

Faults = list[Fault]
"""What is wrong, in the order of the input. Readers add to it."""

_BESIDE = ("test", "value", "zone")


def read_comparison(
    wire: Mapping[str, Any],
    field: str,
    faults: Faults,
    *,
    operators: Sequence[Operator] = tuple(Operator),
    beside: tuple[str, ...] | None = None,
) -> Comparison | None:
    """The comparison in `wire`; None: it can not be, and `faults` says why. `operators`: those that
    may be used. `beside`: the names that `wire` may have besides; None: who calls has checked."""
    before = len(faults)
    if beside is not None:
        allowed = (*beside, *_BESIDE)
        for name in wire:
            if name not in allowed:
                message = f"is unknown; use {', '.join(allowed)}"
                faults.append(Fault(field=f"{field}.{name}", message=message))
    known = [operator.value for operator in operators]
    if wire.get("test") not in known:
        message = "must be one of: " + ", ".join(known)
        faults.append(Fault(field=f"{field}.test", message=message))
        return None
    operator = Operator(wire["test"])
    zone = read_zone(wire, field, faults)
    if zone != "UTC" and operator not in (*DATED, Operator.ANNIVERSARY):
        message = "goes with tests of dates alone"
        faults.append(Fault(field=f"{field}.zone", message=message))
    if operator in BARE:
        if wire.get("value") is not None:
            message = f"is not for the test {operator.value}: leave it out"
            faults.append(Fault(field=f"{field}.value", message=message))
        value: Any = None
    else:
        value = wire.get("value")
        wrong = _wrong(operator, value)
        if wrong is not None:
            faults.append(Fault(field=f"{field}.value", message=wrong))
        if isinstance(value, list):
            value = tuple(value)
    if len(faults) > before:
        return None
    return Comparison(operator=operator, value=value, zone=zone)


def read_path(wire: Any, field: str, faults: Faults) -> Path | None:
    """A dotted path, or a list of names of which each may hold a dot."""
    names = wire.split(".") if isinstance(wire, str) else wire
    if (
        not isinstance(names, list)
        or not 0 < len(names) <= PATH_MAX
        or not all(isinstance(name, str) and wrong_scalar(name) is None for name in names)
    ):
        message = (
            f"must be a name, or a path of at most {PATH_MAX} names such as address.city; names "
            'with a dot go into a list: ["address.city"]'
        )
        faults.append(Fault(field=field, message=message))
        return None
    return tuple(names)


def read_zone(wire: Mapping[str, Any], field: str, faults: Faults) -> str:
    """The name of a time zone in `wire`, or else UTC."""
    zone = time_zone.read_zone(wire.get("zone", time_zone.DEFAULT), f"{field}.zone")
    if isinstance(zone, Fault):
        faults.append(zone)
        return time_zone.DEFAULT
    return zone


def wrong_scalar(value: Any) -> str | None:
    """Why a value can not be compared with; None: it can."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > TEXT_CHARACTERS_MAX:
            return f"has {len(value)} characters; the limit is {TEXT_CHARACTERS_MAX}"
        if not is_storable(value):
            return "holds a character that no trait can hold: a NUL, or half of a pair"
        return None
    if not isinstance(value, int | float):
        return "must be a text, a number, true, false or null"
    if not math.isfinite(value) or (isinstance(value, int) and abs(value) > INTEGER_MAX):
        return f"must be a number that JSON holds exactly, up to {INTEGER_MAX}; or use a text"
    return None


def wrong_date(value: Any) -> str | None:
    """Why a value is no date that can be compared with; None: it is one."""
    if is_date(value):
        return None
    if isinstance(value, str) and written_of(value) is not None:
        return f"must be in a year from {YEARS[0]} to {YEARS[-1]}"
    example = 'must be a date or a time, such as "2027-03-28" or "2027-03-28T09:00:00Z"'
    return why_impossible(value) or example


def is_text(value: Any, most: int) -> bool:
    """Whether it is a text that can be stored, of 1 to `most` characters."""
    return isinstance(value, str) and 0 < len(value) <= most and is_storable(value)


def _wrong(operator: Operator, value: Any) -> str | None:
    """Why the operator can not be used with this value."""
    if operator is Operator.ONE_OF:
        if not isinstance(value, list) or not 0 < len(value) <= VALUES_MAX:
            return f"must be a list of 1 to {VALUES_MAX} values; upload longer ones as a list"
        wrongs = [_wrong_value(item) for item in value]
        return next((wrong for wrong in wrongs if wrong is not None), None)
    if operator in (Operator.EQUALS, Operator.CONTAINS):
        return _wrong_value(value)
    if operator is Operator.BEGINS_WITH:
        is_wrong = not isinstance(value, str) or not value
        return "must be a text of at least 1 character" if is_wrong else wrong_scalar(value)
    if operator is Operator.BETWEEN:
        if not isinstance(value, list) or len(value) != 2 or not all(map(_is_amount, value)):
            return "must be a list of two numbers, such as [18, 30]"
        return None if value[0] <= value[1] else "must have the smaller number first"
    if operator in ORDERED:
        return None if _is_amount(value) else f"must be a number of at most {INTEGER_MAX}"
    if operator in (Operator.BEFORE, Operator.AFTER):
        return wrong_date(value)
    is_days = type(value) is int and 0 < value <= DAYS_MAX
    return None if is_days else f"must be whole days from 1 to {DAYS_MAX}"


def _wrong_value(value: Any) -> str | None:
    if value is None:
        return "must not be null: use the test missing"
    if isinstance(value, float) and abs(value) > INTEGER_MAX:
        return f"must be a number of at most {INTEGER_MAX}"
    return wrong_scalar(value)


def _is_amount(value: Any) -> bool:
    return is_amount(value, INTEGER_MAX)
