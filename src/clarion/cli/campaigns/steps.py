"""The steps a person takes with a campaign, and what is asked before it sends."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from clarion.cli.api import open_api
from clarion.cli.campaigns.when import AT_NO_TIME, When
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    counted,
    errors,
    escape,
    print_done,
    print_record,
    read_id,
    with_times,
)
from clarion.cli.terminal import ask, is_interactive

Record = dict[str, Any]
"""A thing as the API tells it."""

AllowEmpty = Annotated[bool, Parameter(negative="")]
Yes = Annotated[bool, Parameter(negative="")]


async def schedule(
    campaign_id: str,
    *,
    when: When = AT_NO_TIME,
    allow_empty: AllowEmpty = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Let a draft launch, or give a scheduled campaign, or one that is late, another time.

    `--at now` tells how many devices it reaches, and asks. What may not be meant is told: traits
    that nobody has, an audience that reaches nobody.

    For example:

    ```
    clarion campaigns schedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at now
    clarion campaigns schedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at 2027-03-01T09:00:00Z
    clarion campaigns schedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at 2027-03-01T09:00 --own-time
    ```

    Parameters
    ----------
    campaign_id
        Which.
    allow_empty
        Though it would reach nobody now.
    yes
        Do not ask before it launches now.
    """
    path = path_of_campaign(campaign_id)
    if when.at is None:
        raise Ending(ExitCode.USAGE, "Say when: --at now, or a time.", word="usage")
    wanted = when.body() | {"allow_empty": allow_empty}
    async with open_api() as api:
        query = when.forecast()
        expected = await api.call("GET", f"{path}/forecast", query=query, name=campaign_id)
        warnings = before_launch(expected, yes=yes)
        after = await api.call("POST", f"{path}/schedule", body=wanted, name=campaign_id)
    _say(after, json, warnings)


async def cancel(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign, for good. What has left stays in its account.

    For example:

    ```
    clarion campaigns cancel 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    async with open_api() as api:
        path = f"{path_of_campaign(campaign_id)}/cancel"
        after = await api.call("POST", path, name=campaign_id)
    _say(after, json)


async def pause(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign until it is resumed.

    For example:

    ```
    clarion campaigns pause 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    async with open_api() as api:
        path = f"{path_of_campaign(campaign_id)}/pause"
        after = await api.call("POST", path, name=campaign_id)
    _say(after, json)


async def resume(campaign_id: str, *, yes: Yes = False, json: AsJson = False) -> None:
    """Let a paused campaign go on from where it was.

    One whose time has passed meanwhile launches now: that is asked first.

    For example:

    ```
    clarion campaigns resume 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```

    Parameters
    ----------
    campaign_id
        Which.
    yes
        Do not ask before it launches now.
    """
    path = path_of_campaign(campaign_id)
    warnings: Sequence[Record] = ()
    async with open_api() as api:
        expected = await api.call("GET", f"{path}/forecast", name=campaign_id)
        if expected["launches_at"] is not None:
            warnings = before_launch(expected, yes=yes)
        after = await api.call("POST", f"{path}/resume", name=campaign_id)
    _say(after, json, warnings)


def path_of_campaign(campaign_id: str) -> str:
    """Where a campaign is. Ends the command where that is no id."""
    return f"/campaigns/{read_id(campaign_id, 'campaign')}"


def before_launch(expected: Record, *, yes: bool) -> Sequence[Record]:
    """What the author of a campaign is to be told of its forecast. Where it launches now, a person
    is asked, unless `yes`. Ends the command where nobody says yes."""
    warnings: Sequence[Record] = expected["warnings"]
    if not expected["launches_now"] or yes:
        return warnings
    sends = told_of(expected)
    if not is_interactive():
        raise Ending(
            ExitCode.USAGE,
            f"{sends}, and there is nobody to ask: add --yes, or give it a time with --at.",
            word="confirm",
            faults=[(warning["field"], warning["message"]) for warning in warnings],
        )
    for warning in warnings:
        _print_warning(errors, warning)
    if not ask(f"{sends}. Launch it?"):
        raise Ending(ExitCode.REFUSED, f"{expected['name']} is not launched.", word="not_confirmed")
    return ()  # which were told


def print_warnings(warnings: Sequence[Record]) -> None:
    """What is not refused, but may not be meant."""
    for warning in warnings:
        _print_warning(console, warning)


def print_campaign(campaign: Record, *, as_json: bool, warnings: Sequence[Record] = ()) -> None:
    """A campaign, and what is not refused of it."""
    if as_json:
        print_record(campaign, as_json=True)
        return
    print_record(
        with_times({name: value for name, value in campaign.items() if name != "warnings"}),
        as_json=False,
    )
    print_warnings(warnings)


_LIMITED = {
    "excluded": "excluded",
    "category_left": "have left its category",
    "quiet_hours": "in quiet hours",
    "frequency_cap": "by a frequency cap",
    "held": "wait for quiet hours to end",
}
"""What a forecast of limits counts, in words."""


def told_of(expected: Record) -> str:
    """A forecast in a sentence, without its point."""
    count, reached = expected["devices"], expected["reach"]
    devices, customers = counted(count, "device"), counted(reached["customers"], "customer")
    left_out = reached["devices"] - count
    among = f", {left_out:,} more are left out" if left_out else ""
    limits = expected["limits"] or {}
    counts = {words: limits.get(name) for name, words in _LIMITED.items()}
    sums = ", ".join(f"{count:,} {words}" for words, count in counts.items() if count)
    about = "about " if limits.get("is_estimate") else ""
    limited = f". The workspace's limits leave {about}so many of them alone: {sums}" if sums else ""
    return f"{expected['name']} sends to {devices} of {customers} now{among}{limited}"


def _say(campaign: Record, as_json: bool, warnings: Sequence[Record] = ()) -> None:
    if as_json:
        print_record(campaign, as_json=True)
        return
    at, when = with_times(campaign)["scheduled_at"], ""
    if at and campaign["state"] == "scheduled":
        own = campaign["own_time"]
        when = f" for {at:%Y-%m-%d %H:%M} UTC"
        if campaign["repeat"] is not None:
            when += ", and repeats"
        elif own is not None:
            when = f" for {own['at'].replace('T', ' ')} of each customer's own time"
    print_done(f"{campaign['name']} is {campaign['state']}{when}.")
    print_warnings(warnings)


def _print_warning(where: Any, warning: Record) -> None:
    where.print(
        f"[yellow]![/] [bold]{escape(warning['field'])}[/] {escape(warning['message'])}.",
        highlight=False,
        soft_wrap=True,
    )
