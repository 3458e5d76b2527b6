"""Rows of campaigns and launches."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace_store import lock_workspace
from clarion.audiences import rule, rule_parser
from clarion.campaigns.campaign import Campaign, CampaignState, DefinitionState, seen_state
from clarion.campaigns.content.spec import ContentSpec, dump_content, load_content
from clarion.campaigns.conversion import dump_conversion, parse_conversion
from clarion.campaigns.conversion_store import await_conversion
from clarion.campaigns.launches.launch import Launch, LaunchState
from clarion.campaigns.launches.store import (
    LAUNCH_COLUMNS,
    create_launch,
    get_launch,
    index_names,
    launch_beside,
    save_launch,
)
from clarion.campaigns.limits.limits import NO_LIMITS, Limits
from clarion.campaigns.limits.store import COLUMNS as LIMITS
from clarion.campaigns.limits.store import limits_among
from clarion.campaigns.timing import trigger
from clarion.storage.bulk import insert_new
from clarion.storage.dialect import Id, unindexed
from clarion.storage.schema import campaign_names, campaigns, launches, workspace_limits


async def create_campaign(connection: AsyncConnection, campaign: Campaign) -> None:
    await insert_new(connection, campaigns, [_row(campaign)])
    await index_names(connection, campaign.workspace_id, campaign.id, campaign.audience)


async def get_campaign(
    connection: AsyncConnection, workspace_id: UUID, campaign_id: UUID, *, lock: bool = False
) -> Campaign | None:
    """With the newest of its launches. `lock`: nobody else changes either until this transaction
    ends; the campaign is locked first."""
    if not lock:
        rows = await connection.execute(_shown().where(*_is(workspace_id, campaign_id)))
        row = rows.one_or_none()
        return None if row is None else _campaign(row, launch_beside(row._asdict()))
    rows = await connection.execute(
        select(campaigns).where(*_is(workspace_id, campaign_id)).with_for_update()
    )
    row = rows.one_or_none()
    if row is None:
        return None
    newest = None
    if row.launch_id is not None:
        newest = await get_launch(connection, row.launch_id, lock=True)
    return _campaign(row, newest)


async def campaign_named(
    connection: AsyncConnection, workspace_id: UUID, name: str
) -> Campaign | None:
    """The campaign with that code, or else with that id."""
    is_named = campaigns.c.code == name
    with suppress(ValueError):
        is_named = or_(is_named, campaigns.c.id == UUID(name))
    rows = await connection.execute(
        _shown()
        .where(campaigns.c.workspace_id == workspace_id, is_named)
        .order_by(campaigns.c.code.is_(None))
        .limit(1)
    )
    row = rows.one_or_none()
    return None if row is None else _campaign(row, launch_beside(row._asdict()))


async def is_code_taken(
    connection: AsyncConnection, workspace_id: UUID, code: str, campaign_id: UUID
) -> bool:
    """Whether another campaign has the code. Who asks is to take it: until their transaction ends
    nobody else of the workspace is answered."""
    await lock_workspace(connection, workspace_id)
    rows = await connection.execute(
        select(campaigns.c.id).where(
            campaigns.c.workspace_id == workspace_id,
            campaigns.c.code == code,
            campaigns.c.id != campaign_id,
        )
    )
    return rows.one_or_none() is not None


async def get_launched(connection: AsyncConnection, launch_id: UUID) -> Campaign | None:
    """The campaign of a launch, with that launch, and the limits of its workspace."""
    row = (await connection.execute(_LAUNCHED, {"launch": launch_id})).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    return _campaign(row, launch_beside(values), limits_among(values))


_LAUNCHED = (
    select(campaigns, *LAUNCH_COLUMNS, *LIMITS)
    .join(launches, launches.c.campaign_id == campaigns.c.id)
    .outerjoin(workspace_limits, workspace_limits.c.workspace_id == campaigns.c.workspace_id)
    .where(launches.c.id == bindparam("launch", type_=Id))
)
"""Made once: once for each chunk would be felt."""


async def list_campaigns(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    before: UUID | None,
    limit: int,
    states: Collection[CampaignState] = (),
    words: str = "",
    archived: bool = False,
) -> list[Campaign]:
    """A page of campaigns, newest first: those that are archived, or the others; `states`, `words`:
    of those alone."""
    at = campaigns.c.archived_at
    wanted: list[ColumnElement[bool]] = [at.is_not(None) if archived else at.is_(None)]
    if words:
        name = func.lower(campaigns.c.name)
        wanted.append(name.contains(words.lower(), autoescape=True))
    statement = _shown().where(campaigns.c.workspace_id == workspace_id)
    if states:
        parts = [
            select(_page(part.where(*wanted), key, before, limit).subquery().c.id)
            for part, key in _seen_as(workspace_id, states)
        ]
        statement = statement.where(campaigns.c.id.in_(union_all(*parts)))
    else:
        statement = statement.where(*wanted)
    rows = await connection.execute(_page(statement, campaigns.c.id, before, limit))
    return [_campaign(row, launch_beside(row._asdict())) for row in rows]


async def paused_campaigns(
    connection: AsyncConnection, workspace_id: UUID, reason: str
) -> list[UUID]:
    """The campaigns with a launch that was paused for exactly this reason."""
    rows = await connection.execute(
        select(launches.c.campaign_id)
        .where(
            launches.c.workspace_id == workspace_id,
            launches.c.state == LaunchState.PAUSED.value,
            launches.c.reason == reason,
        )
        .distinct()
    )
    return list(rows.scalars())


async def due_campaigns(connection: AsyncConnection, now: datetime, limit: int) -> list[Campaign]:
    """Scheduled campaigns whose time has come."""
    rows = await connection.execute(
        _shown()
        .where(
            campaigns.c.state == DefinitionState.SCHEDULED.value, campaigns.c.scheduled_at <= now
        )
        .order_by(campaigns.c.scheduled_at)
        .limit(limit)
    )
    return [_campaign(row, launch_beside(row._asdict())) for row in rows]


async def about_to_launch(connection: AsyncConnection) -> list[tuple[UUID, UUID]]:
    """Workspace and id of every campaign that is scheduled, in all workspaces."""
    rows = await connection.execute(
        select(campaigns.c.workspace_id, campaigns.c.id)
        .where(campaigns.c.state == DefinitionState.SCHEDULED.value)
        .order_by(campaigns.c.id)
    )
    return [(row.workspace_id, row.id) for row in rows]


async def save_campaign(connection: AsyncConnection, before: Campaign, after: Campaign) -> None:
    """Writes what differs: the definition, its launch, or both. Both are locked by the transaction;
    the planner's columns of a launch are not touched."""
    if after.launch is not None and before.launch != after.launch:
        if before.launch is None or before.launch.id != after.launch.id:
            await create_launch(connection, after.launch)
            await await_conversion(connection, after.launch, after.conversion)
        else:
            await save_launch(connection, after.launch)
    row = _row(after)
    if row != _row(before):
        await connection.execute(update(campaigns).where(campaigns.c.id == after.id).values(row))
    if after.audience != before.audience:
        await index_names(connection, after.workspace_id, after.id, after.audience)


