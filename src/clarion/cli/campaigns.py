"""Campaigns: what to say to whom, when, and what became of it."""

import asyncio
from typing import Annotated
from uuid import UUID

from cyclopts import App as Commands
from cyclopts import Parameter
from msgspec import UNSET
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clarion.campaigns.campaign import CampaignState
from clarion.campaigns.commands import create_campaign, edit_campaign
from clarion.campaigns.content.spec import dump_content
from clarion.campaigns.queries import (
    forecast_new,
    get_campaign,
    list_campaigns,
    preview_campaign,
)
from clarion.cli.campaign_steps import (
    Yes,
    before_launch,
    cancel,
    pause,
    print_warnings,
    resume,
    schedule,
    shown,
)
from clarion.cli.draft import Flags, provider_check, read_change, with_flags_named
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    Limit,
    console,
    print_record,
    print_records,
    read_id,
)
from clarion.cli.report import print_preview, print_report
from clarion.cli.session import Session, accepted, open_session
from clarion.reports.queries import Report, get_report

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
    wire = {"content": {}} | read_change(name, flags, {})
    time = UNSET if at is None else at
    warnings = None
    async with open_session() as session:
        if at is not None:
            now = session.clock.now()
            expected = await session.ask(forecast_new, wire, provider_check, at=at, now=now)
            forecast = accepted(with_flags_named(expected, wire))
            warnings = await before_launch(session, forecast, yes=yes)
        made = await session.do(create_campaign, wire, provider_check, at=time)
    campaign = accepted(with_flags_named(made, wire))
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
    async with open_session() as session:
        campaigns = await session.ask(list_campaigns, before=cursor, limit=limit)
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
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        campaign = accepted(await session.ask(get_campaign, wanted), name=campaign_id)
    print_record(shown(campaign), as_json=json)


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
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        campaign = accepted(await session.ask(get_campaign, wanted), name=campaign_id)
        change = read_change(name, flags, dump_content(campaign.content))
        if not change:
            raise Ending(
                ExitCode.USAGE, "Say what is to be another, such as --title.", word="usage"
            )
        seen_at = campaign.updated_at
        edited = await session.do(edit_campaign, wanted, change, provider_check, seen_at=seen_at)
    print_record(shown(accepted(edited, name=campaign_id)), as_json=json)


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
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        accepted(await session.ask(get_campaign, wanted), name=campaign_id)
        now = session.clock.now()
        preview = await session.ask(
            preview_campaign, wanted, provider_check, customer=user_id, now=now
        )
    print_preview(accepted(preview, name=user_id), as_json=json)


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
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        campaign = accepted(await session.ask(get_campaign, wanted), name=campaign_id)
        report = await _report(session, wanted)
        if watch:
            report = await _watch(session, report)
    print_report(campaign, report, as_json=json)


async def _watch(session: Session, report: Report) -> Report:
    """Draw the progress until the campaign is over; returns the last report."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(report.state.value, total=None)
        while report.state not in _FINAL:
            progress.update(
                task,
                description=report.state.value,
                total=report.planned or None,
                completed=report.settled,
            )
            await asyncio.sleep(WATCH_SECONDS)
            report = await _report(session, report.campaign_id)
    return report


async def _report(session: Session, campaign_id: UUID) -> Report:
    return accepted(await session.ask(get_report, campaign_id, now=session.clock.now()))
