"""Who owned one key, when: a function of the set of claims on it (R3, R4, R6, R12). Pure.

A **claim** says: at this time this user id was seen with this key (`claim`). A registration whose
userId is the device id itself says: this device is signed out. A **timeline** is all claims of one
key in order of time, by their senders' own clocks, runs of one owner joined:

    origin ····· U ─────────── (signed out) ····· V ──────────
    absorbed     U's           absorbed by V      V's
    by U

Time that no user covers is provisional. It belongs to the next user who claims the key, or, after
the last one, to an anonymous customer whose id is derived from the key and the interval's start.

**How much is kept.** Of a key's claims the newest `CLAIMS_READ_MAX` are read; what lies before them
is taken from the timeline that was made of it. A key that changed hands more than `HANDS_MAX` times
is nobody's, for good: nothing more is claimed on it.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from clarion.customers.identity.claims.claim import (
    Claim,
    ClaimKind,
    ClaimStatement,
    IsReal,
    lead_of,
    moved_back,
    said_by,
)
from clarion.customers.identity.identifier import Owner, Provisional, User

SHARED_USERS_MAX = 20
"""More users than this on one key within SHARED_WINDOW, and nobody absorbs from it (R12)."""
SHARED_WINDOW = timedelta(hours=24)
HANDS_MAX = 200
"""A key that changed hands more often is nobody's: no person's device does."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)
CLAIMS_READ_MAX = 1_000
"""What lies before the newest of them is taken from the timeline that is kept."""


class Span(Struct, frozen=True, kw_only=True, gc=False):
    """From `at` on the key is `user_id`'s; None: signed out."""

    at: datetime
    user_id: str | None
    clock_at: datetime | None = None
    """By the clock of who said so, where that is another time; of a sign-out alone."""

    @property
    def since(self) -> datetime:
        """What tells the customer after this sign-out from others: it stays the same, however far
        ahead the clock is found to be."""
        return self.clock_at or self.at


class Timeline(Struct, frozen=True, kw_only=True):
    """Who owned one key, when. `device_user` is who its device belongs to; None: nobody real.
    `left_at`: since when its owner has said that it is gone, and not been seen with it. `leads`:
    sender → by how many µs its clock was ahead at most, where it was."""

    spans: tuple[Span, ...] = ()
    mover: str | None = None
    has_mover: bool = False
    device_user: str | None = None
    is_shared: bool = False
    left_at: datetime | None = None
    leads: Mapping[int, int] = {}
    is_nobodys: bool = False

    def owner_at(self, key: str, at: datetime) -> Owner:
        """The owner of `key` at that time (R4); `at` as `placed` gives it."""
        place = _place(self.spans, at)
        if place:
            span = self.spans[place - 1]
            if span.user_id is not None:
                return User(span.user_id)
            since: datetime | None = span.since
        else:
            since = None
        if place < len(self.spans) and not self.is_shared:
            heir = self.spans[place].user_id
            if heir is not None:
                return User(heir)
        return Provisional(key, since)

    def device_owner(self, key: str) -> Owner:
        """The owner of the device whose id is `key`, now (R6, R7)."""
        if self.device_user is not None:
            return User(self.device_user)
        for span in reversed(self.spans):
            if span.user_id is None:
                return Provisional(key, span.since)
        return Provisional(key, None)

    def placed(self, at: datetime, sender: int, ahead: int | None) -> datetime:
        """Where something that `sender` said at `at`, by its own clock, stands on this timeline."""
        lead = self.leads.get(sender, 0) if self.leads else 0
        return at if lead == 0 else moved_back(at, ahead, lead)

    def runs(self, key: str) -> list[tuple[datetime | None, datetime | None, Owner]]:
        """(start, end, owner) for all of time, runs of one owner joined; None is open."""
        if not self.spans:
            return [(None, None, Provisional(key, None))]
        first = self.spans[0].user_id
        if len(self.spans) == 1 and first is not None and not self.is_shared:
            return [(None, None, User(first))]  # as most are: somebody has signed in
        edges = sorted({span.at for span in self.spans})
        runs: list[tuple[datetime | None, datetime | None, Owner]] = []
        for start, end in pairwise([None, *edges, None]):
            owner = self.owner_at(key, _BEGINNING if start is None else start)
            if runs and runs[-1][2] == owner:
                runs[-1] = (runs[-1][0], end, owner)
            else:
                runs.append((start, end, owner))
        return runs


