"""What a source has sent of late, put together for people: counts, SDKs, and what to mend."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Moment
from clarion.ingest_log.diagnostics import WARNINGS, cure_of
from clarion.ingest_log.outcome import Entry, Outcome, hour_of
from clarion.ingest_log.queries import Counted, Wanted, hours, newest, totals
from clarion.ingest_log.tally import Kind

HOURS_MAX = 720
"""30 days: so long the counts are kept."""
WARNINGS_READ = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedHour:
    """What came in one hour: events, and calls that were turned away whole."""

    hour: Moment
    accepted: int
    duplicate: int
    refused: int
    turned_away: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedName:
    """Events of a name; `(other)` stands for those beyond the number that is told apart."""

    type: str
    event: str | None
    accepted: int
    duplicate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedReason:
    """Refusals with a code; `events`: how many of which name."""

    code: str
    count: int
    cure: str | None
    events: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedCall:
    """Calls that were turned away whole for one reason, with nothing of them kept; `about`: how
    many of which origin or write key, where they are told apart."""

    code: str
    count: int
    cure: str | None
    about: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSdk:
    """Events made by an SDK; null: they do not say by which."""

    name: str | None
    version: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedWarning:
    """A warning, how many events deserved it (`tokens_not_refreshed`: devices), and the first event
    of its last hour, if it is still listed. `subject`: what it is about, where it may be about
    several things."""

    code: str
    subject: str | None
    count: int
    meaning: str
    cure: str
    message_id: str | None
    last_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCounts:
    """What a source sent since `since`, most frequent first; counted by the hour of arrival and
    kept for 30 days. `turned_away` counts calls, the others events."""

    since: Moment
    until: Moment
    accepted: int
    duplicate: int
    refused: int
    turned_away: int
    hours: list[CountedHour]
    events: list[CountedName]
    refusals: list[CountedReason]
    calls: list[CountedCall]
    sdks: list[CountedSdk]
    warnings: list[CountedWarning]


async def source_report(
    connection: AsyncConnection,
    source_id: UUID,
    now: datetime,
    back: int,
    further: Sequence[Counted] = (),
) -> SourceCounts:
    """The report of the last `back` hours, the one under way among them. `further`: warnings that
    are counted elsewhere."""
    since = hour_of(now) - timedelta(hours=back - 1)
    counted = await totals(connection, source_id, since)
    by_hour = await hours(connection, source_id, since)
    sums: Counter[str] = Counter()
    for counter in counted:
        sums[counter.kind] += counter.count
    wanted = Wanted(source_id=source_id, outcomes=frozenset({Outcome.WARNING}))
    entries, _ = await newest(connection, wanted, None, WARNINGS_READ)
    return SourceCounts(
        since=since,
        until=now,
        **{kind: sums[kind] for kind in _SHOWN},
        hours=[
            CountedHour(hour=hour, **{kind: by_hour.get((hour, kind), 0) for kind in _SHOWN})
            for hour in (since + timedelta(hours=number) for number in range(back))
        ],
        events=_names(counted),
        refusals=[
            CountedReason(code=code, count=count, cure=cure_of(code), events=names)
            for code, count, names in _reasons(counted, Kind.REFUSED)
        ],
        calls=[
            CountedCall(code=code, count=count, cure=cure_of(code), about=names)
            for code, count, names in _reasons(counted, Kind.TURNED_AWAY)
        ],
        sdks=_sdks(counted, sums[Kind.ACCEPTED]),
        warnings=[
            *(
                _warning(count_row, entries)
                for count_row in counted
                if count_row.kind == Kind.WARNING
            ),
            *(_warning(count_row, []) for count_row in further),
        ],
    )


_SHOWN = (Kind.ACCEPTED, Kind.DUPLICATE, Kind.REFUSED, Kind.TURNED_AWAY)


def _names(counted: Sequence[Counted]) -> list[CountedName]:
    """The most frequent first."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for counter in counted:
        if counter.kind in (Kind.ACCEPTED, Kind.DUPLICATE):
            sums[counter.label, counter.name][counter.kind] += counter.count
    names = [
        CountedName(
            type=type_,
            event=name or None,
            accepted=count[Kind.ACCEPTED],
            duplicate=count[Kind.DUPLICATE],
        )
        for (type_, name), count in sums.items()
    ]
    return sorted(names, key=lambda count_row: -count_row.accepted)


def _reasons(counted: Sequence[Counted], kind: Kind) -> list[tuple[str, int, dict[str, int]]]:
    """(Code, how many, of which names.) The most frequent first."""
    sums: Counter[str] = Counter()
    names: dict[str, dict[str, int]] = defaultdict(dict)
    for count_row in counted:
        if count_row.kind == kind:
            sums[count_row.label] += count_row.count
            if count_row.name:
                names[count_row.label][count_row.name] = count_row.count
    return [(code, count, names[code]) for code, count in sums.most_common()]


def _sdks(counted: Sequence[Counted], accepted: int) -> list[CountedSdk]:
    sdks = [
        CountedSdk(name=count_row.label, version=count_row.name or None, count=count_row.count)
        for count_row in counted
        if count_row.kind == Kind.SDK and count_row.label
    ]
    unnamed = accepted - sum(count_row.count for count_row in sdks)
    return [*sdks, CountedSdk(name=None, version=None, count=unnamed)] if unnamed else sdks


def _warning(counted: Counted, entries: Sequence[Entry]) -> CountedWarning:
    """`entries`: among which is where it was told last. What it is about ends its sentence."""
    about = f"`{counted.name}`." if counted.name else ""
    last = next(
        (
            entry
            for entry in entries
            if entry.code == counted.label and (entry.message or "").endswith(about)
        ),
        None,
    )
    advice = WARNINGS[counted.label]
    return CountedWarning(
        code=counted.label,
        subject=counted.name or None,
        count=counted.count,
        meaning=advice.meaning,
        cure=advice.cure,
        message_id=None if last is None else last.message_id,
        last_at=counted.hour if last is None else last.received_at,
    )
