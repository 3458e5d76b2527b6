"""A Live Activity on an iPhone's lock screen: what starts, updates or ends it. Pure.

Apple shows it from the app's own views; what is sent is the state they show (`content_state`), and
for a start the type of its attributes and their values, by Swift's names. Title and body of the
content are the alert that comes with it; a start must have one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

NAME_CHARACTERS_MAX = 200
SECONDS_MAX = 12 * 3_600
"""iOS ends a Live Activity after eight hours, and shows it for four more."""


class LiveEvent(StrEnum):
    START = "start"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveActivity:
    event: LiveEvent
    activity_id: str | None = None
    """Only devices on which this one runs; None: whichever runs there. By the app's own id."""
    content_state: Mapping[str, Any] = field(default_factory=dict)
    attributes_type: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    stale_seconds: int | None = None
    """After so long what is shown counts as out of date."""
    dismiss_seconds: int | None = None
    """So long an ended one is still shown; 0: it goes at once."""


def parse_live_activity(wire: Any) -> LiveActivity | str:
    """The activity in its saved form, or what is wrong with it, for people."""
    if not isinstance(wire, Mapping):
        return "must be an object with event, and content_state"
    unknown = [str(name) for name in wire if name not in _NAMES]
    if unknown:
        return f"has no {unknown[0]}; known: {', '.join(_NAMES)}"
    values = {name: value for name, value in wire.items() if value is not None}
    try:
        event = LiveEvent(values.get("event", ""))
    except ValueError:
        return "needs event: start, update or end"
    for name in ("content_state", "attributes"):
        if not isinstance(values.get(name, {}), Mapping):
            return f"needs an object as {name}"
    for name in ("activity_id", "attributes_type"):
        text = values.get(name, "x")
        if not isinstance(text, str) or not 0 < len(text) <= NAME_CHARACTERS_MAX:
            return f"needs a text of 1 to {NAME_CHARACTERS_MAX} characters as {name}"
    for name in ("stale_seconds", "dismiss_seconds"):
        seconds = values.get(name, 0)
        if type(seconds) is not int or not 0 <= seconds <= SECONDS_MAX:
            return f"needs whole seconds from 0 to {SECONDS_MAX} as {name}"
    wrong = _wrong_together(event, values)
    return wrong or LiveActivity(**{**values, "event": event})


def _wrong_together(event: LiveEvent, values: Mapping[str, Any]) -> str | None:
    if event is not LiveEvent.END and not values.get("content_state"):
        return f"needs content_state for {event.value}: what the app's views show"
    if event is LiveEvent.START:
        if "attributes_type" not in values or "attributes" not in values:
            return "needs attributes_type and attributes for start, by the names in the app"
        if "activity_id" in values:
            return "can not have activity_id for start: none runs yet"
    elif "attributes_type" in values or "attributes" in values:
        return f"can not have attributes for {event.value}: they are given at the start"
    if event is not LiveEvent.END and "dismiss_seconds" in values:
        return f"can not have dismiss_seconds for {event.value}: only what ends is dismissed"
    return None


def dump_live_activity(activity: LiveActivity) -> dict[str, Any]:
    """The saved form; `parse_live_activity` reads it back."""
    wire: dict[str, Any] = {"event": activity.event.value}
    for name in _NAMES[1:]:
        value = getattr(activity, name)
        if value is not None and (value or name.endswith("_seconds")):
            wire[name] = dict(value) if isinstance(value, Mapping) else value
    if activity.event is LiveEvent.START:
        wire.setdefault("attributes", {})
    return wire


_NAMES = (
    "event",
    "activity_id",
    "content_state",
    "attributes_type",
    "attributes",
    "stale_seconds",
    "dismiss_seconds",
)
