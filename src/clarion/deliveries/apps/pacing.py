"""How fast pushes may leave for one Firebase project, over all senders together. Pure.

FCM gives a project a bucket of messages (600,000 unless Google grants more) that is full again at
the end of each minute; whose minutes they are, it does not say. So the project's time is a line,
and whoever sends takes a stretch of it as long as its pushes need at the rate of that moment. In no
minute, wherever it begins, does more leave than the bucket holds, and the bucket is not emptied in
a minute's first seconds, which FCM asks not to do.

                    taken            next_at
    ──────────┬───────────────┬─────────┬──────────────▶ the project's time
           chunk A         chunk B      └─ the next taker's; if that is far off: come back `Later`

The rate begins low and goes up with each second of the line that is used, down with each that is
not: all of it takes `RAMP_SECONDS`. A launch smaller than the ramp's first step never notices. When
FCM answers 429 for the project, nobody sends until it wants to hear from us again, and then more
slowly; with time the old rate comes back.

A push to one customer passes the line: it leaves at once, and the line is moved back by as much as
it needs, so that over time no more leaves than without it. How many may pass in a second is
bounded: what has passed and what holds the next stretches together stay within the quota of any
minute. What comes above that bound takes a stretch of the line like any other.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clarion.clock import SKEW

PER_MINUTE = 600_000
"""What FCM allows a project that has asked for no more."""
PER_MINUTE_MIN = 60
PER_MINUTE_MAX = 100_000_000
SHARE = 0.98
"""Of the quota is aimed at: answers take time, so FCM does not count in our minutes."""
RAMP_SECONDS = 60.0
"""FCM wants at least a minute from nothing to the full rate."""
RAMP_FROM = 1_000.0
"""Pushes a second that are let through at once."""
SLACK_SECONDS = 0.5
"""So much of the line may be run ahead of, so that what was late for a moment is made up."""
SLICE_SECONDS = 0.1
"""Pushes due within so long of each other leave together."""
WAIT_SECONDS_MAX = 2.0
"""A chunk whose turn comes later than that gives its place in the sender to another's."""
STRETCH_SECONDS_MAX = 5.0
"""No chunk takes more of the line: at a low rate it is divided."""
QUEUE_SECONDS_MAX = 30.0
CUT = 0.7
"""After 429 the rate is so much of what it was."""
CUT_LEAST = 0.05
"""But never less than that of the quota: being silent for as long as was asked protects FCM better
than a trickle."""
DOUBLE_SECONDS = 600.0
"""The cut rate is doubled in so long, until it is the full one again."""
QUIET_SECONDS_MAX = 3_600.0
"""No answer stops a project for longer."""
PASSING_SHARE = 0.07
"""Of the full rate may pass the line. The line is taken for at most `WAIT_SECONDS_MAX` and one
stretch, 7 s, so that 0.07 of that, half a second of the line, is the most that a minute may hold
beyond its own: with `SLACK_SECONDS` that is what `SHARE` leaves."""
PASSING_SECONDS = 0.5
"""What may pass in so long may pass at once."""
PEAK_EVERY_SECONDS = 900
PEAK_SECONDS = 120
AHEAD_SECONDS_MAX = 600.0
"""No line is taken further ahead than that, unless FCM has asked for quiet."""
"""FCM's busiest times: two minutes before and after each quarter of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an operator has set for a Firebase app."""

    per_minute: int = PER_MINUTE
    avoids_peaks: bool = False
    """Nothing leaves around the quarters of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Where a project stands on its line: one row that all senders share."""

    next_at: datetime
    """The line is taken up to here."""
    queued_until: datetime
    """Those told to come back later have been told times up to here."""
    rate: float
    """Pushes a second, as far as the ramp has come."""
    cut_rate: float | None = None
    cut_at: datetime | None = None
    passing_at: datetime | None = None
    """What passes the line at its bounded rate has taken so much of the time."""
    quiet_until: datetime | None = None
    """FCM has asked to hear nothing until then: nothing passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """`count` pushes may leave, each a little after the other."""

    count: int
    start_at: datetime
    rate: float

    def ready(self, now: datetime) -> int:
        """How many may have left by now."""
        passed = (now - self.start_at).total_seconds() + SLICE_SECONDS
        # The first needs no time to have passed: it may leave when the stretch begins.
        return min(self.count, int(passed * self.rate) + 1) if passed > 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Not now: ask again at `due_at`."""

    due_at: datetime


def fresh(now: datetime) -> Pace:
    """A project that has sent nothing yet."""
    return Pace(next_at=now, queued_until=now, rate=0.0)


