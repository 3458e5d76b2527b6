"""A month as a table of weeks, with what happens on each day. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from babel import Locale
from babel.dates import format_date, format_skeleton, get_day_names

from clarion.campaigns.timing.calendar import CalendarEntry
from clarion.time_zone import instant_at
from clarion.web.console.when import Place

YEARS_AHEAD = 2
FIRST_YEAR = 2000
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    """One day; `entries` in their order."""

    date: date
    is_of_month: bool
    label: str
    """Such as "Tuesday, 3 March"."""
    entries: list[CalendarEntry]


@dataclass(frozen=True, slots=True)
class Month:
    """A month and the days around it that fill its weeks, in a person's zone and locale."""

    title: str
    day_names: list[str]
    weeks: list[list[Day]]
    before: str
    """As it stands in the URL: 2026-02."""
    after: str | None
    """None: no launch can be so far ahead."""


def first_day(text: str, today: date) -> date:
    """Of the month in the URL; what is none, or lies too far away, is this month."""
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    is_near = FIRST_YEAR <= day.year <= today.year + YEARS_AHEAD
    return day if is_near else today.replace(day=1)


def bounds(first: date, locale: Locale, zone: str) -> tuple[datetime, datetime]:
    """From when until before when the weeks of a month are."""
    begin, end = _first_shown(first, locale), _next(first)
    while end.weekday() != locale.first_week_day:
        end += timedelta(days=1)
    return (
        instant_at(datetime.combine(begin, time()), zone),
        instant_at(datetime.combine(end, time()), zone),
    )


def month_of(first: date, entries: Iterable[CalendarEntry], place: Place, today: date) -> Month:
    """The month that begins with `first`."""
    by_day: dict[date, list[CalendarEntry]] = defaultdict(list)
    for entry in entries:
        by_day[entry.at.astimezone(place.zone).date()].append(entry)
    day, following = _first_shown(first, place.locale), _next(first)
    weeks: list[list[Day]] = []
    while day < following:
        week = [day + timedelta(days=number) for number in range(WEEK_DAYS)]
        weeks.append(
            [
                Day(
                    date=each,
                    is_of_month=each.month == first.month,
                    label=format_date(each, "full", locale=place.locale),
                    entries=by_day.get(each, []),
                )
                for each in week
            ]
        )
        day += timedelta(days=WEEK_DAYS)
    names = get_day_names("abbreviated", locale=place.locale)
    start = place.locale.first_week_day
    is_last = (following.year, following.month) > (today.year + YEARS_AHEAD, 12)
    return Month(
        title=format_skeleton("yMMMM", first, locale=place.locale),
        day_names=[names[(start + number) % WEEK_DAYS] for number in range(WEEK_DAYS)],
        weeks=weeks,
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=None if is_last else f"{following:%Y-%m}",
    )


def _first_shown(first: date, locale: Locale) -> date:
    return first - timedelta(days=(first.weekday() - locale.first_week_day) % WEEK_DAYS)


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
