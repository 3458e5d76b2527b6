"""One HTTP call, taken apart: its events, what is wrong with them, its write key. Pure."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from clarion.events.calls.body import readable, repaired, without_nul
from clarion.events.calls.check import check, event_type, says_wanted
from clarion.events.envelope import Item
from clarion.events.messages.excerpt import within
from clarion.events.messages.json_limits import NESTING_MAX, is_nested_too_deeply
from clarion.events.messages.timestamps import parse_time
from clarion.faults import Rejected
from clarion.ingest_log.rejection import RejectedEvent

BATCH_EVENTS_MAX = 2_500
CONTEXT_BYTES_MAX = 8_192
"""Of a batch's own context."""
CONTEXT_BYTES_TOTAL_MAX = 2_097_152
"""Of a batch's context times its events, since it is stored with every one of them: 2 MiB."""
WRITE_KEYS_MAX = 10
"""That the events of one batch may name, where the batch names none."""


_NONE: frozenset[str] = frozenset()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a call brings."""

    write_key: str | None
    sent_at: datetime | None
    context: bytes
    """A JSON object, or empty."""
    items: list[Item]
    refusals: list[RejectedEvent]
    registering: frozenset[str] = _NONE
    """The messageIds of events that ask for a registration, which may be refused."""
    separate: list["Call"] = []
    """The same, taken apart by write key, where the call names none and its events name several."""

    @property
    def size(self) -> int:
        """Bytes that its events take once each of them has the call's context."""
        return sum(len(item.raw) + len(self.context) for item in self.items)


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    writeKey: Any = None
    sentAt: Any = None
    context: msgspec.Raw = msgspec.Raw(b"")
    integrations: Any = None


class _Keyed(msgspec.Struct):
    writeKey: Any = None


class _Typed(msgspec.Struct):
    type: Any = None


_KEY_SOMEWHERE = re.compile(rb'"writeKey"\s{0,20}:\s{0,20}"([!#-~]{1,255})"')

_batch = msgspec.json.Decoder(_Batch)
_keyed = msgspec.json.Decoder(_Keyed)
_typed = msgspec.json.Decoder(_Typed)
_json = msgspec.json.Decoder(msgspec.Raw)


def read_call(
    body: bytes,
    *,
    type_hint: str | None,
    new_message_id: Callable[[], str],
    is_utf_8: bool = False,
) -> Call | Rejected:
    """The events in `body`: one of `type_hint`, or a batch where that is None.

    A body that is no JSON is refused whole, and nothing of it is kept, even if only one item of a
    batch is spoilt: where that item ends, nobody can tell, and a guess may cut one event into two
    that were never sent. Every SDK writes a batch by one encoder; what encoders are known to write
    wrong is put right (`repaired`). What is JSON and no event costs that event alone. `is_utf_8`:
    it has been seen to (`in_utf_8`).
    """
    body = without_nul(body) if is_utf_8 else readable(body)
    call = _read(body, type_hint, new_message_id)
    if isinstance(call, Rejected) and call.code == "not_json":
        again = repaired(body)
        if again != body:
            call = _read(again, type_hint, new_message_id)
    if isinstance(call, Rejected) and call.code == "not_json" and is_nested_too_deeply(body):
        return _nesting_fault()  # how deep a decoder goes before it gives up differs by Python
    return call


def type_said(body: bytes) -> str | None:
    """The type that one readable event gives itself, for paths that do not decide it."""
    try:
        return event_type(_typed.decode(body).type)
    except (ValueError, RecursionError):
        return None


def keys_in(body: bytes) -> tuple[str, ...]:
    """What may be the write keys in a readable body, at a small part of the cost of reading it:
    the call's own, or else whatever its events, or the remains of them, call so."""
    key = _key_in(body)
    if key is not None:
        return (key,)
    keys: dict[str, None] = {}
    for match in islice(_KEY_SOMEWHERE.finditer(body), BATCH_EVENTS_MAX):
        keys[match[1].decode()] = None
        if len(keys) > WRITE_KEYS_MAX:
            break
    return tuple(keys)


def _read(body: bytes, type_hint: str | None, new_message_id: Callable[[], str]) -> Call | Rejected:
    return (
        _many(body, new_message_id) if type_hint is None else _one(body, type_hint, new_message_id)
    )


def _one(body: bytes, type_hint: str, new_message_id: Callable[[], str]) -> Call | Rejected:
    checked = check(body, type_hint)
    if isinstance(checked, RejectedEvent):
        checked = replace(checked, hint=replace(checked.hint, type=type_hint))
        return json_fault(body) or Call(
            write_key=_key_in(body), sent_at=None, context=b"", items=[], refusals=[checked]
        )
    item = Item(body, checked.type, checked.message_id or new_message_id())
    return Call(
        write_key=checked.write_key,
        sent_at=None,
        context=b"",
        items=[item],
        refusals=[],
        registering=frozenset((item.message_id,)) if checked.may_register else _NONE,
    )


