"""The tail: what a source sends, as it arrives. Polled by whoever shows it.

It reads rows, so it tells of events whichever process took them in, and holds no connection between
two looks. Where several ingestors commit side by side, a row may become visible after one with a
higher number: so each look goes back over the last `late_seconds` and tells what it has not told
yet. Who comes faster than `rows_max` a look misses some, and hears that (`skipped`).
"""

from collections import deque
from dataclasses import dataclass
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.ingest_log.outcome import Entry, Position
from clarion.ingest_log.queries import Wanted, entries, newest, place_of, seqs_after


@dataclass(frozen=True, slots=True, kw_only=True)
class TailOptions:
    rows_max: int = 500
    """Looked at in one table and look."""
    late_seconds: float = 10.0
    """A transaction that takes in events is over by then."""


class Tail:
    """One reader's place. Not for two readers at once."""

    def __init__(
        self,
        wanted: Wanted,
        after: Position | None = None,
        options: TailOptions | None = None,
    ) -> None:
        """`after`: where an earlier tail ended; None: at what is there now (`begin`)."""
        self._wanted = wanted
        self._options = options or TailOptions()
        self.position = after or Position(0, 0)
        self.skipped = False
        """Whether the last look could not tell all there was."""
        self._floor = self.position
        self._shown: dict[str, set[int]] = {place: set() for place in Position._fields}
        self._looks: deque[tuple[float, Position]] = deque()

    async def begin(self, connection: AsyncConnection, last: int) -> list[Entry]:
        """The `last` that are there already, the oldest first; what comes after them is new."""
        limit = self._options.rows_max
        for table in self._wanted.tables:
            place = place_of(table)
            seqs = await seqs_after(connection, self._wanted, table, 0, limit)
            self._shown[place].update(seqs)
            self.position = self.position._replace(**{place: max(seqs, default=0)})
            if len(seqs) == limit:
                self._floor = self._floor._replace(**{place: min(seqs) - 1})
        after = Position(*(seq + 1 for seq in self.position))
        page = [] if last == 0 else (await newest(connection, self._wanted, after, last))[0]
        for entry in page:
            self._shown[entry.place].add(entry.seq)
        return page[::-1]

    async def look(self, connection: AsyncConnection) -> list[Entry]:
        """What has come since the last look, in the order of its arrival."""
        news: list[Entry] = []
        limit = self._options.rows_max
        self.skipped = False
        for table in self._wanted.tables:
            place = place_of(table)
            floor, position = getattr(self._floor, place), getattr(self.position, place)
            seqs = await seqs_after(connection, self._wanted, table, floor, limit)
            fresh = [seq for seq in seqs if seq not in self._shown[place]]
            if fresh:
                self.skipped |= len(fresh) == limit
                news += await entries(connection, self._wanted, table, fresh)
                self._shown[place].update(fresh)
                self.position = self.position._replace(**{place: max(fresh[0], position)})
        self._forget()
        return sorted(news, key=lambda entry: entry.received_at)

    def _forget(self) -> None:
        """What is older than any transaction under way is not looked at again."""
        now = monotonic()
        self._looks.append((now, self.position))
        while self._looks[0][0] < now - self._options.late_seconds:
            _, self._floor = self._looks.popleft()
            for place, seqs in self._shown.items():
                floor = getattr(self._floor, place)
                seqs.difference_update([seq for seq in seqs if seq <= floor])
