"""Commands among the events of the server API: `SEND_PUSH`, in any letters, has a push sent. Pure.

`assetId` is the code or the id of the campaign whose content the push has; every further field at
the root is what its templates read as `event`. The event itself is kept like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from clarion.deliveries.pushes.push import PushRequest, hash_of_key, parse_push
from clarion.events.messages.reserved import plain_name
from clarion.faults import Rejected

SEND_PUSH = "send push"
"""As `plain_name` reads it."""
_OWN = frozenset(
    {
        "userId",
        "event",
        "assetId",
        "type",
        "messageId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "receivedAt",
        "context",
        "integrations",
        "anonymousId",
        "version",
        "channel",
        "writeKey",
    }
)
"""Fields of an event, which say nothing to its push."""
_NAMES = {"user_id": "userId", "campaign": "assetId"}
"""Fields of a request, as the event names them."""

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True, kw_only=True)
class PushCommand:
    """A push that an event asks for. `key`: the event is one push, however often it comes;
    `request`: Rejected says why it can not be."""

    event_id: str
    key: str
    request: PushRequest | Rejected


def push_commands(body: bytes) -> list[PushCommand]:
    """Those among the events of a body that `completed` has made."""
    if b"push" not in body.lower():
        return []  # nearly always: a body is decoded for its commands alone
    try:
        wire = _decode(body)
    except (ValueError, RecursionError):
        return []  # the collector says what is wrong with it
    items = wire.get("batch", [wire]) if isinstance(wire, dict) else []
    return [
        _command(item)
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict) and _is_command(item)
    ]


def _is_command(item: dict[str, Any]) -> bool:
    name = item.get("event")
    return item.get("type") == "track" and isinstance(name, str) and plain_name(name) == SEND_PUSH


def _command(item: dict[str, Any]) -> PushCommand:
    user_id, asset_id = item.get("userId"), item.get("assetId")
    wire = {
        "user_id": str(user_id) if type(user_id) is int else user_id,
        "campaign": asset_id.strip().lower() if isinstance(asset_id, str) else asset_id,
        "event": {name: value for name, value in item.items() if name not in _OWN},
    }
    request = parse_push(wire, lambda content, *, platform: ())
    event_id = str(item["messageId"])
    return PushCommand(
        event_id=event_id,
        key=f"event:{hash_of_key(event_id)}",
        request=in_words_of_events(request) if isinstance(request, Rejected) else request,
    )


def in_words_of_events(rejected: Rejected) -> Rejected:
    """Why a push was not sent, with the fields called as in the event."""
    faults: Sequence[Any] = [
        replace(fault, field=_NAMES.get(fault.field, fault.field)) for fault in rejected.faults
    ]
    if not faults:
        return rejected
    message = f"{faults[0].field} {faults[0].message}."
    return Rejected(rejected.code, message, tuple(faults))
