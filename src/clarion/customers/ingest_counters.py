"""What one transaction took in, counted by source and hour, to be written all at once. Pure.

Names are whatever apps send, so a source's counts tell apart no more than `NAMES_MAX` of them an
hour (a process); what is new beyond those is counted as `OTHER`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from msgspec import Struct

from clarion.customers.diagnostics import WARNINGS, WarningCode
from clarion.customers.identity.batch import Arrival
from clarion.customers.suppression import PERSON_SUPPRESSED
from clarion.customers.warnings import Warned
from clarion.events.calls.registration_check import RegistrationFault
from clarion.events.messages.message import Event
from clarion.events.messages.reserved import meant_name
from clarion.ingest_log.outcome import Stage
from clarion.ingest_log.rejection import LABEL_CHARACTERS_MAX, Hint, Refusal, library_of

NAMES_MAX = 200
HOURS_KEPT = 10_000
"""Sources' hours whose names a process remembers; then it begins anew."""
REPEATS_MAX = 100
"""Recorded of one source in one transaction; all are counted."""
OTHER = "(other)"


class Kind(StrEnum):
    """What is counted."""

    ACCEPTED = "accepted"
    """label: the type; name: the event's."""
    DUPLICATE = "duplicate"
    """likewise"""
    REFUSED = "refused"
    """label: the code; name: the event's."""
    SDK = "sdk"
    """label: the library; name: its version."""
    WARNING = "warning"
    """label: the code; name: what tells alike ones apart."""


class Noted(Struct, frozen=True, kw_only=True):
    """A refusal or a warning of a source. `id` is derived: the same one again is the same row."""

    id: UUID
    workspace_id: UUID
    source_id: UUID
    stage: Stage
    refusal: Refusal
    received_at: datetime


class Repeated(Struct, frozen=True, kw_only=True):
    """An event that was there already."""

    id: UUID
    workspace_id: UUID
    source_id: UUID
    event: Event


Key = tuple[UUID, datetime, Kind, str, str]


class Names:
    """Which names the counts of a process tell apart."""

    def __init__(self, names_max: int = NAMES_MAX) -> None:
        self._names_max = names_max
        self._known: dict[tuple[UUID, datetime, Kind], set[tuple[str, str]]] = {}

    def admit(self, source_id: UUID, hour: datetime, kind: Kind, label: str, name: str) -> bool:
        """Whether this one is counted by itself."""
        if len(self._known) >= HOURS_KEPT:
            self._known.clear()
        known = self._known.setdefault((source_id, hour, kind), set())
        if (label, name) in known:
            return True
        if len(known) >= self._names_max:
            return False
        known.add((label, name))
        return True


