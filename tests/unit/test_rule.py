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
    one = TraitsEqual(traits=(("left", None),))
    assert matches(one, user_id=None, traits={})
    assert matches(one, user_id=None, traits={"left": None})
    assert not matches(one, user_id=None, traits={"left": False})
    assert not matches(one, user_id=None, traits={"left": ""})


def test_all_traits_have_to_be_equal() -> None:
    one = TraitsEqual(traits=(("plan", "gold"), ("age", 30)))
    assert matches(one, user_id="u", traits={"plan": "gold", "age": 30, "other": 1})
    assert not matches(one, user_id="u", traits={"plan": "gold", "age": 31})


def test_a_list_of_user_ids_reaches_nobody_who_has_not_signed_in() -> None:
    one = UserIds(user_ids=("a", "b"))
    assert matches(one, user_id="b", traits={})
    assert not matches(one, user_id=None, traits={"user_id": "a"})
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
