"""The rows of the builder as the wire form of a rule, and back where it is that plain. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clarion.audiences.rule import Rule, dump
from clarion.faults import Fault

ROWS = 5
"""Of the form. What needs more is an audience of its own, or is written as JSON."""
TRAIT, EVENT, DEVICE, AUDIENCE = "trait", "event", "device", "audience"
TESTS = {
    "equals": "is",
    "contains": "contains",
    "begins_with": "begins with",
    "at_least": "is at least",
    "at_most": "is at most",
    "in_last_days": "was in the last days",
    "present": "is there",
    "missing": "is not there",
}
"""Of traits and devices: what goes over the wire → as people read it."""
DID = {"did": "happened", "did_not": "did not happen"}
COLUMNS = ("kind", "what", "test", "value", "days")
"""The fields of a row, in the order of `Row`."""
_BARE = ("present", "missing")


@dataclass(frozen=True, slots=True)
class Row:
    """One condition. `days`: of an event, in the last so many; empty: ever."""

    kind: str = ""
    name: str = ""
    test: str = ""
    value: str = ""
    days: str = ""


def rows_of(rule: Rule | None) -> tuple[str, list[Row]] | None:
    """How the rows are combined, and the rows; None: the rule is richer than rows can say."""
    wire: Any = None if rule is None else dump(rule)
    if wire is None or wire == {"everyone": True}:
        return "all", []
    if not isinstance(wire, dict):
        return None
    combined, parts = "all", [wire]
    for name in ("all", "any"):
        if name in wire:
            combined, parts = name, wire[name]
    rows = [_row(part) for part in parts]
    plain = [row for row in rows if row is not None]
    return (combined, plain) if len(plain) == len(rows) <= ROWS else None


def read_rows(many: Mapping[str, Sequence[str]]) -> list[Row]:
    """The rows of the form that say something."""
    columns = [many.get(name, ()) for name in COLUMNS]
    rows = [Row(*map(str.strip, cells)) for cells in zip(*columns, strict=False)]
    return [row for row in rows if row.name]


def written(form: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> Any | Fault:
    """The wire form of the rule; a Fault where it can not even be read."""
    text = form.get("json", "").strip()
    if text:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return Fault("rule", "is no JSON: look at quotes, commas and brackets")
    parts = [_wire(row) for row in read_rows(many)]
    if not parts:
        return {"everyone": True}
    if len(parts) == 1:
        return parts[0]
    return {"any" if form.get("combined") == "any" else "all": parts}


def code_of(name: str) -> str:
    """A code from a name: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]


def _wire(row: Row) -> dict[str, Any]:
    match row.kind:
        case "event":
            wire: dict[str, Any] = {
                "event": row.name,
                "test": row.test if row.test in DID else "did",
            }
            if row.days.isdecimal():
                wire["last_days"] = int(row.days)
            return wire
        case "device":
            return {"device": [{"field": row.name, **_test(row, is_text=True)}]}
        case "audience":
            return {"audience": row.name}
        case _:
            return {"trait": row.name, **_test(row)}


def _test(row: Row, *, is_text: bool = False) -> dict[str, Any]:
    test = row.test if row.test in TESTS else "equals"
    return {"test": test} | ({} if test in _BARE else {"value": _value(row.value, is_text)})


def _value(text: str, is_text: bool) -> Any:
    """As JSON has it: yes and no, a number, else a text; in quotes it is a text in any case."""
    if is_text:
        return text
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text) else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and _value(value, False) != value:
        return f'"{value}"'
    return str(value)


def _row(part: Any) -> Row | None:
    """The row that is written as `part`; None: none is."""
    match part:
        case {"trait": str() as name, "test": str() as test}:
            row = Row(TRAIT, name, test, _text(part["value"]) if "value" in part else "")
        case {"event": str() as name, "test": str() as test}:
            row = Row(EVENT, name, test, "", str(part.get("last_days", "")))
        case {"device": [{"field": str() as name, "test": str() as test, **rest}]}:
            row = Row(DEVICE, name, test, str(rest.get("value", "")))
        case {"audience": str() as name}:
            row = Row(AUDIENCE, name)
        case _:
            return None
    return row if _wire(row) == part else None
