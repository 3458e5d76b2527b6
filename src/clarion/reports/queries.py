"""What is shown of what became of a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.campaigns.campaign import Campaign, CampaignState
from clarion.campaigns.launches.launch import Launch, LaunchState
from clarion.campaigns.queries import get_campaign, get_launch, list_launches
from clarion.clock import Moment
from clarion.customers.devices.store import Change
from clarion.customers.queries import EventView, find_customer, view_events
from clarion.deliveries.engagement.latency import Report as ReportKind
from clarion.events.store import StoredEvent
from clarion.faults import Rejected
from clarion.reports import funnel_store as funnel
from clarion.reports import timeline_store
from clarion.reports.activity_store import (
    ActivityCounts,
    Hour,
    Latency,
    campaign_activity,
    launch_activity,
)
from clarion.reports.funnel_store import Counts, LanguageCounts, PlatformCounts
from clarion.reports.timeline_store import Position, Push, position
from clarion.reports.waiting_store import Waiting, waiting


class Report(Counts, frozen=True, kw_only=True):
    """A campaign's account at one instant. `reason`: why it is paused, or has failed. `reasons`:
    by state, then by reason; of what is in flight, FCM's last answer (`doubted_…`: one about the
    app that was not believed). `languages`: the account of each text, by language tag, `default`,
    and `none` for what no text was chosen for; empty where the content has no languages.
    `attempts`: pushes that left for FCM, repeats included;
    `unanswered`: those whose answer was never seen, which may have been shown twice. `waiting`:
    why what is in flight is not sent now. `deliveries_removed_at`: since when single deliveries
    are gone, for their age; null: they are there."""

    campaign_id: UUID
    state: CampaignState
    reason: str | None
    reasons: dict[str, dict[str, int]]
    platforms: dict[str, PlatformCounts]
    languages: dict[str, LanguageCounts]
    attempts: int
    unanswered: int
    balances: bool
    waiting: list[Waiting]
    deliveries_removed_at: Moment | None


async def get_report(
    connection: AsyncConnection, actor: Actor, campaign_id: UUID, *, now: datetime
) -> Report | Rejected:
    """The report at `now`."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    launch = campaign.launch
    account = await funnel.report(connection, actor.workspace_id, campaign_id)
    return Report(
        campaign_id=campaign_id,
        state=campaign.state,
        reason=campaign.paused_reason,
        **asdict(account.total),
        reasons=account.reasons,
        platforms=account.platforms,
        languages=account.languages,
        attempts=account.attempts,
        unanswered=account.unanswered,
        balances=account.balances,
        waiting=await waiting(connection, campaign, now),
        deliveries_removed_at=None if launch is None else launch.deliveries_removed_at,
    )


async def list_progress(
    connection: AsyncConnection, actor: Actor, campaigns: Sequence[Campaign]
) -> dict[UUID, Counts]:
    """What became so far of the newest launch of each of the actor's campaigns, by the campaign's
    id, in one statement; those that never launched are left out."""
    launched = {
        campaign.launch.id: campaign.id
        for campaign in campaigns
        if campaign.launch is not None and campaign.workspace_id == actor.workspace_id
    }
    counts = await funnel.counts_of(connection, list(launched)) if launched else {}
    return {launched[launch_id]: of_launch for launch_id, of_launch in counts.items()}


class LaunchReport(Counts, frozen=True, kw_only=True):
    """A launch and its account at one instant. `occurrence` names it among those of its campaign.
    `reason`: why it is paused, or has failed; `due_at`: when it was to happen, `started_at`: when
    it did; `planned_at`: since when all its deliveries are planned;
    `deliveries_removed_at`: since when single ones are gone, for their age."""

    id: UUID
    campaign_id: UUID
    occurrence: str
    state: LaunchState
    reason: str | None
    due_at: Moment
    started_at: Moment
    planned_at: Moment | None
    done_at: Moment | None
    deliveries_removed_at: Moment | None


