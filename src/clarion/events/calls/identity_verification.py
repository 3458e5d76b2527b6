"""Which events of a call need a signed userId, and which have one. Pure.

Anybody may read the write key of an app. The app's own server knows a secret of the source. It
signs the id of whoever is signed in (`sources/signature.py`) and hands that to the app, which sends
it as `userSignature` in the event's `context` or `properties`. What would change whom a customer or
a device is known as is rejected without it; other events are kept, but claim nothing (`Proof`). An
event whose userId is its own device id needs none: before sign-in nobody could sign it, and it
speaks for that device alone.

A signature is a credential. It is taken out of every event before the event is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from clarion.events.calls.call import Call
from clarion.events.envelope import Item
from clarion.events.messages.excerpt import excerpt_of, hint_of
from clarion.events.messages.identifiers import has_number, printed_ids, usable_id
from clarion.events.messages.message import device_ids
from clarion.events.messages.proof import Proof
from clarion.events.messages.reserved import PUSH_NAMES, plain_name
from clarion.events.messages.secret_fields import SIGNATURE as SIGNATURE
from clarion.ingest_log.rejection import RejectedEvent
from clarion.sources.auth_result import Secret
from clarion.sources.signature import signer_of

SIGNATURE_BYTES = SIGNATURE.encode()
"""A call in which this does not stand holds no signature."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_wire = msgspec.json.Decoder(dict[str, Any])
"""As the event is read later: of two members of one name both see the same."""
_PLACES = ("context", "properties")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A call without its signatures, and the secrets that had made them."""

    call: Call
    used: set[UUID]


def judge(
    call: Call, secrets: Sequence[Secret], *, asks: bool = True, has_locked: bool = False
) -> Judged | None:
    """What of a call may be taken. Without `secrets` all of it, userIds at their word; and so is
    what is not signed while nobody `asks`. `has_locked`: there are secrets that can not be opened.
    None: one of them may have signed something in the call, and until it can be opened nobody can
    say; what needs no signature, and carries none, may be taken all the same."""
    context, shared = _without_signature(call.context)
    judges = bool(secrets) or has_locked
    around = msgspec.json.decode(context) if context and judges else {}
    items: list[Item] = []
    refusals = list(call.refusals)
    used: set[UUID] = set()
    for item in call.items:
        raw, signatures = _signatures_in(item.raw)
        plain = msgspec.structs.replace(item, raw=raw)
        if not judges:
            items.append(plain)
            continue
        judged = _judge(plain, signatures or shared, secrets, around)
        if not asks and (isinstance(judged, RejectedEvent) or judged[0] is not Proof.PROVEN):
            items.append(plain)
            continue
        if has_locked and _is_doubtful(judged, signatures or shared):
            return None
        if isinstance(judged, RejectedEvent):
            refusals.append(judged)
            continue
        proof, secret_id = judged
        items.append(msgspec.structs.replace(plain, proof=proof))
        if secret_id is not None:
            used.add(secret_id)
    left = msgspec.structs.replace(call, context=context, items=items, refusals=refusals)
    return Judged(call=left, used=used)


def _is_doubtful(judged: tuple[Proof, UUID | None] | RejectedEvent, signatures: list[Any]) -> bool:
    """Whether a secret that can not be opened could have said otherwise."""
    return isinstance(judged, RejectedEvent) or (judged[0] is Proof.UNPROVEN and bool(signatures))


def _judge(
    item: Item, signatures: list[Any], secrets: Sequence[Secret], around: Mapping[str, Any]
) -> tuple[Proof, UUID | None] | RejectedEvent:
    """What is known of an event's userId, and by which secret. `around`: its call's context."""
    try:
        wire = _wire.decode(item.raw)
    except (ValueError, RecursionError):
        return Proof.UNPROVEN, None  # it is refused as soon as it is read
    said, properties = wire.get("userId"), wire.get("properties")
    own = wire.get("context")
    if has_number(said, *device_ids(properties, own)):
        shown = printed_ids(item.raw)
        said, properties, own = shown.userId, shown.properties, shown.context
    user_id = usable_id(said)
    if user_id is None:
        return Proof.NOBODY, None
    context = {**around, **own} if isinstance(own, dict) else around
    device_id, context_device_id = map(usable_id, device_ids(properties, context))
    if user_id == (device_id or context_device_id):
        return Proof.DEVICE, None
    secret_id = signer_of(user_id, signatures, secrets)
    if secret_id is not None:
        return Proof.PROVEN, secret_id
    name = _plain_name(wire.get("event")) if item.type == "track" else ""
    if item.type not in ("identify", "alias") and name not in PUSH_NAMES:
        return Proof.UNPROVEN, None
    return _wrong(item) if signatures else _missing(item)


def _plain_name(event: Any) -> str:
    return plain_name(event) if isinstance(event, str) else ""


def _signatures_in(raw: bytes) -> tuple[bytes, list[Any]]:
    """An event without its signatures, and them."""
    if SIGNATURE_BYTES not in raw and b"\\u" not in raw:
        return raw, []
    try:
        members = _members.decode(raw)
        signatures_found: list[Any] = []
        for place in _PLACES:
            if place in members:
                inner, signatures = _without_signature(bytes(members[place]))
                members[place] = msgspec.Raw(inner)
                signatures_found += signatures
        return (msgspec.json.encode(members), signatures_found) if signatures_found else (raw, [])
    except (ValueError, RecursionError):
        return raw, []


def _without_signature(raw: bytes) -> tuple[bytes, list[Any]]:
    """A JSON object without the signature in it, and that; what is none stays as it is."""
    if not raw.startswith(b"{"):
        return raw, []
    members = _members.decode(raw)
    encoded = members.pop(SIGNATURE, None)
    if encoded is None:
        return raw, []
    signature = msgspec.json.decode(encoded)
    return msgspec.json.encode(members), [] if signature in (None, "") else [signature]


def _missing(item: Item) -> RejectedEvent:
    return RejectedEvent(
        message_id=item.message_id,
        code="signature_missing",
        message="The source asks for signed userIds, and this event acts for its person or device: "
        "send context.userSignature, the HMAC-SHA256 of the userId that your own server makes. "
        "Before sign-in send the device id as userId and as properties.deviceId, or no userId.",
        excerpt=excerpt_of(item.raw),
        hint=replace(hint_of(item.raw), type=item.type),
    )


def _wrong(item: Item) -> RejectedEvent:
    return RejectedEvent(
        message_id=item.message_id,
        code="signature_wrong",
        message="userSignature is not the signature of this userId: sign exactly the text that is "
        "sent as userId, with a secret of this source that is not retired, as HMAC-SHA256 in hex.",
        excerpt=excerpt_of(item.raw),
        hint=replace(hint_of(item.raw), type=item.type),
    )
