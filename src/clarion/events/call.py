"""One HTTP call's body, taken apart: its events, what is wrong with them, its write key. Pure.

Whatever the Content-Type says, the bytes are read as JSON: real SDKs label them text/plain or
form-urlencoded. Sizes are limited before and after unpacking.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from clarion.events.inbox import Item
from clarion.events.message import Checked, Refusal, check, parse_time, without_nul

BODY_BYTES_MAX = 524_288
"""Of a call, unpacked (and packed): 512 KiB."""
BATCH_EVENTS_MAX = 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a call brings."""

    write_key: str | None
    sent_at: datetime | None
    context: bytes
    items: list[Item]
    refusals: list[Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault:
    """Why a whole call is refused."""

    code: str
    message: str


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    writeKey: Any = None
    sentAt: Any = None
    context: msgspec.Raw = msgspec.Raw(b"")


class _Single(msgspec.Struct):
    sentAt: Any = None


_batch = msgspec.json.Decoder(_Batch)
_single = msgspec.json.Decoder(_Single)

_BOM = b"\xef\xbb\xbf"


def unpack(body: bytes, encoding: str) -> bytes | CallFault:
    """The body behind `Content-Encoding`, never more than BODY_BYTES_MAX in memory."""
    if not encoding or encoding == "identity":
        return body if len(body) <= BODY_BYTES_MAX else too_large()
    if encoding not in ("gzip", "x-gzip"):
        return CallFault(
            code="encoding_unknown", message="Content-Encoding must be gzip, or not be sent."
        )
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error:
        return CallFault(code="gzip_broken", message="The body is not valid gzip.")
    if len(plain) > BODY_BYTES_MAX:
        return too_large()
    if not unpacker.eof:
        return CallFault(code="gzip_broken", message="The gzip body ends too early.")
    return plain


def too_large() -> CallFault:
    return CallFault(
        code="body_too_large",
        message=f"The body is larger than {BODY_BYTES_MAX} bytes (unpacked): send smaller batches.",
    )


def read_call(
    body: bytes, *, type_hint: str | None, new_message_id: Callable[[], str]
) -> Call | CallFault:
    """The events in `body`: one of `type_hint`, or a batch where that is None."""
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
    body = without_nul(body)
    return _one(body, type_hint, new_message_id) if type_hint else _many(body, new_message_id)


def _one(body: bytes, type_hint: str, new_message_id: Callable[[], str]) -> Call | CallFault:
    checked = check(body, type_hint)
    if isinstance(checked, Refusal):
        if checked.code == "event_not_an_object":
            return _not_json(body)
        return Call(
            write_key=_key_in(body), sent_at=None, context=b"", items=[], refusals=[checked]
        )
    item = Item(body, checked.type, checked.message_id or new_message_id())
    return Call(write_key=checked.write_key, sent_at=None, context=b"", items=[item], refusals=[])


def _many(body: bytes, new_message_id: Callable[[], str]) -> Call | CallFault:
    try:
        wire = _batch.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return _not_json(body)
    if wire.batch is None:
        return CallFault(code="batch_missing", message="`batch` must be a list of events.")
    if len(wire.batch) > BATCH_EVENTS_MAX:
        return CallFault(
            code="batch_too_large",
            message=f"The batch has {len(wire.batch)} events; the limit is {BATCH_EVENTS_MAX}.",
        )
    write_key = wire.writeKey if isinstance(wire.writeKey, str) else None
    items: list[Item] = []
    refusals: list[Refusal] = []
    for part in wire.batch:
        raw = bytes(part)
        match check(raw, None):
            case Checked(type=kind, message_id=message_id, write_key=key):
                items.append(Item(raw, kind, message_id or new_message_id()))
                write_key = write_key or key
            case Refusal() as refusal:
                refusals.append(refusal)
    return Call(
        write_key=write_key,
        sent_at=parse_time(wire.sentAt),
        context=bytes(wire.context),
        items=items,
        refusals=refusals,
    )


def _not_json(body: bytes) -> CallFault:
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return CallFault(code="not_json", message="The body is not valid JSON.")
    if isinstance(parsed, dict):
        return CallFault(code="batch_missing", message="`batch` must be a list of events.")
    return CallFault(code="not_an_object", message="The body must be a JSON object.")


def _key_in(body: bytes) -> str | None:
    key = msgspec.json.decode(body).get("writeKey")
    return key if isinstance(key, str) else None
