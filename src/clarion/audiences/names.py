"""Whom an audience's rule names: user ids, and addresses among what it compares with. Pure."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec import structs

from clarion.audiences.comparison import Comparison
from clarion.audiences.rule import (
    DidEvent,
    Group,
    HasDevice,
    Rule,
    TraitIs,
    TraitsEqual,
    UserIds,
    walk,
)

NAMING_TRAITS = ("email", "phone")
"""Traits whose value names one person."""
NAME_CHARACTERS_MAX = 200
"""A longer name is found by its beginning: an index of PostgreSQL takes no long texts."""


def names_in(rule: Rule) -> set[str]:
    """What `without_person` may take out of a rule, as an index holds it."""
    return {indexed_name(name) for part in walk(rule) for name in _names_of(part)}


def indexed_name(name: str) -> str:
    """A name as an index holds it."""
    return name[:NAME_CHARACTERS_MAX]


def without_person(rule: Rule, ids: AbstractSet[str], words: AbstractSet[str], nobody: str) -> Rule:
    """The rule with `nobody` in the place of these user ids, and of addresses that are among
    `words`. A list keeps its length, so that it never becomes empty."""
    match rule:
        case UserIds(user_ids=user_ids) if not ids.isdisjoint(user_ids):
            kept = dict.fromkeys(nobody if user_id in ids else user_id for user_id in user_ids)
            return UserIds(user_ids=tuple(kept))
        case TraitsEqual(traits=traits):
            return TraitsEqual(
                traits=tuple(
                    (name, nobody if name in NAMING_TRAITS and str(value) in words else value)
                    for name, value in traits
                )
            )
        case TraitIs(path=path, comparison=comparison) if path[-1] in NAMING_TRAITS:
            return structs.replace(rule, comparison=_unnamed(comparison, ids, words, nobody))
        case HasDevice() | DidEvent():
            where: Any = tuple(
                structs.replace(
                    condition, comparison=_unnamed(condition.comparison, ids, words, nobody)
                )
                for condition in rule.where
            )
            return structs.replace(rule, where=where)
        case _ if isinstance(rule, Group):
            parts = tuple(without_person(part, ids, words, nobody) for part in rule.rules)
            return structs.replace(rule, rules=parts)
        case _:
            return rule


def _names_of(rule: Rule) -> Iterator[str]:
    match rule:
        case UserIds(user_ids=user_ids):
            yield from user_ids
        case TraitsEqual(traits=traits):
            for name, value in traits:
                if name in NAMING_TRAITS and value is not None:
                    yield str(value)
        case TraitIs(path=path, comparison=comparison) if path[-1] in NAMING_TRAITS:
            yield from _texts(comparison)
        case HasDevice() | DidEvent():
            for part in rule.where:
                yield from _texts(part.comparison)
        case _:
            pass


def _texts(comparison: Comparison) -> Iterator[str]:
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    for value in values:
        if isinstance(value, str):
            yield value


def _unnamed(
    comparison: Comparison, ids: AbstractSet[str], words: AbstractSet[str], nobody: str
) -> Comparison:
    def unnamed(value: Any) -> Any:
        return nobody if isinstance(value, str) and (value in ids or value in words) else value

    value = comparison.value
    if isinstance(value, tuple):
        return structs.replace(comparison, value=tuple(map(unnamed, value)))
    return structs.replace(comparison, value=unnamed(value))
