"""Why a device belongs to whom it belongs: the claim that decides, found again. Pure.

`identity.timeline` says whose a device is; this says which of its claims made it so, in the same
order of rules (R4, R6, R7), so that a person can look at the one event behind it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from clarion.customers.identity.claims.claim import Claim
from clarion.customers.identity.timeline import Timeline, timeline


class Because(StrEnum):
    """Which rule decided."""

    NAMED = "named"
    FIRST_SEEN = "first_seen"
    SIGNED_OUT = "signed_out"
    NEVER_SIGNED_IN = "never_signed_in"
    SHARED = "shared"


MEANINGS = {
    Because.NAMED: "The newest event that may move this device names this user.",
    Because.FIRST_SEEN: "No event that may move this device names a user (since it was signed "
    "out); this user is the first one that was seen with it.",
    Because.SIGNED_OUT: "The newest registration names the device itself: it is signed out, and "
    "nobody was seen with it since.",
    Because.NEVER_SIGNED_IN: "No user was ever seen with this device.",
    Because.SHARED: "So many users were seen with this device within a day that it is taken for a "
    "shared one: only an event that may move it gives it to somebody.",
}
"""What each one means, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`claim`: what decided; None where nothing ever said whose the device is. `user_id` None:
    nobody who has signed in. `left_at`: since when its owner has said that it is gone, and was not
    seen with it again."""

    because: Because
    user_id: str | None
    claim: Claim | None
    left_at: datetime | None = None


def explain(claims: Iterable[Claim], is_real: Callable[[str], bool]) -> Explanation:
    """Why the device on which `claims` (all of them) were made belongs to its owner."""
    claims = list(claims)
    line = timeline(claims, is_real)
    return replace(_explained(claims, line, is_real), left_at=line.left_at)


def _explained(
    claims: Sequence[Claim], line: Timeline, is_real: Callable[[str], bool]
) -> Explanation:
    alone = [(claim, timeline([claim], is_real)) for claim in claims]
    said = sorted(
        ((claim, says) for claim, says in alone if says.has_mover or says.spans),
        key=lambda pair: (pair[0].at, pair[1].device_user is not None, pair[0].message_id),
    )
    movers = [at for at, (_, says) in enumerate(said) if says.has_mover]
    newest = movers[-1] if movers else -1
    if movers and said[newest][1].mover is not None:
        claim = said[newest][0]
        return Explanation(because=Because.NAMED, user_id=claim.user_id, claim=claim)
    signed_out = said[newest][0] if movers else None
    if line.is_shared:
        return Explanation(because=Because.SHARED, user_id=None, claim=signed_out)
    for claim, _ in said[newest + 1 :]:
        return Explanation(because=Because.FIRST_SEEN, user_id=claim.user_id, claim=claim)
    because = Because.NEVER_SIGNED_IN if signed_out is None else Because.SIGNED_OUT
    return Explanation(because=because, user_id=None, claim=signed_out)