async def delete_campaign(connection: AsyncConnection, campaign_id: UUID) -> None:
    """Removes a campaign that has never launched."""
    for table, key in ((campaign_names, "campaign_id"), (campaigns, "id")):
        await connection.execute(delete(table).where(table.c[key] == campaign_id))


def _is(workspace_id: UUID, campaign_id: UUID) -> tuple[Any, Any]:
    return campaigns.c.workspace_id == workspace_id, campaigns.c.id == campaign_id


def _page(
    statement: Select[Any], key: ColumnElement[UUID], before: UUID | None, limit: int
) -> Select[Any]:
    """The newest of them by `key`; `before`: of those older than this one."""
    if before is not None:
        statement = statement.where(key < before)
    return statement.order_by(key.desc()).limit(limit)


def _seen_as(
    workspace_id: UUID, states: Collection[CampaignState]
) -> list[tuple[Select[Any], ColumnElement[UUID]]]:
    """Queries for the ids of the campaigns with one of these states (`Campaign.state`), one for
    each way to have it, with the column that is the id: each can read an index in its order, and so
    looks at no others."""
    seen = {state.value for state in states}
    key = campaigns.c.id
    own = select(key).where(campaigns.c.workspace_id == workspace_id)
    parts: list[tuple[Select[Any], ColumnElement[UUID]]] = [
        (own.where(campaigns.c.state == state.value), key)
        for state in DefinitionState
        if state.value in seen
    ]
    is_launched = DefinitionState.ENDED.value
    for state in (
        launch_state for launch_state in LaunchState if seen_state(launch_state) in states
    ):
        if state is LaunchState.DONE:  # most are: they are met wherever one looks
            done = own.join(launches, launches.c.id == campaigns.c.launch_id)
            ended = (campaigns.c.state == is_launched, launches.c.state == state.value)
            parts.append((done.where(*ended), key))
            continue
        rare = (
            select(launches.c.campaign_id.label("id"))
            .join(campaigns, launches.c.campaign_id == campaigns.c.id)
            .where(
                launches.c.workspace_id == workspace_id,
                launches.c.state == state.value,
                # What the index of them is limited to, in its own words.
                launches.c.state != literal_column("'done'"),
                launches.c.occurrence != literal_column("'push'"),
                campaigns.c.launch_id == launches.c.id,
                unindexed(campaigns.c.state) == is_launched,
            )
        )
        parts.append((rare, launches.c.campaign_id))
    return parts


