"""Which claims need not be stored, because their events say the same. Pure.

Nearly every event of a signed-in person claims the same key again, and says nothing new by it. To
store each of these claims cost more than the event itself. Of one day (UTC, by the sender's clock)
the first claim of a user on a key is stored; a later one that only repeats it is left to its event:

    day 1:  A ─ (a) ─ (a) ─ (a)          A stored, (a) left to its event
    day 2:  A ─ (a) ─ B ─ (a) ─ A ─ B    two speak: (a) is read from events, and stored from now on

While nobody else speaks of the key on that day, the timeline is the same with (a) and without. As
soon as somebody does, now or by an event that comes years late, what was left out matters: between
which of A's claims B's stands. Then the events of that day are read, whatever has brought the key
up, before its timeline is made (`days_to_read`). So the timeline is always that of all claims, as
long as the events are kept; of days whose events were removed, the first claim of each user is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from clarion.clock import to_micros
from clarion.customers.identity.claim import Claim, ClaimKind, lead_of

DAY = timedelta(days=1)
DAY_MICROS = 86_400_000_000

_REPEATED = frozenset({ClaimKind.REGISTRATION, ClaimKind.MOVER, ClaimKind.PLAIN})
"""Claims that say at least what a plain one of the same user says."""
_OTHERS_SAY = frozenset({ClaimKind.SIGN_OUT, ClaimKind.DELETION})
"""What says something else than that its user has the key."""


class DayClaim(Struct, frozen=True, array_like=True, gc=False):
    """A stored claim: whose, and when, in µs."""

    user_id: str
    at: int


class Day(Struct, frozen=True, order=True, gc=False):
    """A day of one user's events."""

    user_id: str
    start: datetime


def chosen(
    claims: Sequence[Claim], known: DayClaim | None, *, may_repeat: bool
) -> tuple[list[Claim], DayClaim | None]:
    """Of a key's new claims those to store, and what later ones may repeat then. `may_repeat`: all
    of them fit the timeline, and no clock is ahead on it."""
    to_store: list[Claim] = []
    for claim in sorted(claims, key=_claimed_at):
        if may_repeat and known is not None and _repeats(known, claim):
            continue
        to_store.append(claim)
        if claim.kind in _REPEATED and not lead_of(claim) and _is_later(claim, known):
            known = DayClaim(claim.user_id, to_micros(claim.at))
    return to_store, known


def kept_in(known: DayClaim, claims: Iterable[Claim]) -> DayClaim | None:
    """`known`, if it still is one of the stored claims."""
    is_stored = any(
        claim.user_id == known.user_id and to_micros(claim.at) == known.at for claim in claims
    )
    return known if is_stored else None


def days_to_read(
    stored: Sequence[Claim],
    new: Sequence[Claim],
    *,
    has_leads: bool,
    is_real: Callable[[str], bool],
) -> set[Day]:
    """The days whose events have to be read for claims that were left to them: those on which
    somebody else than their user speaks of the key, and where a clock is ahead (`has_leads`), so
    that the order is another one, all."""
    speaks = {(claim.user_id, claim.kind in _OTHERS_SAY) for claim in stored}
    speaks |= {(claim.user_id, claim.kind in _OTHERS_SAY) for claim in new}
    if len(speaks) < 2 and not has_leads:
        return set()
    by_day: dict[int, set[tuple[str, bool]]] = defaultdict(set)
    for claim in (*stored, *new):
        day = to_micros(claim.at) // DAY_MICROS
        by_day[day].add((claim.user_id, claim.kind in _OTHERS_SAY))
    return {
        Day(claim.user_id, claim.at.replace(hour=0, minute=0, second=0, microsecond=0))
        for claim in stored
        if claim.kind in _REPEATED
        and (has_leads or len(by_day[to_micros(claim.at) // DAY_MICROS]) > 1)
        and is_real(claim.user_id)
    }


def _repeats(known: DayClaim, claim: Claim) -> bool:
    """Whether the stored claim says what this one does, on the same day and before it."""
    if claim.kind is not ClaimKind.PLAIN or not claim.is_told_again:
        return False
    if claim.user_id != known.user_id or lead_of(claim):
        return False
    at = to_micros(claim.at)
    return known.at <= at and known.at // DAY_MICROS == at // DAY_MICROS


def _is_later(claim: Claim, known: DayClaim | None) -> bool:
    """Whether others are to repeat this claim from now on. The first of a user and day stays, so
    that a registration of that day changes nothing that is kept."""
    if known is None:
        return True
    at = to_micros(claim.at)
    is_another = claim.user_id != known.user_id or at // DAY_MICROS != known.at // DAY_MICROS
    return is_another and at > known.at


def _claimed_at(claim: Claim) -> datetime:
    return claim.at
