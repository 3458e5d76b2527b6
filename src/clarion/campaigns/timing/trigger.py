"""When a campaign launches: a union of the kinds of trigger, and what each of them says. Pure.

Another kind is another member of `Trigger`; the functions here are what it must answer, and
`assert_never` names each place that lacks it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, assert_never

from clarion.campaigns.timing import own_time as own_times
from clarion.campaigns.timing import recurrence as recurrences
from clarion.campaigns.timing.own_time import LateTurns, OwnTime
from clarion.campaigns.timing.recurrence import Missed, Recurrence
from clarion.time_zone import instant_at

ONCE = "once"
RECURRING = "recurring"
_THE_ONLY_OCCURRENCE = "1"


class WhenLate(Enum):
    """What becomes of an occurrence that is late."""

    WAIT = auto()
    """For a person."""
    SKIP = auto()
    LAUNCH = auto()


@dataclass(frozen=True, slots=True)
class Once:
    """The campaign launches once, at that time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class OnceInOwnTime:
    """The campaign launches once, at `at`; its pushes leave at each customer's own time."""

    at: datetime
    own_time: OwnTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """The campaign launches again and again. `next`: the local time that is next, or of an ended
    one was the last. `zone`: where that is; of one at each customer's own time the fallback."""

    recurrence: Recurrence
    next: datetime
    zone: str
    is_in_own_time: bool = False
    missed: Missed = Missed.SKIP


Trigger = Once | OnceInOwnTime | Recurring


def next_at(trigger: Trigger) -> datetime | None:
    """When it launches next, as far as the clock decides that."""
    match trigger:
        case Once(at=at) | OnceInOwnTime(at=at):
            return at
        case Recurring():
            return instant_of(trigger)
        case _:
            assert_never(trigger)


def upcoming(trigger: Trigger) -> Iterator[datetime]:
    """When it launches from now on, as far as the clock decides that: its next time, then those
    that follow."""
    match trigger:
        case Once(at=at) | OnceInOwnTime(at=at):
            yield at
        case Recurring():
            yield instant_of(trigger)
            for wall in recurrences.walls(trigger.recurrence, trigger.next):
                yield instant_of(replace(trigger, next=wall))
        case _:
            assert_never(trigger)


def occurrence(trigger: Trigger) -> str:
    """The name of the occurrence that is next: with the campaign it makes the launch's id, so that
    each happens once."""
    match trigger:
        case Once() | OnceInOwnTime():
            return _THE_ONLY_OCCURRENCE
        case Recurring(next=wall):
            return wall.isoformat()
        case _:
            assert_never(trigger)


def own_time(trigger: Trigger, late_after: timedelta | None = None) -> OwnTime | None:
    """At which local time the next occurrence is sent; None: to everybody at one instant.
    `late_after`: how late the campaign lets a turn be."""
    match trigger:
        case Once():
            return None
        case OnceInOwnTime(own_time=own):
            pass
        case Recurring(next=wall, zone=zone, missed=missed):
            if not trigger.is_in_own_time:
                return None
            late = LateTurns.SKIP if missed is Missed.SKIP else LateTurns.TOMORROW
            own = OwnTime(wall=wall, fallback=zone, late=late)
        case _:
            assert_never(trigger)
    minutes = None if late_after is None else int(late_after.total_seconds() // 60)
    return replace(own, late_after_minutes=minutes)


def following(trigger: Trigger) -> Trigger | None:
    """The trigger once its next occurrence is past; None: there is no other one."""
    match trigger:
        case Once() | OnceInOwnTime():
            return None
        case Recurring(recurrence=recurrence, next=wall):
            then = next(recurrences.walls(recurrence, wall), None)
            return None if then is None else replace(trigger, next=then)
        case _:
            assert_never(trigger)


def latest_due(trigger: Trigger, now: datetime) -> Trigger:
    """With the last of the occurrences that are due as its next: those before it are missed."""
    if not isinstance(trigger, Recurring):
        return trigger
    latest = trigger
    for wall in recurrences.walls(trigger.recurrence, trigger.next):
        then = replace(trigger, next=wall)
        if instant_of(then) > now:
            break
        latest = then
    return latest


def first_from(trigger: Recurring, earliest: datetime) -> Recurring | None:
    """With the first of all its occurrences that is not before `earliest` as its next; None: there
    is none."""
    for wall in recurrences.walls(trigger.recurrence):
        then = replace(trigger, next=wall)
        if instant_of(then) >= earliest:
            return then
    return None


def instant_of(trigger: Recurring) -> datetime:
    """When its next occurrence launches."""
    if trigger.is_in_own_time:
        return own_times.begins_at(trigger.next)
    return instant_at(trigger.next, trigger.zone)


def when_late(trigger: Trigger) -> WhenLate:
    """What becomes of an occurrence whose time passed longer ago than the campaign allows."""
    match trigger:
        case Once() | OnceInOwnTime():
            return WhenLate.WAIT
        case Recurring(missed=missed):
            return WhenLate.SKIP if missed is Missed.SKIP else WhenLate.LAUNCH
        case _:
            assert_never(trigger)


def made_due(trigger: Trigger, now: datetime) -> Trigger:
    """What a person lets go on whose time has passed: it launches now. One that repeats launches
    where its missed occurrences are made up."""
    match trigger:
        case Once() | OnceInOwnTime():
            return replace(trigger, at=now)
        case Recurring():
            return trigger
        case _:
            assert_never(trigger)


def dump(trigger: Trigger) -> dict[str, Any]:
    """Its saved form, beside `next_at`, which has a column of its own to be found by."""
    match trigger:
        case Once():
            return {"type": ONCE}
        case OnceInOwnTime(own_time=own):
            return {"type": ONCE, "own_time": own_times.dump(own)}
        case Recurring():
            return {
                "type": RECURRING,
                **recurrences.dump(trigger.recurrence),
                "next": trigger.next.isoformat(),
                "zone": trigger.zone,
                "is_in_own_time": trigger.is_in_own_time,
                "missed": trigger.missed.value,
            }
        case _:
            assert_never(trigger)


def load(saved: dict[str, Any], at: datetime | None) -> Trigger:
    """From the saved form, and when it launches next. Raises ValueError for what no version has
    saved."""
    if saved.get("type") == ONCE and at is not None:
        own = saved.get("own_time")
        return Once(at) if own is None else OnceInOwnTime(at, own_times.load(own))
    if saved.get("type") == RECURRING:
        return Recurring(
            recurrence=recurrences.load(saved),
            next=datetime.fromisoformat(saved["next"]),
            zone=saved["zone"],
            is_in_own_time=saved["is_in_own_time"],
            missed=Missed(saved["missed"]),
        )
    raise ValueError(f"a trigger of an unknown kind: {saved.get('type')}")
