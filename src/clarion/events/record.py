"""A line of a file that is imported, made the event that says the same. Pure.

Nothing is imported behind the rules' back: a customer is an identify, a device is a Register Push,
an event is itself. The messageId follows from what the line says, so a file imported twice, or a
line that was in the air when the import broke off, changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, assert_never

import msgspec

from clarion.events.moment import FIRST_YEAR, FUTURE_SECONDS_MAX, parse_time


class RecordKind(StrEnum):
    """What a file's lines are."""

    CUSTOMERS = "customers"
    DEVICES = "devices"
    EVENTS = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFault:
    """Why a line is no record."""

    code: str
    message: str


Judge = Callable[[bytes], RecordFault | None]
"""Says of an event what those who take it in will refuse, so that its line is."""

MESSAGE_ID_PREFIX = "import-"
HASH_CHARACTERS = 40
REMOVED = "removed"
REFUSED = "refused"
"""What an import said of a line that it refused, beside the line: no part of it."""

_DAY_DIGITS = 8
"""20260301 is a day, and no second of 1970."""
_SECONDS_MAX = 100_000_000_000
_KINDS = ("text", "number", "boolean", "json")
_USER_ID = ("user_id", "userId")
_ANONYMOUS_ID = ("anonymous_id", "anonymousId")
_DEVICE_ID = ("device_id", "deviceId")
_TOKEN = ("token", "fcm_token", "fcmToken")
_FID = ("fid",)
_PLATFORM = ("platform", "device_type", "deviceType")
_AT = ("timestamp", "at")
_MESSAGE_ID = ("message_id", "messageId")
_FACTS = {
    "app_version": "app_version",
    "os_version": "os_version",
    "manufacturer": "device_manufacturer",
    "model": "device_model",
    "locale": "locale",
    "timezone": "timezone",
    "push_permission": "push_permission",
}
"""What an export says of a device, and the property by which an app says it."""
_NO_TRAITS = frozenset(
    (*_USER_ID, *_ANONYMOUS_ID, *_AT, *_MESSAGE_ID, "id", "key", "traits", "push_opted_out",
     "first_seen_at", "last_seen_at")
)  # fmt: skip
IDS: Mapping[RecordKind, Sequence[str]] = {
    RecordKind.CUSTOMERS: (*_USER_ID, *_ANONYMOUS_ID),
    RecordKind.DEVICES: _DEVICE_ID,
}
"""Columns of which a file needs one, or every one of its lines would be refused."""


def as_event(
    kind: RecordKind, record: Mapping[str, Any], at: datetime, now: datetime | None = None
) -> bytes | RecordFault:
    """The event of a line, as JSON; `at` is its time where the line gives none. `now`: a time
    ahead of it is none."""
    said = record.get(REFUSED)
    if isinstance(said, Mapping) and "code" in said:
        record = {name: value for name, value in record.items() if name != REFUSED}
    match kind:
        case RecordKind.CUSTOMERS:
            event = _identify(record)
        case RecordKind.DEVICES:
            event = _registration(record)
        case RecordKind.EVENTS:
            event = _event(record)
        case _:
            assert_never(kind)
    if isinstance(event, RecordFault):
        return event
    event = {name: value for name, value in event.items() if value is not None}
    if "timestamp" in event:
        said_at = _moment(event["timestamp"], now or at)
        if isinstance(said_at, RecordFault):
            return said_at
        event["timestamp"] = said_at
    if "messageId" not in event:
        said = msgspec.json.encode(event, order="deterministic")
        event["messageId"] = MESSAGE_ID_PREFIX + sha256(said).hexdigest()[:HASH_CHARACTERS]
    event.setdefault("timestamp", at.isoformat())
    return msgspec.json.encode(event)


def read_cells(header: list[str], cells: list[str]) -> dict[str, Any] | RecordFault:
    """A CSV line as a record. A column named `age:number` (`boolean`, `json`) holds no text; an
    empty cell says nothing, nor does a column without a name; `properties.sku` goes into the
    object `properties`."""
    if any(cell.strip() for cell in cells[len(header) :]):
        return RecordFault(
            code="cells_too_many",
            message=f"The line has {len(cells)} cells and the header {len(header)}.",
        )
    record: dict[str, Any] = {}
    for column, cell in zip(header, cells, strict=False):
        if not column or not cell.strip():
            continue
        given = typed(column, cell)
        if isinstance(given, RecordFault):
            return given
        name, value = given
        outer, dot, inner = name.partition(".")
        if dot and outer in ("properties", "traits", "context", REFUSED):
            held = record.setdefault(outer, {})
            if not isinstance(held, dict):
                return RecordFault(
                    code="cell_no_object", message=f"{column}: {outer} holds no object beside it."
                )
            held[inner] = value
        else:
            record[name] = value
    return record


def typed(column: str, value: Any) -> tuple[str, Any] | RecordFault:
    """(Name, value) in a column that may say what its texts are: `age:number`."""
    name, _, kind = column.rpartition(":")
    if kind not in _KINDS:
        name, kind = column, "text"
    if isinstance(value, str):
        value = _cell(kind, value)
        if isinstance(value, RecordFault):
            return RecordFault(code=value.code, message=f"{column}: {value.message}")
    return name.strip(), value


