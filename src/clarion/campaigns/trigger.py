"""When a campaign launches: a union of the kinds of trigger, and what each of them says. Pure.

Another kind is another member of `Trigger`; the functions here are what it must answer, and
`assert_never` names each place that lacks it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from clarion.campaigns.timing import own_time as own_times
from clarion.campaigns.timing.own_time import OwnTime

ONCE = "once"
_THE_ONLY_OCCURRENCE = "1"


@dataclass(frozen=True, slots=True)
class Once:
    """The campaign launches once, at that time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class OnceInOwnTime:
    """The campaign launches once, at `at`; its pushes leave at each customer's own time."""

    at: datetime
    own_time: OwnTime


Trigger = Once | OnceInOwnTime


def next_at(trigger: Trigger) -> datetime | None:
    """When it launches next, as far as the clock decides that."""
    match trigger:
        case Once(at=at) | OnceInOwnTime(at=at):
            return at
        case _:
            assert_never(trigger)


def occurrence(trigger: Trigger) -> str:
    """The name of the occurrence that is next: with the campaign it makes the launch's id, so that
    each happens once."""
    match trigger:
        case Once() | OnceInOwnTime():
            return _THE_ONLY_OCCURRENCE
        case _:
            assert_never(trigger)


def own_time(trigger: Trigger) -> OwnTime | None:
    """At which local time the next occurrence is sent; None: to everybody at one instant."""
    match trigger:
        case Once():
            return None
        case OnceInOwnTime(own_time=own):
            return own
        case _:
            assert_never(trigger)


def fires_again(trigger: Trigger) -> bool:
    """Whether another launch may follow the next one."""
    match trigger:
        case Once() | OnceInOwnTime():
            return False
        case _:
            assert_never(trigger)


def made_due(trigger: Trigger, now: datetime) -> Trigger:
    """What a person lets go on whose time has passed: it launches now."""
    match trigger:
        case Once() | OnceInOwnTime():
            return replace(trigger, at=now)
        case _:
            assert_never(trigger)


def dump(trigger: Trigger) -> dict[str, Any]:
    """Its saved form, beside `next_at`, which has a column of its own to be found by."""
    match trigger:
        case Once():
            return {"type": ONCE}
        case OnceInOwnTime(own_time=own):
            return {"type": ONCE, "own_time": own_times.dump(own)}
        case _:
            assert_never(trigger)


def load(saved: dict[str, Any], at: datetime | None) -> Trigger:
    """From the saved form, and when it launches next. Raises ValueError for what no version has
    saved."""
    if saved.get("type") == ONCE and at is not None:
        own = saved.get("own_time")
        return Once(at) if own is None else OnceInOwnTime(at, own_times.load(own))
    raise ValueError(f"a trigger of an unknown kind: {saved.get('type')}")