async def list_launch_reports(
    connection: AsyncConnection,
    actor: Actor,
    campaign_id: UUID,
    *,
    before: UUID | None = None,
    limit: int,
) -> list[LaunchReport] | Rejected:
    """At most `limit` launches of a campaign, the newest first; `before`: those older than this
    one."""
    launches = await list_launches(connection, actor, campaign_id, before=before, limit=limit)
    return launches if isinstance(launches, Rejected) else await _reports(connection, launches)


class LaunchAccount(LaunchReport, frozen=True, kw_only=True):
    """A launch and its whole account. `reasons`: by state, then by reason; `platforms`: the same of
    each; `languages`: of each text, where the content has several. `attempts`: pushes that left for
    FCM, repeats included; `unanswered`: those whose answer was never seen."""

    reasons: dict[str, dict[str, int]]
    platforms: dict[str, PlatformCounts]
    languages: dict[str, LanguageCounts]
    attempts: int
    unanswered: int
    balances: bool


async def show_launch_account(
    connection: AsyncConnection, actor: Actor, launch_id: UUID
) -> LaunchAccount | Rejected:
    """A launch and its account, by platform and with every reason."""
    launch = await get_launch(connection, actor, launch_id)
    if isinstance(launch, Rejected):
        return launch
    account = await funnel.launch_report(connection, launch_id)
    return LaunchAccount(
        **asdict(account.total),
        **{name: getattr(launch, name) for name in _OF_LAUNCH},
        reasons=account.reasons,
        platforms=account.platforms,
        languages=account.languages,
        attempts=account.attempts,
        unanswered=account.unanswered,
        balances=account.balances,
    )


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """When pushes were received and opened, and customers converted, by the hour in which the app
    says so, and how long after FCM took them. Hours without any are left out."""

    hours: list[Hour]
    received_after: Latency
    opened_after: Latency


async def get_campaign_activity(
    connection: AsyncConnection, actor: Actor, campaign_id: UUID
) -> Activity | Rejected:
    """Of all launches of a campaign together."""
    campaign = await get_campaign(connection, actor, campaign_id)
    if isinstance(campaign, Rejected):
        return campaign
    return _activity(await campaign_activity(connection, actor.workspace_id, campaign_id))


async def get_launch_activity(
    connection: AsyncConnection, actor: Actor, launch_id: UUID
) -> Activity | Rejected:
    """Of one launch."""
    launch = await get_launch(connection, actor, launch_id)
    if isinstance(launch, Rejected):
        return launch
    return _activity(await launch_activity(connection, launch_id))


def _activity(counts: ActivityCounts) -> Activity:
    return Activity(
        hours=counts.hours,
        received_after=counts.latencies[ReportKind.RECEIVED],
        opened_after=counts.latencies[ReportKind.OPENED],
    )


async def _reports(connection: AsyncConnection, launches: Sequence[Launch]) -> list[LaunchReport]:
    counts = await funnel.counts_of(connection, [launch.id for launch in launches])
    return [
        LaunchReport(
            **asdict(counts[launch.id]),
            **{name: getattr(launch, name) for name in _OF_LAUNCH},
        )
        for launch in launches
    ]


_OF_LAUNCH = tuple(set(LaunchReport.__struct_fields__) - set(Counts.__struct_fields__))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """Something in a customer's life, and where it stands in the list."""

    position: Position
    thing: EventView | Change | Push


async def customer_timeline(
    connection: AsyncConnection,
    actor: Actor,
    name: str,
    *,
    before: Position | None = None,
    limit: int,
) -> Sequence[TimelineEntry] | Rejected:
    """Events, what happened to devices, and pushes in one list by the time they happened, the
    newest first; `before`: those after this place in it."""
    customer = await find_customer(connection, actor, name)
    if isinstance(customer, Rejected):
        return customer
    entries = await timeline_store.timeline(
        connection, actor.workspace_id, customer.id, before=before, limit=limit
    )
    stored = [entry for entry in entries if isinstance(entry, StoredEvent)]
    views = {view.seq: view for view in await view_events(connection, actor, stored)}
    return [
        TimelineEntry(
            position=position(entry),
            thing=views[entry.seq] if isinstance(entry, StoredEvent) else entry,
        )
        for entry in entries
    ]
