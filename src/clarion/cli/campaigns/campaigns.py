"""Campaigns: what to say to whom, when, and what became of it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from cyclopts import App as Commands
from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clarion.cli.api import ask, ask_list, open_api
from clarion.cli.api.client import Api
from clarion.cli.campaigns.approval import approve, propose, reject, show_approval
from clarion.cli.campaigns.content_check import check, test, try_out
from clarion.cli.campaigns.draft import Flags, flags_named, read_change
from clarion.cli.campaigns.keeping import archive, delete, duplicate, restore, unschedule
from clarion.cli.campaigns.launches import activity, deliveries, launch
from clarion.cli.campaigns.report import print_preview, print_report
from clarion.cli.campaigns.steps import (
    AllowEmpty,
    Record,
    Yes,
    before_launch,
    cancel,
    path_of_campaign,
    pause,
    print_campaign,
    resume,
    schedule,
)
from clarion.cli.campaigns.timing import forecast, keep_time
from clarion.cli.campaigns.when import AT_NO_TIME, When
from clarion.cli.output import AsJson, Ending, ExitCode, Limit, console, print_records, read_id

PAGE = 50
WATCH_SECONDS = 0.5

commands = Commands(
    name="campaigns", help="Campaigns: what to say to whom, when, and what became of it."
)
_VERBS: Sequence[Callable[..., Any]] = (
    schedule,
    cancel,
    pause,
    resume,
    unschedule,
    duplicate,
    archive,
    restore,
    delete,
    propose,
    approve,
    reject,
    forecast,
    keep_time,
    check,
    test,
    launch,
    activity,
    deliveries,
)
for _verb in _VERBS:
    commands.command(_verb)
commands.command(try_out, name="try")
commands.command(show_approval, name="approval")
_NO_FLAGS = Flags()
_FINAL = ("done", "cancelled", "failed")


@commands.command
async def create(
    name: str | None = None,
    *,
    flags: Flags = _NO_FLAGS,
    when: When = AT_NO_TIME,
    allow_empty: AllowEmpty = False,
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
    clarion campaigns create --file spring.json --at 2027-03-01T09:00 --own-time
    ```

    Parameters
    ----------
    name
        The campaign's name.
    allow_empty
        With --at: though it would reach nobody now.
    yes
        Do not ask before it launches now.
    """
    wire = {"content": {}} | read_change(name, flags, {})
    warnings: Sequence[Record] = ()
    with flags_named(wire):
        async with open_api() as api:
            if when.body():
                wire |= when.body() | {"allow_empty": allow_empty}
                expected = await api.call("POST", "/campaigns/forecast", body=wire)
                warnings = before_launch(expected, yes=yes)
            campaign = await api.call("POST", "/campaigns", body=wire)
    print_campaign(campaign, as_json=json, warnings=warnings)


@commands.command(name="list")
async def list_(
    *,
    limit: Limit = PAGE,
    before: str | None = None,
    archived: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
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
    archived
        List archived ones instead.
    """
    cursor = None if before is None else read_id(before, "campaign")
    query = {"before": cursor, "archived": "true" if archived else None}
    campaigns = await ask_list("/campaigns", query=query, limit=limit)
    print_records(
        campaigns,
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
    campaign = await ask("GET", path_of_campaign(campaign_id), name=campaign_id)
    print_campaign(campaign, as_json=json)


@commands.command
async def edit(
    campaign_id: str, *, name: str | None = None, flags: Flags = _NO_FLAGS, json: AsJson = False
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
    path = path_of_campaign(campaign_id)
    async with open_api() as api:
        campaign = await api.call("GET", path, name=campaign_id)
        change = read_change(name, flags, campaign["content"])
        if not change:
            raise Ending(
                ExitCode.USAGE, "Say what is to be another, such as --title.", word="usage"
            )
        change["updated_at"] = campaign["updated_at"]
        edited = await api.call("PATCH", path, body=change, name=campaign_id)
    print_campaign(edited, as_json=json)


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
    path = path_of_campaign(campaign_id)
    async with open_api() as api:
        campaign = await api.call("GET", path, name=campaign_id)
        wanted = {"user_id": user_id}
        preview = await api.call("POST", f"{path}/preview", body=wanted, name=user_id or "")
    print_preview(campaign, preview, as_json=json)


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
    path = path_of_campaign(campaign_id)
    async with open_api() as api:
        campaign = await api.call("GET", path, name=campaign_id)
        report = await api.call("GET", f"{path}/report")
        if watch:
            report = await _watch(api, f"{path}/report", report)
    print_report(campaign, report, as_json=json)


@commands.command(name="launches")
async def list_launches(campaign_id: str, *, limit: Limit = PAGE, json: AsJson = False) -> None:
    """List the launches of a campaign, the newest first: the state of each, and its account.

    For example:

    ```
    clarion campaigns launches 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```

    Parameters
    ----------
    campaign_id
        Which.
    limit
        How many.
    """
    path = path_of_campaign(campaign_id)
    launches = await ask_list(f"{path}/launches", limit=limit, name=campaign_id)
    print_records(
        launches,
        as_json=json,
        columns=(
            "id",
            "state",
            "reason",
            "started_at",
            "done_at",
            "planned",
            "accepted",
            "in_flight",
        ),
        none="It has not been launched yet: clarion campaigns schedule CAMPAIGN_ID --at now",
    )


async def _watch(api: Api, path: str, report: Record) -> Record:
    """Draw the progress until the campaign is over; returns the last report."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(report["state"], total=None)
        while report["state"] not in _FINAL:
            progress.update(
                task,
                description=report["state"],
                total=report["planned"] or None,
                completed=report["planned"] - report["in_flight"],
            )
            await asyncio.sleep(WATCH_SECONDS)
            report = await api.call("GET", path)
    return report
