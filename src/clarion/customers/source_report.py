"""The report of a source, with the warning that only its devices can tell."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.customers.devices.freshness.token_age_store import last_registered_at, not_refreshed
from clarion.customers.diagnostics import REFRESH_DAYS, WarningCode
from clarion.ingest_log import source_report as ingest_log
from clarion.ingest_log.queries import Counted
from clarion.ingest_log.source_report import SourceCounts
from clarion.ingest_log.tally import Kind


async def source_report(
    connection: AsyncConnection, actor: Actor, source_id: UUID, now: datetime, back: int
) -> SourceCounts:
    """What a source sent in the last `back` hours, the one under way among them."""
    stale = await _not_refreshed(connection, actor.workspace_id, source_id, now)
    return await ingest_log.source_report(connection, source_id, now, back, stale)


async def _not_refreshed(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID, now: datetime
) -> list[Counted]:
    """Whether an app does not refresh: installations of it are in use that have not for too long,
    though new ones register every day; or none registers at all any more."""
    days = REFRESH_DAYS
    devices, at = await not_refreshed(connection, workspace_id, source_id, now=now, days=days)
    if at is None:
        devices, at = 1, await last_registered_at(connection, workspace_id, source_id)
        if at is None or at >= now - timedelta(days=days):
            return []
    return [
        Counted(
            kind=Kind.WARNING,
            label=WarningCode.TOKENS_NOT_REFRESHED,
            name="",
            count=devices,
            hour=at,
        )
    ]
