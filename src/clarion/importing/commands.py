"""What is done with the events of an import: they come in as others do, by the word of whoever may
write, for a source that is asked neither for signatures nor for origins, and has no limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID

import msgspec

from clarion.accounts.actor import Actor, Permission
from clarion.accounts.command import Services, forbidden
from clarion.broker import Broker
from clarion.events.collector import Collector, ComeAgain, Taken
from clarion.faults import Fault, Rejected, invalid, not_found
from clarion.importing.dry_run import reading_of
from clarion.importing.lines.reading import RefusedEvent
from clarion.importing.lines.row_reader import FileRecord, with_names
from clarion.importing.lines.text_reader import Mark
from clarion.importing.services.formats import FORMATS, Service
from clarion.sources.store import get_source

ROWS_MAX = 500
"""Of another service's export, in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row of another service's export that was not taken, or not whole; `row` counts from 0."""

    row: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRows:
    """How many rows are durable, and what was not taken. A row that was taken in part stands in
    both."""

    taken: int
    refused: Sequence[RefusedRow]


async def import_events(
    services: Services, broker: Broker, actor: Actor, source_id: UUID, body: bytes
) -> Sequence[RefusedEvent] | Rejected:
    """Take `{"batch": [event, …]}`: what is not refused is durable. Events have no entry in the
    audit log, whoever sends them."""
    fault = await _fault_of_source(services, actor, source_id)
    if fault is not None:
        return fault
    collector = Collector(services.database, broker, services.clock)
    try:
        collected = await collector.take(
            body, workspace_id=actor.workspace_id, source_id=source_id, type_hint=None
        )
    finally:
        await collector.close()
    match collected:
        case Taken():
            return [
                RefusedEvent(
                    message_id=rejected.message_id, code=rejected.code, message=rejected.message
                )
                for rejected in collected.refused
            ]
        case ComeAgain():
            return Rejected("unavailable", "The broker can not do it now: send it again later.")
        case Rejected(message=message):
            return Rejected("malformed", message)
        case _:
            assert_never(collected)


async def import_rows(
    services: Services,
    broker: Broker,
    actor: Actor,
    source_id: UUID,
    service: Service,
    records: Sequence[Mapping[str, Any]],
    *,
    is_dry: bool,
) -> ImportedRows | Rejected:
    """Take rows of another service's export, ROWS_MAX at most. `is_dry`: keep nothing."""
    fault = await _fault_of_source(services, actor, source_id)
    if fault is not None:
        return fault
    if not records or len(records) > ROWS_MAX:
        return invalid(Fault("rows", f"must be 1 to {ROWS_MAX}"))
    now = services.clock.now()
    reading = reading_of(service, source_id, now)
    refused: dict[int, RefusedRow] = {}
    row_of: dict[str, int] = {}
    bodies: list[msgspec.Raw] = []
    taken: set[int] = set()
    for number, given in enumerate(records):
        record = with_names(dict(given), FORMATS[service].names)
        read = reading.read(FileRecord(record=record, text="", line=number, after=Mark()), now)
        if read.refused is not None:
            refused[number] = RefusedRow(
                row=number, code=read.refused.code, message=read.refused.message
            )
        for message_id, raw in read.events:
            taken.add(number)
            row_of[message_id] = number
            bodies.append(msgspec.Raw(raw))
    if bodies and not is_dry:
        body = msgspec.json.encode({"batch": bodies})
        outcome = await import_events(services, broker, actor, source_id, body)
        if isinstance(outcome, Rejected):
            return outcome
        for event in outcome:
            number = row_of.get(event.message_id or "", -1)
            taken.discard(number)
            refused.setdefault(
                number, RefusedRow(row=number, code=event.code, message=event.message)
            )
    return ImportedRows(taken=len(taken), refused=[refused[number] for number in sorted(refused)])


async def _fault_of_source(services: Services, actor: Actor, source_id: UUID) -> Rejected | None:
    """Why nothing can be imported for a source by this actor."""
    if not actor.may(Permission.WRITE):
        return forbidden(Permission.WRITE)
    async with services.database.read() as connection:
        source = await get_source(connection, actor.workspace_id, source_id)
    if source is None:
        return not_found("source")
    return Rejected("conflict", "The source is revoked.") if source.revoked_at is not None else None
