"""Campaigns: what to say to whom, when, and what became of it."""

import asyncio
from datetime import datetime
from typing import Annotated

from cyclopts import App as Commands
from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clarion.campaigns.campaign import Campaign, CampaignState, Refused
from clarion.campaigns.content.spec import dump_content
from clarion.campaigns.draft import rewrite
from clarion.campaigns.preview import preview
from clarion.campaigns.store import create_campaign, list_campaigns
from clarion.cli.campaign_steps import (
    Yes,
    before_launch,
    cancel,
    find_campaign,
    pause,
    print_warnings,
    read_at,
    resume,
    schedule,
    shown,
    take,
)
from clarion.cli.draft import Flags, invalid_campaign, provider_check, read_change, read_draft
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    Limit,
    console,
    not_found,
    print_record,
    print_records,
    read_id,
)
from clarion.cli.report import print_preview, print_report
from clarion.cli.session import Session, open_session
from clarion.reports import funnel
from clarion.reports.funnel import Report
from clarion.reports.waiting import waiting

PAGE = 50
WATCH_SECONDS = 0.5

commands = Commands(
    name="campaigns", help="Campaigns: what to say to whom, when, and what became of it."
)
for _verb in (schedule, cancel, pause, resume):
    commands.command(_verb)
_NO_FLAGS = Flags()
_FINAL = (CampaignState.DONE, CampaignState.CANCELLED)


@commands.command
async def create(
    name: str | None = None,
    *,
    flags: Flags = _NO_FLAGS,
    at: str | None = None,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Make a campaign: a draft, or with --at a scheduled one.

    Texts may hold Liquid over the customer's traits. Everything is checked now; what is wrong is
    told with its field and cure (exit code 5). `--at now` tells how many devices it reaches, and
    asks.

    For example:

    ```
    clarion campaigns create Spring --title "Hi {{ customer.name | default: 'there' }}" --everyone
    clarion campaigns create VIP --title Hello --trait plan=pro --at now --yes --json
    clarion campaigns create --file spring.json --at 2027-03-01T09:00:00+01:00
    ```

    Parameters
    ----------
    name
        The campaign's name.
    at
        "now", or an ISO 8601 time with its offset.
    yes
        Do not ask before it launches now.
    """
    draft = read_draft(name, flags)
    async with open_session() as session:
        now = session.clock.now()
        when = None if at is None else read_at(at, now)
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
        warnings = None
        if when is not None:
            warnings = await before_launch(session, campaign, yes=yes)
        async with session.database.write() as connection:
            await create_campaign(connection, campaign)
    print_record(shown(campaign, warnings), as_json=json)
    if not json:
        print_warnings(warnings or ())


@commands.command(name="list")
async def list_(*, limit: Limit = PAGE, before: str | None = None, json: AsJson = False) -> None:
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
        [shown(campaign) for campaign in campaigns],
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
        print_record(shown(await find_campaign(session, campaign_id)), as_json=json)


@commands.command
async def edit(
    campaign_id: str,
    *,
    name: str | None = None,
    flags: Flags = _NO_FLAGS,
    json: AsJson = False,
) -> None:
    """Say something else in a draft, or to others. What is not given stays as it is.

    Flags change single fields of the content; a file's content and audience are taken whole.

    For example:

    ```
    clarion campaigns edit 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --title "Good morning"
    clarion campaigns edit 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --name VIP --trait plan=pro
    clarion campaigns edit 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --file spring.json
    ```

    Parameters
    ----------
    campaign_id
        Which.
    name
        The campaign's name.
    """

    def step(campaign: Campaign, now: datetime) -> Campaign | Refused:
        change = read_change(name, flags, dump_content(campaign.content))
        if not change:
            raise Ending(
                ExitCode.USAGE, "Say what is to be another, such as --title.", word="usage"
            )
        edited = rewrite(campaign, change, provider_check, now)
        if isinstance(edited, list):
            raise invalid_campaign(edited)
        return edited

    async with open_session() as session:
        edited = await take(session, campaign_id, step)
    print_record(shown(edited), as_json=json)


@commands.command(name="preview")
async def show_preview(
    campaign_id: str, *, user_id: str | None = None, json: AsJson = False
) -> None:
    """Show what one customer would see, and how many a campaign reaches now. Nothing is sent.

    It tells of traits that nobody has and of an audience that reaches nobody.

    For example:

    ```
    clarion campaigns preview 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    clarion campaigns preview 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --user-id ada --json
    ```

    Parameters
    ----------
    campaign_id
        Which.
    user_id
        For whom; without one, for somebody in the audience.
    """
    async with open_session() as session:
        campaign = await find_campaign(session, campaign_id)
        async with session.database.read() as connection:
            found = await preview(
                connection, campaign, provider_check, name=user_id, now=session.clock.now()
            )
    if found is None:
        raise not_found("customer", user_id)
    print_preview(campaign, found, as_json=json)


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
        campaign = await find_campaign(session, campaign_id)
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
            campaign = await find_campaign(session, str(campaign.id))
    return campaign


async def _account(session: Session, campaign: Campaign) -> Report:
    async with session.database.read() as connection:
        return await funnel.report(connection, session.workspace_id, campaign.id)
