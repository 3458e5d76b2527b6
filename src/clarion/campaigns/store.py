"""Rows of campaigns and launches."""

from collections.abc import Collection
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences import rule, rule_parser
from clarion.audiences.names import names_in
from clarion.audiences.rule import Rule
from clarion.audiences.saved.audience import codes_in
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns import trigger
from clarion.campaigns.campaign import Campaign, CampaignState, DefinitionState, seen_state
from clarion.campaigns.content.spec import ContentSpec, dump_content, parse_content
from clarion.campaigns.launch import Launch, LaunchState
from clarion.storage.bulk import insert_new
from clarion.storage.schema import campaign_names, campaigns, launches


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
        return None if row is None else _campaign(row, _launch_beside(row))
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


async def get_launched(connection: AsyncConnection, launch_id: UUID) -> Campaign | None:
    """The campaign of a launch, with that launch."""
    statement = (
        select(campaigns, *_LAUNCH_COLUMNS)
        .join(launches, launches.c.campaign_id == campaigns.c.id)
        .where(launches.c.id == launch_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _campaign(row, _launch_beside(row))


async def list_campaigns(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    before: UUID | None,
    limit: int,
    states: Collection[CampaignState] = (),
    words: str = "",
) -> list[Campaign]:
    """A page of campaigns, newest first; `states`, `words`: of those alone."""
    statement = _shown().where(campaigns.c.workspace_id == workspace_id)
    if states:
        statement = statement.where(or_(*map(_is_seen_as, states)))
    if words:
        name = func.lower(campaigns.c.name)
        statement = statement.where(name.contains(words.lower(), autoescape=True))
    if before is not None:
        statement = statement.where(campaigns.c.id < before)
    rows = await connection.execute(statement.order_by(campaigns.c.id.desc()).limit(limit))
    return [_campaign(row, _launch_beside(row)) for row in rows]


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
    return [_campaign(row, _launch_beside(row)) for row in rows]


async def save_campaign(connection: AsyncConnection, before: Campaign, after: Campaign) -> None:
    """Writes what differs: the definition, its launch, or both. Both are locked by the transaction;
    the planner's columns of a launch are not touched."""
    if after.launch is not None and before.launch != after.launch:
        if before.launch is None or before.launch.id != after.launch.id:
            await create_launch(connection, after.launch)
        else:
            await save_launch(connection, after.launch)
    row = _row(after)
    if row != _row(before):
        await connection.execute(update(campaigns).where(campaigns.c.id == after.id).values(row))
    if after.audience != before.audience:
        await index_names(connection, after.workspace_id, after.id, after.audience)


async def index_names(
    connection: AsyncConnection, workspace_id: UUID, campaign_id: UUID, audience: Rule
) -> None:
    """Adds the names in a rule of the campaign, or of a launch of it, to the index by which an
    erasure finds them. A name that stands in none of them any more is looked up in vain."""
    await insert_new(
        connection,
        campaign_names,
        [{"name": name} for name in sorted(names_in(audience))],
        {"workspace_id": workspace_id, "campaign_id": campaign_id},
    )


async def create_launch(connection: AsyncConnection, launch: Launch) -> None:
    """Inserts the launch, unless one with that id exists."""
    await insert_new(connection, launches, [asdict(launch) | _states(launch)])


async def get_launch(
    connection: AsyncConnection, launch_id: UUID, *, lock: bool = False
) -> Launch | None:
    """`lock`: nobody else changes it until this transaction ends."""
    statement = select(launches).where(launches.c.id == launch_id)
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    row = rows.one_or_none()
    return None if row is None else _launch(row._mapping)


async def list_launches(
    connection: AsyncConnection, campaign_id: UUID, *, before: UUID | None = None, limit: int
) -> list[Launch]:
    """At most `limit` launches of a campaign, the newest first; `before`: those older than this
    one."""
    statement = select(launches).where(launches.c.campaign_id == campaign_id)
    if before is not None:
        seen = select(launches.c.started_at, launches.c.id).where(launches.c.id == before)
        statement = statement.where(
            tuple_(launches.c.started_at, launches.c.id) < seen.scalar_subquery()
        )
    rows = await connection.execute(
        statement.order_by(launches.c.started_at.desc(), launches.c.id.desc()).limit(limit)
    )
    return [_launch(row._mapping) for row in rows]


async def launches_to_plan(
    connection: AsyncConnection, *, after: UUID | None, limit: int
) -> list[Launch]:
    """A page, by id, of the launches that a planner would work on now."""
    # A literal, not a parameter: only then do databases use the index of these.
    statement = select(launches).where(launches.c.state == literal_column("'planning'"))
    if after is not None:
        statement = statement.where(launches.c.id > after)
    rows = await connection.execute(statement.order_by(launches.c.id).limit(limit))
    return [_launch(row._mapping) for row in rows]


async def advance_launch(
    connection: AsyncConnection,
    launch: Launch,
    *,
    cursor: UUID,
    planned: int,
) -> bool:
    """Move the cursor on by `planned` deliveries; False: another planner already has. A launch that
    was paused or stopped since is moved on, too: whoever does so has read its page before."""
    unmoved = (
        launches.c.cursor.is_(None) if launch.cursor is None else launches.c.cursor == launch.cursor
    )
    rows = await connection.execute(
        update(launches)
        .where(
            launches.c.id == launch.id,
            unmoved,
            launches.c.planned_at.is_(None),
            launches.c.indexed_at.is_(None),
        )
        .values(cursor=cursor, planned=launches.c.planned + planned)
        .returning(launches.c.id)
    )
    return rows.one_or_none() is not None


async def save_launch(connection: AsyncConnection, launch: Launch) -> None:
    """Write its state, and what goes with that; never how far it is planned."""
    values = {name: getattr(launch, name) for name in ("reason", *_TIMES)} | _states(launch)
    await connection.execute(update(launches).where(launches.c.id == launch.id).values(values))


async def freeze_audience(connection: AsyncConnection, launch: Launch, audience: rule.Rule) -> None:
    """Keep with a launch what the audiences are made of that its campaign names, so that all of it
    goes by one rule whatever becomes of them. Raises Unresolved."""
    if not codes_in(audience):
        return
    resolved = await resolve_rule(connection, launch.workspace_id, audience)
    await connection.execute(
        update(launches).where(launches.c.id == launch.id).values(audience=rule.dump(resolved))
    )
    await index_names(connection, launch.workspace_id, launch.campaign_id, resolved)


async def frozen_audience(connection: AsyncConnection, launch_id: UUID) -> rule.Rule | None:
    """What `freeze_audience` kept; None: the campaign's own rule is all there is."""
    rows = await connection.execute(select(launches.c.audience).where(launches.c.id == launch_id))
    wire = rows.scalar_one_or_none()
    return None if wire is None else rule_parser.parse_resolved(wire)


_TIMES = ("planned_at", "done_at", "updated_at")
_LAUNCH_FIELDS = tuple(field.name for field in fields(Launch))
_LAUNCH_COLUMNS = [launches.c[name].label(f"beside_{name}") for name in _LAUNCH_FIELDS]


def _is(workspace_id: UUID, campaign_id: UUID) -> tuple[Any, Any]:
    return campaigns.c.workspace_id == workspace_id, campaigns.c.id == campaign_id


def _is_seen_as(state: CampaignState) -> ColumnElement[bool]:
    """Whether a campaign of `_shown` has this state (`Campaign.state`)."""
    has_launched = campaigns.c.state == DefinitionState.ENDED.value
    of_launch = [one.value for one in LaunchState if seen_state(one) is state]
    launched = and_(has_launched, launches.c.state.in_(of_launch))
    own = [one.value for one in DefinitionState if one.value == state.value]
    return or_(launched, campaigns.c.state.in_(own))


def _shown() -> Select[Any]:
    """Campaigns with the newest launch of each, read by its id."""
    return select(campaigns, *_LAUNCH_COLUMNS).outerjoin_from(
        campaigns, launches, launches.c.id == campaigns.c.launch_id
    )


def _states(launch: Launch) -> dict[str, Any]:
    return {
        "state": launch.state.value,
        "paused_from": launch.paused_from and launch.paused_from.value,
    }


def _launch_beside(row: Any) -> Launch | None:
    """The launch in a row of `_shown`."""
    values = {name: getattr(row, f"beside_{name}") for name in _LAUNCH_FIELDS}
    return None if values["state"] is None else _launch(values)


def _launch(row: Any) -> Launch:
    values = {name: row[name] for name in _LAUNCH_FIELDS}
    values["state"] = LaunchState(values["state"])
    if values["paused_from"] is not None:
        values["paused_from"] = LaunchState(values["paused_from"])
    return Launch(**values)


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
        "paused_reason": campaign.definition_reason,
        "launch_id": campaign.launch and campaign.launch.id,
        "created_at": campaign.created_at,
        "updated_at": campaign.changed_at,
    }


def _campaign(row: Any, newest: Launch | None) -> Campaign:
    content = parse_content(row.content)
    audience = rule_parser.parse(row.audience)
    assert isinstance(content, ContentSpec), "only checked content is saved"
    assert not isinstance(audience, list), "only checked audiences are saved"
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
        launch=newest,
        created_at=row.created_at,
        changed_at=row.updated_at,
    )
