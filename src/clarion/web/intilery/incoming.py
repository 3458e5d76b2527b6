"""A body of the server API as events that say all that Clarion has to know of them. Pure.

Its items name their kind in `event` (`"event": "identify"`) and may lack `type` and `messageId`.
Both are added; everything else stays, the further fields of a command at the root included.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from clarion.events.calls.body import readable, repaired
from clarion.events.calls.check import MESSAGE_ID_CHARACTERS_MAX
from clarion.events.messages.identifiers import DAMAGED
from clarion.events.messages.reserved import EVENT_TYPES

_Members = dict[str, msgspec.Raw]

_members = msgspec.json.Decoder(_Members)
_items = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder(Any)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A body to be taken, and the id of each of its events."""

    body: bytes
    event_ids: list[str]


def completed(body: bytes, kind: str | None, new_id: Callable[[], str]) -> Incoming:
    """`body` with what its events leave out; `kind` None: a batch."""
    body = readable(body)
    members = _object_in(body)
    if members is None:
        body = repaired(body)
        members = _object_in(body)
    if members is None:
        return Incoming(body=body, event_ids=[])  # the collector says what is wrong with it
    if kind is not None:
        event_id = _complete(members, kind, new_id)
        return Incoming(body=msgspec.json.encode(members), event_ids=[event_id])
    try:
        items = _items.decode(members.get("batch", b"null"))
    except (ValueError, RecursionError):
        return Incoming(body=body, event_ids=[])
    event_ids: list[str] = []
    for number, raw in enumerate(items):
        item = _object_in(bytes(raw))
        if item is not None:
            event_ids.append(_complete(item, None, new_id))
            items[number] = msgspec.Raw(msgspec.json.encode(item))
    members["batch"] = msgspec.Raw(msgspec.json.encode(items))
    return Incoming(body=msgspec.json.encode(members), event_ids=event_ids)


def _object_in(raw: bytes) -> _Members | None:
    try:
        return _members.decode(raw)
    except (ValueError, RecursionError):
        return None


def _complete(members: _Members, kind: str | None, new_id: Callable[[], str]) -> str:
    """Give an event its type and its messageId; tells the latter."""
    members["type"] = _raw(kind or _kind_of(members))
    event_id = _event_id(_value(members, "messageId")) or new_id()
    members["messageId"] = _raw(event_id)
    return event_id


def _kind_of(members: _Members) -> str:
    """What an item of a batch is: as it says, or as its `event` says; else a track."""
    for name in ("type", "event"):
        value = _value(members, name)
        if isinstance(value, str) and value.strip().lower() in EVENT_TYPES:
            return value.strip().lower()
    return "track"


def _event_id(value: Any) -> str | None:
    text = str(value).strip() if type(value) in (str, int) else ""
    is_usable = 0 < len(text) <= MESSAGE_ID_CHARACTERS_MAX and DAMAGED not in text
    return text if is_usable else None


def _value(members: _Members, name: str) -> Any:
    raw = bytes(members.get(name, b"null"))
    # Only a text or a number is of interest, and only a short one.
    if len(raw) > 4 * MESSAGE_ID_CHARACTERS_MAX or raw[:1] in b"{[":
        return None
    try:
        return _any.decode(raw)
    except ValueError:
        return None


def _raw(value: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
