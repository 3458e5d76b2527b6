"""The payload of an `events` job: what one commit of the collector took in. Pure.

A job holds parcels; a parcel holds what one HTTP call brought to one source. Events travel as the
bytes that came; the ingestor reads them. Refused events travel beside them, so that recording a
refusal costs the collector no transaction of its own.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from clarion.clock import id_maker
from clarion.events.messages.message import Envelope, Event, read, tell_apart
from clarion.events.messages.proof import Proof
from clarion.ingest_log.rejection import RejectedEvent

IDS_KEPT = 1_024
"""Of workspaces and sources."""


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One event as it came, with the type and messageId it was given."""

    raw: bytes
    type: str
    message_id: str
    proof: Proof | None = None
    """What is known of its userId; None: nobody asks."""


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """What one call brought to one source."""

    workspace_id: UUID
    source_id: UUID
    received_at: datetime
    sent_at: datetime | None
    context: bytes
    items: list[Item]
    refusals: list[RejectedEvent]
    ip: str | None = None
    """The caller's, where an event may ask for it."""
    key: str = ""
    """Tells its refusals from those of any other call; empty where there are none."""
    first_place: int = 0
    """How many events of the call stand before these: their place decides where times do not."""
    trace: str = ""
    """The call's `traceparent` (`tracing.py`); empty where nobody asks."""

    @property
    def size(self) -> int:
        """How many bytes it takes in a job at most."""
        size = _frame(self)
        for item in self.items:
            size += _item_size(item)
        for refusal in self.refusals:
            size += _refusal_size(refusal)
        return size


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Parcel])
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def encode(parcels: Sequence[Parcel]) -> bytes:
    return _encoder.encode(parcels)


def decode(payload: bytes) -> list[Parcel]:
    """The parcels of a job. Raises msgspec.DecodeError for what `encode` has not made.

    Ids are those of the database's driver, and one object for all parcels that name the same: each
    event asks for them several times, and `UUID` compares and hashes slowly."""
    parcels = _decoder.decode(payload)
    for parcel in parcels:
        msgspec.structs.force_setattr(parcel, "workspace_id", _driver_id(parcel.workspace_id))
        msgspec.structs.force_setattr(parcel, "source_id", _driver_id(parcel.source_id))
    return parcels


def split(parcel: Parcel, bytes_max: int) -> list[Parcel]:
    """The parcel in parts of at most `bytes_max`, but at least one event each; 0: each alone."""
    if parcel.size <= bytes_max:
        return [parcel]
    parts: list[Parcel] = []
    items: list[Item] = []
    refusals: list[RejectedEvent] = []
    size = frame = _frame(parcel)
    place = parcel.first_place
    entries: list[Item | RejectedEvent] = [*parcel.items, *parcel.refusals]
    for entry in entries:
        own = _item_size(entry) if isinstance(entry, Item) else _refusal_size(entry)
        if size > frame and size + own > bytes_max:
            parts.append(_part(parcel, items, refusals, place))
            place += len(items)
            items, refusals, size = [], [], frame
        if isinstance(entry, Item):
            items.append(entry)
        else:
            refusals.append(entry)
        size += own
    return [*parts, _part(parcel, items, refusals, place)]


def as_failed(part: Parcel) -> Parcel:
    """A parcel that records its events as refused, because taking them in failed."""
    refusals = [
        RejectedEvent(
            message_id=item.message_id,
            code="event_failed",
            message="The event could not be taken in. It is kept with its job, for a person to "
            "look into; the server's log says why.",
            excerpt="",
        )
        for item in part.items
    ]
    return msgspec.structs.replace(part, items=[], refusals=refusals)


def envelope_of(parcel: Parcel) -> Envelope:
    """What its call says of all its events."""
    return Envelope(
        received_at=parcel.received_at,
        sent_at=parcel.sent_at,
        context=_members.decode(parcel.context) if parcel.context else {},
        ip=parcel.ip,
    )


def read_item(item: Item, envelope: Envelope) -> Event | RejectedEvent:
    """One of a parcel's events; `envelope_of` that parcel."""
    return read(
        item.raw,
        type_=item.type,
        message_id=item.message_id,
        envelope=envelope,
        proof=item.proof,
    )


def open_parcel(parcel: Parcel) -> tuple[list[Event], list[RejectedEvent]]:
    """The parcel's events, read, and everything in it that was refused."""
    envelope = envelope_of(parcel)
    events: list[Event] = []
    refusals = list(parcel.refusals)
    for item in parcel.items:
        event = read_item(item, envelope)
        if isinstance(event, Event):
            events.append(event)
        else:
            refusals.append(event)
    tell_apart(events, parcel.first_place)
    return events, refusals


@lru_cache(maxsize=IDS_KEPT)
def _driver_id(plain_id: UUID) -> UUID:
    return id_maker()(plain_id.bytes)


def _part(parcel: Parcel, items: list[Item], refusals: list[RejectedEvent], place: int) -> Parcel:
    return msgspec.structs.replace(parcel, items=items, refusals=refusals, first_place=place)


def _frame(parcel: Parcel) -> int:
    """What a parcel takes without its events: three ids as text, two times, lengths."""
    return len(parcel.context) + len(parcel.trace) + 240


def _item_size(item: Item) -> int:
    message_id = item.message_id
    return len(item.raw) + 34 + (len(message_id) if message_id.isascii() else len(message_id) * 4)


def _refusal_size(refusal: RejectedEvent) -> int:
    """A character takes four bytes at most; the names of the fields stand with every one."""
    hint = refusal.hint
    text = len(refusal.message_id or "") + len(refusal.message) + len(refusal.excerpt)
    for value in (hint.type, hint.name, hint.user_id, hint.anonymous_id):
        text += len(value or "")
    text += len(hint.library or "") + len(hint.library_version or "")
    return 4 * text + len(refusal.code) + 170
