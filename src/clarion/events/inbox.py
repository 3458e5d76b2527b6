"""The payload of an `events` job: what one commit of the collector took in. Pure.

A job holds parcels; a parcel holds what one HTTP call brought to one source. Events travel as the
bytes that came; the ingestor reads them. Refused events travel beside them, so that recording a
refusal costs the collector no transaction of its own.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from clarion.events.message import Envelope, Event, Refusal, read


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One event as it came, with the type and messageId it was given."""

    raw: bytes
    type: str
    message_id: str


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """What one call brought to one source."""

    workspace_id: UUID
    source_id: UUID
    received_at: datetime
    sent_at: datetime | None
    context: bytes
    items: list[Item]
    refusals: list[Refusal]

    @property
    def size(self) -> int:
        """About how many bytes it takes in a job."""
        return sum(len(item.raw) + 64 for item in self.items) + 400 * len(self.refusals) + 200


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Parcel])


def encode(parcels: Sequence[Parcel]) -> bytes:
    return _encoder.encode(parcels)


def decode(payload: bytes) -> list[Parcel]:
    """The parcels of a job. Raises msgspec.DecodeError for what `encode` has not made."""
    return _decoder.decode(payload)


def open_parcel(parcel: Parcel) -> tuple[list[Event], list[Refusal]]:
    """The parcel's events, read, and everything in it that was refused."""
    context = msgspec.json.decode(parcel.context) if parcel.context else {}
    envelope = Envelope(
        received_at=parcel.received_at,
        sent_at=parcel.sent_at,
        context=context if isinstance(context, dict) else {},
    )
    events: list[Event] = []
    refusals = list(parcel.refusals)
    for item in parcel.items:
        event = read(item.raw, type_=item.type, message_id=item.message_id, envelope=envelope)
        if isinstance(event, Event):
            events.append(event)
        else:
            refusals.append(event)
    return events, refusals
