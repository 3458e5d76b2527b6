"""Why a campaign's pushes are not settled yet: whom or what they wait for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.clock import Moment
from clarion.storage.schema import chunks, firebase_apps, launches, paces

SOON_SECONDS = 5.0


class WaitsFor(StrEnum):
    """What a delivery waits for."""

    CAMPAIGN = "campaign_paused"
    FIREBASE_APP = "firebase_app_paused"
    QUOTA = "throttled"
    """FCM has asked for silence."""
    TIME = "due_later"
    """They are spread, or tried again by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """So many deliveries wait. `waits_for`: the campaign or its Firebase app is paused, FCM has
    asked for silence, or they are due later. `until`: when they go on, or are tried again, by
    themselves; null: a person must act."""

    waits_for: WaitsFor
    reason: str
    project_id: str | None
    deliveries: int
    until: Moment | None


async def waiting(connection: AsyncConnection, campaign: Campaign, now: datetime) -> list[Waiting]:
    """Why the campaign's open deliveries wait, by Firebase app; empty if they are being sent."""
    rows = await connection.execute(
        select(
            firebase_apps.c.project_id,
            firebase_apps.c.paused_reason,
            firebase_apps.c.tries_again_at,
            paces.c.next_at,
            paces.c.cut_at,
            func.sum(chunks.c.size).label("deliveries"),
            func.min(chunks.c.due_at).label("due_at"),
        )
        .join_from(chunks, launches, launches.c.id == chunks.c.launch_id)
        .outerjoin(firebase_apps, firebase_apps.c.id == chunks.c.firebase_app_id)
        .outerjoin(paces, paces.c.project_id == firebase_apps.c.project_id)
        .where(
            launches.c.workspace_id == campaign.workspace_id,
            launches.c.campaign_id == campaign.id,
            chunks.c.state != "settled",
        )
        .group_by(
            firebase_apps.c.project_id,
            firebase_apps.c.paused_reason,
            firebase_apps.c.tries_again_at,
            paces.c.next_at,
            paces.c.cut_at,
        )
        .order_by(firebase_apps.c.project_id)
    )
    groups = rows.all()
    held = []
    if campaign.state is CampaignState.PAUSED:
        held.append(
            Waiting(
                waits_for=WaitsFor.CAMPAIGN,
                reason=campaign.paused_reason or "",
                project_id=None,
                deliveries=sum(row.deliveries for row in groups),
                until=None,
            )
        )
    return held + [cause for row in groups if (cause := _why(row, now)) is not None]


def _why(row: Any, now: datetime) -> Waiting | None:
    soon = now + timedelta(seconds=SOON_SECONDS)
    if row.paused_reason is not None:
        waits_for, reason, until = WaitsFor.FIREBASE_APP, row.paused_reason, row.tries_again_at
    elif row.cut_at is not None and row.next_at > soon:
        waits_for, reason = WaitsFor.QUOTA, "FCM has asked for fewer pushes through this project"
        until = row.next_at
    elif row.due_at > soon:
        waits_for, reason = WaitsFor.TIME, "the next of them are due then"
        until = row.due_at
    else:
        return None
    return Waiting(
        waits_for=waits_for,
        reason=reason,
        project_id=row.project_id,
        deliveries=int(row.deliveries),
        until=until,
    )
