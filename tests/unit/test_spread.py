"""A launch that is spread leaves evenly, each device at its own time, whoever plans it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.deliveries.planning.send_window import divide, due_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Member:
    id: UUID


def members(seed: int, count: int) -> list[Member]:
    chance = Random(seed)
    ids = sorted(chance.getrandbits(128) for _ in range(count))
    return [Member(UUID(int=one)) for one in ids]


@given(
    seed=st.integers(),
    count=st.integers(0, 300),
    size=st.integers(1, 60),
    minutes=st.sampled_from([0, 1, 7, 60, 1_440]),
)
def test_every_device_is_in_one_chunk_that_is_due_within_the_window(
    seed: int, count: int, size: int, minutes: int
) -> None:
    page = members(seed, count)
    parts = list(divide(page, size, started_at=NOW, minutes=minutes, now=NOW))
    assert [one for _, part in parts for one in part] == page
    assert all(1 <= len(part) <= size for _, part in parts)
    times = [due for due, _ in parts]
    assert times == sorted(times)
    assert all(NOW <= due < NOW + timedelta(minutes=max(minutes, 1)) for due in times)
    for due, part in parts:
        for one in part:
            if minutes:
                assert abs(due_at(one.id, NOW, minutes) - due) <= timedelta(minutes=1)


@pytest.mark.parametrize("count", [200, 20_000])
def test_as_many_leave_in_each_quarter_of_the_window(count: int) -> None:
    quarters = [0, 0, 0, 0]
    for due, part in divide(members(3, count), 500, started_at=NOW, minutes=60, now=NOW):
        quarters[int((due - NOW).total_seconds() // 900)] += len(part)
    assert all(0.18 * count <= quarter <= 0.32 * count for quarter in quarters)


def test_what_is_planned_late_is_due_now() -> None:
    late = NOW + timedelta(hours=2)
    page = members(1, 50)
    assert {due for due, _ in divide(page, 9, started_at=NOW, minutes=60, now=late)} == {late}
