"""The sender: takes chunks of deliveries to the provider, and writes down what became of each.

    job ─▶ claim chunk ─▶ look again at each delivery ─▶ provider ─▶ judge ─▶ settle ─▶ ack
            attempt + 1     skip, render                              one transaction

The rows are the truth, the job is a nudge. A crash before the settling leaves the chunk leased;
when the lease ends the sweep publishes it again, and what was sent in between is sent again with
the same tag, so that it replaces on the device. Whatever is not settled is in another chunk with
its own time, so one slow device holds up nobody.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from clarion.broker import Broker, BrokerUnavailable, JobKind, Lease, NewJob
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.content import Content, ContentFault
from clarion.campaigns.store import get_campaign, get_launch
from clarion.campaigns.template import Template
from clarion.clock import Clock
from clarion.customers.device import Platform, Removal, TokenKind
from clarion.customers.device_store import remove_registrations
from clarion.deliveries.app_store import AppPaused, open_app, pause_app
from clarion.deliveries.chunk_store import (
    Chunk,
    NewChunk,
    claim_chunk,
    finish_launch,
    open_deliveries,
    overdue_chunks,
    release_chunk,
    settle_chunk,
)
from clarion.deliveries.delivery import (
    ACCEPTED,
    DeliveryState,
    Held,
    Retry,
    RetryPolicy,
    Settled,
    Skip,
    judge,
    push_key,
    push_tag,
)
from clarion.deliveries.provider import (
    Accepted,
    Outcome,
    Provider,
    ProviderApp,
    Push,
    Unregistered,
)
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.vault import Vault, VaultLocked

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderOptions:
    concurrency: int = 4
    """Chunks in the air at once."""
    wait_seconds: float = 5.0
    lease_seconds: float = 180.0
    """Longer than the slowest provider takes for a chunk, its time-outs included."""
    sweep_seconds: float = 10.0
    sweep_grace_seconds: float = 15.0
    sweep_chunks: int = 500
    paused_seconds: float = 15.0
    retry_buckets_seconds: int = 5
    """Retries due within so many seconds of each other travel together."""
    backoff_seconds: float = 2.0
    policy: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(slots=True)
class _Books:
    """What is being found out about one chunk."""

    settled: dict[UUID, Settled] = field(default_factory=dict)
    sent: set[UUID] = field(default_factory=set)
    again: dict[datetime, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    held: list[UUID] = field(default_factory=list)
    held_until: datetime | None = None
    unanswered: set[UUID] = field(default_factory=set)
    removals: list[Removal] = field(default_factory=list)
    pause_reason: str | None = None


class Sender:
    """Any number may run: a chunk is claimed by one."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        clock: Clock,
        provider: Provider,
        vault: Vault,
        options: SenderOptions | None = None,
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock
        self._provider = provider
        self._vault = vault
        self._options = options or SenderOptions()
        self._templates: dict[UUID, tuple[datetime, Template]] = {}

    async def run(self) -> None:
        """Send until cancelled: `concurrency` chunks side by side, and a sweep."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._options.concurrency):
                group.create_task(self._send_for_ever())
            group.create_task(self._sweep_for_ever())

    async def step(self) -> int:
        """Take the next chunk that waits; returns how many of its deliveries were settled."""
        leases = await self._broker.fetch(
            JobKind.CHUNK,
            limit=1,
            wait_seconds=self._options.wait_seconds,
            lease_seconds=self._options.lease_seconds,
        )
        count = 0
        for lease in leases:
            count += await self._take(lease)
        return count

    async def sweep(self) -> int:
        """Publish again the chunks whose job was lost or whose sender died; returns how many."""
        now = self._clock.now()
        async with self._database.read() as connection:
            overdue = await overdue_chunks(
                connection,
                now,
                grace_seconds=self._options.sweep_grace_seconds,
                limit=self._options.sweep_chunks,
            )
        await self._broker.publish(
            *(
                NewJob(
                    kind=JobKind.CHUNK,
                    payload=chunk_id.bytes,
                    key=f"chunk:{chunk_id.hex}:{attempt}",
                )
                for chunk_id, attempt in overdue
            )
        )
        return len(overdue)

    async def _send_for_ever(self) -> None:
        while True:
            try:
                await self.step()
            except (StorageUnavailable, BrokerUnavailable) as error:
                log.warning("sender_waits", reason=str(error))
                await self._clock.sleep(self._options.backoff_seconds)
            except VaultLocked:
                log.error("vault_locked", cure="set CLARION_SECRET_KEY to the key used before")
                await self._clock.sleep(self._options.paused_seconds)

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                await self.sweep()
            except (StorageUnavailable, BrokerUnavailable) as error:
                log.warning("sweep_waits", reason=str(error))
            await self._clock.sleep(self._options.sweep_seconds)

    async def _take(self, lease: Lease) -> int:
        now = self._clock.now()
        async with self._database.write() as connection:
            chunk = await claim_chunk(
                connection,
                UUID(bytes=lease.payload),
                now=now,
                lease_until=now + timedelta(seconds=self._options.lease_seconds),
            )
        if chunk is None:
            await lease.ack()
            return 0
        count = await self._work(chunk)
        await lease.ack()
        return count

    async def _work(self, chunk: Chunk) -> int:
        async with self._database.read() as connection:
            launch = await get_launch(connection, chunk.launch_id)
            campaign = None
            if launch is not None:
                campaign = await get_campaign(connection, chunk.workspace_id, launch.campaign_id)
            app = await open_app(connection, self._vault, chunk.firebase_app_id)
        if campaign is None:
            return 0
        if campaign.state is CampaignState.PAUSED or (
            isinstance(app, AppPaused) and campaign.state is not CampaignState.CANCELLED
        ):
            return await self._put_back(chunk)
        template = self._template(campaign)
        async with self._database.read() as connection:
            rows = await open_deliveries(connection, chunk, with_traits=template is not None)
        books = _Books()
        if campaign.state is CampaignState.CANCELLED:
            for row in rows:
                books.settled[row.device_id] = Settled(state=DeliveryState.CANCELLED)
        elif not isinstance(app, ProviderApp):
            for row in rows:
                books.settled[row.device_id] = _NO_FIREBASE_APP
        else:
            await self._send(chunk, campaign, template, app, rows, books)
        await self._settle(chunk, app, books)
        return len(books.settled)

    async def _send(
        self,
        chunk: Chunk,
        campaign: Campaign,
        template: Template | None,
        app: ProviderApp,
        rows: Sequence[Any],
        books: _Books,
    ) -> None:
        pushes: list[Push] = []
        chosen: list[Any] = []
        # One value a platform, not one a push: the provider encodes each value once.
        contents = {one.value: campaign.content.for_platform(one) for one in Platform}
        for row in rows:
            ready = self._push(chunk, contents, template, row)
            if isinstance(ready, Push):
                pushes.append(ready)
                chosen.append(row)
            else:
                books.settled[row.device_id] = ready
        if not pushes:
            return
        outcomes = await self._provider.send(app, pushes)
        now = self._clock.now()
        for row, push, outcome in zip(chosen, pushes, outcomes, strict=True):
            self._enter(books, row, push, outcome, now)

    def _push(
        self,
        chunk: Chunk,
        contents: Mapping[str, Content],
        template: Template | None,
        row: Any,
    ) -> Push | Settled:
        """The push for one delivery, or why it is not to be sent after all."""
        if not row.is_still_theirs:
            return _DEVICE_MOVED
        if row.device_state != "active" or row.token is None:
            return _REGISTRATION_REMOVED
        if row.push_opted_out:
            return _OPTED_OUT
        if row.token_kind == _APNS:
            return _APNS_TOKEN
        platform = _PLATFORMS[row.platform]
        if template is None:
            content = contents[row.platform]
        else:
            rendered = template.render(platform, user_id=row.user_id, traits=row.traits or {})
            if isinstance(rendered, ContentFault):
                return _NOT_RENDERED
            content = rendered
        return Push(
            token=row.token,
            token_kind=_TOKEN_KINDS[row.token_kind],
            platform=platform,
            delivery_id=push_key(chunk.launch_id, row.device_id),
            tag=push_tag(chunk.launch_id, row.device_id),
            content=content,
        )

    def _enter(self, books: _Books, row: Any, push: Push, outcome: Outcome, now: datetime) -> None:
        device_id = row.device_id
        if isinstance(outcome, Accepted):
            books.settled[device_id] = ACCEPTED
            books.sent.add(device_id)
            return
        verdict = judge(
            outcome,
            attempts=row.attempts + 1,
            first_tried_at=row.first_tried_at or now,
            now=now,
            ttl_seconds=push.content.ttl_seconds,
            chance=self._clock.chance(),
            policy=self._options.policy,
        )
        match verdict:
            case Settled():
                books.settled[device_id] = verdict
                books.sent.add(device_id)
            case Retry(due_at=due_at, unanswered=unanswered):
                books.again[self._bucket(due_at)].append(device_id)
                if unanswered:
                    books.unanswered.add(device_id)
            case Held(due_at=due_at, reason=reason, detail=detail):
                books.held.append(device_id)
                books.held_until = due_at
                books.pause_reason = f"{reason}: {detail}" if detail else reason
        if isinstance(outcome, Unregistered):
            books.removals.append(
                Removal(device_row_id=device_id, token_hash=row.token_hash, reason=outcome.reason)
            )

    async def _settle(
        self, chunk: Chunk, app: ProviderApp | AppPaused | None, books: _Books
    ) -> None:
        now = self._clock.now()
        again = [
            NewChunk(
                id=self._clock.new_id(),
                due_at=due_at,
                device_ids=device_ids,
                unanswered=frozenset(books.unanswered & set(device_ids)),
                tried=True,
            )
            for due_at, device_ids in sorted(books.again.items())
        ]
        if books.held:
            assert books.held_until is not None
            again.append(
                NewChunk(
                    id=self._clock.new_id(),
                    due_at=books.held_until,
                    device_ids=books.held,
                    unanswered=frozenset(),
                    tried=False,
                )
            )
        async with self._database.write() as connection:
            ours = await settle_chunk(
                connection,
                chunk,
                settled=books.settled,
                sent=books.sent,
                again=again,
                now=now,
            )
            if not ours:
                log.warning("chunk_was_taken_over", chunk=str(chunk.id), attempt=chunk.attempt)
                return
            await remove_registrations(connection, books.removals, now)
            if books.pause_reason is not None and await pause_app(
                connection, chunk.firebase_app_id, books.pause_reason
            ):
                log.error(
                    "firebase_app_paused",
                    app=str(chunk.firebase_app_id),
                    project=app.project_id if isinstance(app, ProviderApp) else None,
                    reason=books.pause_reason,
                    cure="put its credentials right, then resume it; nothing is lost",
                )
            await finish_launch(connection, chunk.launch_id, now)
        await self._broker.publish(
            *(
                NewJob(kind=JobKind.CHUNK, payload=new.id.bytes, available_at=new.due_at)
                for new in again
            )
        )

    async def _put_back(self, chunk: Chunk) -> int:
        due_at = self._clock.now() + timedelta(seconds=self._options.paused_seconds)
        async with self._database.write() as connection:
            await release_chunk(connection, chunk, due_at=due_at)
        await self._broker.publish(
            NewJob(kind=JobKind.CHUNK, payload=chunk.id.bytes, available_at=due_at)
        )
        return 0

    def _template(self, campaign: Campaign) -> Template | None:
        """The campaign's parsed template; None where no text depends on the customer."""
        known = self._templates.get(campaign.id)
        if known is None or known[0] != campaign.updated_at:
            if len(self._templates) > 100:
                self._templates.clear()
            known = (campaign.updated_at, Template(campaign.content))
            self._templates[campaign.id] = known
        template = known[1]
        dynamic = any(template.needs_customer(platform) for platform in Platform)
        return template if dynamic else None

    def _bucket(self, due_at: datetime) -> datetime:
        size = self._options.retry_buckets_seconds
        seconds = -(-due_at.timestamp() // size) * size
        return datetime.fromtimestamp(seconds, tz=due_at.tzinfo)


def _skipped(reason: Skip) -> Settled:
    return Settled(state=DeliveryState.SKIPPED, reason=reason.value)


_DEVICE_MOVED = _skipped(Skip.DEVICE_MOVED)
_REGISTRATION_REMOVED = _skipped(Skip.REGISTRATION_REMOVED)
_OPTED_OUT = _skipped(Skip.OPTED_OUT)
_APNS_TOKEN = _skipped(Skip.APNS_TOKEN)
_NOT_RENDERED = _skipped(Skip.NOT_RENDERED)
_NO_FIREBASE_APP = _skipped(Skip.NO_FIREBASE_APP)
_APNS = TokenKind.APNS.value
_PLATFORMS = {one.value: one for one in Platform}
_TOKEN_KINDS = {one.value: one for one in TokenKind}
