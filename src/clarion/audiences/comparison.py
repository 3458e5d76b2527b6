"""What is asked of one value: `{"test": "more_than", "value": 100}`. Pure.

The same tests serve traits, properties of events and facts of devices. A value that a test can not
read, such as a text where a number is asked for, does not pass it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from clarion.audiences.value import (
    DAY_SECONDS,
    Clock,
    Scalar,
    Written,
    is_number,
    member,
    month_day_of,
    number_of,
    version_key,
    wall_seconds,
    written_of,
)

YEARS = range(1800, 3000)
"""Those that rules may name."""

Range = tuple[int | None, int | None]
"""Seconds: from, up to but not including; None: open."""


class Operator(StrEnum):
    """How a value is compared."""

    EQUALS = "equals"
    """As JSON has it: the text "30" is not the number 30."""
    ONE_OF = "one_of"
    CONTAINS = "contains"
    """A text holds this text, a list this element. Letters count as they are, large or small."""
    BEGINS_WITH = "begins_with"
    LESS_THAN = "less_than"
    AT_MOST = "at_most"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    BETWEEN = "between"
    """Both ends included."""
    BEFORE = "before"
    AFTER = "after"
    IN_LAST_DAYS = "in_last_days"
    IN_NEXT_DAYS = "in_next_days"
    ANNIVERSARY = "anniversary"
    """Day and month are today's; 29 February is kept on the 28th where there is no 29th."""
    MISSING = "missing"
    """Not there, or null."""
    PRESENT = "present"


ORDERED = (
    Operator.LESS_THAN,
    Operator.AT_MOST,
    Operator.MORE_THAN,
    Operator.AT_LEAST,
    Operator.BETWEEN,
)
DATED = (Operator.BEFORE, Operator.AFTER, Operator.IN_LAST_DAYS, Operator.IN_NEXT_DAYS)
BARE = (Operator.ANNIVERSARY, Operator.MISSING, Operator.PRESENT)
"""They take no value."""


class Comparison(Struct, frozen=True, kw_only=True):
    """One test of one value. `value`: what is compared with, a tuple for one_of and between, None
    where the test takes none. `zone`: of dates that are written without an offset, and of today."""

    operator: Operator
    value: Any = None
    zone: str = "UTC"

    def dump(self) -> dict[str, Any]:
        """Its saved form, beside the name of what is compared."""
        wire: dict[str, Any] = {"test": self.operator.value}
        if self.operator not in BARE:
            wire["value"] = list(self.value) if isinstance(self.value, tuple) else self.value
        if self.zone != "UTC":
            wire["zone"] = self.zone
        return wire


class Bounds(NamedTuple):
    """Where a date has to lie, by each clock it may be written by."""

    day: Range
    local: Range
    instant: Range


def holds(comparison: Comparison, known: Any, now: datetime) -> bool:
    """Whether `known`, a value as an app sent it (None: it sent none), passes the test at `now`."""
    wanted = comparison.value
    match comparison.operator:
        case Operator.MISSING:
            return known is None
        case Operator.PRESENT:
            return known is not None
        case Operator.EQUALS:
            return equal(known, wanted)
        case Operator.ONE_OF:
            return any(equal(known, value) for value in wanted)
        case Operator.CONTAINS:
            if isinstance(known, str):
                return isinstance(wanted, str) and wanted in known
            return isinstance(known, list) and any(equal(value, wanted) for value in known)
        case Operator.BEGINS_WITH:
            return isinstance(known, str) and known.startswith(wanted)
        case (
            Operator.LESS_THAN
            | Operator.AT_MOST
            | Operator.MORE_THAN
            | Operator.AT_LEAST
            | Operator.BETWEEN
        ):
            return in_order(comparison.operator, number_of(known), wanted)
        case Operator.ANNIVERSARY:
            return month_day_of(known) in todays(now, comparison.zone)
        case Operator.BEFORE | Operator.AFTER | Operator.IN_LAST_DAYS | Operator.IN_NEXT_DAYS:
            written = written_of(known)
            return written is not None and _lies_in(bounds_of(comparison, now), written)
        case _:
            return in_order(comparison.operator, number_of(known), wanted)


