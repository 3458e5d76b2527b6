"""A rule that can not work is refused when it is written, by the field and with the cure; one that
is merely true of nobody today is taken."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clarion.audiences.matching import KnownCustomer, KnownDevice, KnownEvent, matches
from clarion.audiences.rule_parser import parse, parse_new
from support.clock import START

CAMPAIGN = "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70"
GOLD: dict[str, Any] = {"trait": "plan", "test": "equals", "value": "gold"}


def trait(test: str, value: Any = None, path: Any = "age", **more: Any) -> dict[str, Any]:
    return {"trait": path, "test": test, **({} if value is None else {"value": value}), **more}


def device(*conditions: tuple[str, str, Any]) -> dict[str, Any]:
    return {
        "device": [
            {"field": field, "test": test, "value": value} for field, test, value in conditions
        ]
    }


def bought(**more: Any) -> dict[str, Any]:
    return {"event": "Bought", **more}


def where(*tests: tuple[str, Any]) -> dict[str, Any]:
    return bought(
        where=[{"property": "total", "test": test, "value": value} for test, value in tests]
    )


def faults(wire: Any) -> dict[str, str]:
    rule = parse_new(wire, "rule")
    return {fault.field: fault.message for fault in rule} if isinstance(rule, list) else {}


@pytest.mark.parametrize(
    ("wire", "field", "cure"),
    [
        (bought(since="2027-03-28", until="2027-03-27"), "rule.until", "later than since"),
        (bought(since="2027-03-28", until="2027-03-28"), "rule.until", "the day after it"),
        (
            bought(since="2027-03-28T00:00", until="2027-03-27T23:00Z", zone="Europe/Vienna"),
            "rule.until",
            "later than since",
        ),
        (bought(since="2027-02-29"), "rule.since", "February 2027 has 28 days"),
        (bought(until="2027-03-28T10:00+99:00"), "rule.until", "no zone is further than 14"),
        (trait("before", "2027-02-29"), "rule.value", "February 2027 has 28 days"),
        (trait("before", "2027-03-28T24:00"), "rule.value", "midnight as 00:00"),
        (trait("after", "2027-03-28T10:00+15:00"), "rule.value", "no zone is further than 14"),
        (trait("after", "1700-01-01"), "rule.value", "a year from 1800 to 2999"),
        (trait("after", "0000-01-01"), "rule.value", "years begin with 0001"),
        (device(("last_seen", "before", "2027-13-01")), "rule.device[0].value", "the month 13"),
        ({"event": " "}, "rule.event", "is blank"),
        ({"event": "Bought "}, "rule.event", "write it without"),
        (trait("present", path=""), "rule.trait", "empty name"),
        (trait("present", path="address..city"), "rule.trait", "address.city"),
        (trait("present", path=["a", ""]), "rule.trait", "empty name"),
        ({"traits": {"": 1}}, "rule.traits", "empty name"),
        (trait("contains", ""), "rule.value", "present"),
        (trait("begins_with", ""), "rule.value", "1 character"),
        (
            bought(where=[{"property": "", "test": "present"}]),
            "rule.where[0].property",
            "empty name",
        ),
        (bought(test="at_least", count=0), "rule.count", "from 1"),
        (bought(test="at_most", count=0), "rule.count", "did_not"),
        (bought(last_days=-3), "rule.last_days", "from 1"),
        (trait("in_last_days", -3), "rule.value", "from 1"),
        (trait("one_of", []), "rule.value", "1 to 500"),
        (trait("between", [30, 18]), "rule.value", "smaller number first"),
        (device(("app_version", "between", ["4.10", "4.9"])), "rule.device[0].value", "smaller"),
        (device(("app_version", "at_least", "")), "rule.device[0].value", "4.10.2"),
        (device(("model", "equals", "")), "rule.device[0].value", "not empty"),
        (device(("model", "one_of", ["Pixel 9", " Pixel"])), "rule.device[0].value", "blanks"),
        (device(("model", "equals", "x" * 101)), "rule.device[0].value", "100"),
        (device(("model", "contains", "")), "rule.device[0].value", "present"),
        (
            device(("platform", "equals", "iOS"), ("platform", "equals", "Android")),
            "rule.device[1]",
            "rule.device[0]",
        ),
        (
            device(("language", "equals", "de"), ("language", "one_of", ["en", "fr"])),
            "rule.device[1]",
            "two conditions on devices",
        ),
        (
            device(("app_version", "at_least", "4.10"), ("app_version", "less_than", "4.9")),
            "rule.device[1]",
            "rule.device[0]",
        ),
        (
            device(("registered", "after", "2027-02-01"), ("registered", "before", "2027-02-01")),
            "rule.device[1]",
            "rule.device[0]",
        ),
        (where(("more_than", 5), ("at_most", 5)), "rule.where[1]", "two conditions on events"),
        ({"all": [GOLD, GOLD | {"value": "silver"}]}, "rule.all[1]", "one_of"),
        ({"all": [GOLD, {"traits": {"plan": "silver"}}]}, "rule.all[1].traits.plan", "rule.all[0]"),
        ({"all": [{"traits": {"plan": None}}, GOLD]}, "rule.all[1]", "rule.all[0].traits.plan"),
        ({"all": [GOLD, trait("missing", path="plan")]}, "rule.all[1]", "rule.all[0]"),
        ({"all": [trait("equals", "30"), trait("more_than", 40)]}, "rule.all[1]", "any"),
        ({"all": [trait("begins_with", "a"), trait("begins_with", "b")]}, "rule.all[1]", "any"),
        ({"all": [trait("less_than", 5), trait("between", [5, 9])]}, "rule.all[1]", "any"),
        (
            {"all": [GOLD, {"all": [{"percent": 5}, GOLD | {"value": "x"}]}]},
            "rule.all[1].all[1]",
            "",
        ),
        ({"all": [GOLD, {"none": [{"percent": 5}, GOLD]}]}, "rule.all[1].none[1]", "rule.all[0]"),
        ({"any": [GOLD, {"all": [GOLD, {"none": [GOLD]}]}]}, "rule.any[1].all[1].none[0]", ""),
        ({"all": [bought(), bought(test="did_not")]}, "rule.all[1]", "rule.all[0]"),
        (
            {"all": [bought(test="at_least", count=3), bought(test="at_most", count=2)]},
            "rule.all[1]",
            "rule.all[0]",
        ),
        (
            {"all": [{"campaign": CAMPAIGN, "test": fate} for fate in ("opened", "not_opened")]},
            "rule.all[1]",
            "rule.all[0]",
        ),
        ({"all": [{"user_ids": ["a"]}, {"user_ids": ["b", "c"]}]}, "rule.all[1]", "any"),
        ({"none": [GOLD, {"everyone": True}]}, "rule.none[1]", "nobody is left"),
        ({"all": [GOLD, {"none": [{"percent": 100}]}]}, "rule.all[1].none[0]", "nobody is left"),
    ],
)
def test_what_nobody_can_ever_meet_is_refused_with_the_cure(
    wire: Any, field: str, cure: str
) -> None:
    assert list(faults(wire)) == [field]
    assert cure in faults(wire)[field]


@pytest.mark.parametrize(
    "wire",
    [
        bought(since="2027-03-27", until="2027-03-28"),
        bought(since="2999-01-01"),
        bought(until="1900-01-01"),
        bought(test="at_most", count=1, last_days=1),
        device(("last_seen", "after", "2999-01-01")),
        device(("os_version", "between", ["9", "10"])),
        device(("app_version", "equals", "4.9"), ("app_version", "one_of", ["4.9.0", "5"])),
        device(("language", "equals", "DE"), ("language", "one_of", ["de", "fr"])),
        device(("registered", "after", "2027-01-01"), ("registered", "before", "2027-01-02")),
        trait("before", "1850-01-01"),
        trait("between", [18, 18]),
        trait("equals", ""),
        {"all": [GOLD, {"none": [GOLD | {"value": "silver"}]}]},
        {"all": [trait("equals", 1), {"none": [trait("equals", True)]}]},
        {"all": [trait("contains", "a"), trait("contains", "b")]},
        {"all": [trait("less_than", 5), trait("more_than", 4)]},
        {"all": [trait("at_least", 5), trait("at_most", 5)]},
        {"all": [trait("in_last_days", 3), trait("in_next_days", 3)]},
        {"all": [trait("after", "2027-01-01"), trait("in_last_days", 30)]},
        {"all": [trait("before", "2027-01-02", zone=zone) for zone in ("UTC", "Asia/Tokyo")]},
        {"any": [GOLD, GOLD | {"value": "silver"}]},
        {"all": [device(("platform", "equals", name)) for name in ("iOS", "Web")]},
        {"all": [bought(), bought(test="did_not", last_days=30)]},
        {"all": [where(("equals", 1)), where(("equals", True)) | {"test": "did_not"}]},
        {"all": [{"user_ids": ["a", "b"]}, {"user_ids": ["b", "c"]}]},
        {"none": [{"percent": 99.99}]},
    ],
)
def test_what_is_true_of_nobody_today_alone_is_taken(wire: Any) -> None:
    assert faults(wire) == {}


def test_what_was_saved_before_it_was_refused_can_still_be_read() -> None:
    for wire in (bought(since="2027-03-28", until="2027-03-27"), trait("present", path="")):
        assert not isinstance(parse(wire, "rule"), list)
        assert faults(wire)


VALUES = st.sampled_from([1, 2, 3, 4.5, "1", "2", "3.0", "a", "ab", "b", True, False])
DATES = st.sampled_from(["2027-02-27", "2027-03-01", "2027-03-01T00:00Z", "2027-03-01T12:00"])
ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "America/Denver"])
TEXTS = st.sampled_from(["a", "ab", "b", "1"])
NUMBERS = st.integers(0, 4)
TESTS = (
    st.builds(lambda value: {"test": "equals", "value": value}, VALUES)
    | st.builds(
        lambda values: {"test": "one_of", "value": values}, st.lists(VALUES, min_size=1, max_size=3)
    )
    | st.builds(
        lambda test, text: {"test": test, "value": text},
        st.sampled_from(["contains", "begins_with"]),
        TEXTS,
    )
    | st.builds(
        lambda test, number: {"test": test, "value": number},
        st.sampled_from(["less_than", "at_most", "more_than", "at_least"]),
        NUMBERS,
    )
    | st.builds(
        lambda pair: {"test": "between", "value": sorted(pair)}, st.tuples(NUMBERS, NUMBERS)
    )
    | st.builds(
        lambda test, date, zone: {"test": test, "value": date, "zone": zone},
        st.sampled_from(["before", "after"]),
        DATES,
        ZONES,
    )
    | st.builds(
        lambda test, days: {"test": test, "value": days},
        st.sampled_from(["in_last_days", "in_next_days"]),
        st.integers(1, 3),
    )
    | st.sampled_from([{"test": test} for test in ("missing", "present", "anniversary")])
)
KNOWN = (
    VALUES
    | DATES
    | TEXTS
    | st.integers(0, 5)
    | st.floats(0, 5)
    | st.lists(VALUES, max_size=3)
    | st.sampled_from([int(START.timestamp()) + step for step in (-86_400, 0, 86_400)])
    | st.none()
)


@given(first=TESTS, second=TESTS, known=KNOWN, is_property=st.booleans())
def test_no_value_passes_what_is_called_a_contradiction(
    first: Mapping[str, Any], second: Mapping[str, Any], known: Any, is_property: bool
) -> None:
    """Whatever a customer or an event has there."""
    if is_property:
        wire: Any = {
            "event": "e",
            "where": [{"property": "x", **first}, {"property": "x", **second}],
        }
    else:
        wire = {"all": [{"trait": "x", **first}, {"trait": "x", **second}]}
    rule = parse(wire)
    assert not isinstance(rule, list), rule
    assume(isinstance(parse_new(wire), list))
    event = KnownEvent(name="e", at=START, properties={"x": known})
    device_seen = KnownDevice(platform="iOS", last_seen_at=START, registered_at=START)
    customer = KnownCustomer(
        id=UUID(int=1), traits={"x": known}, events=[event], devices=[device_seen]
    )
    assert not matches(rule, customer, START)
