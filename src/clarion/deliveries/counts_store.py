"""A launch's counts, kept as its deliveries change: how many are in which state, in which hours
they were received, opened and converted, and how long that took.

Whoever changes deliveries adds what that changes, in the same transaction and after all its other
rows: many do so at once, and each waits for the one before it to commit.
"""

from collections import Counter
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.deliveries.delivery import DeliveryState
from clarion.deliveries.engagement.latency import Report, latency_class
from clarion.ingest_log.outcome import hour_of
from clarion.storage.bulk import upsert
from clarion.storage.schema import launch_counts, launch_hours, launch_latencies

CONVERTED = "converted"
COUNTED = ("count", "received", "opened", "attempts", "unanswered", CONVERTED)
HOURLY = (*(report.value for report in Report), CONVERTED)
_KEY = ("launch_id", "platform", "state", "reason", "language")
Key = tuple[str, str, str, str]
"""Platform, state, reason and language; the last two empty where there is none."""


class Tally:
    """What a transaction changes in one launch's counts."""

    def __init__(self) -> None:
        self._changes: dict[Key, list[int]] = {}
        self._hours: Counter[tuple[datetime, str]] = Counter()
        self._latencies: Counter[tuple[Report, int]] = Counter()

    def add(
        self,
        platform: str,
        state: str,
        reason: str | None,
        count: int = 0,
        received: int = 0,
        opened: int = 0,
        attempts: int = 0,
        unanswered: int = 0,
        converted: int = 0,
        *,
        language: str | None = None,
    ) -> None:
        """Adds to the counts of one platform, state, reason and language of the text; negative
        numbers subtract."""
        key = (platform, state, reason or "", language or "")
        changes = self._changes.setdefault(key, [0] * len(COUNTED))
        counted = (count, received, opened, attempts, unanswered, converted)
        for place, more in enumerate(counted):
            changes[place] += more

    def report(
        self,
        kind: Report,
        before: datetime | None,
        after: datetime | None,
        *,
        accepted_at: datetime | None,
    ) -> None:
        """Counts in its hour what an app has reported, or has now reported of another time.
        `accepted_at`: when the provider took the push, as far as that is known."""
        if before == after:
            return
        for at, count in ((before, -1), (after, 1)):
            if at is None:
                continue
            self._hours[hour_of(at), kind.value] += count
            if accepted_at is not None:
                self.latency(kind, accepted_at, at, count)

    def convert(self, before: datetime | None, after: datetime) -> None:
        """Counts in its hour that a customer has converted, or has now done so earlier."""
        if before is not None:
            self._hours[hour_of(before), CONVERTED] -= 1
        self._hours[hour_of(after), CONVERTED] += 1

    def latency(self, kind: Report, accepted_at: datetime, at: datetime, count: int = 1) -> None:
        """Counts how long after its acceptance a push was reported."""
        self._latencies[kind, latency_class(accepted_at, at)] += count

    def changes(self) -> list[tuple[Key, list[int]]]:
        """The changes that are not zero, in the order of the table's key."""
        return sorted((key, changes) for key, changes in self._changes.items() if any(changes))

    def hours(self) -> list[tuple[datetime, list[int]]]:
        """Changes by hour, in their order, as `HOURLY` names them."""
        hours = sorted({hour for (hour, _), count in self._hours.items() if count})
        return [(hour, [self._hours[hour, name] for name in HOURLY]) for hour in hours]

    def latencies(self) -> list[tuple[tuple[str, int], int]]:
        """Changes by kind and class, in their order."""
        return sorted(
            ((kind.value, up_to), count)
            for (kind, up_to), count in self._latencies.items()
            if count
        )


def accepted_at(state: str, settled_at: datetime | None) -> datetime | None:
    """When the provider took the push of a delivery; None: it has not."""
    return settled_at if state == DeliveryState.ACCEPTED else None


async def read_counts(
    connection: AsyncConnection, launch_id: UUID, tally: Tally | None = None
) -> Counter[tuple[str, str]]:
    """How many of a launch's deliveries are in which state for which reason, on all platforms;
    `tally`: with what is still to be added."""
    rows = await connection.execute(
        select(launch_counts.c.state, launch_counts.c.reason, func.sum(launch_counts.c["count"]))
        .where(launch_counts.c.launch_id == launch_id)
        .group_by(launch_counts.c.state, launch_counts.c.reason)
    )
    counts: Counter[tuple[str, str]] = Counter()
    for state, reason, count in rows:
        counts[state, reason] += int(count)
    for (_, state, reason, _), changes in [] if tally is None else tally.changes():
        counts[state, reason] += changes[0]
    return counts


async def add_to_counts(connection: AsyncConnection, launch_id: UUID, tally: Tally) -> None:
    """Adds a tally to the launch's counts."""
    await upsert(
        connection,
        launch_counts,
        [
            dict(zip(_KEY, (launch_id, *key), strict=True))
            | dict(zip(COUNTED, changes, strict=True))
            for key, changes in tally.changes()
        ],
        key=_KEY,
        combine=dict.fromkeys(COUNTED, "sum"),
    )
    await upsert(
        connection,
        launch_hours,
        [
            {"launch_id": launch_id, "hour": hour} | dict(zip(HOURLY, changes, strict=True))
            for hour, changes in tally.hours()
        ],
        key=("launch_id", "hour"),
        combine=dict.fromkeys(HOURLY, "sum"),
    )
    await upsert(
        connection,
        launch_latencies,
        [
            {"launch_id": launch_id, "kind": kind, "up_to_seconds": up_to, "count": count}
            for (kind, up_to), count in tally.latencies()
        ],
        key=("launch_id", "kind", "up_to_seconds"),
        combine={"count": "sum"},
    )
