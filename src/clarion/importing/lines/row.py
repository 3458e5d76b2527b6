"""A line of a file that is imported, made the event that says the same. Pure.

Nothing is imported behind the rules' back: a customer is an identify, a device is a Register Push,
an event is itself. The messageId follows from what the line says, so a file imported twice, or a
line that was in the air when the import broke off, changes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, assert_never

import msgspec

from clarion.events.calls.check import EVENT_BYTES_MAX
from clarion.events.messages.reserved import REGISTRATION_NAMES, TOKEN_NAMES, plain_name
from clarion.events.messages.timestamps import FIRST_YEAR, FUTURE_SECONDS_MAX, parse_time
from clarion.faults import Rejected
from clarion.importing.lines.cell import typed as typed
from clarion.importing.lines.columns import (
    ANONYMOUS_ID,
    AT,
    DEVICE_ID,
    LEFT_OUT,
    MESSAGE_ID,
    SOURCE,
    USER_ID,
    damaged_id,
    first_of,
)
from clarion.importing.lines.customer_row import identifies
from clarion.importing.lines.device_row import registrations
from clarion.impossible_date import why_impossible


class RecordKind(StrEnum):
    """What a file's lines are."""

    CUSTOMERS = "customers"
    DEVICES = "devices"
    EVENTS = "events"


Judge = Callable[[bytes], Rejected | None]
"""Predicts why the ingestor would reject this event, so that its line can be reported."""

MESSAGE_ID_PREFIX = "import-"
EARLIER_ID_PREFIX = "import-!"
"""Less than that of a line's own event, which therefore wins where both are of one time."""
TRAITS_BYTES = 24_576
"""Of one event, where a customer has too many traits for one."""
HASH_CHARACTERS = 40
REFUSED = "refused"
"""What an import said of a line that it refused, beside the line: no part of it."""

_DAY_DIGITS = 8
"""20260301 is a day, and no second of 1970."""
_SECONDS_MAX = 100_000_000_000
_WHY = frozenset({"line", "code", "message"})
_BESIDE_BODY = frozenset(
    {"body", "messageId", "message_id", "type", "timestamp", "receivedAt", SOURCE, LEFT_OUT}
)
"""Columns beside `body`. An event of its own that has a member `body` names somebody, too."""
_BESIDE_EVENT = frozenset({SOURCE, LEFT_OUT, "sentAt", "writeKey"})
"""What is no part of an imported event. The clock of whoever sent it was corrected when it was
sent: a file is not sent now."""
SEGMENTS_NAMES = {"user_id": "userId", "anonymous_id": "anonymousId", "message_id": "messageId"}
_SEGMENTS_OWN = frozenset({"userId", "anonymousId"})
_EXPORTED = frozenset({"messageId", "receivedAt"})
"""An event with one of the first, or both of the second, is written in Segment's names: others are
the app's own."""
IDS: Mapping[RecordKind, Sequence[str]] = {
    RecordKind.CUSTOMERS: (*USER_ID, *ANONYMOUS_ID),
    RecordKind.DEVICES: DEVICE_ID,
}
"""Columns of which a file needs one, or every one of its lines would be refused."""


def as_events(
    kind: RecordKind, record: Mapping[str, Any], at: datetime, now: datetime | None = None
) -> list[bytes] | Rejected:
    """The events of a line, as JSON: mostly one. `at` is its time where the line gives none. `now`:
    a time ahead of it is none.

    A line that Clarion has exported says more than one event can, such as when a customer was seen
    first and last. What comes before the line's own event in the list loses against it where both
    say something of one time.
    """
    record = without_refusal(record)
    match kind:
        case RecordKind.CUSTOMERS:
            made = identifies(record)
        case RecordKind.DEVICES:
            made = registrations(record)
        case RecordKind.EVENTS:
            event = _event(record)
            made = event if isinstance(event, Rejected) else [event]
        case _:
            assert_never(kind)
    if isinstance(made, Rejected):
        return made
    own = len(made) - 1
    events: list[bytes] = []
    for number, event in enumerate(made):
        finished = _finished(event, at, now or at, is_own=number == own)
        if isinstance(finished, Rejected):
            return finished
        events += finished
    return events


def _finished(
    event: dict[str, Any], at: datetime, now: datetime, *, is_own: bool
) -> list[bytes] | Rejected:
    """An event with its time and its messageId; in parts, if its traits are too many for one."""
    if event.get("timestamp") is None:
        event.pop("timestamp", None)
    else:
        said_at = _moment(event["timestamp"], now)
        if isinstance(said_at, Rejected):
            return said_at
        event["timestamp"] = said_at
    if event.get("messageId") is None:
        event.pop("messageId", None)
        event_json = msgspec.json.encode(event, order="deterministic")
        prefix = MESSAGE_ID_PREFIX if is_own else EARLIER_ID_PREFIX
        event["messageId"] = prefix + sha256(event_json).hexdigest()[:HASH_CHARACTERS]
    event.setdefault("timestamp", at.isoformat())
    raw = msgspec.json.encode(event)
    traits = event.get("traits")
    if len(raw) <= EVENT_BYTES_MAX or event.get("type") != "identify" or not traits:
        return [raw]
    parts: list[bytes] = []
    for number, part in enumerate(_in_parts(traits)):
        part_of = event | {"traits": part, "messageId": f"{event['messageId']}-{number}"}
        parts.append(msgspec.json.encode(part_of))
    return parts


