"""Audiences in SQL: the devices a rule reaches, and how many they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.audiences.condition_query import matches, reads_events, without_events
from clarion.audiences.rule import Everyone, Rule
from clarion.customers.devices.device import TokenKind
from clarion.customers.devices.store import shows_nothing
from clarion.storage.dialect import among, share_sampled
from clarion.storage.json_dialect import json_equals
from clarion.storage.schema import customers, devices, sources

SAMPLED_PERCENT = 0.25
SAMPLE_MIN = 50
"""Customers; a workspace with a sample of fewer is fast either way."""
MANY = 0.05
"""Of the customers of a workspace: to ask for the events of each costs as much as to read all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many the audience reaches now, and which of the devices are skipped: each is counted
    once, by the first reason that holds, in the order of these."""

    customers: int
    devices: int
    opted_out: int
    """Their customer has opted out of push."""
    no_firebase_app: int
    """Of the others: their source is bound to no Firebase app, so there is no way to them."""
    apns_token: int
    """Of the others: the app registered Apple's token, and no push can be sent to it."""
    notifications_off: int
    """Of the others: their person does not let the app show any. A silent push is sent all the
    same."""
    platforms: dict[str, int]

    @property
    def skipped(self) -> int:
        """Devices."""
        return self.opted_out + self.no_firebase_app + self.apns_token + self.notifications_off


def devices_of(
    workspace_id: UUID, rule: Rule, *, now: datetime, after: UUID | None, limit: int
) -> Select[tuple[UUID, UUID, str, str, bool, bool | None, UUID | None]]:
    """A page of active devices by id, those greater than `after`: id, customer_id, platform,
    token_kind, push_opted_out, notifications_off, firebase_app_id."""
    statement = (
        select(
            devices.c.id,
            devices.c.customer_id,
            devices.c.platform,
            devices.c.token_kind,
            takes_no_push().label("push_opted_out"),
            shows_nothing().label("notifications_off"),
            sources.c.firebase_app_id,
        )
        .select_from(_with_customers(rule).outerjoin(sources, sources.c.id == devices.c.source_id))
        .where(_active(workspace_id), matches(rule, now))
        .order_by(devices.c.id)
        .limit(limit)
    )
    return statement if after is None else statement.where(devices.c.id > after)


async def reaches_anybody(
    connection: AsyncConnection,
    workspace_id: UUID,
    rule: Rule,
    *,
    now: datetime,
    is_silent: bool,
) -> bool:
    """Whether the rule reaches any device at `now` that would be sent a push: the same devices as
    `reach` counts, but those that it counts as left out. `is_silent`: the push shows nothing, so
    that notifications may be off. It ends at the first."""
    reached = (
        devices_of(workspace_id, rule, now=now, after=None, limit=1)
        .where(
            not_(takes_no_push()),
            sources.c.firebase_app_id.is_not(None),
            devices.c.token_kind != TokenKind.APNS,
        )
        .order_by(None)
    )
    if not is_silent:
        reached = reached.where(func.coalesce(shows_nothing(), false()).is_(False))
    return (await connection.execute(reached)).first() is not None


async def _are_many(
    connection: AsyncConnection, workspace_id: UUID, rule: Rule, *, now: datetime
) -> bool:
    """Whether so many match that their events are read faster at once than for each of them: by a
    sample, without what the rule says of events."""
    if not reads_events(rule):
        return False
    sampled = share_sampled(connection, customers, SAMPLED_PERCENT)
    if sampled is None:
        return False
    matching = case((func.coalesce(matches(without_events(rule), now), false()), 1), else_=0)
    looked_at, matched = (
        await connection.execute(
            select(func.count(), func.sum(matching)).where(
                customers.c.workspace_id == workspace_id,
                customers.c.id.in_(select(sampled.c.id)),
            )
        )
    ).one()
    return bool(looked_at >= SAMPLE_MIN and matched >= looked_at * MANY)


async def reach(
    connection: AsyncConnection, workspace_id: UUID, rule: Rule, *, now: datetime
) -> Reach:
    """How many customers with an active device, and active devices, the rule reaches at `now`. Who
    matches is found once, in one statement: that is what takes long."""
    reached = (
        select(
            devices.c.customer_id,
            devices.c.platform,
            *(reason.label(f"reason_{n}") for n, reason in enumerate(_reasons(takes_no_push()))),
        )
        .select_from(_with_customers(rule).outerjoin(sources, sources.c.id == devices.c.source_id))
        .where(_active(workspace_id), matches(rule, now))
        .cte("reached")
    )
    skipped = _skipped([column for column in reached.c if column.name.startswith("reason_")])
    none: list[ColumnElement[int]] = [literal_column("0")] * len(skipped)
    people = func.count(reached.c.customer_id.distinct())
    rows: Any = await connection.execute(
        select(literal_column("'reached'").label("kind"), people, *none)
        .select_from(reached)
        .union_all(select(reached.c.platform, func.count(), *skipped).group_by(reached.c.platform))
    )
    by_kind = {row[0]: row for row in rows}
    return _reach(by_kind.pop("reached")[1], list(by_kind.values()))


