"""Whose the events of a key are, for all of time: what its periods are written from. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from clarion.customers.identity.claims.claim import Claim, sender_of
from clarion.customers.identity.identifier import Owner, User
from clarion.customers.identity.known import Identifier, decides
from clarion.events.messages.message import ahead

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

    def is_in_place_of(self, before: "Owned") -> bool:
        """Whether a period begins whenever one of `before` does, so that each of those is written
        over, and none is left to be removed."""
        starts = {run.start for run in self.runs}
        return all(run.start in starts for run in before.runs)


class KeyedEvent(Protocol):
    """A stored event, as far as it says whose it is."""

    @property
    def key(self) -> str: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def source_id(self) -> UUID: ...
    @property
    def at(self) -> datetime: ...
    @property
    def clock_at(self) -> datetime | None: ...
    @property
    def order_at(self) -> datetime | None: ...
    @property
    def received_at(self) -> datetime: ...


class OwnerStep(Struct, frozen=True, kw_only=True, gc=False):
    """Whom a device belonged to after one of the batch's claims."""

    claim: Claim
    owner: Owner


def owned_by_timeline(
    key: str, known: Identifier, *, is_user: bool, canonical: Callable[[Owner], Owner]
) -> Owned:
    """Whose the events are that carry a key as their user id, or others. `canonical`: whom an owner
    counts as, since people are merged."""
    if is_user and known.flags.is_real:
        run = Run(start=None, end=None, owner=canonical(User(key)))
        return Owned(runs=(run,), is_real=True, leads={})
    return Owned(
        runs=[
            Run(start=start, end=end, owner=canonical(owner))
            for start, end, owner in known.timeline.runs(key)
        ],
        is_real=False,
        leads=known.timeline.leads,
    )


def is_owned_alike(before: Identifier, now: Identifier) -> bool:
    """Whether nothing that decides whose events are has changed; cheaper than to compare that."""
    return now.timeline is before.timeline and now.flags.is_real == before.flags.is_real


def owned_anew(
    known: Iterable[tuple[str, Identifier, Identifier]], canonical: Callable[[Owner], Owner]
) -> tuple[dict[Decider, Owned], list[Decider], set[str]]:
    """What is to be written of `known`, the keys that changed as they were and are now: whose those
    are that decide an event for the first time, or are somebody else's than before; of which of
    them periods have to be removed first; and of which keys the leads."""
    owned_by_decider: dict[Decider, Owned] = {}
    outdated: list[Decider] = []
    led: set[str] = set()
    for key, was, now in known:
        is_alike = is_owned_alike(was, now)
        for is_user in (True, False):
            if not decides(now, is_user=is_user):
                continue
            is_new = not decides(was, is_user=is_user)
            if not is_new and is_alike:
                continue
            owned = owned_by_timeline(key, now, is_user=is_user, canonical=canonical)
            if is_new:
                owned_by_decider[key, is_user] = owned
                continue
            before = owned_by_timeline(key, was, is_user=is_user, canonical=canonical)
            if owned == before:
                continue
            owned_by_decider[key, is_user] = owned
            if not owned.is_in_place_of(before):
                outdated.append((key, is_user))
            if before.leads and not owned.is_real:
                led.add(key)
    return owned_by_decider, outdated, led


def owner_of_stored(event: KeyedEvent, known: Identifier) -> Owner:
    """Whose a stored event is, by what is known of its key."""
    if event.user_id is not None and known.flags.is_real:
        return User(event.key)
    clock_ahead = None if event.clock_at is None else ahead(event.clock_at, event.received_at)
    claimed_at = event.clock_at or event.order_at or event.at
    line = known.timeline
    return line.owner_at(
        event.key, line.placed(claimed_at, sender_of(event.source_id), clock_ahead)
    )
