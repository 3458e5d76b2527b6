"""One HTTP call, taken apart: its events, what is wrong with them, its write key. Pure."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from clarion.events.body import CallFault, readable, repaired, unpack
from clarion.events.check import Checked, check, event_type, says_wanted
from clarion.events.inbox import Item
from clarion.events.message import Refusal
from clarion.events.moment import parse_time
from clarion.events.nesting import NESTING_MAX, is_nested_too_deeply
from clarion.events.refusal import within

BATCH_EVENTS_MAX = 2_500
CONTEXT_BYTES_MAX = 8_192
"""Of a batch's own context, since it is stored with every event of the batch."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a call brings."""

    write_key: str | None
    sent_at: datetime | None
    context: bytes
    """A JSON object, or empty."""
    items: list[Item]
    refusals: list[Refusal]


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
    body: bytes, *, type_hint: str | None, new_message_id: Callable[[], str]
) -> Call | CallFault:
    """The events in `body`: one of `type_hint`, or a batch where that is None.

    A body that is no JSON is refused whole, and nothing of it is kept, even if only one item of a
    batch is spoilt: where that item ends, nobody can tell, and a guess may cut one event into two
    that were never sent. Every SDK writes a batch by one encoder; what encoders are known to write
    wrong is put right (`repaired`). What is JSON and no event costs that event alone.
    """
    body = readable(body)
    call = _read(body, type_hint, new_message_id)
    if isinstance(call, CallFault) and call.code == "not_json":
        again = repaired(body)
        if again != body:
            return _read(again, type_hint, new_message_id)
    return call


def type_said(body: bytes, encoding: str) -> str | None:
    """The type that one event gives itself, for paths that do not decide it."""
    plain = unpack(body, encoding)
    if isinstance(plain, CallFault):
        return None
    try:
        kind = _typed.decode(readable(plain)).type
    except (ValueError, RecursionError):
        return None
    return event_type(kind)


def key_somewhere_in(body: bytes) -> str | None:
    """The write key in a body that can not be read as a whole: the first that looks like one."""
    found = _KEY_SOMEWHERE.search(body)
    return None if found is None else found[1].decode()


def _read(
    body: bytes, type_hint: str | None, new_message_id: Callable[[], str]
) -> Call | CallFault:
    return (
        _many(body, new_message_id) if type_hint is None else _one(body, type_hint, new_message_id)
    )


def _one(body: bytes, type_hint: str, new_message_id: Callable[[], str]) -> Call | CallFault:
    checked = check(body, type_hint)
    if isinstance(checked, Refusal):
        checked = replace(checked, hint=replace(checked.hint, type=type_hint))
        return _json_fault(body) or Call(
            write_key=_key_in(body), sent_at=None, context=b"", items=[], refusals=[checked]
        )
    item = Item(body, checked.type, checked.message_id or new_message_id())
    return Call(write_key=checked.write_key, sent_at=None, context=b"", items=[item], refusals=[])


def _many(body: bytes, new_message_id: Callable[[], str]) -> Call | CallFault:
    try:
        wire = _batch.decode(body)
    except (ValueError, RecursionError):
        return _json_fault(body) or _no_batch("it is something else")
    if wire.batch is None:
        return _no_batch("there is none")
    if len(wire.batch) > BATCH_EVENTS_MAX:
        return CallFault(
            code="batch_too_large",
            message=f"The batch has {len(wire.batch)} events; the limit is {BATCH_EVENTS_MAX}.",
        )
    context = _context(bytes(wire.context))
    if isinstance(context, CallFault):
        return context
    write_key = wire.writeKey if isinstance(wire.writeKey, str) else None
    is_wanted = says_wanted(wire.integrations) is not False
    items: list[Item] = []
    refusals: list[Refusal] = []
    for part in wire.batch:
        raw = bytes(part)
        match check(raw, None, is_wanted=is_wanted):
            case Checked(type=kind, message_id=message_id, write_key=key):
                items.append(Item(raw, kind, message_id or new_message_id()))
                write_key = write_key or key
            case Refusal() as refusal:
                refusals.append(refusal)
                write_key = write_key or _key_in(raw)
    return Call(
        write_key=write_key,
        sent_at=parse_time(wire.sentAt),
        context=context,
        items=items,
        refusals=within(refusals, context) if refusals and context else refusals,
    )


def _context(raw: bytes) -> bytes | CallFault:
    """A batch's context, sure to be readable wherever it is put; empty where it is no object."""
    if not raw.startswith(b"{"):
        return b""
    if len(raw) > CONTEXT_BYTES_MAX:
        return CallFault(
            code="context_too_large",
            message=f"The batch's context has {len(raw)} bytes; the limit is {CONTEXT_BYTES_MAX}. "
            "Put what belongs to one event into that event.",
        )
    try:
        msgspec.json.decode(raw)
    except ValueError as error:
        return CallFault(
            code="context_unreadable", message=f"The batch's context can not be read: {error}."
        )
    return _nesting_fault() if is_nested_too_deeply(raw) else raw


def _json_fault(body: bytes) -> CallFault | None:
    """What is wrong with the body as JSON; None if it is an object."""
    try:
        parsed = bytes(_json.decode(body))
    except RecursionError:
        return _nesting_fault()
    except ValueError as error:
        where = str(error).removeprefix("JSON is malformed: ")
        where = "it ends too early" if "truncated" in where else where
        return CallFault(code="not_json", message=f"The body is not valid JSON: {where}.")
    if not parsed.startswith(b"{"):
        return CallFault(code="not_an_object", message="The body must be a JSON object.")
    return None


def _nesting_fault() -> CallFault:
    return CallFault(
        code="nested_too_deeply",
        message=f"Lists and objects may be nested {NESTING_MAX} deep at most.",
    )


def _no_batch(why: str) -> CallFault:
    return CallFault(
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
    return key if isinstance(key, str) else None
