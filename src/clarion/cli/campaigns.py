"""Campaigns: what to say to whom, when, and what became of it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from cyclopts import App as Commands
from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clarion.audiences import rule
from clarion.campaigns import campaign as steps
from clarion.campaigns.campaign import Campaign, CampaignState, Refused
from clarion.campaigns.content import dump_content
from clarion.campaigns.schedule import ScheduleFault, parse_at
from clarion.campaigns.store import create_campaign, get_campaign, list_campaigns
from clarion.cli.draft import Flags, read_draft
from clarion.cli.output import (
    AsJson,
    console,
    not_found,
    print_done,
    print_record,
    print_records,
    read_id,
    refused,
)
from clarion.cli.report import print_report
from clarion.cli.session import Session, open_session
from clarion.deliveries.steering import publish, take_step
from clarion.reports import funnel
from clarion.reports.funnel import Report
from clarion.reports.waiting import waiting

PAGE = 50
WATCH_SECONDS = 0.5

commands = Commands(
    name="campaigns", help="Campaigns: what to say to whom, when, and what became of it."
)
_NO_FLAGS = Flags()
_FINAL = (CampaignState.DONE, CampaignState.CANCELLED)


@commands.command
async def create(
    name: str | None = None,
    *,
    flags: Flags = _NO_FLAGS,
    at: str | None = None,
    json: AsJson = False,
) -> None:
    """Make a campaign: a draft, or with --at a scheduled one.

    Texts may hold Liquid over the customer's traits. Everything is checked now; what is wrong is
    told with its field and cure (exit code 5).

    For example:

    ```
    clarion campaigns create Spring --title "Hi {{ customer.name | default: 'there' }}" --everyone
    clarion campaigns create VIP --title Hello --trait plan=pro --at now --json
    clarion campaigns create --file spring.json --at 2027-03-01T09:00:00+01:00
    ```

    Parameters
    ----------
    name
        The campaign's name.
    at
        "now", or an ISO 8601 time with its offset.
    """
    draft = read_draft(name, flags)
    async with open_session() as session:
        now = session.clock.now()
        when = None if at is None else _read_at(at, now)
        campaign = Campaign(
            id=session.clock.new_id(),
            workspace_id=session.workspace_id,
            name=draft.name,
            state=CampaignState.DRAFT if when is None else CampaignState.SCHEDULED,
            content=draft.content,
            audience=draft.audience,
            scheduled_at=when,
            spread_minutes=draft.spread_minutes,
            created_at=now,
            updated_at=now,
        )
        async with session.database.write() as connection:
            await create_campaign(connection, campaign)
    print_record(_shown(campaign), as_json=json)


@commands.command(name="list")
async def list_(*, limit: int = PAGE, before: str | None = None, json: AsJson = False) -> None:
    """List campaigns, newest first.

    For example:

    ```
    clarion campaigns list
    ```

    Parameters
    ----------
    limit
        How many.
    before
        The id of the last one seen: older ones are listed.
    """
    cursor = None if before is None else read_id(before, "campaign")
    async with open_session() as session, session.database.read() as connection:
        campaigns = await list_campaigns(
            connection, session.workspace_id, before=cursor, limit=limit
        )
    print_records(
        [_shown(campaign) for campaign in campaigns],
        as_json=json,
        columns=("id", "name", "state", "scheduled_at", "paused_reason"),
        none="There are no campaigns here: clarion campaigns create NAME",
    )


@commands.command
async def show(campaign_id: str, *, json: AsJson = False) -> None:
    """Show a campaign: its state, content and audience.

    For example:

    ```
    clarion campaigns show 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    async with open_session() as session:
        print_record(_shown(await _find(session, campaign_id)), as_json=json)


@commands.command
async def schedule(campaign_id: str, *, at: str = "now", json: AsJson = False) -> None:
    """Let a draft launch, or give a scheduled campaign another time.

    For example:

    ```
    clarion campaigns schedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    clarion campaigns schedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at 2027-03-01T09:00:00Z
    ```

    Parameters
    ----------
    campaign_id
        Which.
    at
        "now", or an ISO 8601 time with its offset.
    """

    def step(campaign: Campaign, now: datetime) -> Campaign | Refused:
        return steps.schedule(campaign, _read_at(at, now), now)

    await _step(campaign_id, step, json)


@commands.command
async def cancel(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign, for good. What has left stays in its account.

    For example:

    ```
    clarion campaigns cancel 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    await _step(campaign_id, steps.cancel, json)


