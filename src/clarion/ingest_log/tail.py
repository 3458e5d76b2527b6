"""A feed: what a source sends, as it arrives. Polled by whoever shows it.

It reads rows, so it tells of events whichever process took them in, and holds no connection between
two looks. Where several ingestors commit side by side, a row may become visible after one with a
higher number: so each look goes back over the last `late_seconds` and tells what it has not told
yet. Who comes faster than `rows_max` a look misses some, and hears that (`skipped`).
"""

from collections import deque
from dataclasses import dataclass
from time import monotonic

from clarion.ingest_log.outcome import Activity, Lane, Position
from clarion.ingest_log.tail_store import Wanted, activities, newest, seqs_after
from clarion.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    rows_max: int = 500
    """Looked at in one lane and look."""
    late_seconds: float = 10.0
    """A transaction that takes in events is over by then."""


class Tail:
    """One reader's place. Not for two readers at once."""

    def __init__(
        self,
        database: Database,
        wanted: Wanted,
        after: Position | None = None,
        options: FeedOptions | None = None,
    ) -> None:
        """`after`: where an earlier feed ended; None: at what is there now (`begin`)."""
        self._database = database
        self._wanted = wanted
        self._options = options or FeedOptions()
        self.position = after or Position(0, 0, 0)
        self.skipped = False
        """Whether the last look could not tell all there was."""
        self._floor = self.position
        self._told: dict[Lane, set[int]] = {lane: set() for lane in Lane}
        self._looks: deque[tuple[float, Position]] = deque()

    async def begin(self, last: int) -> list[Activity]:
        """The `last` that are there already, the oldest first; what comes after them is new."""
        highest: dict[Lane, int] = {}
        floors: dict[Lane, int] = {}
        limit = self._options.rows_max
        async with self._database.read() as connection:
            for lane in self._wanted.lanes:
                seqs = await seqs_after(connection, self._wanted, lane, 0, limit)
                self._told[lane] = set(seqs)
                highest[lane] = max(seqs, default=0)
                floors[lane] = min(seqs) - 1 if len(seqs) == limit else 0
            self.position = self.position.moved(highest)
            self._floor = self.position.moved(floors)
            after = Position(*(seq + 1 for seq in self.position))
            page = [] if last == 0 else (await newest(connection, self._wanted, after, last))[0]
        for one in page:
            self._told[one.lane].add(one.seq)
        return page[::-1]

    async def look(self) -> list[Activity]:
        """What has come since the last look, in the order of its arrival."""
        found: list[Activity] = []
        highest: dict[Lane, int] = {}
        self.skipped = False
        async with self._database.read() as connection:
            for lane in self._wanted.lanes:
                told, limit = self._told[lane], self._options.rows_max
                seqs = await seqs_after(connection, self._wanted, lane, self._floor.of(lane), limit)
                fresh = [seq for seq in seqs if seq not in told]
                if not fresh:
                    continue
                self.skipped |= len(fresh) == limit
                found += await activities(connection, self._wanted, lane, fresh)
                told.update(fresh)
                highest[lane] = max(fresh[0], self.position.of(lane))
        self.position = self.position.moved(highest)
        self._forget()
        return sorted(found, key=lambda one: one.received_at)

    def _forget(self) -> None:
        """What is older than any transaction under way is not looked at again."""
        now = monotonic()
        self._looks.append((now, self.position))
        while self._looks[0][0] < now - self._options.late_seconds:
            _, self._floor = self._looks.popleft()
            for lane, told in self._told.items():
                told.difference_update([seq for seq in told if seq <= self._floor.of(lane)])
