"""What a source has sent of late, put together for people: counts, SDKs, and what to mend."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.clock import Moment
from clarion.customers.devices.token_age_store import last_registered_at, not_refreshed
from clarion.customers.diagnostics import REFRESH_DAYS, WARNINGS, WarningCode, cure_of
from clarion.customers.ingest_counters import Kind, hour_of
from clarion.ingest_log.outcome import Activity, Outcome
from clarion.ingest_log.rejected_calls import KIND as TURNED_AWAY
from clarion.ingest_log.store import Counted, hours, totals
from clarion.ingest_log.tail_store import Wanted, newest

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
    connection: AsyncConnection, actor: Actor, source_id: UUID, now: datetime, back: int
) -> SourceCounts:
    """The report of the last `back` hours, the one under way among them."""
    workspace_id = actor.workspace_id
    since = hour_of(now) - timedelta(hours=back - 1)
    counted = await totals(connection, source_id, since)
    sums: Counter[str] = Counter()
    for one in counted:
        sums[one.kind] += one.count
    wanted = Wanted(
        workspace_id=workspace_id, source_id=source_id, outcomes=frozenset({Outcome.WARNING})
    )
    told, _ = await newest(connection, wanted, None, WARNINGS_READ)
    warnings = _warnings(counted, told)
    warnings += await _not_refreshed(connection, workspace_id, source_id, now)
    return SourceCounts(
        since=since,
        until=now,
        accepted=sums[Kind.ACCEPTED],
        duplicate=sums[Kind.DUPLICATE],
        refused=sums[Kind.REFUSED],
        turned_away=sums[TURNED_AWAY],
        hours=await _hours(connection, source_id, since, back),
        events=_names(counted),
        refusals=[
            CountedReason(code=code, count=count, cure=cure_of(code), events=names)
            for code, count, names in _reasons(counted, Kind.REFUSED)
        ],
        calls=[
            CountedCall(code=code, count=count, cure=cure_of(code), about=names)
            for code, count, names in _reasons(counted, TURNED_AWAY)
        ],
        sdks=_sdks(counted, sums[Kind.ACCEPTED]),
        warnings=warnings,
    )


async def _not_refreshed(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, now: datetime
) -> list[CountedWarning]:
    """Whether an app does not refresh: installations of it are in use that have not for too long,
    though new ones register every day; or none registers at all any more."""
    code = WarningCode.TOKENS_NOT_REFRESHED
    devices, seen_at = await not_refreshed(
        connection, workspace_id, source_id, now=now, days=REFRESH_DAYS
    )
    if seen_at is not None:
        return [_warning(code, None, devices, None, seen_at)]
    registered_at = await last_registered_at(connection, workspace_id, source_id)
    if registered_at is not None and registered_at < now - timedelta(days=REFRESH_DAYS):
        return [_warning(code, None, 1, None, registered_at)]
    return []


async def _hours(
    connection: AsyncConnection, source_id: UUID, since: datetime, back: int
) -> list[CountedHour]:
    """Every hour, the empty ones too, the first one first."""
    sums: Counter[tuple[datetime, str]] = Counter()
    for one in await hours(connection, source_id, since):
        sums[one.hour, one.kind] += one.count
    found = []
    for number in range(back):
        hour = since + timedelta(hours=number)
        found.append(
            CountedHour(
                hour=hour,
                accepted=sums[hour, Kind.ACCEPTED],
                duplicate=sums[hour, Kind.DUPLICATE],
                refused=sums[hour, Kind.REFUSED],
                turned_away=sums[hour, TURNED_AWAY],
            )
        )
    return found


def _names(counted: Sequence[Counted]) -> list[CountedName]:
    sums: dict[tuple[str, str], Counter[str]] = {}
    for one in counted:
        if one.kind in (Kind.ACCEPTED, Kind.DUPLICATE):
            sums.setdefault((one.label, one.name), Counter())[one.kind] += one.count
    found = [
        CountedName(
            type=type_,
            event=name or None,
            accepted=count[Kind.ACCEPTED],
            duplicate=count[Kind.DUPLICATE],
        )
        for (type_, name), count in sums.items()
    ]
    return sorted(found, key=lambda one: -one.accepted)


def _reasons(counted: Sequence[Counted], kind: str) -> list[tuple[str, int, dict[str, int]]]:
    """(Code, how many, of which names.) The most frequent first."""
    sums: dict[str, list[Counted]] = {}
    for one in counted:
        if one.kind == kind:
            sums.setdefault(one.label, []).append(one)
    found = [
        (code, sum(one.count for one in many), {one.name: one.count for one in many if one.name})
        for code, many in sums.items()
    ]
    return sorted(found, key=lambda one: -one[1])


def _sdks(counted: Sequence[Counted], accepted: int) -> list[CountedSdk]:
    found = [
        CountedSdk(name=one.label, version=one.name or None, count=one.count)
        for one in counted
        if one.kind == Kind.SDK and one.label
    ]
    unnamed = accepted - sum(one.count for one in found)
    return [*found, CountedSdk(name=None, version=None, count=unnamed)] if unnamed else found


def _warnings(counted: Sequence[Counted], told: Sequence[Activity]) -> list[CountedWarning]:
    found = []
    for one in counted:
        if one.kind == Kind.WARNING:
            last = next((event for event in told if _is_of(event, one)), None)
            found.append(
                _warning(
                    WarningCode(one.label),
                    one.name or None,
                    one.count,
                    None if last is None else last.message_id,
                    one.hour if last is None else last.received_at,
                )
            )
    return found


def _is_of(event: Activity, counted: Counted) -> bool:
    """Whether this is where that warning was told: what it is about ends its sentence."""
    about = f"`{counted.name}`." if counted.name else ""
    return event.code == counted.label and (event.message or "").endswith(about)


def _warning(
    code: WarningCode, subject: str | None, count: int, message_id: str | None, at: datetime
) -> CountedWarning:
    advice = WARNINGS[code]
    return CountedWarning(
        code=code,
        subject=subject,
        count=count,
        meaning=advice.meaning,
        cure=advice.cure,
        message_id=message_id,
        last_at=at,
    )
