"""When a campaign launches: a union of the kinds of trigger, and what each of them says. Pure.

There is one kind: once, at a time. Another one is another member of `Trigger`; the functions here
are what it must answer, and `assert_never` names each place that lacks it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

ONCE = "once"
_THE_ONLY_OCCURRENCE = "1"


@dataclass(frozen=True, slots=True)
class Once:
    """The campaign launches once, at that time."""

    at: datetime


Trigger = Once


def next_at(trigger: Trigger) -> datetime | None:
    """When it launches next, as far as the clock decides that."""
    match trigger:
        case Once(at=at):
            return at
        case _:
            assert_never(trigger)


def occurrence(trigger: Trigger) -> str:
    """The name of the occurrence that is next: with the campaign it makes the launch's id, so that
    each happens once."""
    match trigger:
        case Once():
            return _THE_ONLY_OCCURRENCE
        case _:
            assert_never(trigger)


def fires_again(trigger: Trigger) -> bool:
    """Whether another launch may follow the next one."""
    match trigger:
        case Once():
            return False
        case _:
            assert_never(trigger)


def dump(trigger: Trigger) -> dict[str, Any]:
    """Its saved form, beside `next_at`, which has a column of its own to be found by."""
    match trigger:
        case Once():
            return {"type": ONCE}
        case _:
            assert_never(trigger)


def load(saved: dict[str, Any], at: datetime | None) -> Trigger:
    """From the saved form, and when it launches next. Raises ValueError for what no version has
    saved."""
    if saved.get("type") == ONCE and at is not None:
        return Once(at)
    raise ValueError(f"a trigger of an unknown kind: {saved.get('type')}")