class IngestCounters:
    """What a transaction has to say of its sources, beside the events themselves."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._heard: dict[tuple[UUID, datetime, Kind], Counter[tuple[str | None, str | None]]]
        self._heard = defaultdict(Counter)
        self._warned: Counter[Key] = Counter()
        self._alike: Counter[UUID] = Counter()
        self._notes: dict[UUID, Noted] = {}
        self._repeats: dict[UUID, Repeated] = {}

    def accept(self, arrivals: Iterable[Arrival]) -> None:
        """Events that were new."""
        received_at = source_id = None
        for arrival in arrivals:
            event = arrival.event
            if event.received_at is not received_at or arrival.source_id is not source_id:
                received_at, source_id = event.received_at, arrival.source_id
                hour = hour_of(received_at)
                events = self._heard[source_id, hour, Kind.ACCEPTED]
                sdks = self._heard[source_id, hour, Kind.SDK]
            events[event.type, event.name] += 1
            if "library" in event.context:
                sdks[library_of(event.context)] += 1

    def repeat(self, workspace_id: UUID, arrivals: Iterable[Arrival]) -> None:
        """Events that were there already: an app has sent them again."""
        for arrival in arrivals:
            event = arrival.event
            id_ = self._new_id(arrival.source_id, event.received_at, event.message_id)
            self._repeats[id_] = Repeated(
                id=id_, workspace_id=workspace_id, source_id=arrival.source_id, event=event
            )

    def refuse(
        self,
        workspace_id: UUID,
        source_id: UUID,
        stage: Stage,
        refusals: Iterable[Refusal],
        received_at: datetime,
        key: str = "",
    ) -> None:
        """What a source's events asked for and did not get; `key`: the call's own."""
        for one in refusals:
            said = (stage, one.code, one.message_id, one.message, one.excerpt)
            id_ = self._new_id(source_id, received_at, key, *said)
            self._note(id_, workspace_id, source_id, stage, one, received_at)

    def refuse_registration(
        self, workspace_id: UUID, arrival: Arrival, fault: RegistrationFault
    ) -> None:
        """An event that is kept, and registers nothing."""
        event = arrival.event
        refusal = Refusal(
            message_id=event.message_id,
            code=fault.code,
            message=fault.message,
            excerpt="",
            hint=hint_from(event),
        )
        stage, at = Stage.REGISTRATION, event.received_at
        self.refuse(workspace_id, arrival.source_id, stage, [refusal], at)

    def drop(self, workspace_id: UUID, arrivals: Iterable[Arrival]) -> None:
        """Events of people who are left alone. That there are some is told every ten minutes; of
        whom, and which, never: so a job that comes back is counted again."""
        for arrival in arrivals:
            source_id, at = arrival.source_id, arrival.event.received_at
            self._heard[source_id, hour_of(at), Kind.REFUSED][PERSON_SUPPRESSED.code, None] += 1
            id_ = _derived(source_id, hour_of(at), at.minute // 10, PERSON_SUPPRESSED.code)
            self._note(id_, workspace_id, source_id, Stage.PERSON, PERSON_SUPPRESSED, at)

    def warn(self, workspace_id: UUID, warnings: Iterable[Warned]) -> None:
        """What somebody should know of, once an hour: the first event is named, all are counted."""
        for warned in warnings:
            event, code = warned.event, warned.code
            hour = hour_of(event.received_at)
            key = (warned.source_id, hour, Kind.WARNING, code.value, warned.subject)
            self._warned[key] += 1
            if self._warned[key] == 1:
                self._first_warning(workspace_id, warned, hour)

    def look_at_names(self, workspace_id: UUID, arrivals: Sequence[Arrival]) -> None:
        """Warn of events that are named almost like one that means something."""
        meant = {
            name: right
            for (source_id, hour, kind), heard in self._heard.items()
            if kind is Kind.ACCEPTED
            for type_, name in heard
            if type_ == "track"
            and name is not None
            and self._names.admit(source_id, hour, kind, type_, name[:LABEL_CHARACTERS_MAX])
            and (right := meant_name(name)) is not None
        }
        if meant:
            self.warn(
                workspace_id,
                (
                    Warned(one.source_id, one.event, WarningCode.EVENT_NAME_MISSPELT, right)
                    for one in arrivals
                    if one.event.type == "track"
                    and (right := meant.get(one.event.name or "")) is not None
                ),
            )

    @property
    def notes(self) -> list[Noted]:
        """Refusals in their order; then warnings and the like, which several transactions may want
        to write at once, in one that is the same for all."""
        notes = self._notes.values()
        shared = sorted((one for one in notes if one.stage.is_told_once), key=lambda one: one.id)
        return [*(one for one in notes if not one.stage.is_told_once), *shared]

    @property
    def ids(self) -> list[UUID]:
        """Of every refusal, warning and repeat."""
        return [*self._notes, *self._repeats]

    def newest_repeats(self, limit: int) -> list[Repeated]:
        """At most `limit` of each source: enough to see what is going on."""
        by_source: dict[UUID, list[Repeated]] = defaultdict(list)
        for one in self._repeats.values():
            by_source[one.source_id].append(one)
        return [one for many in by_source.values() for one in many[-limit:]]

    def forget(self, ids: Iterable[UUID]) -> None:
        """Those refusals and repeats are written and counted: their job is being repeated."""
        for id_ in ids:
            self._notes.pop(id_, None)
            self._repeats.pop(id_, None)

    def counts(self) -> Mapping[Key, int]:
        """How much to add to what is counted, by source, hour, kind, label and name."""
        heard = self._heard
        for repeated in self._repeats.values():
            event = repeated.event
            key = (repeated.source_id, hour_of(event.received_at), Kind.DUPLICATE)
            heard[key][event.type, event.name] += 1
        for one in self._notes.values():
            if not one.stage.is_told_once:
                key = (one.source_id, hour_of(one.received_at), Kind.REFUSED)
                heard[key][one.refusal.code, one.refusal.hint.name] += 1
        found: Counter[Key] = Counter(self._warned)
        for (source_id, hour, kind), counter in heard.items():
            for (label, name), count in counter.items():
                words = self._words(source_id, hour, kind, label or "", name or "")
                found[source_id, hour, kind, *words] += count
        return dict(sorted(found.items()))

    def _words(
        self, source_id: UUID, hour: datetime, kind: Kind, label: str, name: str
    ) -> tuple[str, str]:
        name = name[:LABEL_CHARACTERS_MAX]
        if self._names.admit(source_id, hour, kind, label, name):
            return label, name
        return (OTHER, "") if kind is Kind.SDK else (label, OTHER)

    def _first_warning(self, workspace_id: UUID, warned: Warned, hour: datetime) -> None:
        advice = WARNINGS[warned.code]
        event, subject = warned.event, ""
        if warned.code is WarningCode.EVENT_NAME_MISSPELT:
            name = (event.name or "")[:LABEL_CHARACTERS_MAX]
            subject = f" `{name}` should be `{warned.subject}`."
        elif warned.subject:
            subject = f" Here: `{warned.subject}`."
        refusal = Refusal(
            message_id=event.message_id,
            code=warned.code.value,
            message=advice.meaning + subject,
            excerpt="",
            hint=hint_from(event),
        )
        id_ = _derived(warned.source_id, hour, warned.code, warned.subject)
        self._note(id_, workspace_id, warned.source_id, advice.stage, refusal, event.received_at)

    def _note(
        self,
        id_: UUID,
        workspace_id: UUID,
        source_id: UUID,
        stage: Stage,
        refusal: Refusal,
        received_at: datetime,
    ) -> None:
        self._notes[id_] = Noted(
            id=id_,
            workspace_id=workspace_id,
            source_id=source_id,
            stage=stage,
            refusal=refusal,
            received_at=received_at,
        )

    def _new_id(self, *said: object) -> UUID:
        """Of several that are alike in everything, each has its number."""
        base = _derived(*said)
        self._alike[base] += 1
        return _derived(base, self._alike[base])


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def hint_from(event: Event) -> Hint:
    """What stands beside a refusal or a warning of an event that could be read."""
    library, version = library_of(event.context)
    return Hint(
        type=event.type,
        name=event.name,
        user_id=event.user_id,
        anonymous_id=event.anonymous_id,
        library=library,
        library_version=version,
    )


def _derived(*said: object) -> UUID:
    text = "\x1f".join(str(one) for one in said)
    return UUID(bytes=blake2b(text.encode(errors="replace"), digest_size=16).digest())
