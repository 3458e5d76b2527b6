"""Why a device is whose it is: the explanation names the rule that truly decided."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.customers.identity.claims.claim import Claim, ClaimKind
from clarion.customers.identity.explanation import MEANINGS, Because, explain
from clarion.customers.identity.timeline import SHARED_USERS_MAX, timeline
from support.history import DAY
from support.sampling import examples

REAL = {"ada", "bob"}


def is_real(user_id: str) -> bool:
    return user_id in REAL or user_id.startswith("user-")


def claim(minute: float, user: str, kind: ClaimKind = ClaimKind.REGISTRATION) -> Claim:
    return Claim(
        key="D",
        at=DAY + timedelta(minutes=minute),
        message_id=f"m{minute}-{user}-{kind}",
        user_id=user,
        kind=kind,
    )


CLAIMS = st.lists(
    st.builds(
        claim,
        st.integers(0, 8),
        st.sampled_from(["ada", "bob", "D", "E"]),
        st.sampled_from(list(ClaimKind)),
    ),
    max_size=8,
)


@settings(max_examples=examples(100), deadline=None)
@given(CLAIMS)
def test_the_explanation_names_the_owner_that_identity_names(claims: list[Claim]) -> None:
    told = explain(claims, is_real)
    assert told.user_id == timeline(claims, is_real).device_user
    if told.user_id is not None:
        assert told.claim is not None
        assert told.claim.user_id == told.user_id


@settings(max_examples=examples(100), deadline=None)
@given(CLAIMS, st.randoms(use_true_random=False))
def test_the_explanation_does_not_depend_on_the_order(claims: list[Claim], random: object) -> None:
    shuffled = list(claims)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert explain(shuffled, is_real) == explain(claims, is_real)


def test_the_newest_event_that_may_move_a_device_decides() -> None:
    told = explain([claim(1, "ada"), claim(2, "bob"), claim(3, "ada", ClaimKind.PLAIN)], is_real)
    assert (told.because, told.claim) == (Because.NAMED, claim(2, "bob"))


def test_without_a_registration_the_first_user_seen_has_the_device() -> None:
    told = explain([claim(2, "bob", ClaimKind.PLAIN), claim(1, "ada", ClaimKind.PLAIN)], is_real)
    assert (told.because, told.user_id) == (Because.FIRST_SEEN, "ada")


def test_a_signed_out_device_is_nobodys_until_a_user_is_seen_with_it() -> None:
    told = explain([claim(1, "ada"), claim(2, "D")], is_real)
    assert (told.because, told.user_id, told.claim) == (Because.SIGNED_OUT, None, claim(2, "D"))
    later = claim(3, "bob", ClaimKind.PLAIN)
    told = explain([claim(1, "ada"), claim(2, "D"), later], is_real)
    assert (told.because, told.claim) == (Because.FIRST_SEEN, later)


def test_a_device_that_no_user_was_seen_with_says_so() -> None:
    assert explain([], is_real).because is Because.NEVER_SIGNED_IN
    assert explain([claim(1, "E", ClaimKind.PLAIN)], is_real).because is Because.NEVER_SIGNED_IN


def test_a_shared_device_says_so() -> None:
    crowd = [claim(n, f"user-{n}", ClaimKind.PLAIN) for n in range(SHARED_USERS_MAX + 1)]
    assert explain(crowd, is_real).because is Because.SHARED


def test_each_rule_has_words() -> None:
    assert set(MEANINGS) == set(Because)
