"""Calls that were turned away whole, of sources that are known all the same. Pure.

Nothing of such a call is kept, so no table tells of it: it is noted here, in memory, and written
down now and then (`rejected_call_log.py`). All are counted; and of those that are alike in source,
code and what they are about, one line tells what has come since the line before. A source has few
lines for each code, so that whoever floods it with such calls fills no table and hides little else.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from clarion.ingest_log.rejection import LABEL_CHARACTERS_MAX
from clarion.sources.auth_result import Place, RejectedCall
from clarion.sources.rate_limit import Bucket, Limit, draw
from clarion.text import is_storable

KIND = "turned_away"
"""Of what is counted of a source. label: the code; name: what it is about, or nothing."""

ABOUTS_MAX = 20
"""Told apart of a source and code in an hour (a process): callers choose their words."""
OTHER = "(other)"
MESSAGE_CHARACTERS_MAX = 300
LINES_AT_ONCE = 20
LINE_SECONDS = 600
"""Of a source and code (a process): so many lines at once, then one in so long a time."""
FORGOTTEN_SECONDS = 2 * LINE_SECONDS
PLACES_MAX = 10_000
"""Sources and codes whose lines and words a process remembers; then it begins anew."""

_LINES = Limit(events_per_second=1, burst=LINES_AT_ONCE)


class Count(NamedTuple):
    """Calls to be added to what is counted."""

    place: Place
    hour: datetime
    code: str
    about: str
    calls: int


class Line(NamedTuple):
    """What is told of calls that were alike."""

    place: Place
    code: str
    about: str
    why: str
    calls: int
    first_at: datetime
    last_at: datetime

    @property
    def message(self) -> str:
        if self.calls == 1:
            return self.why
        return f"{self.why} {self.calls:,} calls since {self.first_at:%H:%M:%S} UTC."


class News(NamedTuple):
    """What is to be written."""

    counts: Sequence[Count]
    lines: Sequence[Line]


class _Alike(Struct):
    why: str
    first_at: datetime
    last_at: datetime
    uncounted: int = 0
    untold: int = 0


class RejectedCallBuffer:
    """What there is to write of calls that were turned away."""

    def __init__(self) -> None:
        self._alike: dict[tuple[Place, str, str], _Alike] = {}
        self._buckets: dict[tuple[Place, str], Bucket] = {}
        self._abouts: dict[tuple[Place, str], set[str]] = {}
        self._abouts_hour: datetime | None = None
        self.has_news = False
        """Whether anything has come since `take`."""

    def __len__(self) -> int:
        """How many that are alike wait to be counted or told."""
        return len(self._alike)

    def note(self, place: Place, why: RejectedCall, at: datetime) -> None:
        """One call more."""
        key = (place, why.code, self._told_apart(place, why, at))
        one = self._alike.get(key)
        if one is None:
            one = self._alike[key] = _Alike(why="", first_at=at, last_at=at)
        elif not one.untold:
            one.first_at = at
        one.why = _storable(why.message, MESSAGE_CHARACTERS_MAX)
        one.last_at = at
        one.uncounted += 1
        one.untold += 1
        self.has_news = True

    def take(self, now: datetime) -> News:
        """What is to be written. What may not be told yet waits, and is told with what comes; after
        FORGOTTEN_SECONDS without any it is not told, but counted it was."""
        counts: list[Count] = []
        lines: list[Line] = []
        for (place, code, about), one in list(self._alike.items()):
            if one.uncounted:
                counts.append(Count(place, _hour_of(one.last_at), code, about, one.uncounted))
                one.uncounted = 0
                if self._may_tell(place, code, one.last_at):
                    lines.append(
                        Line(place, code, about, one.why, one.untold, one.first_at, one.last_at)
                    )
                    del self._alike[place, code, about]
            elif (now - one.last_at).total_seconds() > FORGOTTEN_SECONDS:
                del self._alike[place, code, about]
        self.has_news = False
        return News(counts, lines)

    def put_back(self, news: News) -> None:
        """It could not be written."""
        for line in news.lines:
            key = (line.place, line.code, line.about)
            one = self._alike.setdefault(key, _Alike(line.why, line.first_at, line.last_at))
            one.first_at = line.first_at
            one.untold += line.calls
            self._buckets.pop((line.place, line.code), None)
        for count in news.counts:
            self._alike[count.place, count.code, count.about].uncounted += count.calls
        self.has_news = True

    def _may_tell(self, place: Place, code: str, at: datetime) -> bool:
        if len(self._buckets) >= PLACES_MAX:
            self._buckets.clear()
        known = self._buckets.get((place, code))
        # On a clock whose second lasts as long as a line has to wait.
        drawn = draw(_LINES, known, 1, at.timestamp() / LINE_SECONDS)
        if isinstance(drawn, int):
            return False
        self._buckets[place, code] = drawn
        return True

    def _told_apart(self, place: Place, why: RejectedCall, at: datetime) -> str:
        if not why.about:
            return ""
        hour = _hour_of(at)
        if hour != self._abouts_hour or len(self._abouts) >= PLACES_MAX:
            self._abouts.clear()
            self._abouts_hour = hour
        about = _storable(why.about, LABEL_CHARACTERS_MAX)
        known = self._abouts.setdefault((place, why.code), set())
        if about not in known and len(known) >= ABOUTS_MAX:
            return OTHER
        known.add(about)
        return about


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _storable(text: str, characters_max: int) -> str:
    text = text[:characters_max]
    return text if is_storable(text) else text.encode("ascii", "replace").decode().replace("\0", "")
