"""Customers in their time zones, and when each of them gets what is sent."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from clarion.storage.schema import campaigns, chunks
from support.api import Service


async def live_in(service: Service, zones: Mapping[str, str], *, minutes: float = 0) -> None:
    """A customer with one device in each zone, as the device says so many minutes into the day."""
    app = service.world.app
    devices = []
    for user, zone in zones.items():
        told: dict[str, Any] = {"user": user, "token": f"ok-{user}", "context": {"timezone": zone}}
        devices.append(app.register(minutes, f"D-{user}", **told))
    await service.world.take(*devices)


async def watch(service: Service, hours: float) -> list[tuple[str, datetime]]:
    """Let the agents work for so long, from one instant at which something is due to the next: who
    got something, and when, in that order."""
    world = service.world
    until = service.clock.now() + timedelta(hours=hours)
    got: list[tuple[str, datetime]] = []
    while True:
        await world.scheduler.step()
        while await world.planner.step():
            pass
        before = len(world.provider.pushes)
        while await world.sender.step():
            pass
        got += [
            (push.token.removeprefix("ok-"), service.clock.now())
            for push in world.provider.pushes[before:]
        ]
        if service.clock.now() >= until:
            return got
        at = min(await _next_due(service) or until, until)
        service.clock.advance((at - service.clock.now()).total_seconds())
        await world.sender.sweep()


async def _next_due(service: Service) -> datetime | None:
    """The next instant at which there is something to do."""
    times = []
    async with service.database.read() as connection:
        for column, is_open in (
            (chunks.c.due_at, chunks.c.state == "ready"),
            (campaigns.c.scheduled_at, campaigns.c.state == "scheduled"),
        ):
            first = select(func.min(column)).where(column > service.clock.now(), is_open)
            times.append((await connection.execute(first)).scalar())
    return min((at for at in times if at is not None), default=None)
