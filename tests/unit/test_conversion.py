"""What counts as a conversion, and how it is written down."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.conversion import Conversion, dump_conversion, parse_conversion
from clarion.deliveries.engagement.conversion import AcceptedPush, convert
from clarion.faults import Fault
from support.book import NOW

WINDOW = timedelta(hours=1)


def push(device: int, minutes: float = 0.0, **more: Any) -> AcceptedPush:
    return AcceptedPush(
        launch_id=UUID(int=1),
        device_id=UUID(int=device),
        platform="Web",
        reason=None,
        accepted_at=NOW + timedelta(minutes=minutes),
        **{"received_at": None, "opened_at": None} | more,
    )


@pytest.mark.parametrize(("minutes", "counts"), [(-1, False), (0, True), (60, True), (60.1, False)])
def test_what_is_done_within_the_window_counts(minutes: float, counts: bool) -> None:
    converted = convert([push(1)], NOW + timedelta(minutes=minutes), WINDOW)
    assert (converted is not None) is counts


def test_an_app_s_report_before_the_answer_begins_the_window() -> None:
    early = NOW - timedelta(minutes=2)
    assert convert([push(1)], early, WINDOW) is None
    assert convert([push(1, opened_at=early)], early, WINDOW) is not None


@given(st.lists(st.integers(0, 90), min_size=1, max_size=4))
def test_a_customer_counts_once_in_any_order(minutes: list[int]) -> None:
    ends = set()
    for order in permutations(minutes):
        pushes = {one.device_id: one for one in (push(2), push(1))}
        for minute in order:
            converted = convert(list(pushes.values()), NOW + timedelta(minutes=minute), WINDOW)
            if converted is not None:
                pushes[converted.device_id] = converted
        counted = [one for one in pushes.values() if one.converted_at is not None]
        assert len(counted) == any(minute <= 60 for minute in minutes)
        ends |= {(one.device_id, one.converted_at) for one in counted}
    assert len(ends) <= 1


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ("Order Completed", "conversion"),
        ({}, "conversion.event"),
        ({"event": "", "within_hours": 1}, "conversion.event"),
        ({"event": "x" * 201, "within_hours": 1}, "conversion.event"),
        ({"event": "A"}, "conversion"),
        ({"event": "A", "within_hours": 1, "within_days": 1}, "conversion"),
        ({"event": "A", "within_hours": 0}, "conversion.within_hours"),
        ({"event": "A", "within_hours": True}, "conversion.within_hours"),
        ({"event": "A", "within_hours": 721}, "conversion.within_hours"),
        ({"event": "A", "within_days": 31}, "conversion.within_days"),
        ({"event": "A", "within_hours": 1, "after": "opened"}, "conversion.after"),
    ],
)
def test_what_can_not_be_a_conversion_is_told_by_its_field(wire: Any, field: str) -> None:
    faults = parse_conversion(wire)
    assert isinstance(faults, list)
    assert all(isinstance(fault, Fault) for fault in faults)
    assert field in {fault.field for fault in faults}


def test_days_are_hours() -> None:
    wanted = Conversion(event="Order Completed", within_hours=48)
    assert parse_conversion({"event": "Order Completed", "within_days": 2}) == wanted
    assert parse_conversion(dump_conversion(wanted)) == wanted
    assert parse_conversion(None) is None
