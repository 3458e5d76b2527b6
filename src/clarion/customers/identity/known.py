"""What is kept of one identifier, and of the claims on it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from clarion.customers.devices.facts import Facts
from clarion.customers.identity.claims.claim import Claim
from clarion.customers.identity.claims.repeated_claims import DayClaim
from clarion.customers.identity.identifier import Flags
from clarion.customers.identity.timeline import Timeline


class Identifier(Struct, frozen=True, kw_only=True):
    """What is kept of one identifier."""

    flags: Flags = Flags()
    timeline: Timeline = Timeline()
    facts: Facts | None = None
    """Of the device that it names, if it does."""
    decides_as_user: bool = False
    """Events are stored that carry it as their user id: periods say whose they are."""
    decides_as_key: bool = False
    """The same of events that carry no user id."""
    day_claim: DayClaim | None = None
    """The stored claim that others of its day only repeat."""


UNKNOWN = Identifier()


class Stored(Struct, frozen=True, gc=False):
    """The stored claims of a key; `since`: where only the newest were read, the oldest of them."""

    claims: Sequence[Claim] = ()
    since: datetime | None = None


def decides(known: Identifier, *, is_user: bool) -> bool:
    """Whether it decides whose the events are that carry it as their user id, or others."""
    return known.decides_as_user if is_user else known.decides_as_key


def with_told_again(stored: Stored, claims: Iterable[Claim]) -> tuple[Stored, list[Claim]]:
    """A key's stored claims with those that events have told again, and those that were missing."""
    known = {(claim.at, claim.message_id) for claim in stored.claims}
    missing = [
        claim
        for claim in claims
        if (claim.at, claim.message_id) not in known
        and (stored.since is None or claim.at >= stored.since)
    ]
    return Stored([*stored.claims, *missing], stored.since), missing
