"""Rows of launches."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences import rule, rule_parser
from clarion.audiences.names import names_in
from clarion.audiences.saved.audience import codes_in
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns.launches.launch import FINAL, Launch, LaunchState
from clarion.campaigns.timing import own_time
from clarion.storage.bulk import insert_new
from clarion.storage.dialect import Id
from clarion.storage.schema import campaign_names, launches


async def launches_under_way(connection: AsyncConnection) -> list[UUID]:
    """Every launch that is being planned or sent, in all workspaces."""
    under_way = (LaunchState.PLANNING.value, LaunchState.SENDING.value)
    rows = await connection.execute(
        select(launches.c.id).where(launches.c.state.in_(under_way)).order_by(launches.c.id)
    )
    return list(rows.scalars())


async def create_launch(
    connection: AsyncConnection, launch: Launch, *, indexed_at: datetime | None = None
) -> None:
    """Inserts the launch, unless one with that id exists. `indexed_at`: its deliveries are in the
    index by customer since."""
    values = {
        name: getattr(launch, name) for name in _LAUNCH_FIELDS
    }  # asdict would copy each value
    row = values | _states(launch) | _own_time(launch) | {"indexed_at": indexed_at}
    await insert_new(connection, launches, [row])


async def get_launch(
    connection: AsyncConnection, launch_id: UUID, *, lock: bool = False
) -> Launch | None:
    """`lock`: nobody else changes it until this transaction ends."""
    rows = await connection.execute(_LOCKED if lock else _ONE, {"launch": launch_id})
    row = rows.one_or_none()
    return None if row is None else _launch(row._mapping)


_ONE = select(launches).where(launches.c.id == bindparam("launch", type_=Id))
_LOCKED = _ONE.with_for_update()
"""Made once: once for each chunk would be felt."""


async def list_launches(
    connection: AsyncConnection, campaign_id: UUID, *, before: UUID | None = None, limit: int
) -> list[Launch]:
    """At most `limit` launches of a campaign, the newest first; `before`: those older than this
    one. Not the pushes to one customer, which are launches of their own."""
    # A literal, not a parameter: only then do databases use the index of these.
    is_occurrence = launches.c.occurrence != literal_column("'push'")
    statement = select(launches).where(launches.c.campaign_id == campaign_id, is_occurrence)
    if before is not None:
        seen = select(launches.c.started_at, launches.c.id).where(launches.c.id == before)
        statement = statement.where(
            tuple_(launches.c.started_at, launches.c.id) < seen.scalar_subquery()
        )
    rows = await connection.execute(
        statement.order_by(launches.c.started_at.desc(), launches.c.id.desc()).limit(limit)
    )
    return [_launch(row._mapping) for row in rows]


async def open_launches(connection: AsyncConnection, campaign_id: UUID) -> list[Launch]:
    """The launches of a campaign that are not at their end. Nobody else changes them until this
    transaction ends."""
    rows = await connection.execute(
        select(launches)
        .where(
            launches.c.campaign_id == campaign_id,
            launches.c.state.not_in([state.value for state in FINAL]),
        )
        .order_by(launches.c.id)
        .with_for_update()
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


async def index_names(
    connection: AsyncConnection, workspace_id: UUID, campaign_id: UUID, audience: rule.Rule
) -> None:
    """Adds the names in a rule of the campaign, or of a launch of it, to the index by which an
    erasure finds them. A name that stands in none of them any more is looked up in vain."""
    await insert_new(
        connection,
        campaign_names,
        [{"name": name} for name in sorted(names_in(audience))],
        {"workspace_id": workspace_id, "campaign_id": campaign_id},
    )


async def frozen_audience(connection: AsyncConnection, launch_id: UUID) -> rule.Rule | None:
    """What `freeze_audience` kept; None: the campaign's own rule is all there is."""
    rows = await connection.execute(select(launches.c.audience).where(launches.c.id == launch_id))
    wire = rows.scalar_one_or_none()
    return None if wire is None else rule_parser.parse_resolved(wire)


_TIMES = ("planned_at", "done_at", "updated_at")
_LAUNCH_FIELDS = tuple(field.name for field in fields(Launch))
LAUNCH_COLUMNS: list[Any] = [launches.c[name].label(f"beside_{name}") for name in _LAUNCH_FIELDS]


def _states(launch: Launch) -> dict[str, Any]:
    return {
        "state": launch.state.value,
        "paused_from": launch.paused_from and launch.paused_from.value,
    }


def _own_time(launch: Launch) -> dict[str, Any]:
    own = launch.own_time
    return {"own_time": None if own is None else own_time.dump(own)}


def launch_beside(values: Mapping[str, Any]) -> Launch | None:
    """The launch in what was read with `LAUNCH_COLUMNS`."""
    columns = {name: values[f"beside_{name}"] for name in _LAUNCH_FIELDS}
    return None if columns["state"] is None else _launch(columns)


def _launch(row: Any) -> Launch:
    values = {name: row[name] for name in _LAUNCH_FIELDS}
    values["state"] = LaunchState(values["state"])
    if values["paused_from"] is not None:
        values["paused_from"] = LaunchState(values["paused_from"])
    if values["own_time"] is not None:
        values["own_time"] = own_time.load(values["own_time"])
    return Launch(**values)
