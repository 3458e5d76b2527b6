"""What can be read of an event that is rejected, without what is secret in it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from clarion.events.messages.identifiers import usable_id
from clarion.events.messages.json_limits import NESTING_MAX
from clarion.events.messages.reserved import EVENT_TYPES
from clarion.events.messages.secret_fields import FCM_TOKEN, secret_places
from clarion.ingest_log.rejection import NO_HINT, Hint, RejectedEvent, label, library_of

EXCERPT_CHARACTERS = 200
READ_BYTES_MAX = 65_536
"""A longer event is not read for its excerpt."""


class _Wire(msgspec.Struct):
    type: Any = None
    userId: Any = None
    anonymousId: Any = None
    event: Any = None
    context: Any = None


_wire = msgspec.json.Decoder(_Wire)

_SECRET = re.compile(
    r'("(?:(?:fcm|apns|device|push|registration)?[_\- ]?token|fid|registration[_\- ]?id|'
    r'write[_\- ]?key|(?:user)?[_\- ]?signature)"\s*:\s*)"(?:[^"\\]|\\.)*"?',
    re.IGNORECASE | re.DOTALL,
)
_whole = msgspec.json.Decoder(dict[str, Any])


def hint_of(raw: bytes) -> Hint:
    """What can be read of an event that was refused."""
    try:
        wire = _wire.decode(raw)
    except (ValueError, RecursionError):
        return NO_HINT
    library, version = library_of(wire.context)
    return Hint(
        type=label(wire.type),
        name=label(wire.event),
        user_id=usable_id(wire.userId),
        anonymous_id=usable_id(wire.anonymousId),
        library=library,
        library_version=version,
    )


def within(refusals: Sequence[RejectedEvent], context: bytes) -> list[RejectedEvent]:
    """Refusals of a call that says for all its events which SDK made them."""
    library, version = library_of(msgspec.json.decode(context))
    return [
        replace(refusal, hint=replace(refusal.hint, library=library, library_version=version))
        if refusal.hint.library is None
        else refusal
        for refusal in refusals
    ]


def excerpt_of(raw: bytes) -> str:
    """The beginning of an event, without tokens and keys."""
    text = raw[: EXCERPT_CHARACTERS * 4].decode(errors="replace").replace("\x00", "")
    secrets = _secrets_in(raw)
    if secrets is not None:
        text = secrets.sub(r'\1"…"', text)
    return FCM_TOKEN.sub("…", text)[:EXCERPT_CHARACTERS]


def _secrets_in(raw: bytes) -> re.Pattern[str] | None:
    """What finds the members of an event that hold a secret. Of one that is none, or can not be
    read, nobody can tell what stands where: there the names that SDKs give to a token have to do,
    for nothing but these few characters is kept of it."""
    if len(raw) > READ_BYTES_MAX:
        return _SECRET
    try:
        event = _whole.decode(raw)
    except (ValueError, RecursionError):
        return _SECRET
    kind = event.get("type")
    if type(kind) is not str or kind not in EVENT_TYPES:
        return _SECRET
    names = tuple(sorted({path[-1] for path in secret_places(event)}))
    return _member(names) if names else None


@lru_cache(maxsize=64)
def _member(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf'("(?:{"|".join(names)})"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.DOTALL)


def unreadable(message_id: str | None, error: Exception, raw: bytes) -> RejectedEvent:
    """Of what is no JSON, or no object, or one that is nested too deeply."""
    if isinstance(error, RecursionError):
        return refused(
            message_id,
            "event_nested_too_deeply",
            f"Lists and objects in an event may be nested {NESTING_MAX} deep at most.",
            raw,
        )
    if not raw.lstrip().startswith(b"{"):
        return refused(message_id, "event_not_an_object", "The event is not a JSON object.", raw)
    return refused(message_id, "event_unreadable", f"The event can not be read: {error}.", raw)


def refused(message_id: str | None, code: str, message: str, raw: bytes) -> RejectedEvent:
    """Of anything else. An excerpt never shows a token: those stand behind the first fields, but
    better sure."""
    return RejectedEvent(
        message_id=message_id,
        code=code,
        message=message,
        excerpt=excerpt_of(raw),
        hint=hint_of(raw),
    )
