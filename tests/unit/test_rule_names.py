"""Whom a rule names is found by an index, and taken out of it wherever it stands."""

from typing import Any

import msgspec
import pytest

from clarion.audiences.names import NAME_CHARACTERS_MAX, names_in, without_person
from clarion.audiences.rule import Rule, dump
from clarion.audiences.rule_parser import parse

IDS = frozenset({"ada"})
WORDS = frozenset({"ada@shop.example", "436641234567"})
EMAIL = {"trait": "email", "test": "equals", "value": "ada@shop.example"}
NAMING: list[dict[str, Any]] = [
    {"user_ids": ["bob", "ada"]},
    {"traits": {"email": "ada@shop.example", "plan": "gold"}},
    {"traits": {"phone": 436641234567}},
    EMAIL,
    {"trait": "contact.email", "test": "one_of", "value": ["bob@shop.example", EMAIL["value"]]},
    {"event": "Invited", "where": [{"property": "by", "test": "equals", "value": "ada"}]},
    {"device": [{"field": "model", "test": "equals", "value": "ada"}]},
    {"all": [{"everyone": True}, {"none": [{"any": [EMAIL, {"everyone": True}]}]}]},
]
"""Each names her in a place of its own."""


def read(wire: dict[str, Any]) -> Rule:
    rule = parse(wire)
    assert not isinstance(rule, list), rule
    return rule


@pytest.mark.parametrize("wire", NAMING, ids=str)
def test_whoever_is_taken_out_was_found_by_the_index(wire: dict[str, Any]) -> None:
    rule = read(wire)
    assert names_in(rule) & (IDS | WORDS)
    without = without_person(rule, IDS, WORDS, "erased-1")
    said = msgspec.json.encode(dump(without)).decode()
    assert "erased-1" in said
    assert not any(name in said for name in (*IDS, *WORDS))
    assert read(dump(without)) == without, "it can still be saved"


def test_others_stay_in_a_rule() -> None:
    rule = read({"user_ids": ["bob", "ada"]})
    assert dump(without_person(rule, IDS, WORDS, "erased-1")) == {"user_ids": ["bob", "erased-1"]}
    plain = read({"trait": "plan", "test": "equals", "value": "ada"})
    assert without_person(plain, IDS, WORDS, "erased-1") == plain, "a plan is no name"
    assert names_in(plain) == set()


def test_a_long_name_is_found_by_its_beginning() -> None:
    name = "ä" * (NAME_CHARACTERS_MAX + 1)
    assert names_in(read({"user_ids": [name]})) == {name[:-1]}
