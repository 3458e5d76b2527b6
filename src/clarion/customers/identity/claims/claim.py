"""What an event says of whose a key is: a claim (R3), by whose clock, and what it means once it is
known who is real. Pure.

A claim's time is that of its sender's own clock (`events.moment`), so that what one installation
says keeps its order however late it comes. Only a clock that is ahead of the arrival is known to be
wrong. Then every claim of that sender on the key is moved back by as much as its clock was ahead at
most, its **lead**: the order stays, and claims of other senders stand where they belong.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from clarion.events.messages.timestamps import AHEAD_MIN, DELAY_MAX

LEAD_STEP = 60_000_000
"""µs; leads are rounded up to it, so that a call which took a little less time changes nothing."""
SENDERS_KEPT = 1_024
"""Sources whose short numbers are remembered: each event asks for its own."""
_MICROSECOND = timedelta(microseconds=1)


class ClaimKind(StrEnum):
    """What made a claim; decides whether it moves the device, and what a provisional user means."""

    REGISTRATION = "registration"
    MOVER = "mover"
    ALIAS = "alias"
    PLAIN = "plain"
    SIGN_OUT = "sign_out"
    """A device of a source that asks for signatures registers for itself: that can mean nothing
    else, even where its id turns out to be a person's."""
    DELETION = "deletion"
    """Takes the device from nobody, but says that its owner has left it."""


_MOVES = frozenset({ClaimKind.REGISTRATION, ClaimKind.MOVER, ClaimKind.SIGN_OUT})


class Claim(Struct, frozen=True, kw_only=True, gc=False):
    """`at`: by the sender's clock. `ahead`: by how many µs that clock was ahead when the claim
    came; None: it told no time, and `at` is the server's."""

    key: str
    at: datetime
    message_id: str
    user_id: str
    kind: ClaimKind
    sender: int = 0
    ahead: int | None = None
    is_told_again: bool = False
    """Its event says it again to whoever reads it (`repeated_claims`). Not stored."""


IsReal = Callable[[str], bool]


class ClaimStatement(Struct, frozen=True, order=True, gc=False):
    """What a claim says once it is known who is real, in the order of time; at one instant a user
    counts after a sign-out, and of two the greater messageId."""

    at: datetime
    is_user: bool
    message_id: str
    user_id: str
    """Empty: signed out."""
    clock_at: datetime
    moves: bool
    is_deletion: bool
    deleted_by: str


def moved_back(at: datetime, ahead: int | None, lead: int) -> datetime:
    """Where something stands that was said at `at` by a clock that is `lead` µs ahead."""
    if ahead is None:
        return at
    if lead <= DELAY_MAX or lead - ahead <= DELAY_MAX:
        return at - lead * _MICROSECOND
    return at - ahead * _MICROSECOND if ahead > AHEAD_MIN else at


def lead_of(claim: Claim) -> int:
    """By how many µs the claim shows its sender's clock to be ahead; 0: by none."""
    ahead = claim.ahead
    if ahead is None or ahead <= AHEAD_MIN:
        return 0
    return -(-ahead // LEAD_STEP) * LEAD_STEP


def said_by(claim: Claim, leads: Mapping[int, int], is_real: IsReal) -> ClaimStatement | None:
    """What a claim says once it is known who is real; None: nothing."""
    lead = leads.get(claim.sender, 0) if leads else 0
    is_deletion = claim.kind is ClaimKind.DELETION
    real = is_real(claim.user_id)
    user_id = ""
    if claim.kind is ClaimKind.SIGN_OUT:
        pass
    elif is_deletion:
        if not real:
            return None
    elif real:
        if claim.kind is ClaimKind.ALIAS and (claim.key == claim.user_id or is_real(claim.key)):
            return None
        user_id = claim.user_id
    elif claim.kind is not ClaimKind.REGISTRATION or claim.key != claim.user_id:
        return None
    return ClaimStatement(
        at=claim.at if lead == 0 else moved_back(claim.at, claim.ahead, lead),
        is_user=bool(user_id),
        message_id=claim.message_id,
        user_id=user_id,
        clock_at=claim.at,
        moves=claim.kind in _MOVES,
        is_deletion=is_deletion,
        deleted_by=claim.user_id if is_deletion else "",
    )


@lru_cache(maxsize=SENDERS_KEPT)
def sender_of(source_id: UUID) -> int:
    """What tells the clocks of sources apart, short enough to stand with every claim."""
    return int(source_id) & 0x7FFF_FFFF
