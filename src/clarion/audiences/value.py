"""How a value of a trait, a property or a device's fact is read to be compared. Pure.

A trait is whatever JSON an app has sent: "30" and 30 are both an age, and dates come as text or as
seconds. `condition_query.py` reads the same values in SQL with the functions of
`storage/dialect.py`; a contract test holds the two readings equal.

    number    30, "30", "-1.50"; no more than 16 characters where it is a text
    date      "2027-03-28", "2027-03-28T09:30:00+02:00", and numbers: seconds since 1970, or
              milliseconds from `MILLISECONDS_FROM` on
    version   "4.10.2": up to four numbers, compared one by one; what follows them does not count
"""

import calendar
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

NUMBER_CHARACTERS_MAX = 16
VERSION_PARTS = 4
VERSION_PART_DIGITS = 24
"""As wide as each number of a version is written to be compared as text."""
MILLISECONDS_FROM = 100_000_000_000
"""From here on a number is a time in milliseconds. In seconds this is the year 5138."""
EPOCH_MAX = 100_000_000_000_000
"""A number beyond it is no time."""
DAY_SECONDS = 86_400

Scalar = str | int | float | bool | None
Path = tuple[str, ...]
"""Names of members, from the outermost object inwards."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:[0-5][0-9])?)?"
)


class Clock(StrEnum):
    """By which clock a written date is meant."""

    DAY = "day"
    """A date without a time: all of that day, wherever the person is."""
    LOCAL = "local"
    """A time without an offset: as a clock on the wall shows it."""
    INSTANT = "instant"
    """A time with its offset, or a number."""


class Written(NamedTuple):
    """A date as it is written: seconds since 1970, of a DAY and LOCAL as if in UTC. Fractions of a
    second do not count."""

    clock: Clock
    seconds: int


def member(value: Any, path: Path) -> Any:
    """What stands at `path` in an object; None: nothing, or null."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_of(value: Any) -> int | float | None:
    """A number, or a text that is one in full."""
    if is_number(value):
        return value  # type: ignore[no-any-return]
    if not isinstance(value, str) or len(value) > NUMBER_CHARACTERS_MAX:
        return None
    if _NUMBER.fullmatch(value) is None:
        return None
    return float(value) if "." in value else int(value)


def written_of(value: Any) -> Written | None:
    """A date, if `value` is one. Days that no calendar has are none."""
    if is_number(value):
        if abs(value) > EPOCH_MAX:
            return None
        whole = math.floor(value)
        seconds = whole // 1000 if abs(whole) >= MILLISECONDS_FROM else whole
        return Written(Clock.INSTANT, seconds)
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not (year and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        return None
    seconds = (date(year, month, day).toordinal() - _EPOCH_DAY) * DAY_SECONDS
    if match[4] is None:
        return Written(Clock.DAY, seconds)
    seconds += int(match[4]) * 3600 + int(match[5]) * 60 + int(match[6] or 0)
    offset = match[7]
    if offset is None:
        return Written(Clock.LOCAL, seconds)
    if offset != "Z":
        ahead = int(offset[1:3]) * 3600 + int(offset[4:6]) * 60
        seconds -= ahead if offset[0] == "+" else -ahead
    return Written(Clock.INSTANT, seconds)


def month_day_of(value: Any) -> str | None:
    """`MM-DD` of a date that is written as text, as it stands there."""
    return value[5:10] if isinstance(value, str) and written_of(value) is not None else None


def version_key(value: Any) -> str | None:
    """A text that sorts as the version does; None: it does not begin with a number."""
    if not isinstance(value, str):
        return None
    text = value.lstrip("vV ")
    numbers = text[: len(text) - len(text.lstrip("0123456789."))]
    if not numbers or numbers[0] == "." or len(numbers) > VERSION_PART_DIGITS:
        return None
    parts = [*numbers.split("."), *[""] * VERSION_PARTS][:VERSION_PARTS]
    return "".join(part.rjust(VERSION_PART_DIGITS, "0") for part in parts)


def wall_seconds(at: datetime) -> int:
    """What a clock on the wall shows at `at`, in its zone: seconds since 1970 as if in UTC."""
    return math.floor(at.replace(tzinfo=UTC).timestamp())


_EPOCH_DAY = date(1970, 1, 1).toordinal()
