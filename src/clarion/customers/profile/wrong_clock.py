"""In what order identifies count whose installation's clock is plainly wrong. Pure.

Such an event's time is a guess (`events.moment`): by `sentAt`, which may have been written hours
before the upload, so that the guess is too late by as much, and by another amount for each call.
Yet the clock was wrong by one amount. The guess that takes it the farthest back comes from the call
that waited least, so all events of the installation are moved by that one's amount: they keep the
order of their own clock.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from clarion.customers.profile.traits import TraitUpdate

WAIT_MAX = timedelta(days=7)
"""Amounts that differ by more are of a clock that was set meanwhile."""


class Installation(Struct, frozen=True, gc=False):
    """Whose clock it is: an installation's, as one source names it."""

    source_id: UUID
    key: str


class TimedLesson(Struct, frozen=True, kw_only=True, gc=False):
    """A lesson, and by what clock it was told; `clock_at` is None where the clock can be right."""

    lesson: TraitUpdate
    installation: Installation | None = None
    clock_at: datetime | None = None


def in_one_order(taught: Sequence[TimedLesson]) -> list[TraitUpdate]:
    """The lessons of one customer, each at its place in time, whatever the order they come in."""
    amounts: dict[Installation, list[timedelta]] = defaultdict(list)
    for timed in taught:
        if timed.installation is not None and timed.clock_at is not None:
            insort(amounts[timed.installation], timed.lesson.at - timed.clock_at)
    lessons = []
    for timed in taught:
        lesson = timed.lesson
        if timed.installation is not None and timed.clock_at is not None:
            known = amounts[timed.installation]
            least = known[bisect_left(known, lesson.at - timed.clock_at - WAIT_MAX)]
            lesson = replace(lesson, at=timed.clock_at + least)
        lessons.append(lesson)
    return sorted(lessons, key=lambda lesson: (lesson.at, lesson.message_id))
