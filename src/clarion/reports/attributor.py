"""The attributor: events that say a push was received or opened are entered in its delivery, and
those that a launch was to lead to.

The push carried its key in `data.clarion_push`; apps send it back in the event. Where exactly
differs between SDKs (flat in the properties, nested, in a list, as JSON within a text), so it is
looked for in all of the event's text.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.agent import Agent, AgentName
from clarion.campaigns.conversion_store import forget_awaited
from clarion.clock import Clock
from clarion.deliveries.delivery import parse_push_key
from clarion.deliveries.engagement.receipt_store import AppReport, mark_seen
from clarion.events.messages.reserved import OPENED_NAMES, plain_name
from clarion.events.store import Receipt, pending_receipts, remove_receipts
from clarion.reports.conversions import attribute_conversions
from clarion.storage.database import Database

FORGET_SECONDS = 3_600.0
_PUSH_KEY = re.compile(r'clarion_push\\*"\s*:\s*\\*"([0-9a-f]{32}\.[0-9a-f]{32})\\*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributorOptions:
    receipts_max: int = 1_000
    every_seconds: float = 1.0


class Attributor:
    """Enters receipts in deliveries. One is enough; several do no harm."""

    def __init__(
        self, database: Database, clock: Clock, options: AttributorOptions | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._options = options or AttributorOptions()
        self._lag_seconds = 0.0
        self._forgot_at = clock.monotonic()

    def agents(self) -> list[Agent]:
        """What the runner repeats."""
        return [
            Agent(
                name=AgentName.ATTRIBUTOR,
                step=self.step,
                idle_seconds=self._options.every_seconds,
                lag_seconds=lambda: self._lag_seconds,
            )
        ]

    async def step(self) -> int:
        """Enter the oldest receipts, and the oldest events that launches wait for; returns how many
        were looked at."""
        await self._forget_when_due()
        receipts = await self._enter_receipts()
        options = self._options
        return receipts + await attribute_conversions(
            self._database, self._clock, options.receipts_max
        )

    async def _forget_when_due(self) -> None:
        """Now and then, what nobody waits for any more."""
        now = self._clock.monotonic()
        if now - self._forgot_at < FORGET_SECONDS:
            return
        self._forgot_at = now

        async def work(connection: AsyncConnection) -> int:
            return await forget_awaited(connection, self._clock.now())

        await self._database.transact(work, self._clock)

    async def _enter_receipts(self) -> int:
        async with self._database.read() as connection:
            receipts = await pending_receipts(connection, self._options.receipts_max)
        if not receipts:
            self._lag_seconds = 0.0
            return 0
        oldest = min(receipt.received_at for receipt in receipts)
        self._lag_seconds = (self._clock.now() - oldest).total_seconds()
        seen: dict[UUID, list[AppReport]] = defaultdict(list)
        for receipt in receipts:
            report = _seen(receipt)
            if report is not None:
                seen[receipt.workspace_id].append(report)

        async def work(connection: AsyncConnection) -> None:
            for workspace_id, many in seen.items():
                await mark_seen(connection, workspace_id, many)
            await remove_receipts(connection, [receipt.seq for receipt in receipts])

        await self._database.transact(work, self._clock)
        return len(receipts)


def _seen(receipt: Receipt) -> AppReport | None:
    key_match = _PUSH_KEY.search(receipt.body)
    ids = parse_push_key(key_match[1]) if key_match is not None else None
    if ids is None:
        return None
    return AppReport(
        launch_id=ids[0],
        device_row_id=ids[1],
        at=receipt.at,
        opened=plain_name(receipt.name) in OPENED_NAMES,
    )
