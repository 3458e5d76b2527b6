"""Which claims need not be stored, because their events say the same. Pure.

Nearly every event of a signed-in person claims the same key again, and says nothing new by it. To
store each of these claims cost more than the event itself. Of one day (UTC, by the sender's clock)
the first claim of a user on a key is stored; a later one that only repeats it is left to its event:

    day 1:  A ─ (a) ─ (a) ─ (a)          A stored, (a) left to its event
    day 2:  A ─ (a) ─ B ─ (a) ─ A ─ B    two speak: (a) is read from events, and stored from now on

While nobody else speaks of the key on that day, the timeline is the same with (a) and without. As
soon as somebody does, now or by an event that comes years late, what was left out matters: between
which of A's claims B's stands. Then the events of that day are read before the timeline is made
(`days_to_read`). So it is always that of all claims, as long as the events are kept; of days whose
events were removed, it is that of the first claim of each user.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from clarion.clock import to_micros
from clarion.customers.identity.claims.claim import Claim, ClaimKind, lead_of

DAY = timedelta(days=1)
DAY_MICROS = 86_400_000_000

_REPEATED = frozenset({ClaimKind.REGISTRATION, ClaimKind.MOVER, ClaimKind.PLAIN})
"""Claims that say at least what a plain one of the same user says."""
DAYS_READ_MAX = 2_000
"""In one transaction; so many days of so many people on one device are nobody's use."""


class DayClaim(Struct, frozen=True, array_like=True, gc=False):
    """A stored claim: whose, and when, in µs."""

    user_id: str
    at: int


class Day(Struct, frozen=True, order=True, gc=False):
    """A day of one user's events."""

    start: datetime
    user_id: str


def chosen(
    claims: Sequence[Claim], known: DayClaim | None, *, may_repeat: bool
) -> tuple[list[Claim], DayClaim | None]:
    """Of a key's new claims those to store, and what later ones may repeat then. `may_repeat`: all
    of them fit the timeline, and no clock is ahead on it."""
    to_store: list[Claim] = []
    for claim in claims if len(claims) < 2 else sorted(claims, key=_claimed_at):
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
    is_made_anew: bool,
    is_real: Callable[[str], bool],
) -> list[Day]:
    """The days, newest first, whose events have to be read for claims that were left to them: those
    of `new` on which several say whose the key is. What was left out on other days fits the
    timeline still. `is_made_anew`: not only `new` changes it, but who is real, or by how much a
    clock is ahead; then all days may be concerned."""
    said: dict[int, set[tuple[str, bool]]] = defaultdict(set)
    for claim in (*stored, *new):
        if (voice := _voice(claim, is_real)) is not None:
            said[_day(claim)].add(voice)
    if not is_made_anew:
        fresh = {_day(claim) for claim in new}
        said = {day: voices for day, voices in said.items() if day in fresh}
    several = {day for day, voices in said.items() if len(voices) > 1 or is_made_anew}
    days = {
        Day(claim.at.replace(hour=0, minute=0, second=0, microsecond=0), claim.user_id)
        for claim in stored
        if claim.kind in _REPEATED and _day(claim) in several and is_real(claim.user_id)
    }
    return sorted(days, reverse=True)


def _voice(claim: Claim, is_real: Callable[[str], bool]) -> tuple[str, bool] | None:
    """Who says something of the key, and whether it is that they leave it; None: nobody whom a
    timeline would hear."""
    if claim.kind is ClaimKind.SIGN_OUT:
        return "", False
    if is_real(claim.user_id):
        return claim.user_id, claim.kind is ClaimKind.DELETION
    signs_out = claim.kind is ClaimKind.REGISTRATION and claim.key == claim.user_id
    return ("", False) if signs_out else None


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


def _day(claim: Claim) -> int:
    return to_micros(claim.at) // DAY_MICROS