class Stretch(Struct, frozen=True, kw_only=True, gc=False):
    """Whose a key was and is from `start` until `end`; None is open-ended."""

    start: datetime | None
    end: datetime | None
    was: Owner
    now: Owner


class Earlier(Struct, frozen=True, gc=False):
    """The timeline that is kept of a key. It holds until `until`; from then on its claims say."""

    line: Timeline
    until: datetime


NOBODYS = Timeline(is_shared=True, is_nobodys=True)


def timeline(
    claims: Iterable[Claim], is_real: IsReal, *, earlier: Earlier | None = None
) -> Timeline:
    """The timeline of one key from its claims; their order and repetition do not matter.

    `earlier`: what is known of the time before the oldest of the stored claims, where not all were
    read.
    """
    claims = list(claims)
    leads = _leads(claims, {} if earlier is None else earlier.line.leads)
    new_claims = {
        claim_said for claim in claims if (claim_said := said_by(claim, leads, is_real)) is not None
    }
    said = sorted(
        new_claims if earlier is None else new_claims.union(_said_earlier(earlier, is_real))
    )
    spans: list[Span] = []
    mover: ClaimStatement | None = None
    absorber: str | None = None
    left: ClaimStatement | None = None
    for claim_said in said:
        if claim_said.is_deletion:
            is_owners = bool(spans) and spans[-1].user_id == claim_said.deleted_by
            left = claim_said if is_owners else left
            continue
        user_id = claim_said.user_id or None
        if left is not None and (claim_said.moves or user_id == left.deleted_by):
            left = None
        if not spans or spans[-1].user_id != user_id:
            spans.append(_span(claim_said))
        if claim_said.moves:
            mover, absorber = claim_said, None
        if absorber is None:
            absorber = user_id
    spans = _joined(spans)
    if len(spans) > HANDS_MAX:
        return NOBODYS
    shared = _is_shared(spans)
    moved_to = (mover.user_id or None) if mover is not None else None
    device_user = moved_to
    if device_user is None and not shared:
        device_user = absorber
    made = Timeline(
        spans=tuple(spans),
        mover=moved_to,
        has_mover=mover is not None,
        device_user=device_user,
        is_shared=shared,
        left_at=left.at if left is not None else None,
        leads=leads,
    )
    if earlier is None or (mover is not None and mover.at >= earlier.until):
        return made
    return _moved_earlier(made, earlier.line)


def leaves_unchanged(known: Timeline, claim: Claim, is_real: IsReal) -> bool:
    """True if adding `claim` can not change the timeline, so that its other claims need not be
    read: the common case of a signed-in customer's next event."""
    if known.is_nobodys:
        return True
    if claim.ahead is not None and lead_of(claim) > known.leads.get(claim.sender, 0):
        return False
    if claim.kind is ClaimKind.PLAIN and known.left_at is None and not known.leads:
        # Nearly all there are: what `said_by` makes of them is not needed to know it.
        if not is_real(claim.user_id):
            return True
        place = _place(known.spans, claim.at)
        return place > 0 and known.spans[place - 1].user_id == claim.user_id
    said = said_by(claim, known.leads, is_real)
    if said is None:
        return True
    # At one instant a deletion comes before what registers.
    find = bisect_left if said.is_deletion else bisect_right
    place = find(known.spans, said.at, key=_at)
    user_then = known.spans[place - 1].user_id if place else None
    if said.is_deletion:
        return user_then != said.deleted_by
    if user_then != (said.user_id or None):
        return False
    if known.left_at is not None and (said.at >= known.left_at or said.moves):
        return False
    if said.moves:
        return known.has_mover and known.mover == (said.user_id or None)
    return True


def compared(key: str, before: Timeline, after: Timeline) -> list[Stretch]:
    """All of time, cut wherever the owner is or was another one."""
    first = _BEGINNING
    edges = sorted({first, *(s.at for s in before.spans), *(s.at for s in after.spans)})
    stretches = []
    for start, end in pairwise([*edges, None]):
        assert start is not None
        was, now = before.owner_at(key, start), after.owner_at(key, start)
        begins = None if start == first else start
        stretches.append(Stretch(start=begins, end=end, was=was, now=now))
    return stretches


