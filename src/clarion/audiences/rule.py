"""Whom a campaign is for: the condition, as a value that can be saved. Pure.

`matches` says what a rule means; `query.matches` says the same in SQL, on both databases, and a
contract test holds them equal. Three kinds now; a builder adds its own to the union, to `parse`,
to `matches` and to `query.matches`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from clarion.events.messages.identifiers import usable_id
from clarion.faults import Fault
from clarion.text import is_storable

USER_IDS_MAX = 10_000
TRAITS_MAX = 20
TEXT_CHARACTERS_MAX = 1_000
"""Of a trait's name and of its value."""
INTEGER_MAX = 2**53
"""Beyond it JSON's numbers are not the same everywhere."""

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


def parse(wire: Any) -> Rule | list[Fault]:
    """The rule in its saved form: `{"everyone": true}`, `{"user_ids": […]}`, `{"traits": {…}}`."""
    kinds = ("everyone", "user_ids", "traits")
    if not isinstance(wire, Mapping):
        return [Fault(field="audience", message="must be an object with one of: " + _or(kinds))]
    unknown = [str(name) for name in wire if name not in kinds]
    if unknown:
        return [
            Fault(field=f"audience.{name}", message="is unknown; use one of: " + _or(kinds))
            for name in unknown
        ]
    if len(wire) != 1:
        return [Fault(field="audience", message="must have exactly one of: " + _or(kinds))]
    if "everyone" in wire:
        if wire["everyone"] is not True:
            return [Fault(field="audience.everyone", message="must be true")]
        return Everyone()
    if "user_ids" in wire:
        return _user_ids(wire["user_ids"])
    return _traits(wire["traits"])


def matches(rule: Rule, *, user_id: str | None, traits: Mapping[str, Any]) -> bool:
    """Whether the rule reaches a customer with that user id (None: not signed in) and traits."""
    match rule:
        case Everyone():
            return True
        case UserIds(user_ids=user_ids):
            return user_id in user_ids
        case TraitsEqual(traits=wanted):
            return all(_equal(traits.get(name), value) for name, value in wanted)
        case _:
            assert_never(rule)


def dump(rule: Rule) -> dict[str, Any]:
    """The saved form; `parse` reads it back."""
    match rule:
        case Everyone():
            return {"everyone": True}
        case UserIds(user_ids=user_ids):
            return {"user_ids": list(user_ids)}
        case TraitsEqual(traits=traits):
            return {"traits": dict(traits)}


def _user_ids(wire: Any) -> UserIds | list[Fault]:
    field = "audience.user_ids"
    if not isinstance(wire, list) or not wire:
        return [Fault(field=field, message="must be a list of at least one user id")]
    if len(wire) > USER_IDS_MAX:
        return [
            Fault(
                field=field,
                message=f"has {len(wire)} ids; the limit is {USER_IDS_MAX}: set a trait and use "
                "audience.traits",
            )
        ]
    faults = []
    ids: dict[str, None] = {}
    for index, value in enumerate(wire):
        user_id = usable_id(value)
        if user_id is None or not is_storable(user_id):
            message = "can not be a user id: no event with it names anybody"
            faults.append(Fault(field=f"{field}[{index}]", message=message))
        else:
            ids[user_id] = None
    return faults or UserIds(user_ids=tuple(ids))


def _traits(wire: Any) -> TraitsEqual | list[Fault]:
    field = "audience.traits"
    if not isinstance(wire, Mapping) or not wire:
        return [Fault(field=field, message="must be an object of trait names and values")]
    if len(wire) > TRAITS_MAX:
        return [Fault(field=field, message=f"may name {TRAITS_MAX} traits at most")]
    faults = []
    for name, value in wire.items():
        wrong = _wrong(name) or _wrong(value)
        if wrong is not None:
            faults.append(Fault(field=f"{field}.{name}", message=wrong))
    return faults or TraitsEqual(traits=tuple(wire.items()))


def _wrong(value: Any) -> str | None:
    """Why a value can not be compared with; None: it can."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > TEXT_CHARACTERS_MAX:
            return f"has {len(value)} characters; the limit is {TEXT_CHARACTERS_MAX}"
        if not is_storable(value):
            return "holds a character that no trait can hold: a NUL, or half of a pair"
        return None
    if not isinstance(value, int | float):
        return "must be a text, a number, true, false or null"
    if not math.isfinite(value) or (isinstance(value, int) and abs(value) > INTEGER_MAX):
        return f"must be a number that JSON holds exactly, up to {INTEGER_MAX}; or use a text"
    return None


def _equal(known: Any, wanted: Scalar) -> bool:
    """Equal as JSON is: true is no number, 1 is 1.0, and a null is as good as nothing."""
    if isinstance(known, bool) or isinstance(wanted, bool) or known is None or wanted is None:
        return known is wanted
    return bool(known == wanted)


def _or(names: tuple[str, ...]) -> str:
    return ", ".join(names)
