"""Who an event belongs to, and who owns a device: the rules R0–R14 as pure functions.

The hard idea. Events come in any order, late and doubled, yet the answer must not depend on it. So
nothing here is a step that can not be taken back: identity is a function of the *set* of claims.

- An **identifier** is any string that has stood as userId, anonymousId or device id. Three facts
  are kept of it (`Flags`), each of which only ever turns from False to True. From them follows
  whether it is a **real** user id or a **provisional** key (R2): before sign-in an app sends its
  device id as userId, and that must never become a person of its own.
- A **claim** says: at this time this user id was seen with this key (R3). A registration whose
  userId is the device id itself says: this device is signed out.
- A **timeline** (R4) is all claims of one key in order of time, runs of one owner joined:

      origin ····· U ─────────── (signed out) ····· V ──────────
      absorbed     U's           absorbed by V      V's
      by U

  Time that no user covers is provisional. It belongs to the next user who claims the key, or, after
  the last one, to an anonymous customer whose id is derived from the key and the interval's start.

A late claim changes a timeline only where the owner changes; whoever stores events re-files those
intervals (`compared`). Two real users are never merged (R9): a claim moves time, not people.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from uuid import UUID, uuid5

from msgspec import Struct

SHARED_USERS_MAX = 20
"""More users than this on one key within SHARED_WINDOW, and nobody absorbs from it (R12)."""
SHARED_WINDOW = timedelta(hours=24)

DERIVED_KEPT = 16_384
"""How many derived ids are remembered: a batch asks for the same ones again and again."""


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


class Flags(Struct, frozen=True, kw_only=True, gc=False):
    """What has ever been seen of an identifier. Merging is a union, so order can not matter."""

    is_user: bool = False
    is_device: bool = False
    is_guarded: bool = False

    @property
    def is_real(self) -> bool:
        """A person's id, rather than a device id standing in as userId (R2)."""
        return self.is_user and not (self.is_device and not self.is_guarded)

    def merged(self, other: "Flags") -> "Flags":
        return Flags(
            is_user=self.is_user or other.is_user,
            is_device=self.is_device or other.is_device,
            is_guarded=self.is_guarded or other.is_guarded,
        )


class Claim(Struct, frozen=True, kw_only=True, gc=False):
    key: str
    at: datetime
    message_id: str
    user_id: str
    kind: ClaimKind


class Span(Struct, frozen=True, kw_only=True, gc=False):
    """From `at` on the key is `user_id`'s; None: signed out."""

    at: datetime
    user_id: str | None


class User(Struct, frozen=True, gc=False):
    """A customer known by a user id."""

    user_id: str


class Provisional(Struct, frozen=True, gc=False):
    """A customer known only by a key, from one sign-out (None: from the beginning) on."""

    key: str
    since: datetime | None


Owner = User | Provisional


class Timeline(Struct, frozen=True, kw_only=True):
    """Who owned one key, when. `device_user` is who its device belongs to; None: nobody real.
    `left_at`: since when its owner has said that it is gone, and not been seen with it."""

    spans: tuple[Span, ...] = ()
    mover: str | None = None
    has_mover: bool = False
    device_user: str | None = None
    is_shared: bool = False
    left_at: datetime | None = None

    def owner_at(self, key: str, at: datetime) -> Owner:
        """The owner of `key` at that time (R4)."""
        since: datetime | None = None
        user_id: str | None = None
        for span in self.spans:
            if span.at <= at:
                since, user_id = span.at, span.user_id
            elif user_id is None and not self.is_shared:
                user_id = span.user_id
                break
            else:
                break
        return Provisional(key, since) if user_id is None else User(user_id)

    def device_owner(self, key: str) -> Owner:
        """The owner of the device whose id is `key`, now (R6, R7)."""
        if self.device_user is not None:
            return User(self.device_user)
        for span in reversed(self.spans):
            if span.user_id is None:
                return Provisional(key, span.at)
        return Provisional(key, None)


class Stretch(Struct, frozen=True, kw_only=True, gc=False):
    """Whose a key was and is from `start` until `end`; None is open-ended."""

    start: datetime | None
    end: datetime | None
    was: Owner
    now: Owner


class _Signed(Struct, frozen=True, gc=False):
    user_id: str | None


