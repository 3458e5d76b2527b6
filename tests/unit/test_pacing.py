"""Promise 7: a project's pushes keep to FCM's quota, over all who send, and lose little of it."""

import heapq
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.deliveries.apps.pacing import (
    CUT,
    PASSING_SHARE,
    PEAK_SECONDS,
    RAMP_FROM,
    RAMP_SECONDS,
    SLICE_SECONDS,
    WAIT_SECONDS_MAX,
    Grant,
    Later,
    Limits,
    Pace,
    draw,
    fresh,
    throttled,
)

NOW = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
CHUNK = 500


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


class Bucket:
    """FCM's: full again at the end of each minute since the first push, whenever that was."""

    def __init__(self, quota: int, start: datetime) -> None:
        self.quota, self.until, self.left = quota, start + seconds(60), quota
        self.taken = self.refused = 0

    def take(self, at: datetime) -> float:
        """Seconds until it is full again, 0.0 where this push is taken."""
        while at >= self.until:
            self.until, self.left = self.until + seconds(60), self.quota
        if self.left == 0:
            self.refused += 1
            return (self.until - at).total_seconds()
        self.left -= 1
        self.taken += 1
        return 0.0


def send_for(
    minutes: int,
    limits: Limits,
    bucket: Bucket,
    *,
    chance: Random,
    senders: int = 8,
    passing: float = 0.0,
    waits: list[float] | None = None,
) -> Pace:
    """Senders that always have a chunk to send, and what each push is answered. `passing`: so many
    pushes a second to single customers come beside them; how long each waits is added to
    `waits`."""
    pace = fresh(NOW)
    end = NOW + seconds(60 * minutes)
    turns = [(NOW, number) for number in range(senders)]
    asked: dict[int, datetime] = {}
    if passing:
        for number in range(senders, senders + int(passing * 60 * minutes)):
            asked[number] = NOW + seconds((number - senders) / passing)
            turns.append((asked[number], number))
    heapq.heapify(turns)
    while turns:
        now, number = heapq.heappop(turns)
        if now >= end:
            continue
        if number in asked:
            pace, drawn = draw(pace, limits, 1, now, passes=True)
            if isinstance(drawn, Later):
                heapq.heappush(turns, (max(drawn.due_at, now + seconds(0.01)), number))
                continue
            at = now
            while not drawn.ready(at):
                at += seconds(SLICE_SECONDS)
            bucket.take(at + seconds(chance.uniform(0.05, 0.15)))
            if waits is not None:
                waits.append((at - asked[number]).total_seconds())
            continue
        pace, drawn = draw(pace, limits, CHUNK, now)
        if isinstance(drawn, Later):
            heapq.heappush(turns, (max(drawn.due_at, now + seconds(0.01)), number))
            continue
        at, left, quiet = now, 0, 0.0
        while left < drawn.count and not quiet:
            ready = drawn.ready(at)
            for _ in range(ready - left):
                quiet = max(quiet, bucket.take(at + seconds(chance.uniform(0.05, 0.15))))
            left = ready
            at += seconds(SLICE_SECONDS)
        if quiet:
            pace = throttled(pace, limits, quiet_seconds=quiet, drawn_at=now, now=at)
        heapq.heappush(turns, (at + seconds(chance.uniform(0.05, 0.2)), number))
    return pace


@pytest.mark.parametrize("per_minute", [3_000, 30_000, 60_000])
@pytest.mark.parametrize("shift", [0, 17, 43])
def test_the_quota_is_used_and_nothing_is_refused(per_minute: int, shift: int) -> None:
    bucket = Bucket(per_minute, NOW - seconds(shift))
    send_for(4, Limits(per_minute=per_minute), bucket, chance=Random(shift))
    assert bucket.refused == 0
    assert bucket.taken >= 0.95 * per_minute * 4


@pytest.mark.parametrize("per_minute", [3_000, 30_000])
@pytest.mark.parametrize("shift", [0, 17])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_what_passes_the_line_keeps_to_the_quota_too(
    per_minute: int, shift: int, share: float
) -> None:
    bucket, waits = Bucket(per_minute, NOW - seconds(shift)), list[float]()
    passing = share * per_minute / 60
    limits, chance = Limits(per_minute=per_minute), Random(shift)
    send_for(4, limits, bucket, chance=chance, passing=passing, waits=waits)
    assert bucket.refused == 0
    assert bucket.taken >= 0.95 * per_minute * 4
    if share < PASSING_SHARE:
        assert sorted(waits)[int(len(waits) * 0.95)] == 0.0, "it waits for no campaign"


def test_nothing_passes_while_the_provider_wants_quiet() -> None:
    limits = Limits()
    pace, _ = draw(fresh(NOW), limits, CHUNK, NOW)
    stopped = throttled(pace, limits, quiet_seconds=30, drawn_at=NOW, now=NOW)
    for passed in (1, 20, 29.5):
        _, drawn = draw(stopped, limits, 1, NOW + seconds(passed), passes=True)
        starts_at = drawn.due_at if isinstance(drawn, Later) else drawn.start_at
        assert starts_at >= NOW + seconds(30 - WAIT_SECONDS_MAX)
        assert isinstance(drawn, Later) or not drawn.ready(NOW + seconds(29.9))


def test_what_passes_goes_on_through_a_peak_that_campaigns_avoid() -> None:
    limits, at_peak = Limits(avoids_peaks=True), NOW.replace(minute=15)
    _, chunk = draw(fresh(at_peak), limits, CHUNK, at_peak)
    assert isinstance(chunk, Later)
    _, push = draw(fresh(at_peak), limits, 1, at_peak, passes=True)
    assert isinstance(push, Grant)
    assert push.ready(at_peak) == 1