async def members_among(
    connection: AsyncConnection, rule: Rule, customer_ids: Collection[UUID], *, now: datetime
) -> set[UUID]:
    """Those of these customers whom the rule holds of at `now`."""
    rows = await connection.execute(
        select(customers.c.id).where(
            among(connection, customers.c.id, sorted(customer_ids)), matches(rule, now)
        )
    )
    return set(rows.scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceCount:
    """How many are in an audience, with devices or without; `reach`: those that have active ones,
    and what of them would be skipped."""

    customers: int
    reach: Reach


async def count_audience(
    connection: AsyncConnection, workspace_id: UUID, rule: Rule, *, now: datetime
) -> AudienceCount:
    """How many the rule reaches at `now`: everybody, and devices by platform. Who matches is found
    once, in one statement: that is what takes long."""
    if isinstance(rule, Everyone):
        everybody = select(func.count()).where(customers.c.workspace_id == workspace_id)
        counted = (await connection.execute(everybody)).scalar_one()
        reached = await reach(connection, workspace_id, rule, now=now)
        return AudienceCount(customers=counted, reach=reached)
    at_once = await _are_many(connection, workspace_id, rule, now=now)
    matched = (
        select(customers.c.id, takes_no_push().label("takes_no_push"))
        .where(customers.c.workspace_id == workspace_id, matches(rule, now, at_once=at_once))
        .cte("matched")
    )
    theirs = matched.join(devices, devices.c.customer_id == matched.c.id)
    skipped = _skipped(_reasons(matched.c.takes_no_push))
    none: list[ColumnElement[int]] = [literal_column("0")] * len(skipped)
    rows: Any = await connection.execute(
        select(literal_column("'all'").label("kind"), func.count(), *none)
        .select_from(matched)
        .union_all(
            select(literal_column("'reached'"), func.count(matched.c.id.distinct()), *none)
            .select_from(theirs)
            .where(_active(workspace_id)),
            select(devices.c.platform, func.count(), *skipped)
            .select_from(theirs.outerjoin(sources, sources.c.id == devices.c.source_id))
            .where(_active(workspace_id))
            .group_by(devices.c.platform),
        )
    )
    by_kind = {row[0]: row for row in rows}
    counted, reached_people = by_kind.pop("all")[1], by_kind.pop("reached")[1]
    return AudienceCount(customers=counted, reach=_reach(reached_people, list(by_kind.values())))


def _reasons(no_push: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """Why a device is skipped, in the order in which planning looks: its customer takes no push, it
    is without a Firebase app, with Apple's token, with notifications off."""
    return [
        no_push,
        sources.c.firebase_app_id.is_(None),
        devices.c.token_kind == TokenKind.APNS,
        shows_nothing(),
    ]


def _skipped(reasons: Sequence[ColumnElement[bool]]) -> list[ColumnElement[int]]:
    """How many devices each reason skips: each device is counted once, by the first that holds."""
    return [
        func.sum(case(*((before, 0) for before in reasons[:place]), (reason, 1), else_=0))
        for place, reason in enumerate(reasons)
    ]


def _reach(people: int, rows: Sequence[Any]) -> Reach:
    """Of rows of (platform, devices, and those of `_skipped`)."""
    return Reach(
        customers=people,
        devices=sum(row[1] for row in rows),
        opted_out=sum(row[2] for row in rows),
        no_firebase_app=sum(row[3] for row in rows),
        apns_token=sum(row[4] for row in rows),
        notifications_off=sum(row[5] for row in rows),
        platforms={row[0]: row[1] for row in sorted(rows)},
    )


async def traits_held(
    connection: AsyncConnection,
    workspace_id: UUID,
    rule: Rule | None,
    names: Sequence[str],
    *,
    now: datetime,
    looked_at: int | None = None,
) -> set[str]:
    """Those of the traits that somebody with an active device has whom the rule reaches; without a
    rule, that any customer has. `looked_at`: only among so many of them, whichever come first: a
    trait that nobody has is looked for in all."""
    if rule is None:
        people: FromClause = customers
        condition: ColumnElement[bool] = customers.c.workspace_id == workspace_id
    else:
        people = devices.join(customers, customers.c.id == devices.c.customer_id)
        condition = and_(_active(workspace_id), matches(rule, now))
    theirs = select(customers.c.traits).select_from(people).where(condition)
    if looked_at is not None:
        theirs = theirs.limit(looked_at)
    people = theirs.subquery("theirs")
    held = [
        exists(
            select(literal_column("1"))
            .select_from(people)
            .where(not_(json_equals(people.c.traits, [name], None)))
        ).label(f"held_{index}")
        for index, name in enumerate(names)
    ]
    row = (await connection.execute(select(*held))).one()
    return {name for name, is_held in zip(names, row, strict=True) if is_held}


def takes_no_push() -> ColumnElement[bool]:
    """Nothing is pushed to the customer: they do not want it, or they are suppressed."""
    return or_(customers.c.push_opted_out, customers.c.suppressed_at.is_not(None))


def _with_customers(rule: Rule) -> FromClause:
    """Devices and whose they are. A device that its SDK told of before anybody signed in is its
    own: no event is filed under it, so that there is no customer yet, but it is somebody's."""
    theirs = customers.c.id == devices.c.customer_id
    return devices.join(customers, theirs, isouter=isinstance(rule, Everyone))


def _active(workspace_id: UUID) -> ColumnElement[bool]:
    # A literal, not a parameter: only then do databases use the index of the active ones.
    return and_(
        devices.c.workspace_id == workspace_id, devices.c.state == literal_column("'active'")
    )
