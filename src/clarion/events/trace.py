"""What is kept of events that are removed for their age, so that nothing else changes. Pure.

A customer that is made anew was first and last seen by the events that are theirs. Of removed
events a **trace** is kept for that: its key and its times, so that whose it is follows from the
periods of the key, as it does for an event. Not of each: of a key's events of one day, source and
owner the first and the last are enough, and of a key with many such days the first and the last of
each owner. Of a person's user id, which can be nobody else's, the first and the last of all.

A trace that says what is still known of a device (a registration, a fact) has its messageId and is
kept: an erasure asks who said it.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from msgspec import Struct

from clarion.clock import to_micros

TRACES_MAX = 16
"""Of one key, by day. Where there are more, each owner's first and last are kept."""
_DAY = 86_400_000_000


class Trace(Struct, frozen=True, kw_only=True, gc=False):
    """What is kept of one removed event."""

    key: str
    is_user: bool
    """It is the event's user id."""
    seq: int
    source_id: UUID
    at: datetime
    clock_at: datetime | None
    order_at: datetime | None
    received_at: datetime
    is_active: bool
    """The person was there."""
    message_id: str | None
    """Of one that said what is known of a device."""
    owned_from: datetime
    """When the period of the key begins in which it is. Not kept: periods change."""

    @property
    def place(self) -> tuple[datetime, int]:
        """What tells it from the other traces of its key."""
        return self.at, self.seq


def fold(traces: Iterable[Trace], *, is_for_good: bool) -> list[Trace]:
    """Those of one key that are kept, in their order. `is_for_good`: no event of the key can ever
    be somebody else's."""
    if is_for_good:
        return _ends(traces, lambda _: None)
    kept = _ends(traces, _day_of)
    return kept if len(kept) <= TRACES_MAX else _ends(kept, attrgetter("owned_from"))


def _ends(traces: Iterable[Trace], together: Callable[[Trace], Hashable]) -> list[Trace]:
    """The first of those that are together, and the last at which the person was there."""
    groups: dict[Hashable, list[Trace]] = defaultdict(list)
    kept: dict[tuple[datetime, int], Trace] = {}
    for trace in traces:
        groups[together(trace)].append(trace)
        if trace.message_id is not None:
            kept[trace.place] = trace
    for group in groups.values():
        first = min(group, key=attrgetter("place"))
        kept[first.place] = first
        there = [trace for trace in group if trace.is_active]
        if there:
            last = max(there, key=attrgetter("place"))
            kept[last.place] = last
    return [kept[place] for place in sorted(kept)]


def _day_of(trace: Trace) -> Hashable:
    said_at = trace.clock_at or trace.order_at or trace.at
    return trace.owned_from, trace.source_id, to_micros(said_at) // _DAY
