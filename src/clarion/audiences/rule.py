"""Whom a campaign is for: the condition, as a value that can be saved. Pure.

Three kinds now; a builder adds its own to the union, to `parse` and to `query.matches`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

USER_IDS_MAX = 10_000
TRAITS_MAX = 20

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Everyone:
    """Every customer with a registered device, those who have not signed in included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserIds:
    """The customers who sign in as one of these."""

    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitsEqual:
    """Customers all of whose named traits equal these values; None: the trait is not there."""

    traits: tuple[tuple[str, Scalar], ...]


Rule = Everyone | UserIds | TraitsEqual


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFault:
    """A field of the audience that can not be, why, and what to do."""

    field: str
    message: str


def parse(wire: Any) -> Rule | list[RuleFault]:
    """The rule in its saved form: `{"everyone": true}`, `{"user_ids": […]}`, `{"traits": {…}}`."""
    kinds = ("everyone", "user_ids", "traits")
    if not isinstance(wire, Mapping):
        return [RuleFault(field="audience", message="must be an object with one of: " + _or(kinds))]
    unknown = [str(name) for name in wire if name not in kinds]
    if unknown:
        return [
            RuleFault(field=f"audience.{name}", message="is unknown; use one of: " + _or(kinds))
            for name in unknown
        ]
    if len(wire) != 1:
        return [RuleFault(field="audience", message="must have exactly one of: " + _or(kinds))]
    if "everyone" in wire:
        if wire["everyone"] is not True:
            return [RuleFault(field="audience.everyone", message="must be true")]
        return Everyone()
    if "user_ids" in wire:
        return _user_ids(wire["user_ids"])
    return _traits(wire["traits"])


def dump(rule: Rule) -> dict[str, Any]:
    """The saved form; `parse` reads it back."""
    match rule:
        case Everyone():
            return {"everyone": True}
        case UserIds(user_ids=user_ids):
            return {"user_ids": list(user_ids)}
        case TraitsEqual(traits=traits):
            return {"traits": dict(traits)}


def _user_ids(wire: Any) -> UserIds | list[RuleFault]:
    field = "audience.user_ids"
    if not isinstance(wire, list) or not wire:
        return [RuleFault(field=field, message="must be a list of at least one user id")]
    if len(wire) > USER_IDS_MAX:
        return [
            RuleFault(
                field=field,
                message=f"has {len(wire)} ids; the limit is {USER_IDS_MAX}: set a trait and use "
                "audience.traits",
            )
        ]
    faults = []
    ids: dict[str, None] = {}
    for index, value in enumerate(wire):
        text = str(value) if type(value) is int else value
        if not isinstance(text, str) or not text.strip():
            faults.append(RuleFault(field=f"{field}[{index}]", message="must be a user id"))
        else:
            ids[text.strip()] = None
    return faults or UserIds(user_ids=tuple(ids))


def _traits(wire: Any) -> TraitsEqual | list[RuleFault]:
    field = "audience.traits"
    if not isinstance(wire, Mapping) or not wire:
        return [RuleFault(field=field, message="must be an object of trait names and values")]
    if len(wire) > TRAITS_MAX:
        return [RuleFault(field=field, message=f"may name {TRAITS_MAX} traits at most")]
    faults = [
        RuleFault(field=f"{field}.{name}", message="must be a text, a number, true, false or null")
        for name, value in wire.items()
        if not (value is None or isinstance(value, str | int | float | bool))
    ]
    return faults or TraitsEqual(traits=tuple(wire.items()))


def _or(names: tuple[str, ...]) -> str:
    return ", ".join(names)
