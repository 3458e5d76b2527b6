"""What became of each event that a source sent, as somebody who watches it sees it. Pure.

It is read from the rows themselves, so that it is the same whichever process took the event in:
events are in one table, refusals and warnings in another, repeats in a third. A place in all three
is a `Position`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

SEQ_MAX = 2**63 - 1


class Stage(StrEnum):
    """Where a refusal or a warning arose."""

    CALL = "call"
    """The whole call was turned away, and nothing of it is kept."""
    EVENT = "event"
    PERSON = "person"
    """It was of somebody who is suppressed or erased, and is dropped."""
    REGISTRATION = "registration"
    IDENTITY = "identity"
    ADVICE = "advice"

    @property
    def is_warning(self) -> bool:
        return self in (Stage.IDENTITY, Stage.ADVICE)

    @property
    def is_told_once(self) -> bool:
        """Whether of many that are alike one is told, now and then; all are counted."""
        return self is Stage.PERSON or self.is_warning


class Outcome(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    WARNING = "warning"
    """Nothing was refused, but somebody should know: once an hour."""


class Lane(StrEnum):
    """The tables that hold them."""

    EVENTS = "events"
    REFUSALS = "refusals"
    REPEATS = "repeats"


class Position(NamedTuple):
    """A row of each lane, by its number: 0 is before the first."""

    events: int
    refusals: int
    repeats: int

    def of(self, lane: Lane) -> int:
        return self[_LANES.index(lane)]

    def moved(self, seqs: Mapping[Lane, int]) -> "Position":
        return Position(*(seqs.get(lane, self.of(lane)) for lane in _LANES))


_LANES = (Lane.EVENTS, Lane.REFUSALS, Lane.REPEATS)
END = Position(SEQ_MAX, SEQ_MAX, SEQ_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One event, and what became of it. What could not be read of a refused one is None."""

    lane: Lane
    seq: int
    outcome: Outcome
    message_id: str | None
    type: str | None
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    device_id: str | None
    library: str | None
    library_version: str | None
    at: datetime | None
    received_at: datetime
    stage: Stage | None = None
    code: str | None = None
    message: str | None = None
    excerpt: str | None = None


def lanes_of(outcomes: frozenset[Outcome]) -> list[Lane]:
    """The tables that hold any of `outcomes`."""
    wanted = {
        Lane.EVENTS: Outcome.ACCEPTED in outcomes,
        Lane.REFUSALS: bool(outcomes & {Outcome.REFUSED, Outcome.WARNING}),
        Lane.REPEATS: Outcome.DUPLICATE in outcomes,
    }
    return [lane for lane in _LANES if wanted[lane]]


def merged(
    lanes: Mapping[Lane, Sequence[Activity]], before: Position, limit: int
) -> tuple[list[Activity], Position]:
    """The newest `limit` of what each lane holds (newest first), and the position of what is older
    still. Between lanes the time of arrival decides; within one its own order."""
    found: list[Activity] = []
    taken = dict.fromkeys(lanes, 0)
    while len(found) < limit:
        heads = [rows[taken[lane]] for lane, rows in lanes.items() if taken[lane] < len(rows)]
        if not heads:
            break
        newest = max(heads, key=lambda one: one.received_at)
        taken[newest.lane] += 1
        found.append(newest)
    last = {lane: lanes[lane][count - 1].seq for lane, count in taken.items() if count}
    return found, before.moved(last)
