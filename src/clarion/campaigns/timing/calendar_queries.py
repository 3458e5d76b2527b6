"""What is shown of a workspace's calendar, and of a schedule that is not saved."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.accounts.workspace_store import zone_of
from clarion.campaigns.campaign import CampaignState, DefinitionState, seen_state
from clarion.campaigns.launches.launch import LaunchState
from clarion.campaigns.timing import trigger as triggers
from clarion.campaigns.timing.calendar import Calendar, CalendarEntry, Upcoming, upcoming_times
from clarion.campaigns.timing.trigger import Recurring, upcoming
from clarion.faults import Rejected
from clarion.storage.schema import campaigns, launches

ENTRIES_MAX = 500
"""Of launches that were, and as many campaigns that are to launch."""


async def list_calendar(
    connection: AsyncConnection, actor: Actor, *, begin: datetime, end: datetime
) -> Calendar:
    """What was launched from `begin` until before `end`, and what is to be launched then, by two
    statements. Pushes to one customer are left out."""
    past = await _launched(connection, actor.workspace_id, begin, end)
    planned, is_whole = await _planned(connection, actor.workspace_id, begin, end)
    entries = sorted([*past[:ENTRIES_MAX], *planned], key=lambda entry: (entry.at, entry.name))
    return Calendar(entries=entries, is_whole=is_whole and len(past) <= ENTRIES_MAX)


async def upcoming_of(
    connection: AsyncConnection,
    actor: Actor,
    timing: Mapping[str, Any],
    *,
    now: datetime,
    limit: int,
) -> Upcoming | Rejected:
    """The next times at which a campaign of the actor's workspace would launch by `timing`."""
    return upcoming_times(timing, await zone_of(connection, actor.workspace_id), now, limit)


async def _launched(
    connection: AsyncConnection, workspace_id: UUID, begin: datetime, end: datetime
) -> list[CalendarEntry]:
    rows = await connection.execute(
        select(
            launches.c.id,
            launches.c.campaign_id,
            launches.c.state,
            launches.c.due_at,
            launches.c.own_time,
            campaigns.c.name,
            campaigns.c.trigger,
        )
        .join_from(launches, campaigns, campaigns.c.id == launches.c.campaign_id)
        .where(
            launches.c.workspace_id == workspace_id,
            launches.c.due_at >= begin,
            launches.c.due_at < end,
            # A literal, not a parameter: only then do databases use the index of these.
            launches.c.occurrence != literal_column("'push'"),
        )
        .order_by(launches.c.due_at)
        .limit(ENTRIES_MAX + 1)
    )
    return [
        CalendarEntry(
            campaign_id=row.campaign_id,
            name=row.name,
            state=seen_state(LaunchState(row.state)),
            at=row.due_at,
            launch_id=row.id,
            is_repeated=(row.trigger or {}).get("type") == triggers.RECURRING,
            is_in_own_time=row.own_time is not None,
        )
        for row in rows
    ]


async def _planned(
    connection: AsyncConnection, workspace_id: UUID, begin: datetime, end: datetime
) -> tuple[Sequence[CalendarEntry], bool]:
    states = {
        DefinitionState.SCHEDULED.value: CampaignState.SCHEDULED,
        DefinitionState.PAUSED.value: CampaignState.PAUSED,
    }
    rows = await connection.execute(
        select(
            campaigns.c.id,
            campaigns.c.name,
            campaigns.c.state,
            campaigns.c.trigger,
            campaigns.c.scheduled_at,
        )
        .where(
            campaigns.c.workspace_id == workspace_id,
            campaigns.c.state.in_(list(states)),
            campaigns.c.scheduled_at < end,
        )
        .order_by(campaigns.c.scheduled_at)
        .limit(ENTRIES_MAX + 1)
    )
    entries: list[CalendarEntry] = []
    is_whole = True
    for number, row in enumerate(rows):
        is_whole = number < ENTRIES_MAX
        if row.trigger is None:
            continue
        trigger = triggers.load(row.trigger, row.scheduled_at)
        for at in upcoming(trigger):
            if at >= end:
                break
            if at >= begin:
                entries.append(
                    CalendarEntry(
                        campaign_id=row.id,
                        name=row.name,
                        state=states[row.state],
                        at=at,
                        is_repeated=isinstance(trigger, Recurring),
                        is_in_own_time=triggers.own_time(trigger) is not None,
                    )
                )
    return entries, is_whole
