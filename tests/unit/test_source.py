"""What a source may: keys and when they end, origins, and how fast is too fast."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.sources.rate_limit import BYTES_OF_EVENT, Bucket, Limit, draw, seconds_to_wait
from clarion.sources.source import (
    VALID_KEYS_MAX,
    Source,
    WriteKey,
    is_allowed,
    is_full,
    is_last,
    read_origin,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def key(number: int, retires_at: datetime | None = None) -> WriteKey:
    return WriteKey(
        id=UUID(int=number),
        created_at=NOW,
        last_used_at=None,
        retires_at=retires_at,
        write_key=f"k{number}",
    )


def source(*keys: WriteKey) -> Source:
    return Source(
        id=UUID(int=1),
        workspace_id=UUID(int=2),
        name="app",
        firebase_app_id=None,
        created_at=NOW,
        revoked_at=None,
        write_keys=keys,
    )


def test_the_key_for_apps_is_the_newest_that_stands() -> None:
    assert source(key(1), key(2)).write_key == "k2"
    assert source(key(1), key(2, NOW)).write_key == "k1"
    assert source(key(1, NOW), key(2, NOW)).write_key == "k2"


def test_a_key_is_valid_until_the_instant_it_retires() -> None:
    assert key(1).is_valid(NOW)
    assert key(1, NOW + timedelta(microseconds=1)).is_valid(NOW)
    assert not key(1, NOW).is_valid(NOW)


def test_a_key_is_the_last_where_no_other_stands() -> None:
    later = NOW + timedelta(days=30)
    assert is_last([key(1)], UUID(int=1))
    assert is_last([key(1), key(2, later)], UUID(int=1))
    assert not is_last([key(1), key(2, later)], UUID(int=2))
    assert not is_last([key(1), key(2)], UUID(int=1))


def test_keys_that_have_retired_make_room_for_others() -> None:
    valid = [key(number) for number in range(VALID_KEYS_MAX)]
    assert is_full(valid, NOW)
    assert not is_full([*valid[1:], key(99, NOW)], NOW)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://shop.example", "https://shop.example"),
        (" HTTPS://Shop.Example/ ", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://*.shop.example", "https://*.shop.example"),
        ("https://[::1]:8080", "https://[::1]:8080"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("shop.example", None),
        ("https://shop.example/path", None),
        ("https://", None),
        ("https://*", None),
        ("*", None),
        ("null", None),
        ("https://shop.*.example", None),
        ("https://" + "a" * 255, None),
        ("", None),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(written: str, read: str | None) -> None:
    assert read_origin(written) == read


@pytest.mark.parametrize(
    ("origin", "allowed", "passes"),
    [
        ("https://anywhere.example", (), True),
        ("https://shop.example", ("https://shop.example",), True),
        ("https://SHOP.example", ("https://shop.example",), True),
        ("http://shop.example", ("https://shop.example",), False),
        ("https://shop.example:8443", ("https://shop.example",), False),
        ("https://evil-shop.example", ("https://shop.example",), False),
        ("https://shop.example.evil", ("https://shop.example",), False),
        ("https://a.shop.example", ("https://*.shop.example",), True),
        ("https://a.b.shop.example", ("https://*.shop.example",), True),
        ("https://shop.example", ("https://*.shop.example",), False),
        ("https://evilshop.example", ("https://*.shop.example",), False),
        ("http://a.shop.example", ("https://*.shop.example",), False),
        ("null", ("https://shop.example",), False),
    ],
)
def test_a_page_may_send_where_its_origin_is_allowed(
    origin: str, allowed: tuple[str, ...], passes: bool
) -> None:
    assert is_allowed(origin, allowed) is passes


LIMIT = Limit(events_per_second=10, burst=50)


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket: Bucket | None = None
    for _ in range(50):
        drawn = draw(LIMIT, bucket, 1, now=0.0)
        assert isinstance(drawn, Bucket)
        bucket = drawn
    assert isinstance(bucket, Bucket)
    assert draw(LIMIT, bucket, 1, now=0.0) == 1
    assert draw(LIMIT, bucket, 1, now=0.09) == 1
    assert isinstance(draw(LIMIT, bucket, 1, now=0.1), Bucket)


def test_a_batch_larger_than_the_burst_is_taken_and_paid_for_later() -> None:
    first = draw(LIMIT, None, 2_500, now=0.0)
    assert isinstance(first, Bucket)
    wait = draw(LIMIT, first, 1, now=0.0)
    assert wait == 246  # (2500 - 50 + 1) / 10, rounded up
    assert isinstance(draw(LIMIT, first, 2_500, now=246.0), Bucket)


def test_a_clock_that_is_set_back_neither_fills_nor_empties_a_bucket() -> None:
    bucket = Bucket(level=5, at=100.0)
    assert draw(LIMIT, bucket, 1, now=50.0) == Bucket(level=4, at=50.0)


def test_a_call_without_events_counts_as_one() -> None:
    assert draw(LIMIT, None, 0, now=0.0) == Bucket(level=49, at=0.0)


@given(
    limit=st.builds(Limit, events_per_second=st.integers(1, 1_000), burst=st.integers(1, 10_000)),
    calls=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 2_500)), max_size=40),
)
def test_over_time_nobody_sends_faster_than_the_limit_and_nobody_waits_for_ever(
    limit: Limit, calls: list[tuple[float, int]]
) -> None:
    bucket, now, taken, last = None, 0.0, 0, 0
    for pause, events in calls:
        now += pause
        drawn = draw(limit, bucket, events, now)
        if isinstance(drawn, int):
            assert drawn >= 1
            assert isinstance(draw(limit, bucket, events, now + drawn), Bucket)
            continue
        bucket, taken, last = drawn, taken + events, events
    assert taken - last <= limit.burst + limit.events_per_second * now + 1e-3


def test_a_call_of_large_events_costs_by_its_bytes() -> None:
    limit = Limit(events_per_second=10, burst=100)
    bucket = draw(limit, None, 1, 0.0, size=50 * BYTES_OF_EVENT)
    assert bucket == Bucket(level=50, at=0.0)
    assert draw(limit, bucket, 2_500, 0.0, size=10) == Bucket(level=50 - 2_500, at=0.0)
    assert seconds_to_wait(limit, Bucket(level=-19, at=0.0), 0.0) == 2
    assert seconds_to_wait(limit, Bucket(level=-19, at=0.0), 2.0) is None
