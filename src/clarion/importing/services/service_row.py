"""What one row of another service's export says, in the records that an import of ours takes.
Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from clarion.events.messages.installation import is_apns_token
from clarion.events.messages.yes_or_no import yes_or_no
from clarion.faults import Rejected

HASH_CHARACTERS = 32
DENIED = {"push_permission": "denied"}
"""Of a device: its person has turned notifications off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """A row, read. `customer` and `devices` are records as `clarion import` takes them; `refused`
    says what of the row is not taken, and why. A row may be taken in part: a customer whose token
    FCM can not send to keeps what is known of them, and their opt-out."""

    customer: Mapping[str, Any] | None = None
    devices: Sequence[Mapping[str, Any]] = ()
    refused: Sequence[Rejected] = ()


def customer_record(
    user_id: str | None,
    anonymous_id: str | None,
    traits: Mapping[str, Any],
    *,
    at: Any = None,
    is_opted_out: bool = False,
    left: Sequence[str] = (),
) -> dict[str, Any] | None:
    """A customer's record; None where it would say nothing. `at`: when the service last saw it.
    `left`: the categories that the customer has left."""
    preferences: dict[str, Any] = {}
    if is_opted_out:
        preferences["channels"] = [{"channel": "push", "subscribed": False}]
    if left:
        preferences["categories"] = [{"category": name, "subscribed": False} for name in left]
    traits_given = {
        name: value for name, value in traits.items() if value not in (None, "", [], {})
    }
    if preferences:
        traits_given["marketingPreferences"] = preferences
    if (user_id is None and anonymous_id is None) or (user_id is None and not traits_given):
        return None
    who = {"user_id": user_id} if user_id is not None else {"anonymous_id": anonymous_id}
    return {**who, "timestamp": at, "traits": traits_given}


def device_record(
    device_id: str,
    token: str,
    platform: str,
    *,
    user_id: str | None = None,
    at: Any = None,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A device's record. `at`: when the service last saw its registration."""
    facts_given = {name: value for name, value in (facts or {}).items() if value not in (None, "")}
    record = {
        "device_id": device_id,
        "token": token,
        "platform": platform,
        "user_id": user_id,
        "timestamp": at,
    }
    return {name: value for name, value in record.items() if value is not None} | (
        {"facts": facts_given} if facts_given else {}
    )


def devices_in(
    listed: Any, read: Callable[[Any], dict[str, Any] | Rejected]
) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """The records that `read` makes of a list's devices, and why it makes none of the others."""
    results = [read(device) for device in listed] if isinstance(listed, list) else []
    devices = [result for result in results if not isinstance(result, Rejected)]
    return devices, [result for result in results if isinstance(result, Rejected)]


def fault_of_token(token: str | None, *, platform: str) -> Rejected | None:
    """Why FCM can not send to a token, by its shape; the rest of its shape is judged as that of
    any registration."""
    if token is None:
        return Rejected(code="token_missing", message="The row holds no token of its device.")
    if is_apns_token(token):
        return Rejected(
            code="token_of_apns",
            message=f"The token of this {platform} device is one of Apple's push service, which "
            "FCM can not send to: the device comes in when the app with Firebase Messaging is "
            "started.",
        )
    return None


def device_id_of(service: str, token: str) -> str:
    """The name of a device for which the service keeps none: it follows from the token."""
    return f"{service}-{sha256(token.encode()).hexdigest()[:HASH_CHARACTERS]}"


def text_of(value: Any) -> str | None:
    """An id or a word of a row; None where it says nothing. A list of one is that one."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None


def is_yes(value: Any) -> bool:
    """Whether a row says yes, in any spelling."""
    return yes_or_no(value) is True


def is_no(value: Any) -> bool:
    """Whether a row says no, in any spelling; what says nothing is no no."""
    return value is not None and yes_or_no(value) is False


def object_of(value: Any) -> dict[str, Any]:
    """An object of a row, in CSV written as JSON; an empty one for anything else."""
    if isinstance(value, str) and value.strip().startswith("{"):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def fault_of_objects(record: Mapping[str, Any], names: Sequence[str]) -> Rejected | None:
    """Why an object that is written as JSON can not be read: what it says, an opt-out perhaps,
    would be lost without a word."""
    for name in names:
        value = record.get(name)
        if not isinstance(value, str) or not value.strip():
            continue
        try:
            read = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            read = value
        if read and not isinstance(read, Mapping):
            return Rejected(
                code="column_no_json",
                message=f"{name} is no JSON object, such as {{}}: mend it, or empty it.",
            )
    return None


def moment_of(value: Any) -> Any:
    """A time of a row as an import reads it: seconds since 1970 that stand in a text are seconds;
    `2026-03-01 09:00:00` is one of UTC, and so is a time without a zone."""
    if not isinstance(value, str):
        return value
    text = value.strip().removesuffix(" UTC")
    if text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text or None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).isoformat()