def _many(body: bytes, new_message_id: Callable[[], str]) -> Call | Rejected:
    try:
        wire = _batch.decode(body)
    except (ValueError, RecursionError):
        return json_fault(body) or _no_batch("it is something else")
    if wire.batch is None:
        return _no_batch("there is none")
    if len(wire.batch) > BATCH_EVENTS_MAX:
        return Rejected(
            code="batch_too_large",
            message=f"The batch has {len(wire.batch)} events; the limit is {BATCH_EVENTS_MAX}.",
        )
    context = _context(bytes(wire.context), len(wire.batch))
    if isinstance(context, Rejected):
        return context
    write_key = wire.writeKey if isinstance(wire.writeKey, str) and wire.writeKey else None
    is_wanted = says_wanted(wire.integrations) is not False
    items: list[Item] = []
    item_keys: dict[int, str] = {}
    """The write keys that events name, by their index; looked at only where the call names none."""
    refusals: list[RejectedEvent] = []
    refusal_keys: dict[int, str] = {}
    registering: list[str] = []
    for part in wire.batch:
        raw = bytes(part)
        checked = check(raw, None, is_wanted=is_wanted)
        if isinstance(checked, RejectedEvent):
            if write_key is None and (key := _key_in(raw)) is not None:
                refusal_keys[len(refusals)] = key
            refusals.append(checked)
            continue
        if checked.write_key:
            item_keys[len(items)] = checked.write_key
        item = Item(raw, checked.type, checked.message_id or new_message_id())
        items.append(item)
        if checked.may_register:
            registering.append(item.message_id)
    keys = set() if write_key is not None else {*item_keys.values(), *refusal_keys.values()}
    if len(keys) > WRITE_KEYS_MAX:
        return _too_many_keys()
    whole = Call(
        write_key=write_key or next(iter(keys), None),
        sent_at=parse_time(wire.sentAt),
        context=context,
        items=items,
        refusals=within(refusals, context) if refusals and context else refusals,
        registering=frozenset(registering),
    )
    return _by_key(whole, item_keys, refusal_keys) if len(keys) > 1 else whole


def _by_key(whole: Call, item_keys: dict[int, str], refusal_keys: dict[int, str]) -> Call:
    """The call with its parts, each of one write key, or of none."""
    by_key: dict[str | None, tuple[list[Item], list[RejectedEvent]]] = {}
    for index, item in enumerate(whole.items):
        by_key.setdefault(item_keys.get(index), ([], []))[0].append(item)
    for index, refusal in enumerate(whole.refusals):
        by_key.setdefault(refusal_keys.get(index), ([], []))[1].append(refusal)
    separate = [
        msgspec.structs.replace(whole, write_key=key, items=items, refusals=refusals)
        for key, (items, refusals) in by_key.items()
    ]
    return msgspec.structs.replace(whole, separate=separate)


def _too_many_keys() -> Rejected:
    return Rejected(
        code="write_keys_too_many",
        message=f"The events of a batch may name {WRITE_KEYS_MAX} write keys at most.",
    )


def _context(raw: bytes, events: int) -> bytes | Rejected:
    """A batch's context, sure to be readable wherever it is put; empty where it is no object."""
    if not raw.startswith(b"{"):
        return b""
    if len(raw) > CONTEXT_BYTES_MAX:
        return Rejected(
            code="context_too_large",
            message=f"The batch's context has {len(raw)} bytes; the limit is {CONTEXT_BYTES_MAX}. "
            "Put what belongs to one event into that event.",
        )
    if len(raw) * events > CONTEXT_BYTES_TOTAL_MAX:
        return Rejected(
            code="context_too_large",
            message=f"The batch's context is stored with each of its events, {len(raw)} bytes "
            f"times {events}; the limit is {CONTEXT_BYTES_TOTAL_MAX} together. Send smaller "
            "batches, or a smaller context.",
        )
    if is_nested_too_deeply(raw):
        return _nesting_fault()
    try:
        msgspec.json.decode(raw)
    except ValueError as error:
        return Rejected(
            code="context_unreadable", message=f"The batch's context can not be read: {error}."
        )
    return raw


def json_fault(body: bytes) -> Rejected | None:
    """What is wrong with a readable body as JSON, at its first place; None if it is an object."""
    try:
        parsed = bytes(_json.decode(body))
    except RecursionError:
        return _nesting_fault()
    except ValueError as error:
        where = str(error).removeprefix("JSON is malformed: ")
        where = "it ends too early" if "truncated" in where else where
        return Rejected(code="not_json", message=f"The body is not valid JSON: {where}.")
    if not parsed.startswith(b"{"):
        return Rejected(code="not_an_object", message="The body must be a JSON object.")
    return None


def _nesting_fault() -> Rejected:
    return Rejected(
        code="nested_too_deeply",
        message=f"Lists and objects may be nested {NESTING_MAX} deep at most.",
    )


def _no_batch(why: str) -> Rejected:
    return Rejected(
        code="batch_missing",
        message=f"`batch` must be a list of events: {why}. One event alone is sent to /v1/track, "
        "/v1/identify and so on.",
    )


def _key_in(raw: bytes) -> str | None:
    """The write key in an event that was refused."""
    try:
        key = _keyed.decode(raw).writeKey
    except (ValueError, RecursionError):
        return None
    return key if isinstance(key, str) and key else None
