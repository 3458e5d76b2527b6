"""Rows of the ingest log, and what is counted of sources by the hour: written and trimmed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.ingest_log.outcome import Entry, Stage
from clarion.ingest_log.tally import Key, Names, Tally
from clarion.storage.aged import AgedRows
from clarion.storage.bulk import in_parts, insert_new, upsert
from clarion.storage.schema import ingest_log, source_counts

KEPT = 1_000
"""Rows of a source and stage, the newest: so none of these hides another."""
REFUSALS_KEPT = 10_000
"""The same, of refused events."""
TRIM_EVERY = 1_000
"""Rows of a source and stage, in one process: so many may there be beyond what is kept."""
SOURCES_MAX = 10_000
"""Whose rows a process counts; then it begins anew."""


class IngestLog:
    """Who writes the log in a process."""

    def __init__(
        self,
        *,
        kept: int = KEPT,
        refusals_kept: int = REFUSALS_KEPT,
        trim_every: int = TRIM_EVERY,
    ) -> None:
        self._kept = kept
        self._refusals_kept = refusals_kept
        self._trim_every = trim_every
        self._names = Names()
        self._untrimmed: dict[tuple[UUID, Stage | None], int] = {}

    def tally(self) -> Tally:
        """For what a transaction is about to say."""
        return Tally(self._names)

    async def write(self, connection: AsyncConnection, tally: Tally, *, again: bool) -> None:
        """Append rows and add to counts: two statements, whatever their number, and now and then
        one that trims. `again`: what `tally` says may be written and counted already.

        To be the end of its transaction: every transaction of a source wants the same few rows of
        counts, and whoever has them is about to commit.
        """
        if again:
            for ids in in_parts(tally.ids):
                logged = select(ingest_log.c.id).where(ingest_log.c.id.in_(ids))
                tally.forget((await connection.execute(logged)).scalars())
        rows = tally.rows()
        await insert_new(
            connection,
            ingest_log,
            [
                {"id": id_} | {name: getattr(entry, name) for name in _COLUMNS}
                for id_, entry in rows
            ],
        )
        await self._trim(connection, [entry for _, entry in rows])
        await add_counts(connection, tally.counts())

    async def _trim(self, connection: AsyncConnection, entries: Sequence[Entry]) -> None:
        """Remove what is too much of a source, once in `trim_every` rows of it; and once when a
        process writes the first of them, for those before it."""
        if len(self._untrimmed) >= SOURCES_MAX:
            self._untrimmed.clear()
        written = Counter((entry.source_id, entry.stage) for entry in entries)
        for (source_id, stage), count in sorted(written.items(), key=str):
            rows = self._untrimmed.get((source_id, stage), self._trim_every) + count
            self._untrimmed[source_id, stage] = rows
            if rows < self._trim_every:
                continue
            is_event = stage in (Stage.EVENT, Stage.REGISTRATION)
            beyond = (
                select(ingest_log.c.seq)
                .where(ingest_log.c.source_id == source_id, ingest_log.c.stage == stage)
                .order_by(ingest_log.c.seq.desc())
                .offset(self._refusals_kept if is_event else self._kept)
                .limit(2 * rows)
            )
            await connection.execute(delete(ingest_log).where(ingest_log.c.seq.in_(beyond)))
            self._untrimmed[source_id, stage] = 0


async def add_counts(connection: AsyncConnection, counts: Mapping[Key, int]) -> None:
    """Add to what is counted. In the order of the key, so that two never wait for each other."""
    names = ("source_id", "hour", "kind", "label", "name", "count")
    rows = [dict(zip(names, (*key, counts[key]), strict=True)) for key in sorted(counts)]
    await upsert(connection, source_counts, rows, key=names[:-1], combine={"count": "sum"})


async def forget_counts(connection: AsyncConnection, source_id: UUID, before: datetime) -> int:
    """Remove what was counted of a source before then; returns how many rows."""
    old = source_counts.c.source_id == source_id, source_counts.c.hour < before
    return (await connection.execute(delete(source_counts).where(*old))).rowcount


LOG_BY_AGE = AgedRows(
    table=ingest_log,
    key=ingest_log.c.seq,
    is_old=lambda before: ingest_log.c.received_at < before,
)
_COLUMNS = [field for field in Entry.__struct_fields__ if field != "seq"]
