"""What we know of a customer (R10): the same identifies, in whatever order, teach the same."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.profile.traits import (
    FIRST_WORDS,
    PROFILE_BYTES_MAX,
    TRAITS_MAX,
    Profile,
    TraitUpdate,
)
from clarion.events.messages.push_preference import is_preference_unreadable, push_preference

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def lesson(
    at: float, traits: dict[str, Any], *, known: bool = True, message_id: str | None = None
) -> TraitUpdate:
    return TraitUpdate(
        traits=traits,
        is_identified=known,
        at=DAY + timedelta(minutes=at),
        message_id=message_id or f"m{at:04}",
    )


def taught(*lessons: TraitUpdate) -> Profile:
    return Profile().apply_identify(lessons)


def push(said: Any) -> dict[str, Any]:
    return {"marketingPreferences": {"channels": [{"channel": "push", "subscribed": said}]}}


def test_the_later_identify_wins_each_trait() -> None:
    late, early = lesson(2, {"plan": "gold"}), lesson(1, {"plan": "silver", "age": 5})
    for order in ([late, early], [early, late]):
        assert taught(*order).traits == {"plan": "gold", "age": 5}


def test_at_one_instant_the_greater_message_id_wins() -> None:
    a, b = lesson(1, {"x": "a"}, message_id="a"), lesson(1, {"x": "b"}, message_id="b")
    assert taught(a, b) == taught(b, a)
    assert taught(a, b).traits == {"x": "b"}


def test_what_was_said_before_signing_in_never_overrides_a_known_trait() -> None:
    known = lesson(1, {"email": "known@example.com"})
    stranger = lesson(2, {"email": "typo@example.com", "city": "Bern"}, known=False)
    for order in ([known, stranger], [stranger, known]):
        assert taught(*order).traits == {"email": "known@example.com", "city": "Bern"}


def test_a_null_removes_a_trait_and_an_older_identify_can_not_bring_it_back() -> None:
    removed = lesson(2, {"plan": None})
    older, newer = lesson(1, {"plan": "silver"}), lesson(3, {"plan": "gold"})
    for order in ([removed, older], [older, removed]):
        assert taught(*order).traits == {}
    assert taught(newer, removed, older).traits == {"plan": "gold"}


def test_a_trait_that_is_an_object_is_replaced_whole() -> None:
    first = lesson(1, {"address": {"city": "Bern", "street": "A"}})
    second = lesson(2, {"address": {"city": "Basel"}})
    assert taught(second, first).traits == {"address": {"city": "Basel"}}


def test_a_list_is_replaced_whole() -> None:
    first, second = lesson(1, {"likes": ["tea", "jam"]}), lesson(2, {"likes": ["rum"]})
    assert taught(second, first).traits == {"likes": ["rum"]}


def test_how_somebody_came_is_what_was_said_first_whoever_said_it() -> None:
    first = lesson(1, {"campaign": {"source": "poster"}}, known=False)
    later = lesson(2, {"campaign": {"source": "mail"}})
    nothing = lesson(0, {"campaign": None})
    assert taught(later, first, nothing).traits == {"campaign": {"source": "poster"}}


def test_a_profile_is_never_changed_in_place() -> None:
    before = taught(lesson(1, {"plan": "silver"}))
    before.apply_identify([lesson(2, {"plan": "gold", **push(False)})])
    assert before == taught(lesson(1, {"plan": "silver"}))


def test_who_has_said_nothing_may_be_sent_a_push() -> None:
    assert not Profile().push_opted_out
    assert not taught(lesson(1, {"plan": "gold"})).push_opted_out


def test_the_last_word_on_push_counts_whoever_said_it() -> None:
    no, yes = lesson(1, push(False)), lesson(2, push(True), known=False)
    for order in ([no, yes], [yes, no]):
        assert not taught(*order).push_opted_out
    later_no = lesson(3, push(False), known=False)
    for order in ([later_no, no, yes], [yes, no, later_no]):
        assert taught(*order).push_opted_out


def test_at_one_instant_no_counts_before_yes() -> None:
    no = lesson(1, push(False), message_id="a")
    yes = lesson(1, push(True), message_id="b")
    assert taught(no, yes).push_opted_out
    assert taught(yes, no).push_opted_out


def test_taking_the_preferences_away_says_nothing_about_push() -> None:
    no = lesson(1, push(False))
    assert taught(no, lesson(2, {"marketingPreferences": None})).push_opted_out
    assert taught(no, lesson(2, {"marketingPreferences": {"channels": []}})).push_opted_out


@pytest.mark.parametrize(
    ("channels", "wanted"),
    [
        ([{"channel": "push", "subscribed": True}], True),
        ([{"channel": "Push", "subscribed": False}], False),
        (
            [{"channel": "push", "subscribed": True}, {"channel": "PUSH", "subscribed": False}],
            False,
        ),
        ([{"channel": "email", "subscribed": False}], None),
        ([{"channel": "push", "subscribed": "false"}], False),
        ([{"channel": "push", "subscribed": 0}], False),
        ([{"channel": " push ", "subscribed": "No"}], False),
        ([{"channel": "push", "subscribed": "OPTED_OUT"}], False),
        ([{"channel": "push", "subscribed": "did not subscribe"}], False),
        ([{"channel": "push", "subscribed": "true"}], True),
        ([{"channel": "push", "subscribed": 1}], True),
        ([{"channel": "push", "subscribed": "yes"}], True),
        ([{"channel": "push", "subscribed": "maybe"}], None),
        ([{"channel": "push", "subscribed": 2}], None),
        ([{"channel": "push", "subscribed": []}], None),
        ([{"channel": "push", "subscribed": True}, {"channel": "push", "subscribed": "?"}], None),
        ([{"channel": "push", "subscribed": "no"}, {"channel": "push", "subscribed": "?"}], False),
        ([{"channel": "push", "subscribed": None}], None),
        ([{"channel": "push"}], None),
        ([{"subscribed": False}], None),
        (["push", None, 5], None),
        ([], None),
        ({"push": False}, False),
        ({"push": {"subscribed": "off"}}, False),
        ({"email": False}, None),
        (None, None),
    ],
)
def test_only_a_clear_word_on_push_is_a_preference(channels: Any, wanted: bool | None) -> None:
    assert push_preference({"marketingPreferences": {"channels": channels}}) is wanted


@pytest.mark.parametrize(
    ("said", "is_unreadable"),
    [("maybe", True), (2, True), ([], True), ("no", False), (True, False), (None, False)],
)
def test_a_preference_that_can_not_be_read_is_noticed(said: Any, is_unreadable: bool) -> None:
    assert is_preference_unreadable(push(said)) is is_unreadable


def test_what_can_not_be_read_leaves_the_last_clear_word() -> None:
    assert taught(lesson(1, push("no")), lesson(2, push("perhaps"))).push_opted_out
    assert not taught(lesson(1, push("yes")), lesson(2, push("perhaps"))).push_opted_out


def test_a_profile_takes_no_more_than_it_may_hold_and_says_what_found_no_room() -> None:
    names = {f"name-{number}": 1 for number in range(TRAITS_MAX)}
    full = taught(lesson(1, names))
    assert (len(full.traits), full.left_out) == (TRAITS_MAX, frozenset())
    more = full.apply_identify([lesson(2, {"one-more": 1, "name-0": 2}, message_id="late")])
    assert "one-more" not in more.traits
    assert more.traits["name-0"] == 2
    assert more.left_out == {"late"}
    long = {f"long-{number}": "x" * 30_000 for number in range(20)}
    held = taught(lesson(1, long, message_id="long"))
    assert len(msgspec.json.encode(held.traits)) <= PROFILE_BYTES_MAX
    assert held.left_out == {"long"}
    shorter = held.apply_identify([lesson(2, {"long-0": "x"})])
    assert (shorter.traits["long-0"], shorter.left_out) == ("x", frozenset())
    merged = held.merged(taught(lesson(3, names)))
    assert len(merged.stamps) <= TRAITS_MAX
    assert len(msgspec.json.encode(merged.traits)) <= PROFILE_BYTES_MAX


@pytest.mark.parametrize("odd", [None, "push", 5, [], [{"channel": "push", "subscribed": False}]])
def test_preferences_of_another_shape_say_nothing(odd: Any) -> None:
    assert push_preference({"marketingPreferences": odd}) is None


@pytest.mark.parametrize(
    ("exclusions", "out"),
    [
        ({"selfExcluded": True}, True),
        ({"selfExcluded": "yes"}, True),
        ({"selfExcluded": "perhaps"}, True),
        ({"selfExcluded": 0}, False),
        ({"selfExcluded": "false"}, False),
        ({"a": False, "b": True}, True),
        ({"a": False, "b": None}, False),
        ({}, False),
        (None, False),
        ("all", True),
        (["push"], True),
        (True, True),
        (False, False),
        ("no", False),
        ([], False),
        ([None, False], False),
    ],
)
def test_an_exclusion_blocks_every_push(exclusions: Any, out: bool) -> None:
    profile = taught(lesson(1, {"exclusions": exclusions}), lesson(2, push(True)))
    assert profile.push_opted_out is out


def test_an_exclusion_ends_when_it_is_taken_back() -> None:
    excluded = lesson(1, {"exclusions": {"a": True}})
    for ending in ({"a": False}, {}, None):
        assert not taught(lesson(2, {"exclusions": ending}), excluded).push_opted_out


_TRAITS = st.dictionaries(
    st.sampled_from(["plan", "age", "email", "campaign"]), st.none() | st.integers(0, 3), max_size=3
) | st.sampled_from([push(True), push(False), {"exclusions": {"a": True}}, {"exclusions": None}])


@st.composite
def histories(draw: st.DrawFn) -> list[TraitUpdate]:
    said = draw(st.lists(st.tuples(st.integers(0, 4), _TRAITS, st.booleans()), max_size=8))
    return [
        lesson(at, traits, known=known, message_id=f"m{number}")
        for number, (at, traits, known) in enumerate(said)
    ]


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_teaches_the_same(
    history: list[TraitUpdate], chance: random.Random
) -> None:
    order = [*history, *chance.sample(history, len(history) // 2)]
    chance.shuffle(order)
    assert taught(*order) == taught(*history)
    one_by_one = Profile()
    for one in order:
        one_by_one = one_by_one.apply_identify([one])
    assert one_by_one == taught(*history)


@given(histories(), st.integers(0, 8))
def test_two_halves_merged_know_what_one_would(history: list[TraitUpdate], at: int) -> None:
    one, other = taught(*history[:at]), taught(*history[at:])
    assert one.merged(other) == other.merged(one) == taught(*history)


@given(histories())
def test_each_trait_is_the_word_of_the_strongest_identify(history: list[TraitUpdate]) -> None:
    profile = taught(*history)
    for name in {name for one in history for name in one.traits} - FIRST_WORDS:
        _, winner = max(
            ((one.is_identified, one.at, one.message_id), one)
            for one in history
            if name in one.traits
        )
        assert profile.traits.get(name) == winner.traits[name]
        assert (name in profile.traits) is (winner.traits[name] is not None)
