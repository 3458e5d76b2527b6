"""The planner: turns a launch into deliveries, page by page.

A page is one transaction: the launch's cursor moves on, and the chunks of the devices it passed are
there, with the rows of those that are skipped. A crash loses no page and repeats none; two planners
on one launch take turns by the cursor. It passes devices in the order of their row ids, which no
device ever changes, so that each is planned once.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.agent import Agent, AgentName
from clarion.audiences.query import devices_of
from clarion.broker import Broker, BrokerUnavailable, JobKind, Lease, NewJob
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.commands import apply_launch_transition
from clarion.campaigns.content.spec import ContentSpec
from clarion.campaigns.launches.launch import Launch, LaunchState, fail, planned
from clarion.campaigns.launches.store import advance_launch, frozen_audience
from clarion.campaigns.store import get_launched
from clarion.campaigns.timing.own_time import LateTurns, is_late, next_turn, turn
from clarion.clock import Clock
from clarion.customers.devices.device import Platform, TokenKind
from clarion.customers.profile.zone_store import zones_of
from clarion.deliveries.delivery import DeliveryState, Skip
from clarion.deliveries.planning.chunk import READY, Member
from clarion.deliveries.planning.chunk_store import finish_launch, hasten_chunks
from clarion.deliveries.planning.send_window import divide
from clarion.deliveries.store import plan
from clarion.faults import Rejected
from clarion.storage.database import Database
from clarion.storage.outage import StorageUnavailable
from clarion.tracing import span

log = structlog.get_logger(__name__)

_APNS = TokenKind.APNS.value


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerOptions:
    page_devices: int = 2_000
    pages_of_own_time: int = 10
    """A launch in each customer's own time is planned in pages so many times as long: its chunks
    hold devices of one instant, and would be small."""
    chunk_deliveries: int = 500
    wait_seconds: float = 5.0
    lease_seconds: float = 60.0
    tries_max: int = 5
    """What fails so often, though database and broker are there, will not succeed."""


class ReachedDevice(Struct, frozen=True, gc=False):
    """A device that the campaign's audience reaches, as `audiences.query.devices_of` reads it."""

    id: UUID
    customer_id: UUID
    platform: str
    token_kind: str
    push_opted_out: bool | None
    notifications_off: bool | None
    firebase_app_id: UUID | None