def _in_parts(traits: Any) -> Iterator[dict[str, Any]]:
    """Traits that one event has no room for."""
    part: dict[str, Any] = {}
    size = 0
    for name, value in traits.items():
        needs = len(msgspec.json.encode({name: value}))
        if part and size + needs > TRAITS_BYTES:
            yield part
            part, size = {}, 0
        part[name] = value
        size += needs
    yield part


def without_refusal(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line without what an import before said of it."""
    reason = record.get(REFUSED)
    if isinstance(reason, Mapping) and "code" in reason and reason.keys() <= _WHY:
        return {name: value for name, value in record.items() if name != REFUSED}
    return record


def read_cells(
    header: Sequence[str],
    cells: Sequence[str],
    rounded: Collection[str] = (),
    *,
    may_repeat: bool = False,
) -> dict[str, Any] | Rejected:
    """A CSV line as a record. A column named `age:number` (`boolean`, `json`) holds no text; an
    empty cell says nothing, nor does a column without a name; `properties.sku` goes into the
    object `properties`. `rounded`: columns all of whose long numbers look rounded. `may_repeat`:
    several columns of one name are a list."""
    if any(cell.strip() for cell in cells[len(header) :]):
        return Rejected(
            code="cells_too_many",
            message=f"The line has {len(cells)} cells and the header {len(header)}: is there a "
            "comma in a text without quotes, or the end of a line missing?",
        )
    if len(cells) == 1 < len(header) and any(delimiter in cells[0] for delimiter in ",;\t|"):
        return Rejected(
            code="cells_missing", message="The line is separated by something else than the header."
        )
    record: dict[str, Any] = {}
    for column, cell in zip(header, cells, strict=False):
        if not column or not cell.strip():
            continue
        given = typed(column, cell, is_rounded=column in rounded)
        if isinstance(given, Rejected):
            return given
        name, value = given
        outer, dot, inner = name.partition(".")
        if dot and outer in ("properties", "traits", "context", REFUSED):
            held = record.setdefault(outer, {})
            if not isinstance(held, dict):
                return Rejected(
                    code="cell_no_object", message=f"{column}: {outer} holds no object beside it."
                )
            held[inner] = value
        elif may_repeat and name in record:
            before = record[name]
            record[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            record[name] = value
    return record


def _event(record: Mapping[str, Any]) -> dict[str, Any] | Rejected:
    body = record.get("body")
    if isinstance(body, Mapping) and record.keys() <= _BESIDE_BODY:
        record = body
    left_out = record.get(LEFT_OUT)
    if isinstance(left_out, list) and _registers_by(record, left_out):
        return Rejected(
            code="token_left_out",
            message="The event registers a device by a token that its export left out: export it "
            "--with-tokens.",
        )
    event = {name: value for name, value in record.items() if name not in _BESIDE_EVENT}
    if not event.keys() & _SEGMENTS_OWN and not event.keys() >= _EXPORTED:
        for name, names in (
            ("userId", USER_ID),
            ("anonymousId", ANONYMOUS_ID),
            ("messageId", MESSAGE_ID),
            ("timestamp", AT),
        ):
            value = first_of(record, names)
            for other in names:
                event.pop(other, None)
            if value is not None:
                event[name] = value
    damaged = damaged_id(event, ("userId", "anonymousId"))
    if damaged is not None:
        return damaged
    if event.get("timestamp") is None and event.get("originalTimestamp") is not None:
        event["timestamp"] = event["originalTimestamp"]
    if not isinstance(event.get("type"), str):
        event["type"] = "track"
    return event


def _registers_by(event: Mapping[str, Any], left_out: Iterable[Any]) -> bool:
    name = plain_name(event.get("event") if isinstance(event.get("event"), str) else None)
    return name in REGISTRATION_NAMES | TOKEN_NAMES and any(
        str(path).startswith(("properties.", "context.device.")) for path in left_out
    )


def _moment(said: Any, now: datetime) -> str | Rejected:
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
        unreadable = Rejected(
            code="time_unreadable",
            message=f"{str(said)[:40]!r} is no time: write 2026-03-01T09:00:00Z, 2026-03-01, or "
            "seconds or milliseconds since 1970; or leave it out.",
        )
        impossible = why_impossible(at)
        if impossible is None:
            return unreadable
        return replace(unreadable, message=f"{str(said)[:40]!r} {impossible}; or leave it out.")
    if moment.year < FIRST_YEAR or moment > now + timedelta(seconds=FUTURE_SECONDS_MAX):
        return Rejected(
            code="time_impossible",
            message=f"{str(said)[:40]!r} lies ahead, or before {FIRST_YEAR}: leave it out where it "
            "is not known.",
        )
    return said if moment == parse_time(said) else moment.astimezone(UTC).isoformat()
