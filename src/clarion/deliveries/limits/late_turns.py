"""Turns of a launch at each customer's own time that are overdue, since nothing ran, it was slow,
or a Firebase app was paused: they do not go out at an hour that nobody wanted."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.campaigns.launches.launch import Launch
from clarion.campaigns.timing.own_time import LateTurns, is_late, next_turn
from clarion.customers.profile.zone_store import zones_of
from clarion.deliveries.delivery import DeliveryState, Settled, Skip
from clarion.deliveries.limits.bars import Bars, HeldUntil
from clarion.deliveries.planning.chunk import Chunk, OpenDelivery

LATE = Settled(state=DeliveryState.SKIPPED, reason=Skip.LATE.value)


def is_overdue(launch: Launch, chunk: Chunk, now: datetime) -> bool:
    """Whether the turn of a chunk has passed longer ago than the campaign allows."""
    return launch.own_time is not None and is_late(launch.own_time, chunk.turn, now)


async def find_late(
    connection: AsyncConnection,
    launch: Launch,
    chunk: Chunk,
    pending: Sequence[OpenDelivery],
    *,
    now: datetime,
) -> Bars:
    """What becomes of a chunk's deliveries if their turn has passed longer ago than the campaign
    allows: all wait for their next turn, or are skipped. Empty where it is in time. What the app
    has reported has arrived, and is settled as that."""
    own = launch.own_time
    if own is None or not is_overdue(launch, chunk, now):
        return {}
    waiting = [delivery for delivery in pending if not delivery.has_arrived]
    if own.late is LateTurns.SKIP:
        return {delivery.device_id: LATE for delivery in waiting}
    ids = {delivery.customer_id for delivery in waiting if delivery.customer_id is not None}
    zones = await zones_of(connection, launch.workspace_id, sorted(ids), fallback=own.fallback)
    turns = {zone: next_turn(own, zone, now) for zone in {own.fallback, *zones.values()}}

    def turn_of(customer_id: UUID | None) -> datetime:
        return turns[own.fallback if customer_id is None else zones[customer_id]]

    return {
        delivery.device_id: HeldUntil(turn_of(delivery.customer_id), Skip.LATE.value)
        for delivery in waiting
    }
