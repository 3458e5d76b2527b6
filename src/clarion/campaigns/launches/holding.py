"""Holds whatever would send: for a copy of the database that may not know what was sent since.

Each campaign and each launch is paused by itself and says why, so that a person decides one after
the other, with the means that are there: resume, another time, cancel.
"""

from dataclasses import dataclass
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import system
from clarion.accounts.audit import Thing
from clarion.accounts.command import audit_by_itself
from clarion.campaigns.campaign import RESTORED_REASON, pause
from clarion.campaigns.commands import apply_launch_transition, apply_transition, changes_of
from clarion.campaigns.launches import launch as launches
from clarion.campaigns.launches.store import launches_under_way
from clarion.campaigns.store import about_to_launch
from clarion.clock import Clock
from clarion.faults import Rejected

BY = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How many wait for a person now."""

    campaigns: int
    """They were scheduled."""
    launches: int
    """They were being planned or sent."""


async def hold_everything(connection: AsyncConnection, clock: Clock) -> Held:
    """Pause every scheduled campaign and every launch under way, in all workspaces. What waits
    already is left as it is."""
    now = clock.now()
    step = partial(pause, now=now, reason=RESTORED_REASON)
    campaigns = launched = 0
    for workspace_id, campaign_id in await about_to_launch(connection):
        transition = await apply_transition(connection, workspace_id, campaign_id, step)
        if isinstance(transition, Rejected):
            continue
        campaigns += 1
        thing, actor = Thing("campaign", campaign_id), system(workspace_id, BY)
        changes = changes_of(transition)
        await audit_by_itself(connection, clock, actor, "campaign.pause", thing, changes)
    for launch_id in await launches_under_way(connection):
        held = await apply_launch_transition(
            connection,
            clock,
            launch_id,
            partial(launches.pause, now=now, reason=RESTORED_REASON),
            by=BY,
            verb="campaign.pause",
        )
        launched += not isinstance(held, Rejected)
    return Held(campaigns=campaigns, launches=launched)
