"""What will become of a registration that is imported, before anybody takes it in. Pure."""

from datetime import datetime
from uuid import UUID

from clarion.customers.devices.registration_reader import read_registrations
from clarion.events.messages.message import Envelope, read
from clarion.faults import Rejected
from clarion.importing.lines.reading import Reading
from clarion.importing.lines.row import Judge, RecordKind
from clarion.importing.services.formats import FORMATS, Service
from clarion.ingest_log.rejection import RejectedEvent


def reading_of(
    kind: RecordKind | Service,
    source_id: UUID,
    at: datetime,
    other_sources: frozenset[str] = frozenset(),
) -> Reading:
    """How a file's lines are read, with what is asked of a registration beyond what the collector
    asks of an event."""
    return Reading(
        kind=FORMATS[kind] if isinstance(kind, Service) else kind,
        at=at,
        judge=judge_of_registrations(source_id, at),
        other_sources=other_sources,
    )


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