def owners_after(
    key: str, stored: Sequence[Claim], new: Sequence[Claim], after: Timeline, is_real: IsReal
) -> list[Owner]:
    """Whom the device whose id is `key` belonged to after each of the `new` claims, in the order
    they came in; `after` is the timeline of all of them.

    One pass, whatever the order: only the last claim that moves a device counts, and the first one
    behind it.
    """
    if after.is_nobodys:
        return [Provisional(key, None) for _ in new]
    said = [
        reading for claim in stored if (reading := said_by(claim, after.leads, is_real)) is not None
    ]
    order = sorted(claim_said for claim_said in said if not claim_said.is_deletion)
    mover = max((claim_said for claim_said in order if claim_said.moves), default=None)
    owners = []
    for claim in new:
        reading = said_by(claim, after.leads, is_real)
        if reading is not None and not reading.is_deletion:
            insort(order, reading)
            if reading.moves and (mover is None or reading > mover):
                mover = reading
        owners.append(_owner_now(key, order, mover, after))
    return owners


def _owner_now(
    key: str, order: Sequence[ClaimStatement], mover: ClaimStatement | None, after: Timeline
) -> Owner:
    if mover is not None and mover.user_id:
        return User(mover.user_id)
    place = 0 if mover is None else bisect_right(order, mover)
    if place < len(order) and order[place].user_id and not after.is_shared:
        return User(order[place].user_id)
    if mover is None:
        return Provisional(key, None)
    start = bisect_right(after.spans, mover.at, key=_at)
    span = after.spans[start - 1] if start else None
    return Provisional(key, None if span is None or span.user_id is not None else span.since)


def _span(said: ClaimStatement) -> Span:
    if said.user_id:
        return Span(at=said.at, user_id=said.user_id)
    clock_at = None if said.clock_at == said.at else said.clock_at
    return Span(at=said.at, user_id=None, clock_at=clock_at)


def _at(span: Span) -> datetime:
    return span.at


def _place(spans: Sequence[Span], at: datetime) -> int:
    """How many spans begin at `at` or before; nearly always all."""
    if not spans or spans[-1].at <= at:
        return len(spans)
    return bisect_right(spans, at, key=_at)


def _leads(claims: Iterable[Claim], known: Mapping[int, int]) -> dict[int, int]:
    leads = dict(known)
    for claim in claims:
        lead = lead_of(claim)
        if lead > leads.get(claim.sender, 0):
            leads[claim.sender] = lead
    return leads


def _said_earlier(earlier: Earlier, is_real: IsReal) -> set[ClaimStatement]:
    return {
        ClaimStatement(
            at=span.at,
            is_user=span.user_id is not None,
            message_id="",
            user_id=span.user_id or "",
            clock_at=span.since,
            moves=False,
            is_deletion=False,
            deleted_by="",
        )
        for span in earlier.line.spans
        if span.at < earlier.until and (span.user_id is None or is_real(span.user_id))
    }


def _moved_earlier(made: Timeline, line: Timeline) -> Timeline:
    """With what moved the device last, where that lies before the claims that were read."""
    if not line.has_mover:
        return made
    user_id = line.mover or line.device_user
    return replace(made, mover=line.mover, has_mover=True, device_user=user_id)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """One span an instant (the last says), no two neighbours alike, and none to sign out at first:
    nobody was signed in."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].at == span.at:
            joined.pop()
        if span.user_id != (joined[-1].user_id if joined else None):
            joined.append(span)
    return joined


def _is_shared(spans: Sequence[Span]) -> bool:
    """Whether more than SHARED_USERS_MAX users held the key within any SHARED_WINDOW."""
    users = [span for span in spans if span.user_id is not None]
    if len(users) <= SHARED_USERS_MAX:
        return False
    near: Counter[str | None] = Counter()
    first = 0
    for span in users:
        near[span.user_id] += 1
        while span.at - users[first].at > SHARED_WINDOW:
            near[users[first].user_id] -= 1
            if not near[users[first].user_id]:
                del near[users[first].user_id]
            first += 1
        if len(near) > SHARED_USERS_MAX:
            return True
    return False
