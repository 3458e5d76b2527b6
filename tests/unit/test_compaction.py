"""Claims that decide nothing are dropped, and nobody's profile is another one, whatever comes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.profile.compaction import (
    ADDRESSES_KEPT,
    HeldClaim,
    dropped,
    undecided,
)
from clarion.customers.profile.traits import TRAITS_MAX, Profile, TraitUpdate
from clarion.customers.profile.wrong_clock import Installation, TimedLesson, in_one_order
from unit.test_profile import DAY, lesson, push

PHONE = Installation(UUID(int=1), "phone")


def held(lesson: TraitUpdate, *, is_certain: bool = True, is_active: bool = True) -> HeldClaim:
    return HeldClaim(lesson=lesson, is_certain=is_certain, is_active=is_active)


@st.composite
def claims(draw: st.DrawFn, prefix: str) -> list[HeldClaim]:
    """Of a person, by clocks that are right and by one that is weeks behind."""
    many = []
    for number in range(draw(st.integers(0, 12))):
        traits: dict[str, Any] = draw(
            st.dictionaries(
                st.sampled_from(["plan", "city", "email", "campaign"]),
                st.sampled_from(["a", "b", "c@shop.example", None]),
                max_size=3,
            )
        )
        traits |= draw(st.sampled_from([{}, push(True), push(False), push("perhaps")]))
        said = lesson(draw(st.integers(0, 6)), traits, message_id=f"{prefix}{number}")
        many.append(held(said, is_certain=draw(st.booleans()), is_active=draw(st.booleans())))
    return many


def profile(many: list[HeldClaim]) -> Profile:
    """As a customer is made anew; the clock of who is not certain was behind by some minutes."""
    return Profile().apply_identify(
        in_one_order(
            [
                TimedLesson(lesson=one.lesson)
                if one.is_certain
                else TimedLesson(
                    lesson=one.lesson,
                    installation=PHONE,
                    clock_at=DAY - timedelta(days=30, minutes=len(one.lesson.message_id)),
                )
                for one in many
            ]
        )
    )


@given(claims("a"), claims("b"), claims("x"), st.randoms(use_true_random=False))
def test_whatever_comes_later_the_profile_is_the_one_of_all_claims(
    before: list[HeldClaim], later: list[HeldClaim], others: list[HeldClaim], chance: Any
) -> None:
    """`others`: those of another key that turns out to be the same customer's, before sign-in."""
    unknown = [
        held(lesson((one.lesson.at - DAY).seconds / 60, dict(one.lesson.traits), known=False,
                    message_id=one.lesson.message_id), is_certain=one.is_certain)
        for one in others
    ]  # fmt: skip
    everything = [*before, *later, *unknown]
    kept = undecided(before)
    assert all(one in before for one in kept)
    arrived = [*later, *unknown]
    chance.shuffle(arrived)
    assert profile([*kept, *arrived]) == profile(everything)
    again = undecided([*kept, *later])
    assert profile([*again, *unknown]) == profile(everything)
    assert again == undecided([*before, *later]) or len(again) <= len(kept) + len(later)


@given(claims("a"), claims("b"))
def test_in_parts_the_same_are_kept_as_at_once(
    first: list[HeldClaim], second: list[HeldClaim]
) -> None:
    assert undecided([*undecided(first), *second]) == undecided([*first, *second])


def test_one_who_says_the_same_each_day_is_one_claim() -> None:
    daily = [held(lesson(day, {"plan": "gold", "visits": day})) for day in range(500)]
    assert undecided(daily) == daily[-1:]


def test_the_first_word_and_the_last_on_push_stay() -> None:
    first = held(lesson(1, {"campaign": {"name": "spring"}}))
    pushed = held(lesson(2, push(False) | {"x": 1}))
    daily = [held(lesson(day, {"x": day, "campaign": "later"} | push("?"))) for day in range(3, 9)]
    kept = undecided([first, pushed, *daily])
    assert kept == [first, pushed, daily[-1]]


def test_a_clock_that_is_wrong_neither_goes_nor_makes_others_go() -> None:
    wrong = [held(lesson(day, {"x": day}), is_certain=False) for day in (1, 5)]
    right = held(lesson(3, {"x": 3}))
    assert undecided([*wrong, right]) == [*wrong, right]


def test_the_addresses_that_a_person_has_had_stay_up_to_a_number() -> None:
    """An erasure looks for them."""
    count = ADDRESSES_KEPT + 10
    had = [held(lesson(day, {"email": f"{day}@shop.example"})) for day in range(count)]
    assert undecided(had) == had[-ADDRESSES_KEPT:]


def test_a_profile_that_may_be_full_keeps_all_it_was_taught() -> None:
    full = [
        held(lesson(number, {f"trait-{number}": 1, "x": number})) for number in range(TRAITS_MAX)
    ]
    again = [*full, held(lesson(TRAITS_MAX, dict.fromkeys((f"trait-{n}" for n in range(9)), 2)))]
    assert undecided(again) == again


def test_who_was_not_there_stays_as_long_as_the_event_is_stored() -> None:
    """The event itself does not say it."""
    absent = held(lesson(1, {"x": 1}, message_id="absent"), is_active=False)
    there = held(lesson(2, {"x": 2}, message_id="there"))
    last = held(lesson(3, {"x": 3}, message_id="last"))
    all_claims = [absent, there, last]
    kept = undecided(all_claims)
    assert kept == [last]
    assert dropped(all_claims, kept, {"absent", "there"}) == ["there"]
    assert dropped(all_claims, kept, set()) == ["absent", "there"]
