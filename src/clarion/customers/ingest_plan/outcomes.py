"""What the ingestion has to say of its events, in the ingest log's words. Pure."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec.structs import replace

from clarion.customers.diagnostics import WarningCode
from clarion.customers.identity.batch import Arrival
from clarion.customers.ingest_plan.warnings import Warned
from clarion.customers.suppression import PERSON_SUPPRESSED
from clarion.events.messages.message import Event
from clarion.events.messages.reserved import meant_name
from clarion.faults import Rejected
from clarion.ingest_log.diagnostics import WARNINGS
from clarion.ingest_log.outcome import Entry, Outcome, Stage, hour_of, refused_entry
from clarion.ingest_log.rejection import LABEL_CHARACTERS_MAX, library_of
from clarion.ingest_log.tally import Kind, Tally


class Outcomes:
    """Of the events of one workspace."""

    def __init__(self, tally: Tally, workspace_id: UUID) -> None:
        self._tally = tally
        self._workspace_id = workspace_id

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        """Events that were new. One that is named almost like one that means something is warned
        of."""
        received_at = source_id = None
        for arrival in arrivals:
            event = arrival.event
            if event.received_at is not received_at or arrival.source_id is not source_id:
                received_at, source_id = event.received_at, arrival.source_id
                events = self._tally.counter(source_id, received_at, Kind.ACCEPTED)
                sdks = self._tally.counter(source_id, received_at, Kind.SDK)
            events[event.type, event.name] += 1
            if "library" in event.context:
                sdks[library_of(event.context)] += 1
        meant = {
            name: right
            for type_, name in self._tally.told_apart(Kind.ACCEPTED)
            if type_ == "track" and name and (right := meant_name(name)) is not None
        }
        if meant:
            self.warn(
                Warned(arrival.source_id, arrival.event, WarningCode.EVENT_NAME_MISSPELT, right)
                for arrival in arrivals
                if arrival.event.type == "track"
                and (right := meant.get(arrival.event.name or "")) is not None
            )

    def repeat(self, arrivals: Iterable[Arrival]) -> None:
        """Events that were there already: an app has sent them again."""
        for arrival in arrivals:
            self._tally.add(self._entry(arrival.source_id, arrival.event))

    def refuse_registration(self, arrival: Arrival, fault: Rejected) -> None:
        """An event that is kept, and registers nothing."""
        entry = self._entry(arrival.source_id, arrival.event)
        self._tally.add(_told(entry, Stage.REGISTRATION, fault.code, fault.message))

    def drop(self, arrivals: Iterable[Arrival]) -> None:
        """Events of people who are left alone. That there are some is told every ten minutes; of
        whom, and which, never: so a job that comes back is counted again."""
        for arrival in arrivals:
            source_id, at = arrival.source_id, arrival.event.received_at
            self._tally.counter(source_id, at, Kind.REFUSED)[PERSON_SUPPRESSED.code, None] += 1
            entry = refused_entry(
                self._workspace_id, source_id, at, Stage.PERSON, PERSON_SUPPRESSED
            )
            self._tally.add_once(entry, hour_of(at), at.minute // 10)

    def warn(self, warnings: Iterable[Warned]) -> None:
        """What somebody should know of, once an hour: the first event is named, all are counted."""
        for source_id, event, code, subject in warnings:
            counter = self._tally.counter(source_id, event.received_at, Kind.WARNING)
            counter[code, subject] += 1
            if counter[code, subject] > 1:
                continue
            message = WARNINGS[code].meaning
            if code is WarningCode.EVENT_NAME_MISSPELT:
                name = (event.name or "")[:LABEL_CHARACTERS_MAX]
                message += f" `{name}` should be `{subject}`."
            elif subject:
                message += f" Here: `{subject}`."
            entry = _told(self._entry(source_id, event), WARNINGS[code].stage, code, message)
            self._tally.add_once(entry, hour_of(event.received_at), subject)

    def _entry(self, source_id: UUID, event: Event) -> Entry:
        """The event, as one that came again."""
        library, version = library_of(event.context)
        return Entry(
            workspace_id=self._workspace_id,
            source_id=source_id,
            received_at=event.received_at,
            outcome=Outcome.DUPLICATE,
            message_id=event.message_id,
            type=event.type,
            name=event.name,
            user_id=event.user_id,
            anonymous_id=event.anonymous_id,
            device_id=event.device_id,
            library=library,
            library_version=version,
            at=event.at,
        )


def _told(entry: Entry, stage: Stage, code: str, message: str) -> Entry:
    return replace(entry, outcome=stage.outcome, stage=stage, code=code, message=message)
