"""A customer as identity keeps it: what each event adds, what one inherits of another, and what all
claims of one make of it anew. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from clarion.customers.identity.identifier import Owner, Provisional, User
from clarion.customers.profile.traits import Profile, TraitUpdate
from clarion.customers.profile.wrong_clock import Installation, TimedLesson, in_one_order
from clarion.events.messages.message import Event

NEVER = datetime(1, 1, 2, tzinfo=UTC)
"""Kept as when somebody was last seen who has not been seen yet, so that the later time counts
whatever comes first. People are shown the time of the first word of them instead."""

Gained = Sequence[tuple[Event, bool]]
"""Events of one customer, each with whether it carried a real user id."""


class CustomerRecord(Struct, frozen=True, kw_only=True, gc=False):
    """`key` is the provisional key of one not signed in."""

    id: UUID
    user_id: str | None
    key: str | None
    profile: Profile
    first_seen_at: datetime
    last_seen_at: datetime
    """NEVER where only others have told of them."""

    def apply_identify(self, events: Gained) -> "CustomerRecord":
        """After these events of theirs."""
        lessons = [
            lesson_of(event, event.traits, is_identified=is_real)
            for event, is_real in events
            if event.type == "identify"
        ]
        return replace(
            self,
            profile=self.profile.apply_identify(lessons) if lessons else self.profile,
            first_seen_at=min(self.first_seen_at, *(event.at for event, _ in events)),
            last_seen_at=max(
                [self.last_seen_at, *(event.at for event, _ in events if event.is_active)]
            ),
        )

    def absorb(self, other: "CustomerRecord") -> "CustomerRecord":
        """One who turns out to be the one who was known as `other`."""
        return replace(
            self,
            profile=self.profile.merged(other.profile),
            first_seen_at=min(self.first_seen_at, other.first_seen_at),
            last_seen_at=max(self.last_seen_at, other.last_seen_at),
        )


class TraitClaim(Struct, frozen=True, kw_only=True, gc=False):
    """What one identify taught, kept apart from the event that said it. `at`: when it was said, as
    people are shown it. `is_active`: the person was there."""

    taught: TimedLesson
    at: datetime
    is_active: bool


class KeptIdentify(Protocol):
    """An identify, or what is kept of one."""

    @property
    def message_id(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def clock_at(self) -> datetime | None: ...
    @property
    def order_at(self) -> datetime | None: ...
    @property
    def is_active(self) -> bool: ...


class ActiveCustomer(Struct, frozen=True, gc=False):
    """A customer who did something that teaches nothing about them."""

    id: UUID
    user_id: str | None
    key: str | None
    first_at: datetime
    last_at: datetime


def new_customer(customer_id: UUID, owner: Owner, at: datetime) -> CustomerRecord:
    """One of whom nothing is known but that there was word of them then."""
    user_id, key = names_of(owner)
    return CustomerRecord(
        id=customer_id,
        user_id=user_id,
        key=key,
        profile=Profile(),
        first_seen_at=at,
        last_seen_at=NEVER,
    )


def made_anew(
    before: CustomerRecord, claims: Iterable[TraitClaim], last_at: datetime | None
) -> CustomerRecord:
    """One of whom nothing is known yet but who they are and their first event, with what all of
    their claims say. `last_at`: their last event at which they were there; None: there is none."""
    claims = list(claims)
    there = [claim.at for claim in claims if claim.is_active]
    return replace(
        before,
        first_seen_at=min([before.first_seen_at, *(claim.at for claim in claims)]),
        last_seen_at=max([last_at or NEVER, *there]),
        profile=Profile().apply_identify(in_one_order([claim.taught for claim in claims])),
    )


def lesson_of(
    identify: KeptIdentify, traits: Mapping[str, Any], *, is_identified: bool
) -> TraitUpdate:
    """What it teaches. `is_identified`: its user id is a person's."""
    return TraitUpdate(
        traits=traits,
        is_identified=is_identified,
        at=identify.order_at or identify.clock_at or identify.at,
        message_id=identify.message_id,
    )


def trait_claim(
    identify: KeptIdentify, lesson: TraitUpdate, clock: Installation | None
) -> TraitClaim:
    """`clock`: by whose clock it was told."""
    is_clock_wrong = identify.order_at is not None
    taught = TimedLesson(
        lesson=lesson, installation=clock, clock_at=identify.clock_at if is_clock_wrong else None
    )
    return TraitClaim(taught=taught, at=identify.at, is_active=identify.is_active)


def installation_of(event: Event) -> str | None:
    """What tells its installation from others of the same source."""
    return event.context_device_id or event.device_id or event.anonymous_id


def teaches(event: Event) -> bool:
    """Whether an identify says something, or that the person was not there."""
    return bool(event.traits) or not event.is_active


def seen(customer_id: UUID, owner: Owner, events: Gained) -> ActiveCustomer:
    """What `events` say of a customer whom they teach nothing about."""
    first = last = events[0][0].at
    if len(events) > 1:
        times = [event.at for event, _ in events]
        first, last = min(times), max(times)
    user_id, key = names_of(owner)
    return ActiveCustomer(customer_id, user_id, key, first, last)


def names_of(owner: Owner) -> tuple[str | None, str | None]:
    """A customer's user id, or the key of one who has none."""
    match owner:
        case User(user_id):
            return user_id, None
        case Provisional(key, _):
            return None, key
