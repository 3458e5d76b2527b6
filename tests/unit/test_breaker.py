"""Promise 4: a wave of removals is told from a bad day, quickly, and by no chance."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.deliveries.apps.breaker import (
    MISMATCHES_MIN,
    REMOVALS_MIN,
    RemovalStats,
    count,
    describe,
    is_wave,
    settled,
)


def chunk(chance: Random, size: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(size))


def watched(chance: Random, share: float, chunks: int, size: int = 500) -> RemovalStats:
    """After so many chunks, none of which was a wave."""
    watch = RemovalStats()
    for _ in range(chunks):
        removed = chunk(chance, size, share)
        watch = count(watch, answered=size, removed=removed, mismatched=0)
        assert not is_wave(watch)
    return watch


@given(seed=st.integers(), size=st.sampled_from([1, 7, 100, 500]))
def test_one_in_twenty_uninstalled_is_never_a_wave(seed: int, size: int) -> None:
    watched(Random(seed), 0.05, 200, size)


@given(answers=st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=12))
def test_few_removals_are_never_a_wave(answers: list[tuple[int, bool]]) -> None:
    watch, removed = RemovalStats(), 0
    for size, dead in answers:
        if removed + size * dead >= REMOVALS_MIN:
            break
        removed += size * dead
        watch = count(watch, answered=size, removed=size * dead, mismatched=0)
        assert not is_wave(watch)


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_a_wave_is_seen_within_two_thousand_answers_of_a_good_history(share: float) -> None:
    chance = Random(7)
    watch = watched(chance, 0.01, 200)
    for _ in range(4):
        watch = count(watch, answered=500, removed=chunk(chance, 500, share), mismatched=0)
    assert is_wave(watch)


def test_a_key_of_another_project_is_seen_in_a_dozen_answers() -> None:
    watch = count(RemovalStats(), answered=12, removed=12, mismatched=12)
    assert is_wave(watch)
    assert "another Firebase project than shop" in describe(watch, "shop")


def test_a_few_registrations_of_an_older_project_are_none() -> None:
    watch = RemovalStats()
    for _ in range(100):
        watch = count(watch, answered=500, removed=20, mismatched=20)
        assert watch.recent_mismatched >= MISMATCHES_MIN
        assert not is_wave(watch)


def test_an_app_that_loses_many_is_judged_by_its_own_history() -> None:
    chance = Random(3)
    watch = watched(chance, 0.12, 100)
    for _ in range(10):
        watch = count(watch, answered=500, removed=chunk(chance, 500, 0.3), mismatched=0)
    assert not is_wave(watch)


def test_a_wave_is_not_learnt_before_somebody_says_that_it_is_right() -> None:
    wave = count(RemovalStats(), answered=500, removed=400, mismatched=0)
    assert is_wave(wave)
    assert (wave.usual, wave.usual_removed) == (0, 0)
    again = count(settled(wave, was_right=False), answered=500, removed=400, mismatched=0)
    assert is_wave(again)
    right = count(settled(wave, was_right=True), answered=500, removed=400, mismatched=0)
    assert not is_wave(right)


def test_what_was_right_once_is_forgotten_in_better_days() -> None:
    watch = settled(count(RemovalStats(), answered=500, removed=400, mismatched=0), was_right=True)
    for _ in range(1_000):
        watch = count(watch, answered=500, removed=5, mismatched=0)
    for _ in range(4):
        watch = count(watch, answered=500, removed=400, mismatched=0)
    assert is_wave(watch)


def test_the_reason_can_be_understood_by_a_marketer() -> None:
    watch = count(
        RemovalStats(usual=100_000, usual_removed=1_000), answered=500, removed=430, mismatched=0
    )
    assert describe(watch, "shop") == (
        "86% of the devices reached last through shop are gone, says FCM (usually 1%). Nothing "
        "more is removed until you decide whether FCM is right (remove) or not (keep)."
    )
