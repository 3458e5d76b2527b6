"""A launch that reached nobody has failed where there is something to mend."""

import pytest

from clarion.deliveries.launch_failure import Counts, failure_of


@pytest.mark.parametrize(
    ("counts", "begins"),
    [
        ({("rejected", "invalid_argument"): 2}, "no push was accepted: 2 rejected (invalid_ar"),
        ({("expired", "unavailable"): 1}, "no push was accepted: 1 expired (unavailable): "),
        (
            {("skipped", "no_firebase_app"): 3, ("skipped", "opted_out"): 9},
            "no push was accepted: 3 skipped (no_firebase_app): bind the source",
        ),
        ({("skipped", "not_rendered"): 3}, "no push was accepted: 3 skipped (not_rendered): mend"),
        (
            {("rejected", letter): place for place, letter in enumerate("abcde", 1)},
            "no push was accepted: 5 rejected (e), 4 rejected (d), 3 rejected (c) and 2 more",
        ),
    ],
)
def test_it_tells_the_causes_the_most_frequent_first(counts: Counts, begins: str) -> None:
    assert (failure_of(counts) or "").startswith(begins)


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {("accepted", ""): 1, ("rejected", "a"): 99},
        {("unregistered", "unregistered"): 5},
        {("skipped", "opted_out"): 2, ("skipped", "notifications_off"): 1},
        {("rejected", "a"): 0, ("skipped", "erased"): 1},
    ],
)
def test_what_is_as_it_should_be_is_no_failure(counts: Counts) -> None:
    assert failure_of(counts) is None