def test_a_quota_that_is_lower_than_was_set_is_found() -> None:
    bucket = Bucket(6_000, NOW)
    send_for(30, Limits(per_minute=12_000), bucket, chance=Random(1))
    assert bucket.taken >= 0.6 * 6_000 * 30
    assert bucket.refused <= 0.03 * bucket.taken


def test_a_large_launch_is_ramped_up_over_a_minute() -> None:
    limits = Limits()
    pace, at = fresh(NOW), NOW
    left_by: dict[int, int] = {}
    total = 0
    while at < NOW + seconds(90):
        pace, drawn = draw(pace, limits, CHUNK, at)
        assert isinstance(drawn, Grant)
        total += drawn.count
        left_by[int((at - NOW).total_seconds())] = total
        at = max(at, pace.next_at)
    rates = [left_by[second] - left_by[second - 1] for second in range(1, 90)]
    assert rates[0] <= RAMP_FROM * 1.6
    assert rates[29] <= 0.6 * 9_800
    assert rates[int(RAMP_SECONDS) + 5] >= 0.95 * 9_800
    assert max(rates) <= 10_000
    assert all(later >= earlier - CHUNK for earlier, later in pairwise(rates))


def test_a_small_launch_does_not_notice() -> None:
    _, drawn = draw(fresh(NOW), Limits(), CHUNK, NOW)
    assert isinstance(drawn, Grant)
    assert drawn.ready(NOW) == CHUNK


def test_what_trickles_all_day_does_not_ramp_up() -> None:
    pace = fresh(NOW)
    for second in range(600):
        pace, _ = draw(pace, Limits(), 5, NOW + seconds(second))
    assert pace.rate <= RAMP_FROM * 1.1


def test_nobody_sends_until_the_provider_wants_to_hear_from_us_again() -> None:
    limits = Limits(per_minute=60_000)
    pace, _ = draw(fresh(NOW), limits, CHUNK, NOW)
    stopped = throttled(pace, limits, quiet_seconds=30, drawn_at=NOW, now=NOW)
    _, drawn = draw(stopped, limits, CHUNK, NOW + seconds(1))
    assert isinstance(drawn, Later)
    assert drawn.due_at >= NOW + seconds(30 - WAIT_SECONDS_MAX)
    _, drawn = draw(stopped, limits, CHUNK, NOW + seconds(29.5))
    assert isinstance(drawn, Grant)
    assert drawn.ready(NOW + seconds(29.9)) == 0
    assert drawn.ready(NOW + seconds(30.2)) > 0


def test_one_overflow_cuts_the_rate_once_and_it_comes_back() -> None:
    limits = Limits(per_minute=60_000)
    pace = replace(fresh(NOW), rate=980.0)
    first = throttled(pace, limits, quiet_seconds=1, drawn_at=NOW, now=NOW + seconds(1))
    late = throttled(first, limits, quiet_seconds=1, drawn_at=NOW, now=NOW + seconds(2))
    assert first.cut_rate == late.cut_rate == pytest.approx(980 * CUT)

    def rate(at: datetime) -> float:
        _, drawn = draw(replace(late, next_at=at), limits, CHUNK, at)
        assert isinstance(drawn, Grant)
        return drawn.rate

    assert rate(NOW + seconds(10)) == pytest.approx(980 * CUT, rel=0.02)
    assert rate(NOW + seconds(400)) == pytest.approx(980)


def test_however_often_it_is_throttled_the_rate_is_never_a_trickle() -> None:
    limits, pace = Limits(), replace(fresh(NOW), rate=9_800.0)
    for minute in range(60):
        now = NOW + seconds(60 * minute)
        pace = throttled(pace, limits, quiet_seconds=30, drawn_at=now, now=now)
    assert pace.cut_rate == pytest.approx(490)


def test_those_who_wait_are_given_different_times() -> None:
    limits = Limits(per_minute=6_000)
    pace = fresh(NOW)
    due: list[datetime] = []
    for _ in range(20):
        pace, drawn = draw(pace, limits, CHUNK, NOW)
        if isinstance(drawn, Later):
            due.append(drawn.due_at)
    assert len(due) >= 15
    assert due == sorted(due)
    assert len(set(due)) >= 5


@given(minute=st.integers(0, 59), second=st.floats(0, 59.9))
def test_peaks_are_avoided_where_that_is_wanted(minute: int, second: float) -> None:
    now = NOW.replace(minute=minute) + seconds(second)
    _, drawn = draw(fresh(now), Limits(avoids_peaks=True), 1, now)
    from_quarter = (now.minute % 15) * 60 + now.second + now.microsecond / 1e6
    in_peak = from_quarter < PEAK_SECONDS or from_quarter >= 900 - PEAK_SECONDS
    soon = from_quarter >= PEAK_SECONDS - WAIT_SECONDS_MAX - 1
    if not in_peak:
        assert isinstance(drawn, Grant)
        assert drawn.ready(now) == 1
    elif isinstance(drawn, Grant):
        assert soon
    else:
        end = PEAK_SECONDS - from_quarter if from_quarter < PEAK_SECONDS else 0
        assert drawn.due_at - now <= seconds(2 * PEAK_SECONDS)
        assert end <= 0 or (drawn.due_at - now).total_seconds() >= end - WAIT_SECONDS_MAX
