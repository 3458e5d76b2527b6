"""What will become of a registration that is imported, before anybody takes it in. Pure."""

from datetime import datetime
from uuid import UUID

from clarion.customers.devices.registration_reader import read_registrations
from clarion.events.messages.message import Envelope, read
from clarion.faults import Rejected
from clarion.importing.row import Judge, RecordKind
from clarion.ingest_log.rejection import RejectedEvent


def judge_of(kind: RecordKind, source_id: UUID, now: datetime) -> Judge | None:
    """What is asked of a line beyond what the collector asks of an event."""
    return judge_of_registrations(source_id, now) if kind is RecordKind.DEVICES else None


def judge_of_registrations(source_id: UUID, now: datetime) -> Judge:
    """Refuses what the ingestor would keep as an event that registers nothing."""
    envelope = Envelope(received_at=now, sent_at=None)

    def judge(raw: bytes) -> Rejected | None:
        event = read(raw, type_="track", message_id="", envelope=envelope)
        outcome = (
            event if isinstance(event, RejectedEvent) else read_registrations(event, source_id)
        )
        if isinstance(outcome, Rejected):
            return Rejected(code=outcome.code, message=outcome.message)
        return None

    return judge
