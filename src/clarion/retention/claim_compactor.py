"""The compactor: drops trait claims that decide nothing, of people who have very many.

What may go is decided by `customers/profile/compaction.py`. All user ids are looked through once a
day, by readers; what goes is removed by its keys, in slices that hold the writer for short.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace_store import list_workspaces
from clarion.clock import Clock
from clarion.customers.identity.store import read_flags
from clarion.customers.profile.compaction import CLAIMS_MAX, HeldClaim, dropped, undecided
from clarion.customers.profile.trait_claim_store import (
    crowded_keys,
    remove_claims,
    some_held_claims,
)
from clarion.events.trace_store import stored_among
from clarion.storage.bulk import in_parts
from clarion.storage.database import Database
from clarion.storage.leader_lease import LeaderLease, check_leads

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactorOptions:
    kept_max: int = CLAIMS_MAX
    """Of a user id; whoever has no more is left alone."""
    keys_max: int = 1_000
    """User ids looked at in one statement."""
    claims_max: int = 1_000
    """Claims of one that are read at once."""
    rows_max: int = 200
    """Removed in one transaction."""
    pause_seconds: float = 0.02
    every_seconds: float = 86_400.0


class ClaimCompactor:
    """`lease`: that of whoever runs it; None where no other can run."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        options: CompactorOptions | None = None,
        lease: LeaderLease | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or CompactorOptions()
        self._lease = lease
        self._looked_at: datetime | None = None

    async def step(self) -> int:
        """Drop what decides nothing, once in `every_seconds`; returns how many claims."""
        now = self._clock.now()
        every = timedelta(seconds=self._options.every_seconds)
        if self._looked_at is not None and now - self._looked_at < every:
            return 0
        async with self._database.read() as connection:
            workspaces = await list_workspaces(connection)
        removed = 0
        for workspace in workspaces:
            after: str | None = ""
            while after is not None:
                async with self._database.read() as connection:
                    keys, after = await crowded_keys(
                        connection,
                        workspace.id,
                        self._options.kept_max,
                        after=after,
                        limit=self._options.keys_max,
                    )
                    flags = await read_flags(connection, workspace.id, keys)
                for key in keys:
                    if key in flags and flags[key].is_guarded and flags[key].is_real:
                        removed += await self._compact(workspace.id, key)
        self._looked_at = now
        if removed:
            log.info("trait_claims_dropped", count=removed)
        return removed

    async def _compact(self, workspace_id: UUID, key: str) -> int:
        """Drop those of one person, who is that for good: whatever comes meanwhile, what decides
        nothing now decides nothing then."""
        kept: list[HeldClaim] = []
        removed, after = 0, ""
        while True:
            async with self._database.read() as connection:
                page = await some_held_claims(
                    connection, workspace_id, key, after=after, limit=self._options.claims_max
                )
                claims = [*kept, *page]
                kept = undecided(claims)
                stay = {claim.lesson.message_id for claim in kept}
                absent = [
                    claim.lesson.message_id
                    for claim in claims
                    if not claim.is_active and claim.lesson.message_id not in stay
                ]
                stored = await stored_among(connection, workspace_id, absent)
            removed += await self._remove(workspace_id, key, dropped(claims, kept, stored))
            if len(page) < self._options.claims_max:
                return removed
            after = page[-1].lesson.message_id

    async def _remove(self, workspace_id: UUID, key: str, message_ids: Sequence[str]) -> int:
        for part in in_parts(message_ids, self._options.rows_max):
            claims = [(key, message_id) for message_id in part]
            await self._database.transact(
                partial(self._remove_some, workspace_id, claims), self._clock
            )
            await self._clock.sleep(self._options.pause_seconds)
        return len(message_ids)

    async def _remove_some(
        self,
        workspace_id: UUID,
        claims: Sequence[tuple[str, str]],
        connection: AsyncConnection,
    ) -> None:
        await check_leads(connection, self._lease)
        await remove_claims(connection, workspace_id, claims)