def _shown() -> Select[Any]:
    """Campaigns with the newest launch of each, read by its id."""
    return select(campaigns, *LAUNCH_COLUMNS).outerjoin_from(
        campaigns, launches, launches.c.id == campaigns.c.launch_id
    )


def _row(campaign: Campaign) -> dict[str, Any]:
    at = campaign.trigger
    return {
        "id": campaign.id,
        "workspace_id": campaign.workspace_id,
        "name": campaign.name,
        "state": campaign.definition.value,
        "content": dump_content(campaign.content),
        "audience": rule.dump(campaign.audience),
        "trigger": None if at is None else trigger.dump(at),
        "scheduled_at": None if at is None else trigger.next_at(at),
        "spread_minutes": campaign.spread_minutes,
        "late_after_minutes": campaign.late_after_minutes,
        "archived_at": campaign.archived_at,
        "paused_reason": campaign.definition_reason,
        "launch_id": campaign.launch and campaign.launch.id,
        "conversion": dump_conversion(campaign.conversion),
        "category": campaign.category,
        "is_transactional": campaign.is_transactional,
        "created_at": campaign.created_at,
        "updated_at": campaign.changed_at,
        "code": campaign.code,
        "timing": campaign.timing,
    }


def _campaign(row: Any, newest: Launch | None, limits: Limits = NO_LIMITS) -> Campaign:
    content = load_content(row.content)
    audience = rule_parser.parse(row.audience)
    assert isinstance(content, ContentSpec), "only checked content is saved"
    assert not isinstance(audience, list), "only checked audiences are saved"
    conversion = parse_conversion(row.conversion)
    assert not isinstance(conversion, list), "only checked conversions are saved"
    return Campaign(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        definition=DefinitionState(row.state),
        definition_reason=row.paused_reason,
        content=content,
        audience=audience,
        trigger=None if row.trigger is None else trigger.load(row.trigger, row.scheduled_at),
        spread_minutes=row.spread_minutes,
        conversion=conversion,
        category=row.category,
        is_transactional=row.is_transactional,
        limits=limits,
        late_after_minutes=row.late_after_minutes,
        archived_at=row.archived_at,
        launch=newest,
        created_at=row.created_at,
        changed_at=row.updated_at,
        code=row.code,
        timing=row.timing,
    )
