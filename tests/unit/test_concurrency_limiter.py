"""In the air are as many requests as FCM answers quickly."""

from hypothesis import given
from hypothesis import strategies as st

from clarion.providers.fcm.http.concurrency_limiter import ROUND, ConcurrencyLimiter


def rounds(window: ConcurrencyLimiter, seconds: float, count: int, *, is_full: bool = True) -> None:
    for _ in range(count * ROUND):
        window.answered(seconds, is_full=is_full)


def test_quick_answers_leave_the_window_open() -> None:
    window = ConcurrencyLimiter(least=100, most=1_500)
    rounds(window, 0.1, 50)
    assert window.limit == 1_500


def test_it_shrinks_while_answers_are_slow_and_opens_again() -> None:
    window = ConcurrencyLimiter(least=100, most=1_500)
    rounds(window, 0.1, 5)
    rounds(window, 1.2, 10)
    assert 400 < window.limit < 700
    rounds(window, 1.2, 60)
    assert window.limit == 100
    rounds(window, 0.1, 60)
    assert window.limit == 1_500


def test_it_does_not_open_further_than_is_used() -> None:
    window = ConcurrencyLimiter(least=100, most=1_500)
    rounds(window, 0.1, 1)
    rounds(window, 2.0, 5)
    small = window.limit
    rounds(window, 0.1, 20, is_full=False)
    assert window.limit == small


def test_a_slow_road_is_not_taken_for_a_slow_fcm() -> None:
    window = ConcurrencyLimiter(least=100, most=1_500)
    rounds(window, 0.7, 100)
    assert window.limit == 1_500


@given(times=st.lists(st.floats(0, 30), max_size=200), most=st.integers(1, 3_000))
def test_it_stays_within_its_bounds(times: list[float], most: int) -> None:
    window = ConcurrencyLimiter(least=100, most=most)
    for seconds in times:
        rounds(window, seconds, 1)
        assert min(100, most) <= window.limit <= most
