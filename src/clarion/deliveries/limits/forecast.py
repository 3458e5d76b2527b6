"""Whom the workspace's limits would leave alone if a campaign launched as it is to: the same rules
as `bars.py`, read and not reserved.

At most LOOKED_AT_MAX devices are looked at, so that it costs the same for any audience; of a larger
one the counts are an estimate. Device ids are hashes, so the first of them are of all kinds.

It can not know what happens until the launch: other campaigns that count for a cap, customers who
come or go, what they leave. Nor when a push leaves that is spread, slowed down or tried again.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.accounts.workspace_store import zone_of
from clarion.audiences.query import devices_of, members_among
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.limits.caps import caps_on
from clarion.campaigns.limits.quiet_hours import QuietAction, quiet_until
from clarion.campaigns.limits.store import get_limits
from clarion.campaigns.preview import Forecast
from clarion.campaigns.timing import trigger as triggers
from clarion.campaigns.timing.own_time import turn
from clarion.customers.profile.category_store import customers_who_left
from clarion.customers.profile.zone_store import zones_of
from clarion.deliveries.delivery import Skip
from clarion.deliveries.limits.recent import reserve, without_old
from clarion.deliveries.limits.recent_store import read_recent
from clarion.deliveries.planning.planner import ReachedDevice, loud_platforms, skip_of

LOOKED_AT_MAX = 2_000
_NO_LAUNCH = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsForecast:
    """Devices that would be left alone by each limit, of those that could be sent a push; each
    device counts once. `is_estimate`: they follow from the `looked_at` first devices."""

    looked_at: int
    is_estimate: bool
    excluded: int
    category_left: int
    quiet_hours: int
    """Skipped, since it would be quiet for their customer."""
    held: int
    """Sent later, once quiet hours have ended."""
    frequency_cap: int

    @property
    def skipped(self) -> int:
        return self.excluded + self.category_left + self.quiet_hours + self.frequency_cap


async def forecast_limits(
    connection: AsyncConnection,
    _: Actor,
    expected: Forecast,
    *,
    now: datetime,
    looked_at_max: int = LOOKED_AT_MAX,
) -> LimitsForecast | None:
    """What the limits would do at the launch that `expected` is of, or now where it has no time.
    None: the workspace has none that concern the campaign. Fixed number of statements."""
    campaign = expected.campaign
    limits = await get_limits(connection, campaign.workspace_id)
    if limits.exclusions is None and campaign.category is None:
        nothing = campaign.is_transactional or (limits.quiet_hours is None and not limits.caps)
        if nothing:
            return None
    campaign = replace(campaign, limits=limits)
    rule = await resolve_rule(connection, campaign.workspace_id, campaign.audience)
    page = devices_of(campaign.workspace_id, rule, now=now, after=None, limit=looked_at_max)
    rows: Sequence[Any] = (await connection.execute(page)).all()
    theirs = _sendable(campaign, rows)
    counts: Counter[str] = Counter()
    at = max(expected.launches_at or now, now)
    left = await _without_barred(connection, campaign, theirs, counts, now)
    turns = await _turns(connection, campaign, list(left), at)
    left = await _without_quiet(connection, campaign, left, turns, counts)
    await _count_capped(connection, campaign, left, turns, counts)
    return _scaled(counts, len(rows), expected.reach.devices)


def _sendable(campaign: Campaign, rows: Sequence[Any]) -> dict[UUID, list[UUID]]:
    """The devices that nothing else keeps from being sent a push, by customer."""
    loud = loud_platforms(campaign.content)
    theirs: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        device = ReachedDevice(*row)
        if skip_of(device, loud) is None:
            theirs[device.customer_id].append(device.id)
    return theirs


async def _without_barred(
    connection: AsyncConnection,
    campaign: Campaign,
    theirs: Mapping[UUID, list[UUID]],
    counts: Counter[str],
    now: datetime,
) -> dict[UUID, list[UUID]]:
    """Without those who are excluded, or have left the category."""
    left = dict(theirs)
    exclusions = campaign.limits.exclusions
    if left and exclusions is not None:
        rule = await resolve_rule(connection, campaign.workspace_id, exclusions)
        for customer_id in await members_among(connection, rule, list(left), now=now):
            counts[Skip.EXCLUDED] += len(left.pop(customer_id))
    if left and campaign.category is not None:
        gone = await customers_who_left(
            connection, campaign.workspace_id, campaign.category, list(left)
        )
        for customer_id in gone:
            counts[Skip.CATEGORY_LEFT] += len(left.pop(customer_id))
    return left


async def _turns(
    connection: AsyncConnection, campaign: Campaign, customer_ids: Sequence[UUID], at: datetime
) -> dict[UUID, tuple[str, datetime]]:
    """The zone of each, and when it would be their turn."""
    if campaign.is_transactional or not customer_ids:
        return {}
    own = None if campaign.trigger is None else triggers.own_time(campaign.trigger)
    fallback = await zone_of(connection, campaign.workspace_id)
    zones = await zones_of(connection, campaign.workspace_id, customer_ids, fallback=fallback)
    if own is None:
        return {customer_id: (zone, at) for customer_id, zone in zones.items()}
    zones_by_customer = await zones_of(
        connection, campaign.workspace_id, customer_ids, fallback=own.fallback
    )
    return {
        customer_id: (zone, turn(own, zones_by_customer[customer_id], at))
        for customer_id, zone in zones.items()
    }


async def _without_quiet(
    connection: AsyncConnection,
    campaign: Campaign,
    theirs: Mapping[UUID, list[UUID]],
    turns: Mapping[UUID, tuple[str, datetime]],
    counts: Counter[str],
) -> dict[UUID, list[UUID]]:
    quiet = campaign.limits.quiet_hours
    if quiet is None or campaign.is_transactional:
        return dict(theirs)
    name = "held" if quiet.action is QuietAction.HOLD else Skip.QUIET_HOURS
    left = {}
    for customer_id, devices in theirs.items():
        if quiet_until(quiet, *turns[customer_id]) is None:
            left[customer_id] = devices
        else:
            counts[name] += len(devices)
    return left


async def _count_capped(
    connection: AsyncConnection,
    campaign: Campaign,
    theirs: Mapping[UUID, list[UUID]],
    turns: Mapping[UUID, tuple[str, datetime]],
    counts: Counter[str],
) -> None:
    caps = caps_on(
        campaign.limits.caps,
        category=campaign.category,
        is_transactional=campaign.is_transactional,
    )
    if not caps or not theirs:
        return
    for customer_id, recent in (await read_recent(connection, list(theirs))).items():
        _, at = turns[customer_id]
        reserved = reserve(
            without_old(recent, campaign.limits.caps, at),
            _NO_LAUNCH,
            theirs[customer_id],
            category=campaign.category,
            caps=caps,
            now=at,
        )
        if reserved is None:
            counts[Skip.FREQUENCY_CAP] += len(theirs[customer_id])


def _scaled(counts: Counter[str], looked_at: int, devices: int) -> LimitsForecast:
    """For the whole audience of so many devices."""
    is_estimate = devices > looked_at > 0
    scale = devices / looked_at if is_estimate else 1

    def scaled(name: str) -> int:
        return round(counts[name] * scale)

    return LimitsForecast(
        looked_at=looked_at,
        is_estimate=is_estimate,
        excluded=scaled(Skip.EXCLUDED),
        category_left=scaled(Skip.CATEGORY_LEFT),
        quiet_hours=scaled(Skip.QUIET_HOURS),
        held=scaled("held"),
        frequency_cap=scaled(Skip.FREQUENCY_CAP),
    )
