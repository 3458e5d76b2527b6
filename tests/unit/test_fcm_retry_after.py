"""`Retry-After`: how long a server wants to hear nothing."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.providers.fcm.http.retry_after import SECONDS_MAX, retry_after

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def said(*lines: str) -> float | None:
    return retry_after([f"{line}\r\n".encode("latin-1") for line in lines], NOW)


def at(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        ("1.5", 1.5),
        ("0", 0),
        ("-5", 0),
        ("28800", 28_800),
        ("604800", 604_800),
        ("9" * 400, SECONDS_MAX),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
    ],
)
def test_seconds_are_taken_as_they_are_said(value: str, seconds: float | None) -> None:
    assert said(f"Retry-After: {value}") == seconds


@pytest.mark.parametrize("seconds", [0, 90, 28_800, 90_000])
def test_a_date_is_so_far_off(seconds: int) -> None:
    assert said(f"retry-after: {at(seconds)}") == seconds


def test_a_date_that_has_passed_means_at_once() -> None:
    assert said(f"Retry-After: {at(-3_600)}") == 0
    assert said("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT") == 0


def test_the_old_forms_of_a_date_are_read() -> None:
    assert said("Retry-After: Sunday, 01-Mar-26 09:02:00 GMT") == 120
    assert said("Retry-After: Sun Mar  1 09:02:00 2026") == 120


def test_a_date_is_compared_with_the_servers_clock_and_not_with_ours() -> None:
    """Ours is an hour behind: it would wait an hour and two minutes."""
    assert said(f"Date: {at(3_600)}", f"Retry-After: {at(3_720)}") == 120
    assert said("Date: rubbish", f"Retry-After: {at(120)}") == 120


def test_only_the_last_header_counts_and_none_is_nothing() -> None:
    assert said("HTTP/2 100", "Retry-After: 5", "HTTP/2 503", "Retry-After: 7") == 7
    assert said("HTTP/2 503", "X-Retry-After: 7", "rubbish") is None
    assert said() is None


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_header_is_too_strange_to_be_read(value: str) -> None:
    found = said(f"Retry-After:{value}")
    assert found is None or 0 <= found <= SECONDS_MAX
