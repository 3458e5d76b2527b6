"""Rows of saved audiences and of the members of static lists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.rule import Rule
from clarion.audiences.rule_parser import parse
from clarion.audiences.saved.audience import Audience, codes_in, dump_rule, resolve
from clarion.faults import Fault
from clarion.storage.bulk import in_parts, insert_new
from clarion.storage.dialect import among
from clarion.storage.schema import (
    audience_members,
    audiences,
    campaigns,
    customers,
    workspace_limits,
)

USES_MAX = 20
"""So many that use an audience are named."""


@dataclass(frozen=True, slots=True)
class Use:
    """What uses an audience: another audience, or a campaign. `is_over`: one that has launched for
    the last time, or was cancelled."""

    kind: str
    name: str
    is_over: bool


class Unresolved(Exception):
    """A rule that was saved can not be evaluated any more: it names what is not there. What uses an
    audience keeps it from being deleted, so this is a defect, or a database changed by hand."""


async def create_audience(connection: AsyncConnection, audience: Audience) -> bool:
    """False: its code is taken."""
    if await get_audience(connection, audience.workspace_id, audience.code) is not None:
        return False
    await insert_new(connection, audiences, [_row(audience)])
    return True


async def save_audience(connection: AsyncConnection, audience: Audience) -> None:
    await connection.execute(
        update(audiences).where(audiences.c.id == audience.id).values(_row(audience))
    )


async def delete_audience(connection: AsyncConnection, audience: Audience) -> None:
    await connection.execute(
        delete(audience_members).where(audience_members.c.audience_id == audience.id)
    )
    await connection.execute(delete(audiences).where(audiences.c.id == audience.id))


async def get_audience(
    connection: AsyncConnection, workspace_id: UUID, code: str, *, lock: bool = False
) -> Audience | None:
    """`lock`: nobody else changes it until this transaction ends."""
    statement = select(audiences).where(
        audiences.c.workspace_id == workspace_id, audiences.c.code == code
    )
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    row = rows.one_or_none()
    return None if row is None else _audience(row)


async def list_audiences(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    archived: bool,
    before: UUID | None,
    limit: int,
) -> list[Audience]:
    """A page of audiences, newest first. `archived`: those alone, or those that are not."""
    statement = select(audiences).where(
        audiences.c.workspace_id == workspace_id, audiences.c.archived_at.is_(None) != archived
    )
    if before is not None:
        statement = statement.where(audiences.c.id < before)
    rows = await connection.execute(statement.order_by(audiences.c.id.desc()).limit(limit))
    return [_audience(row) for row in rows]


async def try_resolve(
    connection: AsyncConnection, workspace_id: UUID, rule: Rule, field: str = "audience"
) -> Rule | Fault:
    """The rule with what the audiences that it names are made of, or why that can not be."""
    saved: dict[str, Audience] = {}
    asked: set[str] = set()
    wanted = codes_in(rule)
    while wanted:
        asked |= wanted
        rows = await connection.execute(
            select(audiences).where(
                audiences.c.workspace_id == workspace_id,
                among(connection, audiences.c.code, sorted(wanted)),
            )
        )
        audiences_read = [_audience(row) for row in rows]
        saved |= {audience.code: audience for audience in audiences_read}
        wanted = {code for audience in audiences_read for code in codes_in(audience.rule)} - asked
    return resolve(rule, saved, field)


async def resolve_rule(connection: AsyncConnection, workspace_id: UUID, rule: Rule) -> Rule:
    """The same of a rule that was saved. Raises Unresolved."""
    resolved = await try_resolve(connection, workspace_id, rule)
    if isinstance(resolved, Fault):
        raise Unresolved(f"{resolved.field} {resolved.message}")
    return resolved


async def uses_of(connection: AsyncConnection, workspace_id: UUID, code: str) -> list[Use]:
    """What names an audience by its code."""
    uses = []
    of_audiences = select(audiences.c.name, audiences.c.rule).where(
        audiences.c.workspace_id == workspace_id,
        cast(audiences.c.rule, Text).like('%"audience"%'),
        audiences.c.archived_at.is_(None),
    )
    for name, wire in await connection.execute(of_audiences):
        if code in codes_in(_rule(wire)):
            uses.append(Use("audience", name, is_over=False))
    of_campaigns = select(campaigns.c.name, campaigns.c.audience, campaigns.c.state).where(
        campaigns.c.workspace_id == workspace_id,
        cast(campaigns.c.audience, Text).like('%"audience"%'),
    )
    for name, wire, state in await connection.execute(of_campaigns):
        if code in codes_in(_rule(wire)):
            uses.append(Use("campaign", name, is_over=state in ("ended", "cancelled")))
    of_limits = select(workspace_limits.c.exclusions).where(
        workspace_limits.c.workspace_id == workspace_id,
        workspace_limits.c.exclusions.is_not(None),
    )
    for wire in (await connection.execute(of_limits)).scalars():
        if code in codes_in(_rule(wire)):
            uses.append(Use("list of", "exclusions", is_over=False))
    return uses


async def campaigns_there(
    connection: AsyncConnection, workspace_id: UUID, campaign_ids: Iterable[UUID]
) -> set[UUID]:
    """Those that are campaigns of the workspace."""
    rows = await connection.execute(
        select(campaigns.c.id).where(
            campaigns.c.workspace_id == workspace_id,
            among(connection, campaigns.c.id, list(campaign_ids)),
        )
    )
    return set(rows.scalars())


async def add_members(
    connection: AsyncConnection, audience: Audience, user_ids: Sequence[str]
) -> None:
    """Those that are members already stay so."""
    await insert_new(
        connection,
        audience_members,
        [
            {
                "workspace_id": audience.workspace_id,
                "audience_id": audience.id,
                "user_id": user_id,
            }
            for user_id in sorted(set(user_ids))
        ],
    )


async def clear_members(connection: AsyncConnection, audience: Audience) -> None:
    await connection.execute(
        delete(audience_members).where(audience_members.c.audience_id == audience.id)
    )


async def count_members(connection: AsyncConnection, audience: Audience) -> int:
    rows = await connection.execute(
        select(func.count()).where(audience_members.c.audience_id == audience.id)
    )
    return int(rows.scalar_one())


async def count_members_of(
    connection: AsyncConnection, audience_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """How many ids each of these lists has; one that is empty is not in it."""
    rows = await connection.execute(
        select(audience_members.c.audience_id, func.count().label("members"))
        .where(among(connection, audience_members.c.audience_id, list(audience_ids)))
        .group_by(audience_members.c.audience_id)
    )
    return {row.audience_id: row.members for row in rows}


async def known_user_ids(
    connection: AsyncConnection, workspace_id: UUID, user_ids: Sequence[str]
) -> set[str]:
    """Those that are user ids of customers."""
    known: set[str] = set()
    for part in in_parts(user_ids):
        rows = await connection.execute(
            select(customers.c.user_id).where(
                customers.c.workspace_id == workspace_id,
                among(connection, customers.c.user_id, part),
            )
        )
        known |= set(rows.scalars())
    return known


def _rule(wire: Any) -> Rule | None:
    rule = None if wire is None else parse(wire)
    assert not isinstance(rule, list), "only checked rules are saved"
    return rule


def _row(audience: Audience) -> dict[str, Any]:
    return {
        "id": audience.id,
        "workspace_id": audience.workspace_id,
        "code": audience.code,
        "name": audience.name,
        "owner_id": audience.owner_id,
        "owner": audience.owner,
        "rule": dump_rule(audience.rule),
        "created_at": audience.created_at,
        "updated_at": audience.updated_at,
        "archived_at": audience.archived_at,
    }


def _audience(row: Any) -> Audience:
    return Audience(
        id=row.id,
        workspace_id=row.workspace_id,
        code=row.code,
        name=row.name,
        owner_id=row.owner_id,
        owner=row.owner,
        rule=_rule(row.rule),
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
    )
