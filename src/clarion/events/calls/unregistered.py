"""Which registrations of a call will be rejected, so that its caller is told at once. Pure."""

from collections.abc import Iterable

from clarion.events.calls.registration_check import is_plainly_in_order, wanted_registration
from clarion.events.envelope import Item, read_item
from clarion.events.messages.excerpt import refused
from clarion.events.messages.message import Envelope, Event
from clarion.events.messages.proof import Proof
from clarion.faults import Rejected
from clarion.ingest_log.rejection import RejectedEvent

TOLD_MAX = 20
"""Rejected registrations that an answer tells; all are recorded when they are ingested."""


def unregistered_of(items: Iterable[Item], envelope: Envelope) -> list[RejectedEvent]:
    """Of events that ask for a registration, those that the ingestor will register nothing of: the
    first TOLD_MAX. What it learns only then is in its records."""
    rejections: list[RejectedEvent] = []
    for item in items:
        if item.proof is Proof.UNPROVEN or is_plainly_in_order(item.raw):
            continue  # nearly always the latter
        event = read_item(item, envelope)
        fault = wanted_registration(event) if isinstance(event, Event) else None
        if isinstance(fault, Rejected):
            rejections.append(refused(item.message_id, fault.code, fault.message, b""))
            if len(rejections) == TOLD_MAX:
                break
    return rejections
