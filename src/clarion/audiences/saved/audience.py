"""A saved audience: a rule, or a static list, with a name, an owner and a code. Pure.

Campaigns and other audiences name it by its code; what it is made of is looked up when it is
evaluated. `resolve` puts the rules of others in the place of their codes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clarion.audiences.rule import (
    All,
    AnyOf,
    Group,
    InAudience,
    InList,
    NoneOf,
    Rule,
    dump,
    walk,
)
from clarion.audiences.rule_parser import parse_new
from clarion.faults import Fault, Rejected, invalid

CODE = re.compile("[a-z0-9][a-z0-9_-]{0,63}")
NAME_CHARACTERS_MAX = 200
FIELDS = ("code", "name", "rule")
CHAIN_MAX = 5
"""Audiences within audiences."""
RESOLVED_MAX = 1_000
"""Conditions, those of the audiences that are named included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """`rule` None: a static list. `owner`: how whoever made it was called then."""

    id: UUID
    workspace_id: UUID
    code: str
    name: str
    owner_id: UUID | None
    owner: str
    rule: Rule | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What people write of an audience, checked by itself."""

    code: str
    name: str
    rule: Rule | None


def parse_definition(wire: Mapping[str, Any]) -> Definition | Rejected:
    """The audience in `wire` (its `FIELDS`; `rule` null: a static list), or everything that is
    wrong with it."""
    faults = [
        Fault(str(name), f"is unknown; use {', '.join(FIELDS)}")
        for name in wire
        if name not in FIELDS
    ]
    code, name = wire.get("code"), wire.get("name")
    if not isinstance(code, str) or CODE.fullmatch(code) is None:
        message = "must be 1 to 64 of a-z, 0-9, - and _, and begin with a letter or a digit"
        faults.append(Fault("code", message))
    if not isinstance(name, str) or not 0 < len(name.strip()) <= NAME_CHARACTERS_MAX:
        message = f"must be a text of 1 to {NAME_CHARACTERS_MAX} characters"
        faults.append(Fault("name", message))
    rule: Rule | list[Fault] | None = None
    if "rule" not in wire:
        faults.append(Fault("rule", "is missing; null makes a static list"))
    elif wire["rule"] is not None:
        rule = parse_new(wire["rule"], "rule")
        if isinstance(rule, list):
            faults += rule
    if faults or isinstance(rule, list):
        return invalid(*faults)
    return Definition(code=str(code), name=str(name).strip(), rule=rule)


def codes_in(rule: Rule | None) -> set[str]:
    """The audiences that it names itself."""
    parts = () if rule is None else walk(rule)
    return {part.code for part in parts if isinstance(part, InAudience)}


def resolve(rule: Rule, saved: Mapping[str, Audience], field: str = "audience") -> Rule | Fault:
    """The rule with the rules of those audiences in the place of their codes, or why that can not
    be: there is none of a name, they name each other in a circle, or they are too much together."""
    resolved = _resolve(rule, saved, field, ())
    if isinstance(resolved, Fault):
        return resolved
    count = sum(1 for _ in walk(resolved))
    if count > RESOLVED_MAX:
        message = f"has {count} conditions with those of the audiences that it names; the limit is "
        return Fault(field, f"{message}{RESOLVED_MAX}")
    return resolved


def _resolve(
    rule: Rule, saved: Mapping[str, Audience], field: str, chain: tuple[str, ...]
) -> Rule | Fault:
    match rule:
        case InAudience(code=code):
            if code in chain:
                circle = " → ".join((*chain[chain.index(code) :], code))
                return Fault(field, f"goes round in a circle: {circle}")
            audience = saved.get(code)
            if audience is None:
                return Fault(field, f"names the audience {code}, which does not exist")
            if len(chain) == CHAIN_MAX:
                way = " → ".join((*chain, code))
                return Fault(field, f"is nested deeper than {CHAIN_MAX} audiences: {way}")
            if audience.rule is None:
                return InList(audience_id=audience.id)
            return _resolve(audience.rule, saved, field, (*chain, code))
        case All(rules=rules) | AnyOf(rules=rules) | NoneOf(rules=rules):
            parts: list[Rule] = []
            for part in rules:
                inner = _resolve(part, saved, field, chain)
                if isinstance(inner, Fault):
                    return inner
                parts.append(inner)
            kind: Any = type(rule)
            grouped: Group = kind(rules=tuple(parts))
            return grouped
        case _:
            return rule


def dump_rule(rule: Rule | None) -> dict[str, Any] | None:
    """The rule in its saved form; None: a static list has none."""
    return None if rule is None else dump(rule)
