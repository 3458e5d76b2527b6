"""Whose the events of a key are, for all of time: what its periods are written from. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from clarion.customers.identity.identifier import Owner

Decider = tuple[str, bool]
"""A key, and whether it decides as the user id of events, or as the key of those that have none.
One text may be a person's user id here, and the id of a device there."""


class Run(Struct, frozen=True, kw_only=True, gc=False):
    """Events of a key with start ≤ placed < end are the owner's; None is open-ended."""

    start: datetime | None
    end: datetime | None
    owner: Owner


class Owned(Struct, frozen=True, kw_only=True):
    """Whose a key was, for all of time. `is_real`: it is a person's user id. `leads`: as in its
    timeline."""

    runs: Sequence[Run]
    is_real: bool
    leads: Mapping[int, int]