@commands.command
async def pause(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign until it is resumed.

    For example:

    ```
    clarion campaigns pause 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    await _step(campaign_id, steps.pause, json)


@commands.command
async def resume(campaign_id: str, *, json: AsJson = False) -> None:
    """Let a paused campaign go on from where it was.

    For example:

    ```
    clarion campaigns resume 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    await _step(campaign_id, steps.resume, json)


@commands.command(name="report")
async def show_report(
    campaign_id: str,
    *,
    watch: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
    """Show what became of a campaign's pushes, and why those in flight wait.

    For example:

    ```
    clarion campaigns report 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --watch
    clarion campaigns report 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --json
    ```

    Parameters
    ----------
    campaign_id
        Which.
    watch
        Show the progress until the campaign is done or cancelled, then the report.
    """
    async with open_session() as session:
        campaign = await _find(session, campaign_id)
        if watch:
            campaign = await _watch(session, campaign)
        account = await _account(session, campaign)
        async with session.database.read() as connection:
            held_up = await waiting(connection, campaign, session.clock.now())
    print_report(campaign, account, held_up, as_json=json)


async def _watch(session: Session, campaign: Campaign) -> Campaign:
    """Draw the progress until the campaign is over."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(campaign.state.value, total=None)
        while campaign.state not in _FINAL:
            account = await _account(session, campaign)
            progress.update(
                task,
                description=campaign.state.value,
                total=account.total.planned or None,
                completed=account.total.settled,
            )
            await asyncio.sleep(WATCH_SECONDS)
            campaign = await _find(session, str(campaign.id))
    return campaign


async def _account(session: Session, campaign: Campaign) -> Report:
    async with session.database.read() as connection:
        return await funnel.report(connection, session.workspace_id, campaign.id)


async def _find(session: Session, campaign_id: str) -> Campaign:
    wanted = read_id(campaign_id, "campaign")
    async with session.database.read() as connection:
        campaign = await get_campaign(connection, session.workspace_id, wanted)
    if campaign is None:
        raise not_found("campaign", campaign_id)
    return campaign


async def _step(
    campaign_id: str, step: Callable[[Campaign, datetime], Campaign | Refused], as_json: bool
) -> None:
    """Take a step of the state machine; what waited for it is due at once."""
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        now = session.clock.now()
        taken = await take_step(
            session.database,
            session.workspace_id,
            wanted,
            lambda campaign: step(campaign, now),
            now=now,
        )
        if taken is None:
            raise not_found("campaign", campaign_id)
        if isinstance(taken, Refused):
            raise refused(taken.message, word=taken.code)
        if taken.jobs:
            async with session.broker() as broker:
                await publish(broker, taken.jobs)
    after = taken.campaign
    if as_json:
        print_record(_shown(after), as_json=True)
    else:
        print_done(f"{after.name} is {after.state.value}.")


def _read_at(text: str, now: datetime) -> datetime:
    at = parse_at(text, now)
    if isinstance(at, ScheduleFault):
        raise refused("The time can not be:", [(at.field, at.message)], word="schedule")
    return at


def _shown(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state.value,
        "scheduled_at": campaign.scheduled_at,
        "spread_minutes": campaign.spread_minutes,
        "paused_reason": campaign.paused_reason,
        "audience": rule.dump(campaign.audience),
        "content": dump_content(campaign.content),
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
    }