def _cell(kind: str, cell: str) -> Any:
    cell = cell.strip()
    match kind:
        case "number":
            try:
                value = int(cell) if cell.lstrip("+-").isdigit() else msgspec.json.decode(cell)
            except ValueError:
                value = None
            if type(value) in (int, float):
                return value
            return RecordFault(code="cell_no_number", message=f"{cell[:40]!r} is no number.")
        case "boolean":
            if cell.lower() in ("true", "yes", "1"):
                return True
            if cell.lower() in ("false", "no", "0"):
                return False
            return RecordFault(
                code="cell_no_boolean", message=f"{cell[:40]!r} is neither true nor false."
            )
        case "json":
            try:
                return msgspec.json.decode(cell)
            except ValueError as error:
                return RecordFault(code="cell_no_json", message=f"is not valid JSON: {error}.")
        case _:
            return cell


def _identify(record: Mapping[str, Any]) -> dict[str, Any] | RecordFault:
    user_id, anonymous_id = _first(record, _USER_ID), _first(record, _ANONYMOUS_ID)
    if user_id is None and anonymous_id is None:
        return RecordFault(code="user_id_missing", message="A customer needs a user_id.")
    given = record.get("traits")
    if given is not None and not isinstance(given, Mapping):
        return RecordFault(
            code="traits_no_object",
            message="`traits` must be an object (in CSV a column `traits:json`).",
        )
    traits = dict(given or {})
    traits |= {name: value for name, value in record.items() if name not in _NO_TRAITS}
    opted_out = str(record.get("push_opted_out")).lower() in ("true", "yes", "1")
    if opted_out and "marketingPreferences" not in traits:
        channels = [{"channel": "push", "subscribed": False}]
        traits["marketingPreferences"] = {"channels": channels}
    return {
        "type": "identify",
        "userId": user_id,
        "anonymousId": anonymous_id,
        "messageId": _first(record, _MESSAGE_ID),
        "timestamp": _first(record, (*_AT, "last_seen_at")),
        "traits": traits,
    }


def _registration(record: Mapping[str, Any]) -> dict[str, Any] | RecordFault:
    device_id = _first(record, _DEVICE_ID)
    token, fid = _first(record, _TOKEN), _first(record, _FID)
    if record.get("token_kind") == "fid" and fid is None:
        token, fid = None, token
    if device_id is None:
        return RecordFault(code="device_id_missing", message="A device needs a device_id.")
    if record.get("state") == REMOVED:
        return RecordFault(
            code="device_removed", message="This device was removed: there is nothing to register."
        )
    if token is None and fid is None:
        return RecordFault(code="token_missing", message="A device needs a token or a fid.")
    properties = {
        "deviceId": device_id,
        "fcmToken": token,
        "fid": fid,
        "deviceType": _first(record, _PLATFORM),
    }
    facts = record.get("facts")
    if isinstance(facts, Mapping):
        properties |= {name: facts.get(fact) for fact, name in _FACTS.items()}
    return {
        "type": "track",
        "event": "Register Push",
        "userId": _first(record, _USER_ID) or device_id,
        "messageId": _first(record, _MESSAGE_ID),
        "timestamp": _first(record, (*_AT, "registered_at")),
        "properties": {name: value for name, value in properties.items() if value is not None},
    }


def _event(record: Mapping[str, Any]) -> dict[str, Any] | RecordFault:
    body = record.get("body")
    if isinstance(body, Mapping):
        record = body
    event = dict(record)
    for name, names in (
        ("userId", _USER_ID),
        ("anonymousId", _ANONYMOUS_ID),
        ("messageId", _MESSAGE_ID),
        ("timestamp", _AT),
    ):
        value = _first(record, names)
        for other in names:
            event.pop(other, None)
        event[name] = value
    # The clock of whoever sent it was corrected when it was sent: a file is not sent now.
    event.pop("sentAt", None)
    event.pop("writeKey", None)
    if not isinstance(event.get("type"), str):
        event["type"] = "track"
    return event


def _moment(said: Any, now: datetime) -> str | RecordFault:
    """A line's time as ISO 8601. One that can not be read must not become the time of the import:
    the line would overrule what apps have said since."""
    at = said
    if isinstance(at, str):
        at = at.strip().removesuffix(" UTC")
        at = float(at) if at.isdecimal() and len(at) > _DAY_DIGITS else at
    if type(at) in (int, float) and abs(at) < _SECONDS_MAX:
        at *= 1_000
    moment = parse_time(at)
    if moment is None:
        return RecordFault(
            code="time_unreadable",
            message=f"{str(said)[:40]!r} is no time: write 2026-03-01T09:00:00Z, 2026-03-01, or "
            "seconds or milliseconds since 1970; or leave it out.",
        )
    if moment.year < FIRST_YEAR or moment > now + timedelta(seconds=FUTURE_SECONDS_MAX):
        return RecordFault(
            code="time_impossible",
            message=f"{str(said)[:40]!r} lies ahead, or before {FIRST_YEAR}: leave it out where it "
            "is not known.",
        )
    return said if moment == parse_time(said) else moment.astimezone(UTC).isoformat()


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of `names` that says anything."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return value
    return None
