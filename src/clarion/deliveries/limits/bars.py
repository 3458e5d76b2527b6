"""Who of a chunk is left alone by the workspace's limits, looked up in the transaction that claims
the chunk; and what that means for frequency caps once it is settled.

A workspace without limits costs no statement, and one with limits a fixed number for a chunk.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace_store import get_workspace
from clarion.audiences.query import members_among
from clarion.audiences.rule import Rule
from clarion.audiences.saved.store import resolve_rule
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.limits.caps import Cap, caps_on
from clarion.campaigns.limits.quiet_hours import QuietAction, QuietHours, quiet_until
from clarion.customers.profile.category_store import customers_who_left
from clarion.customers.profile.zone_store import zones_of
from clarion.deliveries.delivery import DeliveryState, Settled, Skip
from clarion.deliveries.limits.recent import reserve, settle, without_old
from clarion.deliveries.limits.recent_store import lock_recent, save_recent
from clarion.deliveries.planning.chunk import OpenDelivery
from clarion.deliveries.sending.chunk_result import ChunkResult


@dataclass(frozen=True, slots=True)
class HeldUntil:
    """A delivery waits for a time, though nothing is wrong with it."""

    due_at: datetime
    reason: str


Bars = Mapping[UUID, Settled | HeldUntil]
"""Why deliveries are left out, or not sent yet, by device."""
Customers = dict[UUID, list[OpenDelivery]]
"""The deliveries that may still leave, by customer."""


async def find_bars(
    connection: AsyncConnection,
    campaign: Campaign,
    pending: Sequence[OpenDelivery],
    *,
    now: datetime,
) -> Bars:
    """Which of a chunk's deliveries its workspace's limits stand against. What is not among them is
    reserved, where frequency caps count it."""
    limits, bars = campaign.limits, dict[UUID, Settled | HeldUntil]()
    caps, quiet = _caps(campaign), _quiet_hours(campaign)
    if limits.exclusions is None and campaign.category is None and quiet is None and not caps:
        return bars
    left = _by_customer([delivery for delivery in pending if _would_leave(delivery)])
    if left and limits.exclusions is not None:
        excluded = await _excluded(connection, campaign, limits.exclusions, left, now)
        _bar(bars, left, excluded, Skip.EXCLUDED)
    if left and campaign.category is not None:
        gone = await customers_who_left(
            connection, campaign.workspace_id, campaign.category, list(left)
        )
        _bar(bars, left, gone, Skip.CATEGORY_LEFT)
    if left and quiet is not None:
        await _keep_quiet(connection, campaign, quiet, bars, left, now)
    if left and caps:
        capped = await _reserve(connection, campaign, caps, left, now)
        _bar(bars, left, capped, Skip.FREQUENCY_CAP)
    return bars


def without_barred(
    result: ChunkResult, bars: Bars, pending: Sequence[OpenDelivery]
) -> Sequence[OpenDelivery]:
    """The deliveries that may leave now; the others are settled, or wait."""
    if not bars:
        return pending
    for device_id, bar in bars.items():
        if isinstance(bar, Settled):
            result.settled[device_id] = bar
        else:
            result.later[bar.due_at].append(device_id)
            result.reasons[device_id] = bar.reason
    return [delivery for delivery in pending if delivery.device_id not in bars]


async def count_for_caps(
    connection: AsyncConnection,
    campaign: Campaign,
    pending: Sequence[OpenDelivery],
    settled: Mapping[UUID, Settled],
    *,
    now: datetime,
) -> None:
    """What was accepted counts for frequency caps from now on; what was settled otherwise counts no
    more. What is tried again stays reserved. In the transaction that settles the chunk."""
    if campaign.launch is None or not _caps(campaign):
        return
    ours = _by_customer([delivery for delivery in pending if delivery.device_id in settled])
    changed = {}
    for customer_id, recent in (
        await lock_recent(connection, list(ours), makes_rows=False)
    ).items():
        device_ids = [delivery.device_id for delivery in ours[customer_id]]
        accepted = {
            device_id
            for device_id in device_ids
            if settled[device_id].state is DeliveryState.ACCEPTED
        }
        after = settle(
            recent,
            campaign.launch.id,
            accepted=accepted,
            ended=set(device_ids) - accepted,
            now=now,
        )
        if after != recent:
            changed[customer_id] = after
    await save_recent(connection, changed)


def _caps(campaign: Campaign) -> tuple[Cap, ...]:
    return caps_on(
        campaign.limits.caps,
        category=campaign.category,
        is_transactional=campaign.is_transactional,
    )


def _quiet_hours(campaign: Campaign) -> QuietHours | None:
    return None if campaign.is_transactional else campaign.limits.quiet_hours


def _would_leave(delivery: OpenDelivery) -> bool:
    """As far as the device tells; who is skipped for another reason is not looked up."""
    return bool(
        delivery.is_still_theirs
        and delivery.device_state == "active"
        and delivery.token is not None
        and not delivery.push_opted_out
        and not delivery.has_arrived
    )


def _by_customer(deliveries: Sequence[OpenDelivery]) -> Customers:
    by_customer: Customers = defaultdict(list)
    for delivery in deliveries:
        if delivery.customer_id is not None:
            by_customer[delivery.customer_id].append(delivery)
    return by_customer


def _bar(
    bars: dict[UUID, Settled | HeldUntil],
    left: Customers,
    barred: set[UUID],
    reason: Skip,
) -> None:
    """Moves the customers in `barred` from `left` to `bars`."""
    verdict = Settled(state=DeliveryState.SKIPPED, reason=reason.value)
    for customer_id in barred:
        bars.update((delivery.device_id, verdict) for delivery in left.pop(customer_id))


async def _excluded(
    connection: AsyncConnection,
    campaign: Campaign,
    exclusions: Rule,
    left: Mapping[UUID, Sequence[OpenDelivery]],
    now: datetime,
) -> set[UUID]:
    """Those whom the workspace's exclusions name as they are now."""
    rule = await resolve_rule(connection, campaign.workspace_id, exclusions)
    return await members_among(connection, rule, list(left), now=now)


