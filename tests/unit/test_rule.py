"""Audience rules: what can be saved, what is refused and how it is said, whom they reach."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.audiences import matching
from clarion.audiences.matching import KnownCustomer
from clarion.audiences.rule import Everyone, Rule, TraitsEqual, UserIds, dump
from clarion.audiences.rule_parser import TRAITS_MAX, USER_IDS_MAX, parse
from clarion.faults import Fault
from support.clock import START


def matches(rule: Rule, *, user_id: str | None, traits: dict[str, Any]) -> bool:
    customer = KnownCustomer(id=UUID(int=1), user_id=user_id, traits=traits)
    return matching.matches(rule, customer, START)


def faults(wire: Any) -> dict[str, str]:
    found = parse(wire)
    assert isinstance(found, list), found
    return {one.field: one.message for one in found}


@pytest.mark.parametrize(
    ("wire", "one"),
    [
        ({"everyone": True}, Everyone()),
        ({"user_ids": ["a", 7, " b ", "a"]}, UserIds(user_ids=("a", "7", "b"))),
        ({"traits": {"plan": "gold"}}, TraitsEqual(traits=(("plan", "gold"),))),
        (
            {"traits": {"age": 30, "vip": True, "left": None, "rate": 0.5}},
            TraitsEqual(traits=(("age", 30), ("vip", True), ("left", None), ("rate", 0.5))),
        ),
    ],
)
def test_a_rule_is_read(wire: Any, one: Any) -> None:
    assert parse(wire) == one


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (None, "audience"),
        ([], "audience"),
        ("everyone", "audience"),
        ({}, "audience"),
        ({"everyone": True, "traits": {"a": 1}}, "audience"),
        ({"everyone": False}, "audience.everyone"),
        ({"everyone": 1}, "audience.everyone"),
        ({"segment": "gold"}, "audience.segment"),
        ({"user_ids": []}, "audience.user_ids"),
        ({"user_ids": "a"}, "audience.user_ids"),
        ({"user_ids": {"a": 1}}, "audience.user_ids"),
        ({"user_ids": ["a", ""]}, "audience.user_ids[1]"),
        ({"user_ids": [True]}, "audience.user_ids[0]"),
        ({"user_ids": [1.5]}, "audience.user_ids[0]"),
        ({"user_ids": [None]}, "audience.user_ids[0]"),
        ({"user_ids": ["<userId>"]}, "audience.user_ids[0]"),
        ({"user_ids": ["x" * 256]}, "audience.user_ids[0]"),
        ({"user_ids": ["a\x00b"]}, "audience.user_ids[0]"),
        ({"traits": {}}, "audience.traits"),
        ({"traits": ["plan"]}, "audience.traits"),
        ({"traits": {"plan": ["gold"]}}, "audience.traits.plan"),
        ({"traits": {"plan": {"is": "gold"}}}, "audience.traits.plan"),
        ({"traits": {"plan": "a\x00b"}}, "audience.traits.plan"),
        ({"traits": {"plan": "\ud83d"}}, "audience.traits.plan"),
        ({"traits": {"plan": "x" * 1_001}}, "audience.traits.plan"),
        ({"traits": {"age": float("nan")}}, "audience.traits.age"),
        ({"traits": {"age": float("-inf")}}, "audience.traits.age"),
        ({"traits": {"age": 2**53 + 1}}, "audience.traits.age"),
        ({"traits": {"a\x00": 1}}, "audience.traits.a\x00"),
        ({"traits": {str(number): 1 for number in range(TRAITS_MAX + 1)}}, "audience.traits"),
    ],
)
def test_what_can_not_be_is_refused_by_the_field_s_name(wire: Any, field: str) -> None:
    assert list(faults(wire)) == [field]


def test_an_unknown_kind_names_those_there_are() -> None:
    assert "everyone, user_ids, traits" in faults({"segment": "gold"})["audience.segment"]


def test_a_list_that_is_too_long_says_what_to_do_instead() -> None:
    wire = {"user_ids": [f"user-{number}" for number in range(60_000)]}
    message = faults(wire)["audience.user_ids"]
    assert "60000" in message and str(USER_IDS_MAX) in message and "audience.traits" in message
    assert isinstance(parse({"user_ids": wire["user_ids"][:USER_IDS_MAX]}), UserIds)


def test_every_wrong_id_is_named() -> None:
    assert len(faults({"user_ids": ["", "ok", None, "null"]})) == 3


def test_true_is_no_number_and_one_is_one_point_zero() -> None:
    def reaches(wanted: Any, known: Any) -> bool:
        return matches(TraitsEqual(traits=(("x", wanted),)), user_id=None, traits={"x": known})

    assert reaches(1, 1.0) and reaches(1.0, 1) and reaches(True, True) and reaches("1", "1")
    assert not reaches(1, True) and not reaches(True, 1) and not reaches(0, False)
    assert not reaches("1", 1) and not reaches(1, "1") and not reaches("true", True)
    assert not reaches("a", ["a"]) and not reaches("a", {"a": 1})


def test_null_means_that_the_trait_is_not_there() -> None:
    traits_equal = TraitsEqual(traits=(("left", None),))
    assert matches(traits_equal, user_id=None, traits={})
    assert matches(traits_equal, user_id=None, traits={"left": None})
    assert not matches(traits_equal, user_id=None, traits={"left": False})
    assert not matches(traits_equal, user_id=None, traits={"left": ""})


def test_all_traits_have_to_be_equal() -> None:
    traits_equal = TraitsEqual(traits=(("plan", "gold"), ("age", 30)))
    assert matches(traits_equal, user_id="u", traits={"plan": "gold", "age": 30, "other": 1})
    assert not matches(traits_equal, user_id="u", traits={"plan": "gold", "age": 31})


def test_a_list_of_user_ids_reaches_nobody_who_has_not_signed_in() -> None:
    user_ids = UserIds(user_ids=("a", "b"))
    assert matches(user_ids, user_id="b", traits={})
    assert not matches(user_ids, user_id=None, traits={"user_id": "a"})
    assert matches(Everyone(), user_id=None, traits={})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    json_values
    | st.fixed_dictionaries(
        {}, optional={"everyone": json_values, "user_ids": json_values, "traits": json_values}
    )
)
def test_whatever_is_sent_is_a_rule_that_can_be_saved_or_faults(wire: Any) -> None:
    found = parse(wire)
    if isinstance(found, list):
        assert found and all(isinstance(one, Fault) and one.message for one in found)
    else:
        assert parse(msgspec.json.decode(msgspec.json.encode(dump(found)))) == found


GOLD: dict[str, Any] = {"trait": "plan", "test": "equals", "value": "gold"}


@pytest.mark.parametrize(
    "wire",
    [
        {"all": [GOLD, {"any": [{"everyone": True}]}, {"none": [{"percent": 0.5, "salt": "x"}]}]},
        {"trait": ["a.b", "c"], "test": "between", "value": [1, 2.5]},
        {"trait": "a.b", "test": "in_last_days", "value": 30, "zone": "Europe/Vienna"},
        {"trait": "left", "test": "missing"},
        {"event": "Bought", "test": "at_most", "count": 3, "last_days": 30},
        {"event": "Bought", "test": "first", "since": "2027-01-01", "zone": "Asia/Kolkata"},
        {"event": "Bought", "test": "did", "where": [{"property": "total"} | {"test": "present"}]},
        {"device": [{"field": "app_version", "test": "between", "value": ["4", "4.10"]}]},
        {"device": [{"field": "country", "test": "one_of", "value": ["AT", "DE"]}]},
        {"campaign": "01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70", "test": "not_opened"},
        {"audience": "gold"},
    ],
)
def test_a_tree_is_saved_as_it_was_written(wire: dict[str, Any]) -> None:
    rule = parse(wire)
    assert not isinstance(rule, list), rule
    assert dump(rule) == wire
    assert parse(msgspec.json.decode(msgspec.json.encode(dump(rule)))) == rule


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ({"all": []}, "audience.all"),
        ({"all": GOLD}, "audience.all"),
        ({"all": [GOLD, "x"]}, "audience.all[1]"),
        ({"any": [GOLD] * 51}, "audience.any"),
        (GOLD | {"zone": "Europe/Vienna"}, "audience.zone"),
        (GOLD | {"value": None}, "audience.value"),
        (GOLD | {"extra": 1}, "audience.extra"),
        (GOLD | {"event": "x"}, "audience"),
        (GOLD | {"trait": ""} | {"trait": []}, "audience.trait"),
        ({"trait": "a", "test": "before", "value": "2027-02-29"}, "audience.value"),
        ({"trait": "a", "test": "before", "value": "2027-02-28", "zone": "Mars"}, "audience.zone"),
        ({"trait": "a", "test": "missing", "value": 1}, "audience.value"),
        ({"trait": "a", "test": "between", "value": [2, 1]}, "audience.value"),
        ({"trait": "a", "test": "one_of", "value": []}, "audience.value"),
        ({"trait": "a", "test": "in_next_days", "value": 0}, "audience.value"),
        ({"event": "x", "test": "at_least"}, "audience.count"),
        ({"event": "x", "count": 2}, "audience.count"),
        ({"event": "x", "test": "first"}, "audience.test"),
        ({"event": "x", "last_days": 3, "since": "2027-01-01"}, "audience.last_days"),
        ({"event": "x", "where": [{"test": "present"}]}, "audience.where[0]"),
        ({"device": []}, "audience.device"),
        ({"device": [{"field": "colour"}]}, "audience.device[0].field"),
        (
            {"device": [{"field": "platform", "test": "equals", "value": "Palm"}]},
            "audience.device[0].value",
        ),
        (
            {"device": [{"field": "app_version", "test": "less_than", "value": 4.1}]},
            "audience.device[0].value",
        ),
        ({"campaign": "x", "test": "opened"}, "audience.campaign"),
        ({"percent": 0.001}, "audience.percent"),
        ({"percent": 101}, "audience.percent"),
    ],
)
def test_a_tree_that_can_not_be_names_the_place(wire: Any, field: str) -> None:
    assert list(faults(wire)) == [field]


def test_a_rule_has_its_bounds() -> None:
    deep: Any = GOLD
    for _ in range(7):
        deep = {"all": [deep]}
    [field] = faults(deep)
    assert field.count("all[0]") == 6
    wide = {"all": [{"any": [GOLD] * 30}, {"any": [GOLD] * 30}]}
    assert "conditions" in faults(wide)["audience"]
