"""`clarion campaigns forecast | keep-time`: what a launch would do; when a draft is meant for."""

from typing import Annotated

from cyclopts import Parameter

from clarion.cli.api import ask, open_api
from clarion.cli.campaigns.steps import (
    path_of_campaign,
    print_campaign,
    print_warnings,
    told_of,
)
from clarion.cli.campaigns.when import AT_NO_TIME, When
from clarion.cli.output import AsJson, Ending, ExitCode, console, escape, print_record


async def forecast(campaign_id: str, *, when: When = AT_NO_TIME, json: AsJson = False) -> None:
    """Tell whom a campaign would reach, and whom the workspace's limits would leave alone.

    Without --at it is for the time that the campaign has. Nothing is changed by it.

    For example:

    ```
    clarion campaigns forecast 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at now
    ```

    Parameters
    ----------
    campaign_id
        Which.
    """
    path = f"{path_of_campaign(campaign_id)}/forecast"
    expected = await ask("GET", path, query=when.forecast(), name=campaign_id)
    if json:
        print_record(expected, as_json=True)
        return
    console.print(f"{escape(told_of(expected))}.")
    print_warnings(expected["warnings"])


async def keep_time(
    campaign_id: str,
    *,
    when: When = AT_NO_TIME,
    none: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
    """Keep with a draft when it is meant to launch. Nothing is scheduled by it.

    The console's review offers that time to who schedules or proposes the draft.

    For example:

    ```
    clarion campaigns keep-time 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at 2027-03-01T09:00Z
    clarion campaigns keep-time 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --none
    ```

    Parameters
    ----------
    campaign_id
        Which.
    none
        It is meant for no time any more.
    """
    path = path_of_campaign(campaign_id)
    if none == bool(when.body()):
        raise Ending(ExitCode.USAGE, "Say when, such as --at, or --none.", word="usage")
    async with open_api() as api:
        campaign = await api.call("GET", path, name=campaign_id)
        change = {"timing": None if none else when.body(), "updated_at": campaign["updated_at"]}
        kept = await api.call("PATCH", path, body=change, name=campaign_id)
    print_campaign(kept, as_json=json)