async def _keep_quiet(
    connection: AsyncConnection,
    campaign: Campaign,
    quiet: QuietHours,
    bars: dict[UUID, Settled | HeldUntil],
    left: Customers,
    now: datetime,
) -> None:
    """Holds or skips those for whom it is quiet, by the zone of each."""
    workspace = await get_workspace(connection, campaign.workspace_id)
    assert workspace is not None, "a campaign has a workspace"
    zones = await zones_of(
        connection, campaign.workspace_id, sorted(left), fallback=workspace.time_zone
    )
    ends = {zone: quiet_until(quiet, zone, now) for zone in set(zones.values())}
    for customer_id, zone in zones.items():
        until = ends[zone]
        if until is None:
            continue
        if quiet.action is QuietAction.SKIP:
            _bar(bars, left, {customer_id}, Skip.QUIET_HOURS)
            continue
        held = HeldUntil(until, Skip.QUIET_HOURS.value)
        bars.update((delivery.device_id, held) for delivery in left.pop(customer_id))


async def _reserve(
    connection: AsyncConnection,
    campaign: Campaign,
    caps: Sequence[Cap],
    left: Mapping[UUID, Sequence[OpenDelivery]],
    now: datetime,
) -> set[UUID]:
    """Reserves a push to each customer; returns those against whom a cap stands."""
    assert campaign.launch is not None, "a chunk has a launch"
    known = await lock_recent(connection, list(left), makes_rows=True)
    capped, changed = set(), {}
    for customer_id, deliveries in left.items():
        reserved = reserve(
            without_old(known[customer_id], campaign.limits.caps, now),
            campaign.launch.id,
            [delivery.device_id for delivery in deliveries],
            category=campaign.category,
            caps=caps,
            now=now,
        )
        if reserved is None:
            capped.add(customer_id)
        else:
            changed[customer_id] = reserved
    await save_recent(connection, changed)
    return capped
