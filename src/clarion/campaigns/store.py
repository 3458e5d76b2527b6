"""Rows of campaigns and launches."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences import rule
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.content.spec import ContentSpec, dump_content, parse_content
from clarion.storage.bulk import insert_new
from clarion.storage.schema import campaigns, launches


class LaunchState(StrEnum):
    PLANNING = "planning"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The moment a campaign becomes deliveries. `cursor` is the last device planned."""

    id: UUID
    workspace_id: UUID
    campaign_id: UUID
    state: LaunchState
    cursor: UUID | None
    planned: int
    started_at: datetime
    planned_at: datetime | None = None
    done_at: datetime | None = None


async def create_campaign(connection: AsyncConnection, campaign: Campaign) -> None:
    await insert_new(connection, campaigns, [_row(campaign)])


async def get_campaign(
    connection: AsyncConnection, workspace_id: UUID, campaign_id: UUID, *, lock: bool = False
) -> Campaign | None:
    """`lock`: nobody else changes it until this transaction ends."""
    statement = select(campaigns).where(
        campaigns.c.workspace_id == workspace_id, campaigns.c.id == campaign_id
    )
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    row = rows.one_or_none()
    return None if row is None else _campaign(row)


async def list_campaigns(
    connection: AsyncConnection, workspace_id: UUID, *, before: UUID | None, limit: int
) -> list[Campaign]:
    """A page of campaigns, newest first."""
    statement = select(campaigns).where(campaigns.c.workspace_id == workspace_id)
    if before is not None:
        statement = statement.where(campaigns.c.id < before)
    rows = await connection.execute(statement.order_by(campaigns.c.id.desc()).limit(limit))
    return [_campaign(row) for row in rows]


async def paused_campaigns(
    connection: AsyncConnection, workspace_id: UUID, reason: str
) -> list[UUID]:
    """The campaigns that were paused for exactly this reason."""
    rows = await connection.execute(
        select(campaigns.c.id).where(
            campaigns.c.workspace_id == workspace_id,
            campaigns.c.state == CampaignState.PAUSED.value,
            campaigns.c.paused_reason == reason,
        )
    )
    return list(rows.scalars())


async def due_campaigns(connection: AsyncConnection, now: datetime, limit: int) -> list[Campaign]:
    """Scheduled campaigns whose time has come."""
    rows = await connection.execute(
        select(campaigns)
        .where(campaigns.c.state == CampaignState.SCHEDULED.value, campaigns.c.scheduled_at <= now)
        .order_by(campaigns.c.scheduled_at)
        .limit(limit)
    )
    return [_campaign(row) for row in rows]


async def save_campaign(
    connection: AsyncConnection, campaign: Campaign, *, expected_state: CampaignState
) -> bool:
    """Write it if its row is still in `expected_state`; False: somebody was faster."""
    row = _row(campaign)
    rows = await connection.execute(
        update(campaigns)
        .where(campaigns.c.id == campaign.id, campaigns.c.state == expected_state.value)
        .values({name: row[name] for name in row if name not in ("id", "workspace_id")})
        .returning(campaigns.c.id)
    )
    return rows.one_or_none() is not None


async def create_launch(connection: AsyncConnection, launch: Launch) -> None:
    """Create it; one with that id stays as it is."""
    await insert_new(
        connection,
        launches,
        [{name: getattr(launch, name) for name in _LAUNCH_FIELDS} | {"state": launch.state.value}],
    )


async def get_launch(
    connection: AsyncConnection, launch_id: UUID, *, lock: bool = False
) -> Launch | None:
    """`lock`: nobody else changes it until this transaction ends."""
    statement = select(launches).where(launches.c.id == launch_id)
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    row = rows.one_or_none()
    return None if row is None else _launch(row)


async def launches_of(connection: AsyncConnection, campaign_id: UUID) -> list[Launch]:
    rows = await connection.execute(
        select(launches).where(launches.c.campaign_id == campaign_id).order_by(launches.c.id)
    )
    return [_launch(row) for row in rows]


async def launches_to_plan(
    connection: AsyncConnection, *, after: UUID | None, limit: int
) -> list[Launch]:
    """A page, by id, of the launches that a planner would work on now: those that are not planned
    to their end, but for those whose campaign is paused."""
    statement = (
        select(launches)
        .join(campaigns, campaigns.c.id == launches.c.campaign_id)
        .where(
            launches.c.state == LaunchState.PLANNING.value,
            campaigns.c.state != CampaignState.PAUSED.value,
        )
    )
    if after is not None:
        statement = statement.where(launches.c.id > after)
    rows = await connection.execute(statement.order_by(launches.c.id).limit(limit))
    return [_launch(row) for row in rows]


async def advance_launch(
    connection: AsyncConnection,
    launch: Launch,
    *,
    cursor: UUID,
    planned: int,
) -> bool:
    """Move the cursor on by `planned` deliveries; False: another planner already has."""
    unmoved = (
        launches.c.cursor.is_(None) if launch.cursor is None else launches.c.cursor == launch.cursor
    )
    rows = await connection.execute(
        update(launches)
        .where(
            launches.c.id == launch.id,
            unmoved,
            launches.c.state == LaunchState.PLANNING.value,
        )
        .values(cursor=cursor, planned=launches.c.planned + planned)
        .returning(launches.c.id)
    )
    return rows.one_or_none() is not None


async def set_launch_state(
    connection: AsyncConnection,
    launch_id: UUID,
    state: LaunchState,
    now: datetime,
    *,
    expected: LaunchState,
) -> bool:
    """Go from `expected` to `state`; False: it was not in `expected`."""
    values: dict[str, Any] = {"state": state.value}
    if state is LaunchState.SENDING:
        values["planned_at"] = now
    elif state in (LaunchState.DONE, LaunchState.CANCELLED):
        values["done_at"] = now
    rows = await connection.execute(
        update(launches)
        .where(launches.c.id == launch_id, launches.c.state == expected.value)
        .values(values)
        .returning(launches.c.id)
    )
    return rows.one_or_none() is not None


_LAUNCH_FIELDS = (
    "id",
    "workspace_id",
    "campaign_id",
    "state",
    "cursor",
    "planned",
    "started_at",
    "planned_at",
    "done_at",
)


def _launch(row: Any) -> Launch:
    values = {name: getattr(row, name) for name in _LAUNCH_FIELDS}
    return Launch(**{**values, "state": LaunchState(row.state)})


def _row(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "workspace_id": campaign.workspace_id,
        "name": campaign.name,
        "state": campaign.state.value,
        "content": dump_content(campaign.content),
        "audience": rule.dump(campaign.audience),
        "scheduled_at": campaign.scheduled_at,
        "spread_minutes": campaign.spread_minutes,
        "paused_from": campaign.paused_from and campaign.paused_from.value,
        "paused_reason": campaign.paused_reason,
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
    }


def _campaign(row: Any) -> Campaign:
    content = parse_content(row.content)
    audience = rule.parse(row.audience)
    assert isinstance(content, ContentSpec), "only checked content is saved"
    assert not isinstance(audience, list), "only checked audiences are saved"
    return Campaign(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        state=CampaignState(row.state),
        content=content,
        audience=audience,
        scheduled_at=row.scheduled_at,
        spread_minutes=row.spread_minutes,
        paused_from=CampaignState(row.paused_from) if row.paused_from else None,
        paused_reason=row.paused_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
