"""A customer as identity keeps it: what each event adds, and what one inherits of another. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from clarion.customers.identity.identifier import Owner, Provisional, User
from clarion.customers.profile.traits import Profile, TraitUpdate
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
        lessons = [_lesson(event, real) for event, real in events if event.type == "identify"]
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


class Seen(Struct, frozen=True, gc=False):
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


def seen(customer_id: UUID, owner: Owner, events: Gained) -> Seen:
    """What `events` say of a customer whom they teach nothing about."""
    first = last = events[0][0].at
    if len(events) > 1:
        times = [event.at for event, _ in events]
        first, last = min(times), max(times)
    user_id, key = names_of(owner)
    return Seen(customer_id, user_id, key, first, last)


def names_of(owner: Owner) -> tuple[str | None, str | None]:
    """A customer's user id, or the key of one who has none."""
    match owner:
        case User(user_id):
            return user_id, None
        case Provisional(key, _):
            return None, key


def _lesson(event: Event, is_identified: bool) -> TraitUpdate:
    return TraitUpdate(
        traits=event.traits,
        is_identified=is_identified,
        at=event.ordered_at,
        message_id=event.message_id,
    )
