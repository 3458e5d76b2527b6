"""When an event happened, and which of two events came first. Pure.

Three times answer three questions:

- `at`: when did it happen, by the server's clock? The app's time, corrected by how wrong its clock
  seems to be (Segment's formula). Shown to people, and what freshness is counted from.
- `clock_at`: when did it happen, by the clock of whoever sent it? Never corrected, so the events of
  one installation keep their order, however they were cut into calls and however long those took:
  `sentAt` may be hours before the upload (some SDKs write it when they close a file), and then
  the formula takes the upload for an error of the clock.
- `order_at`: of two events, which is the later one, whoever sent them? `clock_at` where that clock
  can be right, `at` where it is plainly wrong.

Events of one call that say the same time, or none, are told apart by their place in the call: each
counts one microsecond after the one before it.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

FUTURE_SECONDS_MAX = 60
"""A time further ahead of its arrival than this is taken for a wrong clock."""
FIRST_YEAR = 1971
"""An earlier time is a clock that was never set."""
LATE_MAX = timedelta(days=7)
"""A call sent longer ago than this, by its own word, comes from a clock that is behind; a shorter
time may have been the upload."""
AHEAD_MIN = 60_000_000
"""µs; a clock that is ahead by less is taken for right."""
DELAY_MAX = 7 * 24 * 3_600_000_000
"""µs; a clock that was once ahead by more, and now says a time that would mean so long a delay, has
been put right."""
BUDDHIST_YEARS = range(2500, 2700)
BUDDHIST_YEARS_AHEAD = 543
"""Phones set to Thai count the years of the Buddhist calendar."""

_MICROSECOND = timedelta(microseconds=1)
_MOMENT = timedelta(seconds=1)
_FUTURE_MAX = timedelta(seconds=FUTURE_SECONDS_MAX)
_HALF_DAY = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<rest>(?::\d\d(?:\.\d+)?)?)"
    r"\s*(?P<half>[^\d\s:+.-][^\d:+-]*?)\s*(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_MORNING = frozenset({"am", "a", "ص", "ق.ظ", "上午", "午前", "오전", "πμ", "öö"})
_EVENING = frozenset({"pm", "p", "م", "ب.ظ", "下午", "午後", "오후", "μμ", "ös"})


class Times(NamedTuple):
    """`clock_at`, `order_at` and `at` of one event. `clock_at` is None where the event tells no
    time; `order_at` is None where it is `clock_at`, or `at` where there is none."""

    at: datetime
    clock_at: datetime | None
    order_at: datetime | None


class EventTimes(NamedTuple):
    """One event of a call as far as its order matters. `group` tells installations apart."""

    group: str | None
    times: Times


def parse_time(value: Any) -> datetime | None:
    """An ISO 8601 time, or milliseconds since 1970, as aware UTC; None if it is neither.

    Reads what phones print that are set to another language, too: digits of other scripts, the
    twelve hours of AM and PM (`2026-03-01T3:33:07 PMZ`), years of the Buddhist calendar.
    """
    if value is None:
        return None
    try:
        if type(value) is str:
            try:
                at = datetime.fromisoformat(value.strip())
            except ValueError:
                at = datetime.fromisoformat(_plain(value))
            if at.year in BUDDHIST_YEARS:
                at = datetime.fromisoformat(_plain(value))
            if at.tzinfo is UTC:
                return at
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if type(value) in (int, float) and value > 100_000_000_000:
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def corrected(
    original: datetime | None, sent_at: datetime | None, received_at: datetime
) -> datetime:
    """receivedAt - (sentAt - original).

    receivedAt where the app gives no time or one that can not be; uncorrected where `sent_at` is
    unknown or before it. Years ago is possible (an import), more than a moment ahead is not.
    """
    if original is None:
        return received_at
    try:
        if sent_at is not None and sent_at >= original - _MOMENT:
            original = received_at - (sent_at - original)
    except OverflowError:
        return received_at
    return (
        received_at
        if original > received_at + _FUTURE_MAX or original.year < FIRST_YEAR
        else original
    )


def times_of(
    original: datetime | None,
    given: datetime | None,
    sent_at: datetime | None,
    received_at: datetime,
) -> Times:
    """The times of one event. `original` is what the installation's clock said; `given`, where both
    are told, has been corrected already by whoever handed the event on."""
    clock_at = original or given
    if original is None or given is None:
        at = corrected(clock_at, sent_at, received_at)
    else:
        at = corrected(given, None, received_at)
    if clock_at is None:
        return Times(at, None, None)
    return Times(at, clock_at, None if _can_be_right(clock_at, sent_at, received_at) else at)


def in_order(events: Sequence[EventTimes], first_place: int = 0) -> list[Times]:
    """The times of a call's events, told apart by their place where they are the same.

    An event that tells no time counts with the one before it in the call that is of the same
    installation and does; or else, with the one after it. `first_place`: how many events of the
    call stand before these.
    """
    bases = _with_neighbours(events)
    clocks: dict[datetime, int] = defaultdict(lambda: first_place)
    orders: dict[datetime, int] = defaultdict(lambda: first_place)
    times = [event.times for event in events]
    by_clock = sorted(range(len(bases)), key=lambda place: _clock_key(bases[place], place))
    latest: datetime | None = None
    for place in by_clock:
        at, clock_at, order_at = bases[place]
        order = order_at or clock_at or at
        later = _later(order, orders[order])
        orders[order] += 1
        clock = None
        if clock_at is not None:
            clock = _later(clock_at, clocks[clock_at])
            clocks[clock_at] += 1
            if latest is not None and clock <= latest:  # clocks that count microseconds
                clock = _later(latest, 1)
            latest = clock
        times[place] = Times(
            times[place].at, clock, None if later == (clock or times[place].at) else later
        )
    return times


def _with_neighbours(events: Sequence[EventTimes]) -> list[Times]:
    bases = [event.times for event in events]
    for places in (range(len(events)), reversed(range(len(events)))):
        last: dict[str | None, Times] = {}
        for place in places:
            group = events[place].group
            if bases[place].clock_at is not None:
                last[group] = bases[place]
            elif group in last:
                bases[place] = last[group]
    return bases


def _clock_key(times: Times, place: int) -> tuple[datetime, int]:
    return times.clock_at or times.at, place


def _later(at: datetime, count: int) -> datetime:
    try:
        return at + count * _MICROSECOND
    except OverflowError:
        return at


def _can_be_right(clock_at: datetime, sent_at: datetime | None, received_at: datetime) -> bool:
    if clock_at > received_at + _FUTURE_MAX or clock_at.year < FIRST_YEAR:
        return False
    return sent_at is None or received_at - sent_at <= LATE_MAX


def _plain(text: str) -> str:
    """A time as ISO 8601 writes it, from digits of any script, the hours of AM and PM, and years of
    the Buddhist calendar."""
    plain = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in unicodedata.normalize("NFKC", text).strip()
        if unicodedata.category(character) != "Cf"
    )
    if plain[:4].isdigit() and int(plain[:4]) in BUDDHIST_YEARS:
        plain = f"{int(plain[:4]) - BUDDHIST_YEARS_AHEAD}{plain[4:]}"
    match = _HALF_DAY.fullmatch(plain)
    if match is None:
        return plain
    half = match["half"].strip().casefold().replace(". ", ".").strip(".")
    word = half.replace(".", "") if half.isascii() else half
    hour = int(match["hour"])
    is_evening = word in _EVENING
    if not is_evening and word not in _MORNING:
        return plain
    # A phone may print 24 hours and the word: then the hours say it, and the word adds nothing.
    if 1 <= hour <= 12:
        hour = hour % 12 + (12 if is_evening else 0)
    return f"{match['date']}T{hour:02}:{match['minute']}{match['rest']}{match['zone'] or ''}"
