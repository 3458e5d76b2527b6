"""What a line of a file becomes: events, or the reason why it is refused. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clarion.events.calls.check import check
from clarion.faults import Rejected
from clarion.importing.lines.columns import SOURCE
from clarion.importing.lines.row import Judge, RecordKind, as_events, without_refusal
from clarion.importing.lines.row_reader import FileRecord
from clarion.importing.services.formats import ServiceFormat
from clarion.ingest_log.rejection import RejectedEvent

Events = list[tuple[str, bytes]]
"""(messageId, event as JSON) of each that a line becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """An event of a batch that was not kept, and why."""

    message_id: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLine:
    """A line that was not taken, why, and how it stands in the file."""

    line: int
    code: str
    message: str
    file_record: FileRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """What a line becomes, and what of it is refused: one of the two, or, of another service's
    export, both."""

    events: Events = field(default_factory=list)
    refused: RefusedLine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file's lines are: records of one kind, or rows of another service. `at`: when a record
    happened that does not say so. `judge`: of registrations."""

    kind: RecordKind | ServiceFormat
    at: datetime
    judge: Judge | None = None
    other_sources: frozenset[str] = frozenset()
    """The names of those that the events do not come from."""

    def read(self, file_record: FileRecord, now: datetime) -> ReadLine:
        """The messageIds and events of a line, or why the ingestor would reject them."""
        if isinstance(file_record.record, Rejected):
            return ReadLine(refused=refused_line(file_record, file_record.record))
        if isinstance(self.kind, ServiceFormat):
            return self._read_service(self.kind, file_record, file_record.record, now)
        body = file_record.record.get("body")
        source = file_record.record.get(SOURCE) or (
            body.get(SOURCE) if isinstance(body, dict) else None
        )
        if isinstance(source, str) and source in self.other_sources:
            fault = Rejected(
                code="other_source",
                message=f"The line is of the source {source[:100]!r}: import it --source that, or "
                f"leave the column out, --rename {SOURCE}=.",
            )
            return ReadLine(refused=refused_line(file_record, fault))
        events = self._events_of(self.kind, file_record.record, now)
        if isinstance(events, Rejected):
            return ReadLine(refused=refused_line(file_record, events))
        return ReadLine(events=events)

    def _read_service(
        self,
        written: ServiceFormat,
        file_record: FileRecord,
        record: Mapping[str, Any],
        now: datetime,
    ) -> ReadLine:
        """Each part of a row is taken or refused by itself, a customer before their devices: an
        opt-out is known before there is anything to send to."""
        row = written.read(without_refusal(record))
        if isinstance(row, Rejected):
            return ReadLine(refused=refused_line(file_record, row))
        parts = [] if row.customer is None else [(RecordKind.CUSTOMERS, row.customer)]
        parts += [(RecordKind.DEVICES, device) for device in row.devices]
        read: Events = []
        refused = list(row.refused)
        for kind, part in parts:
            events = self._events_of(kind, part, now)
            if isinstance(events, Rejected):
                refused.append(events)
            else:
                read += events
        if not refused:
            return ReadLine(events=read)
        why = Rejected(
            code=refused[0].code,
            message=" ".join(dict.fromkeys(fault.message for fault in refused)),
        )
        return ReadLine(events=read, refused=refused_line(file_record, why))

    def _events_of(
        self, kind: RecordKind, record: Mapping[str, Any], now: datetime
    ) -> Events | Rejected:
        events = as_events(kind, record, self.at, now)
        if isinstance(events, Rejected):
            return events
        read: Events = []
        for raw in events:
            checked = check(raw, None)
            if isinstance(checked, RejectedEvent):
                return checked
            read.append((checked.message_id or "", raw))
        if self.judge is not None and kind is RecordKind.DEVICES:
            return self.judge(events[-1]) or read
        return read


def refused_line(file_record: FileRecord, why: Rejected | RefusedEvent) -> RefusedLine:
    """The line as one that is refused."""
    return RefusedLine(
        line=file_record.line, code=why.code, message=why.message, file_record=file_record
    )