def draw(
    pace: Pace, limits: Limits, count: int, now: datetime, *, passes: bool = False
) -> tuple[Pace, Grant | Later]:
    """Take a stretch of the line for up to `count` pushes; `passes`: or pass it, and go on through
    a peak."""
    pace = believed(pace, now)
    target = _target(limits)
    floor = min(target, RAMP_FROM)
    slope = (target - floor) / RAMP_SECONDS
    idle = max(0.0, (now - pace.next_at).total_seconds())
    ramped = min(target, max(floor, pace.rate - slope * idle))
    start = max(pace.next_at, now)
    if passes:
        passed = _passed(pace, limits, count, now, rate=min(ramped, _learned(pace, now)))
        if passed is not None:
            return passed
    elif limits.avoids_peaks:
        start = _after_peak(start)
    if start - now > timedelta(seconds=WAIT_SECONDS_MAX):
        # At the full rate, though it may not be reached: who comes too early is sent away again,
        # who comes too late leaves the line unused.
        place = max(start, min(pace.queued_until, start + timedelta(seconds=QUEUE_SECONDS_MAX)))
        queued = place + timedelta(seconds=count / target)
        due_at = place - timedelta(seconds=WAIT_SECONDS_MAX / 2)
        return replace(pace, queued_until=queued), Later(due_at=due_at)
    rate = min(ramped, _learned(pace, now))
    granted = min(count, max(1, int(rate * STRETCH_SECONDS_MAX)))
    used = granted / rate
    taken = replace(
        pace,
        next_at=start + timedelta(seconds=used),
        rate=min(target, ramped + slope * used),
    )
    start_at = start - timedelta(seconds=SLACK_SECONDS)
    return taken, Grant(count=granted, start_at=start_at, rate=rate)


def _passed(
    pace: Pace, limits: Limits, count: int, now: datetime, *, rate: float
) -> tuple[Pace, Grant] | None:
    """Leave at once, before whoever holds the line; None: nobody does, or as many have passed as
    may, or FCM wants quiet. `rate`: that of the line."""
    is_quiet = pace.quiet_until is not None and pace.quiet_until > now
    passing_at = max(pace.passing_at or now, now)
    burst = timedelta(seconds=PASSING_SECONDS)
    if pace.next_at <= now or is_quiet or passing_at - now > burst:
        return None
    passing_rate = PASSING_SHARE * min(_target(limits), _learned(pace, now))
    granted = min(count, max(1, int(passing_rate * PASSING_SECONDS)))
    moved = replace(
        pace,
        next_at=pace.next_at + timedelta(seconds=granted / rate),
        passing_at=passing_at + timedelta(seconds=granted / passing_rate),
    )
    at_once = Grant(count=granted, start_at=now, rate=granted / SLICE_SECONDS)
    return moved, at_once


def rate_now(pace: Pace, limits: Limits, now: datetime) -> float:
    """Pushes a second that leave if somebody sends now."""
    target = _target(limits)
    floor = min(target, RAMP_FROM)
    idle = max(0.0, (now - pace.next_at).total_seconds())
    ramped = pace.rate - (target - floor) / RAMP_SECONDS * idle
    return min(target, max(floor, ramped), _learned(pace, now))


def believed(pace: Pace, now: datetime) -> Pace:
    """The pace, unless it can only have been written by a clock that was ahead of ours (which has
    been set back since, say): then as it would be by ours. Else nothing would leave until then."""
    if pace.cut_at is not None and pace.cut_at - now > SKEW:
        ahead = pace.cut_at - now
        return replace(
            pace,
            cut_at=now,
            next_at=pace.next_at - ahead,
            queued_until=pace.queued_until - ahead,
            passing_at=None,
            quiet_until=None if pace.quiet_until is None else pace.quiet_until - ahead,
        )
    quiet = timedelta(seconds=QUIET_SECONDS_MAX)
    quiet_until = now if pace.cut_at is None else max(now, pace.cut_at + quiet)
    if pace.next_at - quiet_until > timedelta(seconds=AHEAD_SECONDS_MAX):
        return replace(pace, next_at=now, queued_until=now, passing_at=None)
    return pace


def throttled(
    pace: Pace, limits: Limits, *, quiet_seconds: float, drawn_at: datetime, now: datetime
) -> Pace:
    """FCM has answered 429 for the project to pushes that were let go at `drawn_at`.

    All that was let go before the rate was cut says the same once more, and cuts no further.
    """
    pace = believed(pace, now)
    quiet = timedelta(seconds=min(quiet_seconds, QUIET_SECONDS_MAX))
    ahead = timedelta(seconds=SLACK_SECONDS + SLICE_SECONDS)
    quiet_until = max(pace.quiet_until or now, now + quiet + ahead)
    stopped = replace(pace, next_at=max(pace.next_at, now + quiet + ahead), quiet_until=quiet_until)
    if pace.cut_at is not None and drawn_at <= pace.cut_at:
        return stopped
    current = min(max(pace.rate, 1.0), _target(limits), _learned(pace, now))
    least = max(1.0, _target(limits) * CUT_LEAST)
    return replace(stopped, cut_rate=max(least, current * CUT), cut_at=now)


def _target(limits: Limits) -> float:
    return limits.per_minute * SHARE / 60


def _learned(pace: Pace, now: datetime) -> float:
    """What 429 has taught us, and how much of that is forgotten."""
    if pace.cut_rate is None or pace.cut_at is None:
        return float("inf")
    passed = max(0.0, (now - pace.cut_at).total_seconds())
    return float(pace.cut_rate * 2 ** min(passed / DOUBLE_SECONDS, 30.0))


def _after_peak(at: datetime) -> datetime:
    """`at`, or the end of the peak it lies in."""
    past = (at.timestamp() + PEAK_SECONDS) % PEAK_EVERY_SECONDS
    return at if past >= 2 * PEAK_SECONDS else at + timedelta(seconds=2 * PEAK_SECONDS - past)
