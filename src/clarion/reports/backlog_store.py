"""How much is under way in all workspaces, for those who watch an installation: few rows are read
for it, by the indexes of what is not settled."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.launches.launch import LaunchState
from clarion.deliveries.planning.chunk import LEASED
from clarion.storage.schema import chunks, launches

UNDER_WAY = (LaunchState.PLANNING, LaunchState.SENDING, LaunchState.PAUSED)
WAITING = ("due", "later", "held", "leased")
"""Why a planned push has not been settled: nobody has taken it yet; it is for later, by its spread
or since it is tried again; it waits for a person; a sender has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushesWaiting:
    """Pushes that are planned and not settled."""

    counts: dict[str, int]
    """By `WAITING`, each of them there."""
    retries: int
    """Those of them that a sender has had before, and that are not held."""
    oldest_seconds: float
    """How long the one that is due for longest has waited; 0: none is due."""


async def launches_under_way(connection: AsyncConnection) -> dict[str, int]:
    """How many launches are in each state of `UNDER_WAY`."""
    rows = await connection.execute(
        select(launches.c.state, func.count())
        .where(launches.c.indexed_at.is_(None))
        .group_by(launches.c.state)
    )
    count_by_state = {row[0]: row[1] for row in rows}
    return {state.value: count_by_state.get(state.value, 0) for state in UNDER_WAY}


async def pushes_waiting(connection: AsyncConnection, now: datetime) -> PushesWaiting:
    """Counted by chunks: those of a chunk wait together."""
    why = case(
        (chunks.c.is_held, "held"),
        (chunks.c.state == LEASED, "leased"),
        (chunks.c.due_at > now, "later"),
        else_="due",
    )
    # Whom a sender has had has a row of their own: such a chunk names no members.
    tried = case((chunks.c.first_device_id.is_(None), chunks.c.size), else_=0)
    rows = await connection.execute(
        select(why, func.sum(chunks.c.size), func.min(chunks.c.due_at), func.sum(tried))
        # A literal, not a parameter: only then do databases use the index of these.
        .where(chunks.c.state != literal_column("'settled'"))
        .group_by(why)
    )
    row_by_state = {row[0]: (int(row[1]), row[2], int(row[3])) for row in rows}
    oldest = row_by_state["due"][1] if "due" in row_by_state else None
    return PushesWaiting(
        retries=sum(row_by_state[name][2] for name in ("due", "later") if name in row_by_state),
        counts={name: row_by_state[name][0] if name in row_by_state else 0 for name in WAITING},
        oldest_seconds=0.0 if oldest is None else (now - oldest).total_seconds(),
    )
