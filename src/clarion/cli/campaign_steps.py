"""The steps a person takes with a campaign, and what is asked before it sends."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from cyclopts import Parameter

from clarion.audiences import rule
from clarion.campaigns.campaign import Campaign
from clarion.campaigns.commands import pause_campaign, schedule_campaign
from clarion.campaigns.content.spec import dump_content
from clarion.campaigns.preview import CampaignWarning, Forecast
from clarion.campaigns.queries import forecast_resume, forecast_schedule
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    errors,
    escape,
    print_done,
    print_record,
    read_id,
)
from clarion.cli.session import Session, accepted, open_session
from clarion.cli.terminal import ask, is_interactive
from clarion.deliveries.commands import cancel_campaign, resume_campaign

SOON_SECONDS = 60
"""What launches within so long launches now: nobody could stop it."""

Yes = Annotated[bool, Parameter(negative="")]


async def schedule(campaign_id: str, *, at: str, yes: Yes = False, json: AsJson = False) -> None:
    """Let a draft launch, or give a scheduled campaign, or one that is late, another time.

    `--at now` tells how many devices it reaches, and asks. What may not be meant is told: traits
    that nobody has, an audience that reaches nobody.

    For example:

    ```
    clarion campaigns schedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at now
    clarion campaigns schedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at 2027-03-01T09:00:00Z
    ```

    Parameters
    ----------
    campaign_id
        Which.
    at
        "now", or an ISO 8601 time with its offset.
    yes
        Do not ask before it launches now.
    """
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        expected = await session.ask(forecast_schedule, wanted, at, now=session.clock.now())
        warnings = await before_launch(session, accepted(expected, name=campaign_id), yes=yes)
        after = await session.do(schedule_campaign, wanted, at)
    _say(accepted(after, name=campaign_id), json, warnings)


async def cancel(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign, for good. What has left stays in its account.

    For example:

    ```
    clarion campaigns cancel 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        after = await session.do(cancel_campaign, wanted)
    _say(accepted(after, name=campaign_id), json)


async def pause(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign until it is resumed.

    For example:

    ```
    clarion campaigns pause 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    wanted = read_id(campaign_id, "campaign")
    async with open_session() as session:
        after = await session.do(pause_campaign, wanted)
    _say(accepted(after, name=campaign_id), json)


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
    wanted = read_id(campaign_id, "campaign")
    warnings = None
    async with open_session() as session:
        expected = await session.ask(forecast_resume, wanted, now=session.clock.now())
        launching = accepted(expected, name=campaign_id)
        if launching is not None:
            warnings = await before_launch(session, launching, yes=yes)
        after = await session.do(resume_campaign, wanted)
    _say(accepted(after, name=campaign_id), json, warnings)


async def before_launch(
    session: Session, expected: Forecast, *, yes: bool
) -> Sequence[CampaignWarning]:
    """What the author of a campaign should be told that is to launch at its `scheduled_at`. Where
    that is now, a person is asked, unless `yes`. Ends the command where nobody says yes."""
    campaign, warnings = expected.campaign, expected.warnings
    soon = session.clock.now() + timedelta(seconds=SOON_SECONDS)
    is_now = campaign.scheduled_at is not None and campaign.scheduled_at <= soon
    if not is_now or yes:
        return warnings
    sends = _sends(expected)
    if not is_interactive():
        raise Ending(
            ExitCode.USAGE,
            f"{sends}, and there is nobody to ask: add --yes, or give it a time with --at.",
            word="confirm",
            faults=[(one.field, one.message) for one in warnings],
        )
    for warning in warnings:
        _print_warning(errors, warning)
    if not ask(f"{sends}. Launch it?"):
        raise Ending(ExitCode.REFUSED, f"{campaign.name} is not launched.", word="not_confirmed")
    return []  # which were told


def print_warnings(warnings: Sequence[CampaignWarning]) -> None:
    """What is not refused, but may not be meant."""
    for warning in warnings:
        _print_warning(console, warning)


def shown(campaign: Campaign, warnings: Sequence[CampaignWarning] | None = None) -> dict[str, Any]:
    """A campaign's fields as they are printed."""
    told = {
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
    return told if warnings is None else told | {"warnings": [asdict(one) for one in warnings]}


def _sends(expected: Forecast) -> str:
    count, reached = expected.devices, expected.reach
    devices = "1 device" if count == 1 else f"{count:,} devices"
    customers = "1 customer" if reached.customers == 1 else f"{reached.customers:,} customers"
    left_out = reached.devices - count
    among = f", {left_out:,} more are left out" if left_out else ""
    return f"{expected.campaign.name} sends to {devices} of {customers} now{among}"


def _say(
    campaign: Campaign, as_json: bool, warnings: Sequence[CampaignWarning] | None = None
) -> None:
    if as_json:
        print_record(shown(campaign, warnings), as_json=True)
        return
    at = campaign.scheduled_at
    when = f" for {at:%Y-%m-%d %H:%M} UTC" if at and campaign.state.value == "scheduled" else ""
    print_done(f"{campaign.name} is {campaign.state.value}{when}.")
    print_warnings(warnings or ())


def _print_warning(where: Any, warning: CampaignWarning) -> None:
    where.print(
        f"[yellow]![/] [bold]{escape(warning.field)}[/] {escape(warning.message)}.",
        highlight=False,
        soft_wrap=True,
    )
