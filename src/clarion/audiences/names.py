"""Whom an audience's rule names: user ids, and addresses among the traits it asks for. Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from clarion.audiences.rule import Everyone, Rule, Scalar, TraitsEqual, UserIds

NAMING_TRAITS = ("email", "phone")
"""Traits whose value names one person."""
NAME_CHARACTERS_MAX = 200
"""A longer name is found by its beginning: an index of PostgreSQL takes no long texts."""


def names_in(rule: Rule) -> set[str]:
    """The names in a rule as an index holds them, cut at `NAME_CHARACTERS_MAX`."""
    match rule:
        case Everyone():
            return set()
        case UserIds(user_ids=user_ids):
            return {indexed_name(user_id) for user_id in user_ids}
        case TraitsEqual(traits=traits):
            return {
                indexed_name(str(value))
                for name, value in traits
                if name in NAMING_TRAITS and value is not None
            }


def indexed_name(name: str) -> str:
    """A name as an index holds it."""
    return name[:NAME_CHARACTERS_MAX]


def without_person(
    rule: Rule, ids: AbstractSet[str], words: AbstractSet[str], replacement: str
) -> Rule:
    """The rule with `replacement` in the place of these user ids, and of values of naming traits
    that are among `words`. A list keeps its length, so that it never becomes empty."""

    def replaced(name: str, value: Scalar) -> Scalar:
        return replacement if name in NAMING_TRAITS and str(value) in words else value

    match rule:
        case UserIds(user_ids=user_ids) if not ids.isdisjoint(user_ids):
            kept = dict.fromkeys(replacement if user_id in ids else user_id for user_id in user_ids)
            return replace(rule, user_ids=tuple(kept))
        case TraitsEqual(traits=traits):
            return replace(
                rule, traits=tuple((name, replaced(name, value)) for name, value in traits)
            )
        case _:
            return rule
