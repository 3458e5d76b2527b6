"""A campaign's account: what became of everything that was planned."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.schema import launch_counts, launches

_STATES = ("accepted", "unregistered", "rejected", "skipped", "expired", "cancelled")


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """planned = accepted + unregistered + rejected + skipped + expired + cancelled + in_flight.
    `accepted`: FCM took it, no more; `received` and `opened`: the app said so. `converted`:
    customers, not devices, who then did what the campaign was to lead to, each once a launch."""

    planned: int
    accepted: int
    unregistered: int
    rejected: int
    skipped: int
    expired: int
    cancelled: int
    in_flight: int
    received: int
    opened: int
    converted: int

    @property
    def settled(self) -> int:
        return sum(getattr(self, state) for state in _STATES)


class PlatformCounts(Counts, frozen=True, kw_only=True):
    """The account of one platform. `reasons`: by state, then by reason."""

    reasons: dict[str, dict[str, int]]


class LanguageCounts(Counts, frozen=True, kw_only=True):
    """The account of the text in one language. `reasons`: by state, then by reason."""

    reasons: dict[str, dict[str, int]]


NO_LANGUAGE = "none"
"""Of a content with languages: what no text was chosen for, as it is in flight or was skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The account of a launch, or of a campaign over all its launches."""

    total: Counts
    platforms: dict[str, PlatformCounts] = field(default_factory=dict)
    languages: dict[str, LanguageCounts] = field(default_factory=dict)
    """Empty where the content has none; `default`: who got the text that is in no language of
    its own; `none`: what no text was chosen for."""
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    """By state, then by reason."""
    attempts: int = 0
    """Pushes that left for the provider, repeats included."""
    unanswered: int = 0
    """Attempts whose answer never came: these devices may have been reached twice."""

    @property
    def balances(self) -> bool:
        """Whether the planner's own count is the sum of the states."""
        return self.total.planned == self.total.settled + self.total.in_flight


async def report(connection: AsyncConnection, workspace_id: UUID, campaign_id: UUID) -> Report:
    """The account of a campaign at this instant, read from the launches' counts in one statement:
    the cost does not depend on the number of deliveries."""
    return await _account(
        connection, launches.c.workspace_id == workspace_id, launches.c.campaign_id == campaign_id
    )


async def launch_report(connection: AsyncConnection, launch_id: UUID) -> Report:
    """The same of one launch."""
    return await _account(connection, launches.c.id == launch_id)


async def _account(connection: AsyncConnection, *ours: ColumnElement[bool]) -> Report:
    planned = select(func.coalesce(func.sum(launches.c.planned), 0)).where(*ours).scalar_subquery()
    rows = await connection.execute(
        select(
            launch_counts.c.platform,
            launch_counts.c.state,
            launch_counts.c.reason,
            launch_counts.c["count"],
            launch_counts.c.received,
            launch_counts.c.opened,
            launch_counts.c.converted,
            launch_counts.c.attempts,
            launch_counts.c.unanswered,
            launch_counts.c.language,
            planned.label("planned"),
        )
        .join_from(launches, launch_counts, launch_counts.c.launch_id == launches.c.id)
        .where(*ours, launch_counts.c["count"] != 0)
    )
    whole = _Part()
    platforms: dict[str, _Part] = defaultdict(_Part)
    languages: dict[str, _Part] = defaultdict(_Part)
    attempts = unanswered = planned_count = 0
    for row in rows:
        name = "in_flight" if row.state == "pending" else row.state
        language = row.language or NO_LANGUAGE
        for part in (whole, platforms[row.platform], languages[language]):
            part.add(name, row.reason, row._mapping)
        attempts += row.attempts
        unanswered += row.unanswered
        planned_count = row.planned
    if languages.keys() == {NO_LANGUAGE}:
        languages.clear()
    return Report(
        total=Counts(**_NONE | whole.counts | {"planned": planned_count}),
        platforms={
            name: PlatformCounts(**_NONE | part.counts, reasons=part.reasons)
            for name, part in sorted(platforms.items())
        },
        languages={
            name: LanguageCounts(**_NONE | part.counts, reasons=part.reasons)
            for name, part in sorted(languages.items())
        },
        reasons=whole.reasons,
        attempts=attempts,
        unanswered=unanswered,
    )


class _Part:
    """What is counted of all deliveries, or of those of one platform or language."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.reasons: dict[str, dict[str, int]] = {}

    def add(self, name: str, reason: str, kept: Mapping[Any, Any]) -> None:
        """Adds a row of `launch_counts`: `kept`, whose state a report calls `name`."""
        for counted in (name, "planned"):
            _add(self.counts, counted, kept["count"])
        for counted in ("received", "opened", "converted"):
            _add(self.counts, counted, kept[counted])
        if reason:
            _add(self.reasons.setdefault(name, {}), reason, kept["count"])


async def counts_of(connection: AsyncConnection, launch_ids: Sequence[UUID]) -> dict[UUID, Counts]:
    """The account of each of these launches, from one statement."""
    rows = await connection.execute(
        select(
            launch_counts.c.launch_id,
            launch_counts.c.state,
            func.sum(launch_counts.c["count"]),
            func.sum(launch_counts.c.received),
            func.sum(launch_counts.c.opened),
            func.sum(launch_counts.c.converted),
        )
        .where(launch_counts.c.launch_id.in_(launch_ids))
        .group_by(launch_counts.c.launch_id, launch_counts.c.state)
    )
    counts_by_launch: dict[UUID, dict[str, int]] = {
        launch_id: dict(_NONE) for launch_id in launch_ids
    }
    for launch_id, state, count, received, opened, converted in rows:
        counts = counts_by_launch[launch_id]
        _add(counts, "in_flight" if state == "pending" else state, count)
        _add(counts, "planned", count)
        _add(counts, "received", received)
        _add(counts, "opened", opened)
        _add(counts, "converted", converted)
    return {launch_id: Counts(**counts) for launch_id, counts in counts_by_launch.items()}


_NONE = dict.fromkeys(Counts.__struct_fields__, 0)


def _add(counts: dict[str, int], name: str, count: int) -> None:
    counts[name] = counts.get(name, 0) + count