def version_holds(comparison: Comparison, known: Any) -> bool:
    """The same of a version, which is compared number by number."""
    key, wanted = version_key(known), comparison.value
    match comparison.operator:
        case Operator.MISSING:
            return known is None
        case Operator.PRESENT:
            return known is not None
        case Operator.EQUALS:
            return key is not None and key == version_key(wanted)
        case Operator.ONE_OF:
            return key is not None and key in {version_key(value) for value in wanted}
        case Operator.BETWEEN:
            return in_order(Operator.BETWEEN, key, tuple(version_key(value) for value in wanted))
        case _:
            return in_order(comparison.operator, key, version_key(wanted))


def in_order(operator: Operator, known: Any, wanted: Any) -> bool:
    """Whether `known` lies as one of the tests in `ORDERED` asks. None lies nowhere."""
    if known is None:
        return False
    match operator:
        case Operator.LESS_THAN:
            return bool(known < wanted)
        case Operator.AT_MOST:
            return bool(known <= wanted)
        case Operator.MORE_THAN:
            return bool(known > wanted)
        case Operator.AT_LEAST:
            return bool(known >= wanted)
        case _:
            return bool(wanted[0] <= known <= wanted[1])


def equal(known: Any, wanted: Scalar) -> bool:
    """Equal as JSON is: true is no number, 1 is 1.0, and a null is as good as nothing."""
    if isinstance(known, bool) or isinstance(wanted, bool) or known is None or wanted is None:
        return known is wanted
    return bool(known == wanted)


def bounds_of(comparison: Comparison, now: datetime) -> Bounds:
    """Where the dates lie that pass one of the tests in `DATED` at `now`."""
    zone = ZoneInfo(comparison.zone)
    if comparison.operator in (Operator.BEFORE, Operator.AFTER):
        written = written_of(comparison.value)
        assert written is not None, "only a date is saved"
        wall, instant = _both_clocks(written, zone)
        if comparison.operator is Operator.BEFORE:
            return Bounds((None, wall), (None, wall), (None, instant))
        return Bounds((wall + 1, None), (wall + 1, None), (instant + 1, None))
    instant, wall = int(now.timestamp()), wall_seconds(now.astimezone(zone))
    today = wall - wall % DAY_SECONDS
    days = comparison.value * DAY_SECONDS
    # The present second is in both: what has just happened, and what is about to.
    back, ahead = (days, 0) if comparison.operator is Operator.IN_LAST_DAYS else (0, days)
    return Bounds(
        (today - back, today + ahead + 1),
        (wall - back, wall + ahead + 1),
        (instant - back, instant + ahead + 1),
    )


def instant_of(text: str, zone: str) -> datetime:
    """The instant that a written date begins at; without an offset, in `zone`."""
    written = written_of(text)
    assert written is not None, "only a date is saved"
    return datetime.fromtimestamp(_both_clocks(written, ZoneInfo(zone))[1], UTC)


def todays(now: datetime, zone: str) -> Sequence[str]:
    """The days, as `MM-DD`, whose anniversary is today."""
    today = now.astimezone(ZoneInfo(zone))
    days = [f"{today:%m-%d}"]
    if days == ["02-28"] and f"{today + timedelta(days=1):%m-%d}" != "02-29":
        days.append("02-29")
    return days


def property_holds(
    comparison: Comparison, known: Mapping[str, Any], path: tuple[str, ...], now: datetime
) -> bool:
    """`holds` of what stands at `path` in an object."""
    return holds(comparison, member(known, path), now)


def is_date(value: Any) -> bool:
    """Whether it can be compared with: a text that is a date of a year in YEARS."""
    written = written_of(value) if isinstance(value, str) else None
    return written is not None and int(value[:4]) in YEARS


def is_amount(value: Any, most: int) -> bool:
    """Whether it is a number that both databases and JSON hold exactly."""
    return is_number(value) and abs(value) <= most


def _both_clocks(written: Written, zone: ZoneInfo) -> tuple[int, int]:
    """(what the wall shows in the zone, the instant), in seconds. A time that the wall shows twice
    is the first of them; one that it never shows is as long after midnight as it says."""
    if written.clock is Clock.INSTANT:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=written.seconds)
        return wall_seconds(at.astimezone(zone)), written.seconds
    wall = datetime(1970, 1, 1) + timedelta(seconds=written.seconds)
    return written.seconds, int(wall.replace(tzinfo=zone).timestamp())


def _lies_in(bounds: Bounds, written: Written) -> bool:
    least, end = getattr(bounds, written.clock.value)
    return (least is None or least <= written.seconds) and (end is None or written.seconds < end)
