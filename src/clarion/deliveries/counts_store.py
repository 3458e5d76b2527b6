"""A launch's counts: how many of its deliveries are in which state, kept as they change.

Whoever changes deliveries adds what that changes, in the same transaction and after all its other
rows: many do so at once, and each waits for the one before it to commit.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.storage.bulk import upsert
from clarion.storage.schema import launch_counts

COUNTED = ("count", "received", "opened", "attempts", "unanswered")
_KEY = ("launch_id", "platform", "state", "reason")


class Tally:
    """What a transaction changes in one launch's counts."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str, str], list[int]] = {}

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
    ) -> None:
        """Adds to the counts of one platform, state and reason; negative numbers subtract."""
        changes = self._changes.setdefault((platform, state, reason or ""), [0] * len(COUNTED))
        for place, more in enumerate((count, received, opened, attempts, unanswered)):
            changes[place] += more

    def changes(self) -> list[tuple[tuple[str, str, str], list[int]]]:
        """The changes that are not zero, in the order of the table's key."""
        return sorted((key, changes) for key, changes in self._changes.items() if any(changes))


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
