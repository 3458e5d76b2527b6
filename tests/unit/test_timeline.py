"""Timelines in one pass: the history of owners, sharing, and what is read of a long past."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.identity.claims.claim import Claim, ClaimKind
from clarion.customers.identity.identifier import Provisional, User
from clarion.customers.identity.timeline import (
    HANDS_MAX,
    NOBODYS,
    SHARED_USERS_MAX,
    Earlier,
    leaves_unchanged,
    owners_after,
    timeline,
)
from support.history import DAY

KEY = "D"


def is_real(user_id: str) -> bool:
    return user_id != KEY


def claim(at: float, user_id: str, kind: ClaimKind = ClaimKind.REGISTRATION) -> Claim:
    return Claim(
        key=KEY,
        at=DAY + timedelta(minutes=at),
        message_id=f"{at}-{user_id}-{kind}",
        user_id=user_id,
        kind=kind,
    )


CLAIMS = st.lists(
    st.builds(
        claim,
        st.integers(0, 30),
        st.sampled_from(["U", "V", "W", KEY]),
        st.sampled_from(
            [ClaimKind.REGISTRATION, ClaimKind.PLAIN, ClaimKind.MOVER, ClaimKind.DELETION]
        ),
    ),
    max_size=14,
    unique_by=lambda one: (one.at, one.message_id),
)


@given(claims=CLAIMS, cut=st.integers(0, 14))
def test_the_history_of_owners_is_what_each_prefix_says(claims: list[Claim], cut: int) -> None:
    """But for whose anonymous customer it is meanwhile: that is told by the end."""
    stored, new = claims[:cut], claims[cut:]
    after = timeline(claims, is_real)
    owners = owners_after(KEY, stored, new, after, is_real)
    for count, owner in enumerate(owners, 1):
        then = timeline([*stored, *new[:count]], is_real).device_owner(KEY)
        assert isinstance(owner, Provisional) == isinstance(then, Provisional)
        if isinstance(then, User):
            assert owner == then
    if new:
        assert owners[-1] == after.device_owner(KEY)


@given(claims=CLAIMS, late=CLAIMS)
def test_what_is_said_to_change_nothing_changes_nothing(
    claims: list[Claim], late: list[Claim]
) -> None:
    known = timeline(claims, is_real)
    for one in late:
        if leaves_unchanged(known, one, is_real):
            assert timeline([*claims, one], is_real) == known


@given(claims=CLAIMS, late=CLAIMS, cut=st.integers(1, 14))
def test_a_past_that_is_not_read_is_taken_from_the_timeline(
    claims: list[Claim], late: list[Claim], cut: int
) -> None:
    """Exactly, for all that comes after what was read begins."""
    ordered = sorted(claims, key=lambda one: (one.at, one.message_id))
    read = ordered[-cut:]
    if not read or is_deletion_among(claims):
        return
    known = timeline(claims, is_real)
    new = [one for one in late if one.at > read[0].at and one.kind is not ClaimKind.DELETION]
    made = timeline([*read, *new], is_real, earlier=Earlier(known, read[0].at))
    whole = timeline([*claims, *new], is_real)
    assert made.spans == whole.spans
    assert made.device_owner(KEY) == whole.device_owner(KEY)


def is_deletion_among(claims: Sequence[Claim]) -> bool:
    return any(one.kind is ClaimKind.DELETION for one in claims)


def test_a_key_that_changed_hands_too_often_is_nobodys_for_good() -> None:
    turns = [claim(number, "UV"[number % 2]) for number in range(HANDS_MAX + 1)]
    assert timeline(turns[:-1], is_real).device_user is not None
    line = timeline(turns, is_real)
    assert line == NOBODYS
    assert line.device_owner(KEY) == Provisional(KEY, None)
    assert line.owner_at(KEY, DAY) == Provisional(KEY, None)
    assert leaves_unchanged(line, claim(9_999, "U"), is_real)


def test_sharing_is_counted_within_any_day_however_many_come() -> None:
    a_day = 24 * 60
    many = [claim(number, f"user-{number}") for number in range(SHARED_USERS_MAX + 1)]
    assert timeline(many, is_real).is_shared
    assert not timeline(many[:-1], is_real).is_shared
    spread = [
        claim(number * (a_day / SHARED_USERS_MAX + 1), f"user-{number}") for number in range(60)
    ]
    assert not timeline(spread, is_real).is_shared
    turns = [claim(number, f"user-{number % SHARED_USERS_MAX}") for number in range(150)]
    assert not timeline(turns, is_real).is_shared
