"""What a workspace sets for all its campaigns: whom they never reach, how often they may reach one
customer, at which hours, and whether somebody else has to approve a launch. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from clarion.audiences import rule_parser
from clarion.audiences.rule import Rule
from clarion.audiences.rule import dump as dump_rule
from clarion.campaigns.limits.caps import Cap, dump_cap, parse_caps
from clarion.campaigns.limits.quiet_hours import (
    QuietHours,
    dump_quiet_hours,
    parse_quiet_hours,
)
from clarion.faults import Fault, Rejected, invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`exclusions`: whom no campaign reaches, not even a transactional one. `caps`: how many pushes
    one customer gets at most; transactional campaigns are exempt and do not count. They are exempt
    from `quiet_hours`, too."""

    exclusions: Rule | None = None
    caps: tuple[Cap, ...] = ()
    quiet_hours: QuietHours | None = None
    needs_approval: bool = False
    """A launch waits until somebody else has approved exactly what it sends."""


NO_LIMITS = Limits()
FIELDS = tuple(field.name for field in fields(Limits))


def change(limits: Limits, wanted: Mapping[str, Any]) -> Limits | Rejected:
    """With what `wanted` names replaced, each as a whole, or everything that is wrong with it."""
    faults = [
        Fault(str(name), f"is unknown; use {', '.join(FIELDS)}")
        for name in wanted
        if name not in FIELDS
    ]
    values: dict[str, Any] = {}
    if "exclusions" in wanted:
        values["exclusions"] = _read_exclusions(wanted["exclusions"], faults)
    if "caps" in wanted:
        values["caps"] = parse_caps(wanted["caps"], faults)
    if "quiet_hours" in wanted:
        values["quiet_hours"] = parse_quiet_hours(wanted["quiet_hours"], faults)
    if "needs_approval" in wanted:
        values["needs_approval"] = wanted["needs_approval"]
        if type(wanted["needs_approval"]) is not bool:
            faults.append(Fault("needs_approval", "must be true or false"))
    return invalid(*faults) if faults else replace(limits, **values)


def dump(limits: Limits) -> dict[str, Any]:
    """Its saved form, which is how people write it; `load` reads it back."""
    exclusions = limits.exclusions
    return {
        "exclusions": None if exclusions is None else dump_rule(exclusions),
        "caps": [dump_cap(cap) for cap in limits.caps],
        "quiet_hours": dump_quiet_hours(limits.quiet_hours),
        "needs_approval": limits.needs_approval,
    }


def load(saved: Mapping[str, Any]) -> Limits:
    """From its saved form. Raises ValueError for what no version has saved."""
    known = {name: value for name, value in saved.items() if value is not None}
    loaded = change(NO_LIMITS, known)
    if isinstance(loaded, Rejected):
        raise ValueError(loaded.message)
    return loaded


def _read_exclusions(wire: Any, faults: list[Fault]) -> Rule | None:
    if wire is None:
        return None
    rule = rule_parser.parse(wire, "exclusions")
    if isinstance(rule, list):
        faults += rule
        return None
    return rule
