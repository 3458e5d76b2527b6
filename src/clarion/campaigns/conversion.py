"""What a campaign is to lead to: an event that a customer does soon after the push. Pure."""

from typing import Any

from msgspec import Struct

from clarion.faults import Fault

FIELD = "conversion"
EVENT_CHARACTERS_MAX = 200
WITHIN_HOURS_MAX = 720
_HOURS_OF = {"within_hours": 1, "within_days": 24}


class Conversion(Struct, frozen=True, kw_only=True):
    """A customer converts who does a track event of this name, letter by letter, at most
    `within_hours` after the push was accepted."""

    event: str
    within_hours: int

    @property
    def window_seconds(self) -> int:
        return self.within_hours * 3_600


def parse_conversion(wire: Any) -> Conversion | list[Fault] | None:
    """The conversion in `wire`, None where that is None, or all that is wrong with it."""
    if wire is None:
        return None
    if not isinstance(wire, dict):
        cure = 'must be an object such as {"event": "Order Completed", "within_hours": 48}, or null'
        return [Fault(FIELD, cure)]
    known = ("event", *_HOURS_OF)
    faults = [
        Fault(f"{FIELD}.{name}", f"is unknown; use {', '.join(known)}")
        for name in wire
        if name not in known
    ]
    event = wire.get("event")
    if not isinstance(event, str) or not 0 < len(event) <= EVENT_CHARACTERS_MAX:
        message = f"must be an event's name of 1 to {EVENT_CHARACTERS_MAX} characters"
        faults.append(Fault(f"{FIELD}.event", message))
    hours = _hours(wire)
    if isinstance(hours, Fault):
        faults.append(hours)
    if faults or isinstance(hours, Fault):
        return faults
    return Conversion(event=str(event), within_hours=hours)


def dump_conversion(conversion: Conversion | None) -> dict[str, Any] | None:
    """Its saved form; `parse_conversion` reads it back."""
    if conversion is None:
        return None
    return {"event": conversion.event, "within_hours": conversion.within_hours}


def _hours(wire: dict[str, Any]) -> int | Fault:
    given = [name for name in _HOURS_OF if name in wire]
    if len(given) != 1:
        return Fault(FIELD, "needs either within_hours or within_days")
    [name] = given
    longest = WITHIN_HOURS_MAX // _HOURS_OF[name]
    value = wire[name]
    if type(value) is not int or not 1 <= value <= longest:
        return Fault(f"{FIELD}.{name}", f"must be a whole number from 1 to {longest}")
    return value * _HOURS_OF[name]
