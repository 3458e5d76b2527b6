"""A month, or one week, as a table of weeks, with what happens on each day. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, get_day_names

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
class Period:
    """A month and the days around it that fill its weeks, or one week, in a person's zone and
    locale."""

    title: str
    day_names: list[str]
    weeks: list[list[Day]]
    before: str
    """As it stands in the URL: 2026-02, or the first day of a week."""
    after: str | None
    """None: no launch can be so far ahead."""
    is_now: bool
    """Whether today is in it."""
    week: str
    month: str
    """For the other view, in the URL: the week, or the month, that shows the same days."""


def first_of_week(text: str, today: date, locale: Locale) -> date:
    """Of the week in the URL, which is named by any of its days; what is none, or lies too far
    away, is this week."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    is_near = FIRST_YEAR <= day.year <= today.year + YEARS_AHEAD
    return _first_shown(day if is_near else today, locale)


def week_bounds(first: date, zone: str) -> tuple[datetime, datetime]:
    """From when until before when the week is that begins with `first`."""
    return _instants(first, first + timedelta(days=WEEK_DAYS), zone)


def week_of(first: date, entries: Iterable[CalendarEntry], place: Place, today: date) -> Period:
    """The week that begins with `first`."""
    following = first + timedelta(days=WEEK_DAYS)
    last = following - timedelta(days=1)
    middle = first + timedelta(days=WEEK_DAYS // 2)
    return Period(
        title=format_interval(first, last, "yMMMd", locale=place.locale),
        day_names=_day_names(place.locale),
        weeks=[_week(first, _by_day(entries, place), place.locale, month=None)],
        before=(first - timedelta(days=WEEK_DAYS)).isoformat(),
        after=None if following.year > today.year + YEARS_AHEAD else following.isoformat(),
        is_now=first <= today < following,
        week=first.isoformat(),
        month=f"{middle:%Y-%m}",
    )


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
    return _instants(begin, end, zone)


def month_of(first: date, entries: Iterable[CalendarEntry], place: Place, today: date) -> Period:
    """The month that begins with `first`."""
    by_day = _by_day(entries, place)
    day, following = _first_shown(first, place.locale), _next(first)
    weeks: list[list[Day]] = []
    while day < following:
        weeks.append(_week(day, by_day, place.locale, month=first.month))
        day += timedelta(days=WEEK_DAYS)
    is_last = (following.year, following.month) > (today.year + YEARS_AHEAD, 12)
    is_now = first == today.replace(day=1)
    return Period(
        title=format_skeleton("yMMMM", first, locale=place.locale),
        day_names=_day_names(place.locale),
        weeks=weeks,
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=None if is_last else f"{following:%Y-%m}",
        is_now=is_now,
        week=(today if is_now else first).isoformat(),
        month=f"{first:%Y-%m}",
    )


def _week(
    first: date, by_day: Mapping[date, list[CalendarEntry]], locale: Locale, *, month: int | None
) -> list[Day]:
    """`month`: of which its days are; None: all are."""
    days = [first + timedelta(days=number) for number in range(WEEK_DAYS)]
    return [
        Day(
            date=day,
            is_of_month=month is None or day.month == month,
            label=format_date(day, "full", locale=locale),
            entries=by_day.get(day, []),
        )
        for day in days
    ]


def _by_day(entries: Iterable[CalendarEntry], place: Place) -> Mapping[date, list[CalendarEntry]]:
    by_day: dict[date, list[CalendarEntry]] = defaultdict(list)
    for entry in entries:
        by_day[entry.at.astimezone(place.zone).date()].append(entry)
    return by_day


def _day_names(locale: Locale) -> list[str]:
    names = get_day_names("abbreviated", locale=locale)
    return [names[(locale.first_week_day + number) % WEEK_DAYS] for number in range(WEEK_DAYS)]


def _instants(begin: date, end: date, zone: str) -> tuple[datetime, datetime]:
    return (
        instant_at(datetime.combine(begin, time()), zone),
        instant_at(datetime.combine(end, time()), zone),
    )


def _first_shown(first: date, locale: Locale) -> date:
    return first - timedelta(days=(first.weekday() - locale.first_week_day) % WEEK_DAYS)


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
