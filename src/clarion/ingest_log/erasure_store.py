"""What the log tells of one person: removed, or made to tell of nobody."""

from collections.abc import Callable, Iterable
from uuid import UUID

from sqlalchemy import delete, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import in_parts
from clarion.storage.schema import ingest_log

REFUSED_AT_ONCE = 1_000

_BLANK = dict.fromkeys(
    ("message_id", "name", "user_id", "anonymous_id", "device_id", "excerpt"), None
) | {"message": "Of somebody who was erased."}


async def remove_entries(
    connection: AsyncConnection, workspace_id: UUID, message_ids: Iterable[str]
) -> None:
    """Removes the entries of these events, which are removed as well."""
    ours = ingest_log.c.workspace_id == workspace_id
    for part in in_parts(message_ids):
        await connection.execute(delete(ingest_log).where(ours, ingest_log.c.message_id.in_(part)))


async def blank_entries_of(
    connection: AsyncConnection, workspace_id: UUID, ids: Iterable[str]
) -> int:
    """Take away what rows show whose event named one of `ids`; the rows themselves stay, to be
    counted. Returns how many there were."""
    count = 0
    for column in (ingest_log.c.user_id, ingest_log.c.anonymous_id):
        for part in in_parts(ids):
            theirs = ingest_log.c.workspace_id == workspace_id, column.in_(part)
            blanked = await connection.execute(update(ingest_log).where(*theirs).values(_BLANK))
            count += blanked.rowcount
    return count


async def blank_refused(
    connection: AsyncConnection, workspace_id: UUID, tells: Callable[[str], bool], *, after: int
) -> tuple[int, int | None]:
    """The same for a page of the refused events after `after` that could not be read whole, where
    `tells` says that what is shown of one tells of the person: what stands in an excerpt has no
    index, but few thousand of a source are kept. Returns how many there were, and after what to go
    on; None: that was the last page."""
    rows = await connection.execute(
        select(ingest_log)
        .where(
            ingest_log.c.workspace_id == workspace_id,
            ingest_log.c.seq > after,
            ingest_log.c.stage == literal_column("'event'"),  # the index's own condition
        )
        .order_by(ingest_log.c.seq)
        .limit(REFUSED_AT_ONCE)
    )
    page = rows.all()
    seqs = [
        row.seq for row in page if tells(" ".join(str(row._mapping[column]) for column in _BLANK))
    ]
    await connection.execute(update(ingest_log).where(ingest_log.c.seq.in_(seqs)).values(_BLANK))
    return len(seqs), page[-1].seq if len(page) == REFUSED_AT_ONCE else None
