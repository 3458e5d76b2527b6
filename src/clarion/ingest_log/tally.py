"""What one transaction has to say of its sources: rows for the log, and counts by the hour. Pure.

Names are whatever apps send, so a source's counts tell apart no more than `NAMES_MAX` of them an
hour (a process); what is new beyond those is counted as `OTHER`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from clarion.ingest_log.outcome import Entry, Outcome, hour_of
from clarion.ingest_log.rejection import LABEL_CHARACTERS_MAX

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
    TURNED_AWAY = "turned_away"
    """Whole calls. label: the code; name: what it is about, such as an origin."""


Label = tuple[str | None, str | None]
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
        names = self._known.setdefault((source_id, hour, kind), set())
        if (label, name) in names:
            return True
        if len(names) >= self._names_max:
            return False
        names.add((label, name))
        return True


class Tally:
    """Rows and counts, to be written all at once (`store.IngestLog`)."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._counts: defaultdict[tuple[UUID, datetime, Kind], Counter[Label]]
        self._counts = defaultdict(Counter)
        self._alike: Counter[UUID] = Counter()
        self._entries: dict[UUID, Entry] = {}
        self._once: dict[UUID, Entry] = {}

    def counter(self, source_id: UUID, at: datetime, kind: Kind) -> Counter[Label]:
        """What is counted of a source in the hour of `at`, (label, name) → how many: to add to."""
        return self._counts[source_id, hour_of(at), kind]

    def add(self, entry: Entry, key: str = "") -> None:
        """A refused event, or one that came again: a row, and counted with it. Its id is derived,
        so that the same one of a job that comes back is the same row; of several that are alike in
        everything each has its number. `key`: the call's own."""
        base = _derived(
            entry.source_id, entry.received_at, key, entry.stage, entry.code,
            entry.message_id, entry.message, entry.excerpt,
        )  # fmt: skip
        self._alike[base] += 1
        self._entries[_derived(base, self._alike[base])] = entry

    def add_once(self, entry: Entry, *apart: object) -> None:
        """A row of which there is one in all that are alike in source, code and `apart`, whoever
        writes it. It is not counted with it."""
        self._once.setdefault(_derived(entry.source_id, *apart, entry.code), entry)

    def told_apart(self, kind: Kind) -> Iterator[Label]:
        """The counts of one kind, by name."""
        for (source_id, hour, its_kind), counter in self._counts.items():
            if its_kind is kind:
                for label, name in counter:
                    short = (name or "")[:LABEL_CHARACTERS_MAX]
                    if self._names.admit(source_id, hour, kind, label or "", short):
                        yield label, name

    @property
    def ids(self) -> list[UUID]:
        """Of every row."""
        return [*self._entries, *self._once]

    def forget(self, ids: Iterable[UUID]) -> None:
        """Those rows are written and counted: their job is being repeated."""
        for id_ in ids:
            self._entries.pop(id_, None)
            self._once.pop(id_, None)

    def rows(self) -> list[tuple[UUID, Entry]]:
        """By their ids, in their order; of repeats the last `REPEATS_MAX` of each source. Those
        that several transactions may want to write at once come last, in one order for all."""
        repeats = Counter(
            entry.source_id
            for entry in self._entries.values()
            if entry.outcome is Outcome.DUPLICATE
        )
        rows = []
        for id_, entry in self._entries.items():
            if entry.outcome is Outcome.DUPLICATE:
                repeats[entry.source_id] -= 1
                if repeats[entry.source_id] >= REPEATS_MAX:
                    continue
            rows.append((id_, entry))
        return [*rows, *sorted(self._once.items())]

    def counts(self) -> Counter[Key]:
        """How much to add to what is counted."""
        counts: Counter[Key] = Counter()
        for (source_id, hour, kind), counter in self._counts.items():
            for (label, name), count in counter.items():
                counts[self._key(source_id, hour, kind, label, name)] += count
        for entry in self._entries.values():
            source_id, hour, kind = entry.source_id, hour_of(entry.received_at), Kind(entry.outcome)
            label = entry.type if entry.code is None else entry.code
            counts[self._key(source_id, hour, kind, label, entry.name)] += 1
        return counts

    def totals(self) -> Counter[Kind]:
        """How many events, or whole calls, of each kind."""
        totals: Counter[Kind] = Counter()
        for (_, _, kind), counter in self._counts.items():
            totals[kind] += counter.total()
        for entry in self._entries.values():
            totals[Kind(entry.outcome)] += 1
        return totals

    def _key(
        self, source_id: UUID, hour: datetime, kind: Kind, label: str | None, name: str | None
    ) -> Key:
        label, name = label or "", (name or "")[:LABEL_CHARACTERS_MAX]
        if self._names.admit(source_id, hour, kind, label, name):
            return source_id, hour, kind, label, name
        label, name = (OTHER, "") if kind is Kind.SDK else (label, OTHER)
        return source_id, hour, kind, label, name


def _derived(*values: object) -> UUID:
    text = "\x1f".join(map(str, values))
    return UUID(bytes=blake2b(text.encode(errors="replace"), digest_size=16).digest())
