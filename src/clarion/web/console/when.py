"""Instants as a person reads them: in their time zone, which is always named. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from markupsafe import Markup

ZONE_DEFAULT = "UTC"
LOCALE_DEFAULT = Locale("en", "GB")
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
_UNITS = ((3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Place:
    """How a person reads times and numbers."""

    zone: ZoneInfo
    locale: Locale


@cache
def zones() -> frozenset[str]:
    """The names of all time zones: read once, since that looks through a directory."""
    return frozenset(available_timezones())


def read_zone(name: str | None) -> ZoneInfo:
    """The zone of that name; where there is none such, UTC."""
    return ZoneInfo(name if name in zones() else ZONE_DEFAULT)


def read_locale(tag: str) -> Locale | None:
    """The locale of a tag such as de-AT; None: it is none."""
    try:
        return Locale.parse(tag.strip().replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None


def locale_among(tags: Sequence[str]) -> Locale:
    """The first that there is."""
    known = (read_locale(tag) for tag in tags if tag.strip())
    return next((locale for locale in known if locale is not None), LOCALE_DEFAULT)


def when(at: datetime | None, place: Place, *, seconds: bool = False) -> Markup:
    """Date, time and zone; "–" for none. The only way in which the console prints an instant."""
    if at is None:
        return Markup("–")
    here = at.astimezone(place.zone)
    day = format_skeleton("yMMMd", here, locale=place.locale)
    text = f"{day}, {_clock(here, place, seconds=seconds)} {zone_name(at, place)}"
    exact = at.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(exact, text)


def when_near(at: datetime | None, place: Place, now: datetime) -> Markup:
    """The same, and beside it how far it is from `now` where that is less than a day."""
    if at is None or abs(at - now) >= DAY:
        return when(at, place)
    if abs(at - now) < SECOND:
        words = "just now"
    else:
        words = f"in {length(at - now)}" if at > now else f"{length(now - at)} ago"
    return when(at, place) + Markup(' <span class="quiet">({})</span>').format(words)


def day(at: datetime, place: Place) -> str:
    """The date alone, with its weekday."""
    return format_date(at.astimezone(place.zone), "full", locale=place.locale)


def clock(at: datetime, place: Place, *, seconds: bool = True) -> str:
    """The time of day alone, beside a date that is said."""
    return _clock(at.astimezone(place.zone), place, seconds=seconds)


def zone_name(at: datetime, place: Place) -> str:
    """What the zone is called at that time: CET, UTC, or +03 where it has no name."""
    return at.astimezone(place.zone).tzname() or place.zone.key


def length(span: timedelta) -> str:
    """A span of time in its largest unit, rounded down: 3 h, 12 min, 5 s; whole days from two
    on."""
    seconds = max(0, int(span.total_seconds()))
    if seconds >= 2 * 86_400:
        return f"{seconds // 86_400} days"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "0 s"


def as_field(at: datetime, place: Place) -> str:
    """For an input of the type datetime-local, in the person's zone."""
    return at.astimezone(place.zone).strftime("%Y-%m-%dT%H:%M")


def from_field(text: str, place: Place) -> datetime | None:
    """What such an input holds; None: it can not be read."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=place.zone)
    except ValueError:
        return None


def _clock(here: datetime, place: Place, *, seconds: bool) -> str:
    return format_time(here, "medium" if seconds else "short", locale=place.locale)