def timeline(claims: Iterable[Claim], is_real: Callable[[str], bool]) -> Timeline:
    """The timeline of one key from all of its claims; their order and repetition do not matter."""
    signed = {
        (claim.at, effect.user_id is not None, claim.message_id): (claim, effect)
        for claim in claims
        if (effect := _effect(claim, is_real)) is not None
    }
    spans: list[Span] = []
    mover: _Signed | None = None
    absorber: str | None = None
    left: Claim | None = None
    for _, (claim, effect) in sorted(signed.items(), key=lambda item: item[0]):
        if claim.kind is ClaimKind.DELETION:
            left = claim if spans and spans[-1].user_id == claim.user_id else left
            continue
        if left is not None and (claim.kind in _MOVES or effect.user_id == left.user_id):
            left = None
        if not spans or spans[-1].user_id != effect.user_id:
            spans.append(Span(at=claim.at, user_id=effect.user_id))
        if claim.kind in _MOVES:
            mover, absorber = effect, None
        if absorber is None:
            absorber = effect.user_id
    spans = _joined(spans)
    shared = _is_shared(spans)
    device_user = mover.user_id if mover is not None else None
    if device_user is None and not shared:
        device_user = absorber
    return Timeline(
        spans=tuple(spans),
        mover=mover.user_id if mover is not None else None,
        has_mover=mover is not None,
        device_user=device_user,
        is_shared=shared,
        left_at=left.at if left is not None else None,
    )


def leaves_unchanged(known: Timeline, claim: Claim, is_real: Callable[[str], bool]) -> bool:
    """True if adding `claim` can not change the timeline, so that its other claims need not be
    read: the common case of a signed-in customer's next event."""
    effect = _effect(claim, is_real)
    if effect is None:
        return True
    is_deletion = claim.kind is ClaimKind.DELETION
    at_that_time = _Signed(None)
    for span in known.spans:
        if span.at > claim.at or (is_deletion and span.at == claim.at):
            break
        at_that_time = _Signed(span.user_id)
    if is_deletion:
        return at_that_time.user_id != claim.user_id
    if at_that_time != effect or known.left_at is not None:
        return False
    if claim.kind in _MOVES:
        return known.has_mover and known.mover == effect.user_id
    return True


def compared(key: str, before: Timeline, after: Timeline) -> list[Stretch]:
    """All of time, cut wherever the owner is or was another one."""
    first = datetime.min.replace(tzinfo=UTC)
    edges = sorted({first, *(s.at for s in before.spans), *(s.at for s in after.spans)})
    stretches = []
    for start, end in pairwise([*edges, None]):
        assert start is not None
        was, now = before.owner_at(key, start), after.owner_at(key, start)
        begins = None if start == first else start
        stretches.append(Stretch(start=begins, end=end, was=was, now=now))
    return stretches


@lru_cache(maxsize=DERIVED_KEPT)
def customer_id_of(workspace_id: UUID, owner: Owner) -> UUID:
    """The derived id of a customer: the same events give the same id in any order."""
    match owner:
        case User(user_id):
            return uuid5(workspace_id, f"user:{user_id}")
        case Provisional(key, since):
            start = "" if since is None else since.isoformat()
            return uuid5(workspace_id, f"key:{start}:{key}")


def device_row_id(workspace_id: UUID, device_id: str) -> UUID:
    return uuid5(workspace_id, f"device:{device_id}")


def _effect(claim: Claim, is_real: Callable[[str], bool]) -> _Signed | None:
    """What a claim says once it is known who is real; None: nothing."""
    if claim.kind is ClaimKind.SIGN_OUT:
        return _Signed(None)
    if claim.kind is ClaimKind.DELETION:
        return _Signed(None) if is_real(claim.user_id) else None
    if is_real(claim.user_id):
        if claim.kind is ClaimKind.ALIAS and (claim.key == claim.user_id or is_real(claim.key)):
            return None
        return _Signed(claim.user_id)
    if claim.kind is ClaimKind.REGISTRATION and claim.key == claim.user_id:
        return _Signed(None)
    return None


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
    users = [span for span in spans if span.user_id is not None]
    for first in range(len(users) - SHARED_USERS_MAX):
        until = users[first].at + SHARED_WINDOW
        near = {span.user_id for span in users[first:] if span.at <= until}
        if len(near) > SHARED_USERS_MAX:
            return True
    return False