class Planner:
    """Turns launches into chunks. Any number may run side by side."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        options: PlannerOptions | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._options = options or PlannerOptions()
        self._lag_seconds = 0.0

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [
            Agent(name=AgentName.PLANNER, step=self.step, lag_seconds=lambda: self._lag_seconds)
        ]

    async def step(self) -> int:
        """Plans the next launch that waits; returns how many deliveries were planned."""
        leases = await self._broker.fetch(
            JobKind.LAUNCH,
            limit=1,
            wait_seconds=self._options.wait_seconds,
            lease_seconds=self._options.lease_seconds,
        )
        self._lag_seconds = 0.0
        count = 0
        for lease in leases:
            launch_id = UUID(bytes=lease.payload)
            try:
                count += await self._plan(launch_id, lease)
            except (StorageUnavailable, BrokerUnavailable, MemoryError):
                raise
            except Exception as error:
                if lease.delivery_count < self._options.tries_max:
                    raise
                await self._fail(launch_id, error)
                await lease.ack()
        return count

    async def _plan(self, launch_id: UUID, lease: Lease) -> int:
        count = 0
        while True:
            async with self._database.read() as connection:
                campaign = await get_launched(connection, launch_id)
            launch = None if campaign is None else campaign.launch
            if campaign is None or launch is None or launch.state is not LaunchState.PLANNING:
                await lease.ack()  # whoever resumes a paused one publishes it again
                return count
            waited = (self._clock.now() - launch.started_at).total_seconds()
            self._lag_seconds = max(self._lag_seconds, waited)
            limit = self._options.page_devices
            if launch.own_time is not None:
                limit *= self._options.pages_of_own_time
            with span("launch.plan", launch.traceparent, root=launch.id):
                page, zones = await self._page(launch, campaign, limit)
                written = await self._write(launch, campaign, page, zones) if page else 0
                log.debug("page_planned", launch=str(launch.id), deliveries=written)
            if page:
                await lease.extend(self._options.lease_seconds)
                if not written:
                    continue  # what comes after another planner's page is not known from ours
                count += written
            if len(page) < limit:
                await self._all_planned(launch.id)
                await lease.ack()
                return count

    async def _page(
        self, launch: Launch, campaign: Campaign, limit: int
    ) -> tuple[list[ReachedDevice], Mapping[UUID, str]]:
        """Evaluated as of when the launch began, by the rule that its audience had then. With the
        zones of their customers, where it is sent at each customer's own time."""
        async with self._database.read() as connection:
            frozen = await frozen_audience(connection, launch.id)
            statement = devices_of(
                launch.workspace_id,
                frozen or campaign.audience,
                now=launch.started_at,
                after=launch.cursor,
                limit=limit,
            )
            rows: Sequence[Any] = (await connection.execute(statement)).all()
            page = [ReachedDevice(*row) for row in rows]
            if launch.own_time is None or not page:
                return page, {}
            customer_ids = list({device.customer_id for device in page})
            fallback = launch.own_time.fallback
            return page, await zones_of(
                connection, launch.workspace_id, customer_ids, fallback=fallback
            )

    async def _write(
        self,
        launch: Launch,
        campaign: Campaign,
        page: Sequence[ReachedDevice],
        zones: Mapping[UUID, str],
    ) -> int:
        """Writes one page in one transaction; returns 0 if another planner has written it."""
        now = self._clock.now()
        loud = loud_platforms(campaign.content)
        starts = _starts(launch, zones, now)
        began = min(launch.started_at, now)  # the clock may have been set back since
        together: dict[tuple[UUID | None, datetime], list[ReachedDevice]] = defaultdict(list)
        skipped: list[dict[str, Any]] = []
        for device in page:
            skip = skip_of(device, loud)
            starts_at = starts.get(device.customer_id, began)
            if starts_at is None:
                skip = skip or Skip.LATE
            if skip is None:
                assert starts_at is not None
                together[device.firebase_app_id, starts_at].append(device)
            else:
                skipped.append(skipped_row(launch.id, device, skip, now))
        chunks: list[dict[str, Any]] = []
        size = self._options.chunk_deliveries
        for (app_id, starts_at), members in together.items():
            for due_at, part in divide(
                members,
                size,
                started_at=starts_at,
                minutes=campaign.spread_minutes,
                now=now,
            ):
                chunk = {
                    "id": self._clock.new_id(),
                    "launch_id": launch.id,
                    "workspace_id": launch.workspace_id,
                    "firebase_app_id": app_id,
                    "state": READY,
                    "attempt": 0,
                    "due_at": due_at,
                    "size": len(part),
                    "members": [
                        Member(device.id, device.customer_id, device.platform) for device in part
                    ],
                }
                chunks.append(chunk)

        async def work(connection: AsyncConnection) -> bool:
            moved = await advance_launch(connection, launch, cursor=page[-1].id, planned=len(page))
            if moved:
                await plan(connection, launch.id, chunks, skipped)
            return moved

        if not await self._database.transact(work, self._clock):
            return 0
        await self._broker.publish(
            *(
                NewJob(
                    kind=JobKind.CHUNK,
                    payload=new["id"].bytes,
                    available_at=new["due_at"] if new["due_at"] > now else None,
                )
                for new in chunks
            )
        )
        return len(page)

    async def _fail(self, launch_id: UUID, error: Exception) -> None:
        """Marks the launch as failed, with the reason; its planned deliveries are settled as
        cancelled."""
        now = self._clock.now()
        reason = (
            f"planning failed {self._options.tries_max} times ({type(error).__name__}): the log of "
            "the planner says where; then make the campaign anew"
        )

        async def work(connection: AsyncConnection) -> list[UUID]:
            failed = await apply_launch_transition(
                connection,
                self._clock,
                launch_id,
                partial(fail, now=now, reason=reason),
                by=AgentName.PLANNER,
                verb="campaign.fail",
            )
            if isinstance(failed, Rejected):
                return []
            return await hasten_chunks(connection, launch_id, now, held_only=False)

        due = await self._database.transact(work, self._clock)
        log.error("launch_failed", launch=str(launch_id), reason=reason, exc_info=error)
        jobs = [NewJob(kind=JobKind.CHUNK, payload=chunk_id.bytes) for chunk_id in due]
        await self._broker.publish(*jobs)

    async def _all_planned(self, launch_id: UUID) -> None:
        """Moves the launch on to sending, or to its end if no chunk is open."""
        step = partial(planned, now=self._clock.now())

        async def work(connection: AsyncConnection) -> None:
            await apply_launch_transition(
                connection, self._clock, launch_id, step, by=AgentName.PLANNER
            )
            await finish_launch(connection, self._clock, launch_id, by=AgentName.PLANNER)

        await self._database.transact(work, self._clock)


def _starts(
    launch: Launch, zones: Mapping[UUID, str], now: datetime
) -> dict[UUID, datetime | None]:
    """When it is each customer's turn, of a launch at each customer's own time; None: it has passed
    too long ago, and they do not get it."""
    if launch.own_time is None:
        return {}
    own = launch.own_time

    def start(zone: str) -> datetime | None:
        at = turn(own, zone, launch.due_at)
        if not is_late(own, at, now):
            return at
        return None if own.late is LateTurns.SKIP else next_turn(own, zone, now)

    starts = {zone: start(zone) for zone in set(zones.values())}
    return {customer_id: starts[zone] for customer_id, zone in zones.items()}


def loud_platforms(content: ContentSpec) -> set[str]:
    """The platforms on which the campaign shows a notification."""
    return {platform.value for platform in Platform if content.shows_on(platform)}


def skip_of(device: ReachedDevice, loud: Container[str]) -> Skip | None:
    """Why the device is skipped, as far as that is known when planning; sending checks the rest."""
    if device.push_opted_out:
        return Skip.OPTED_OUT
    if device.firebase_app_id is None:
        return Skip.NO_FIREBASE_APP
    if device.token_kind == _APNS:
        return Skip.APNS_TOKEN
    if device.notifications_off and device.platform in loud:
        return Skip.NOTIFICATIONS_OFF
    return None


def skipped_row(
    launch_id: UUID, device: ReachedDevice, skip: Skip, now: datetime
) -> dict[str, Any]:
    """The row of a delivery that is skipped."""
    return {
        "launch_id": launch_id,
        "device_id": device.id,
        "customer_id": device.customer_id,
        "platform": device.platform,
        "state": DeliveryState.SKIPPED.value,
        "reason": skip.value,
        "attempts": 0,
        "unanswered": 0,
        "settled_at": now,
    }
