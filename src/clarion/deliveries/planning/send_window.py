"""A launch that is spread over a window: when each part of it is due. Pure.

Devices are planned in the order of their row ids, which are evenly strewn over all there could be
(they are derived by a hash). So a device's id alone says how far into the window it belongs, before
anybody has counted how many there are, and whoever plans it again says the same.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

_IDS = 1 << 128


class HasRowId(Protocol):
    """A device that is planned."""

    @property
    def id(self) -> UUID: ...


Device = TypeVar("Device", bound=HasRowId)


def due_at(device_row_id: UUID, started_at: datetime, minutes: int) -> datetime:
    """When a device's turn comes in a window of so many minutes."""
    return started_at + timedelta(minutes=minutes) * (device_row_id.int / _IDS)


def divide(
    members: Sequence[Device], size: int, *, started_at: datetime, minutes: int, now: datetime
) -> Iterator[tuple[datetime, Sequence[Device]]]:
    """The chunks of `members`, which are in the order of their ids, and when each is due.

    No chunk is larger than `size`, and none of a launch that is spread holds devices of more than
    one minute. Nothing is due before `started_at`, and what is late is due now.
    """
    start = 0
    while start < len(members):
        end = min(start + size, len(members))
        due = max(now, started_at)
        if minutes:
            due = max(now, due_at(members[start].id, started_at, minutes))
            slot = members[start].id.int * minutes // _IDS
            while end > start + 1 and members[end - 1].id.int * minutes // _IDS != slot:
                end -= 1
        yield due, members[start:end]
        start = end
