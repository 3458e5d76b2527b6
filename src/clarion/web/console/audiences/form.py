"""The rows of the builder as the wire form of a rule, and back where it is that plain. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clarion.audiences.rule import Rule, dump
from clarion.faults import Fault
from clarion.web.console.amount import whole

ROWS = 5
"""Of the form. What needs more is an audience of its own, or is written as JSON."""
TRAIT, EVENT, DEVICE, AUDIENCE, CAMPAIGN = "trait", "event", "device", "audience", "campaign"
KINDS = {
    TRAIT: "Trait",
    EVENT: "Event",
    DEVICE: "Device",
    CAMPAIGN: "Campaign",
    AUDIENCE: "Audience or list",
}
TESTS = {
    "equals": "is",
    "one_of": "is one of",
    "contains": "contains",
    "begins_with": "begins with",
    "less_than": "is less than",
    "at_least": "is at least",
    "at_most": "is at most",
    "more_than": "is more than",
    "before": "is before",
    "after": "is after",
    "in_last_days": "was in the last days",
    "in_next_days": "is in the next days",
    "anniversary": "has its day today",
    "present": "is there",
    "missing": "is not there",
}
"""Of traits and devices: what goes over the wire → as people read it."""
DID = {
    "did": "happened",
    "did_not": "did not happen",
    "at_least": "happened at least … times",
    "at_most": "happened at most … times",
}
FATES = {
    "sent": "was sent to them",
    "received": "was received",
    "opened": "was opened",
    "not_opened": "was sent and not opened",
}
"""What became of a campaign's pushes."""
TESTS_OF = {
    TRAIT: TESTS,
    EVENT: DID,
    DEVICE: TESTS,
    CAMPAIGN: FATES,
    AUDIENCE: {"in": "holds them"},
}
Ids = Mapping[str, str]
"""How the form calls a campaign → its id."""
COLUMNS = ("kind", "what", "test", "value", "days")
"""The fields of a row, in the order of `Row`."""
_BARE = ("present", "missing", "anniversary")
_DATES = ("before", "after")
_COUNTED = ("at_least", "at_most")


_NONE: Ids = {}


@dataclass(frozen=True, slots=True)
class Row:
    """One condition. `days`: of an event, in the last so many; empty: ever."""

    kind: str = ""
    name: str = ""
    test: str = ""
    value: str = ""
    days: str = ""


def rows_of(rule: Rule | None, ids: Ids = _NONE) -> tuple[str, list[Row]] | None:
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
    rows = [_row(part, ids) for part in parts]
    plain = [row for row in rows if row is not None]
    return (combined, plain) if len(plain) == len(rows) <= ROWS else None


def read_rows(many: Mapping[str, Sequence[str]]) -> list[Row]:
    """The rows of the form that say something."""
    columns = [many.get(name, ()) for name in COLUMNS]
    rows = [Row(*map(str.strip, cells)) for cells in zip(*columns, strict=False)]
    return [row for row in rows if row.name]


def _has_nameless(many: Mapping[str, Sequence[str]]) -> bool:
    """Whether a row says something, and not of what. Left out, it would let many more in."""
    columns = [many.get(name, ()) for name in ("what", "value", "days")]
    return any(
        not name.strip() and (value.strip() or days.strip())
        for name, value, days in zip(*columns, strict=False)
    )


def written(
    form: Mapping[str, str], many: Mapping[str, Sequence[str]], ids: Ids = _NONE
) -> Any | Fault:
    """The wire form of the rule; a Fault where it can not even be read."""
    text = form.get("json", "").strip()
    if text:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return Fault("rule", "is no JSON: look at quotes, commas and brackets")
    if _has_nameless(many):
        message = "has a condition that does not say of what: name it, or empty its row"
        return Fault("rule", message)
    parts = [_wire(row, ids) for row in read_rows(many)]
    if not parts:
        return {"everyone": True}
    if len(parts) == 1:
        return parts[0]
    return {"any" if form.get("combined") == "any" else "all": parts}


def code_of(name: str) -> str:
    """A code from a name: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]


def _wire(row: Row, ids: Ids) -> dict[str, Any]:
    match row.kind:
        case "event":
            wire: dict[str, Any] = {
                "event": row.name,
                "test": row.test if row.test in DID else "did",
            }
            if row.test in _COUNTED:
                count = whole(row.value)
                wire["count"] = row.value if count is None else count
            if row.days.strip():
                # What is no number is told, and not left out: without days many more would match.
                days = whole(row.days)
                wire["last_days"] = row.days if days is None else days
            return wire
        case "campaign":
            fate = row.test if row.test in FATES else "sent"
            return {"campaign": ids.get(row.name, row.name), "test": fate}
        case "device":
            return {"device": [{"field": row.name, **_test(row, is_text=True)}]}
        case "audience":
            return {"audience": row.name}
        case _:
            return {"trait": row.name, **_test(row)}


def _test(row: Row, *, is_text: bool = False) -> dict[str, Any]:
    test = row.test if row.test in TESTS else "equals"
    if test in _BARE:
        return {"test": test}
    if test == "one_of":
        parts = [part.strip() for part in row.value.split(",")]
        return {"test": test, "value": [_value(part, is_text) for part in parts if part]}
    is_text = (is_text or test in _DATES) and not test.endswith("_days")
    return {"test": test, "value": _value(row.value, is_text)}


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


def _texts(part: Mapping[Any, Any], text: Callable[[Any], str]) -> str:
    """A value, or the values of a list, as the form has them."""
    value = part.get("value", "")
    return ", ".join(map(text, value)) if isinstance(value, list) else text(value)


def _row(part: Any, ids: Ids) -> Row | None:
    """The row that is written as `part`; None: none is."""
    match part:
        case {"trait": str() as name, "test": str() as test}:
            row = Row(TRAIT, name, test, _texts(part, _text))
        case {"event": str() as name, "test": str() as test}:
            row = Row(EVENT, name, test, str(part.get("count", "")), str(part.get("last_days", "")))
        case {"device": [{"field": str() as name, "test": str() as test, **rest}]}:
            row = Row(DEVICE, name, test, _texts(rest, str))
        case {"campaign": str() as campaign_id, "test": str() as test}:
            called = next(
                (label for label, value in ids.items() if value == campaign_id), campaign_id
            )
            row = Row(CAMPAIGN, called, test)
        case {"audience": str() as name}:
            row = Row(AUDIENCE, name, "in")
        case _:
            return None
    return row if _wire(row, ids) == part else None
