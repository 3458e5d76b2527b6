"""The steps a person takes with a campaign, and what is asked before it sends."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from cyclopts import Parameter

from clarion.audiences import rule
from clarion.audiences.query import Reach
from clarion.campaigns import campaign as steps
from clarion.campaigns.campaign import Campaign, Refused
from clarion.campaigns.content.spec import dump_content
from clarion.campaigns.preview import CampaignWarning, forecast, reachable
from clarion.campaigns.schedule import ScheduleFault, parse_at
from clarion.campaigns.store import get_campaign
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    errors,
    escape,
    not_found,
    print_done,
    print_record,
    read_id,
    refused,
)
from clarion.cli.session import Session, open_session
from clarion.cli.terminal import ask, is_interactive
from clarion.deliveries.steering import publish, take_step

SOON_SECONDS = 60
"""What launches within so long launches now: nobody could stop it."""

Yes = Annotated[bool, Parameter(negative="")]
Step = Callable[[Campaign, datetime], Campaign | Refused]


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
    async with open_session() as session:
        now = session.clock.now()
        when = read_at(at, now)
        campaign = await find_campaign(session, campaign_id)
        scheduled = steps.schedule(campaign, when, now)
        if isinstance(scheduled, Refused):  # before anybody is asked
            raise refused(scheduled.message, word=scheduled.code)
        warnings = await before_launch(session, scheduled, yes=yes)
        after = await take(
            session, campaign_id, lambda one, now: steps.schedule(one, read_at(at, now), now)
        )
    _say(after, json, warnings)


async def cancel(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign, for good. What has left stays in its account.

    For example:

    ```
    clarion campaigns cancel 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    async with open_session() as session:
        after = await take(session, campaign_id, steps.cancel)
    _say(after, json)


async def pause(campaign_id: str, *, json: AsJson = False) -> None:
    """Send nothing more of a campaign until it is resumed.

    For example:

    ```
    clarion campaigns pause 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    async with open_session() as session:
        after = await take(session, campaign_id, steps.pause)
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
    warnings = None
    async with open_session() as session:
        campaign = await find_campaign(session, campaign_id)
        if steps.launches_on_resume(campaign, session.clock.now()):
            warnings = await before_launch(session, campaign, yes=yes)
        after = await take(session, campaign_id, steps.resume)
    _say(after, json, warnings)


async def before_launch(
    session: Session, campaign: Campaign, *, yes: bool
) -> list[CampaignWarning]:
    """What the author of a campaign should be told that is to launch at its `scheduled_at`. Where
    that is now, a person is asked, unless `yes`. Ends the command where nobody says yes."""
    async with session.database.read() as connection:
        reached, warnings = await forecast(connection, campaign)
    soon = session.clock.now() + timedelta(seconds=SOON_SECONDS)
    is_now = campaign.scheduled_at is not None and campaign.scheduled_at <= soon
    if not is_now or yes:
        return warnings
    sends = _sends(campaign, reached)
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
    return told if warnings is None else told | {"warnings": [_record(one) for one in warnings]}


async def find_campaign(session: Session, campaign_id: str) -> Campaign:
    """The campaign of that id. Ends the command where there is none."""
    wanted = read_id(campaign_id, "campaign")
    async with session.database.read() as connection:
        campaign = await get_campaign(connection, session.workspace_id, wanted)
    if campaign is None:
        raise not_found("campaign", campaign_id)
    return campaign


async def take(session: Session, campaign_id: str, step: Step) -> Campaign:
    """The campaign after a step of the state machine; what waited for it is due at once. Ends the
    command where it can not take the step."""
    wanted = read_id(campaign_id, "campaign")
    now = session.clock.now()
    taken = await take_step(
        session.database, session.workspace_id, wanted, lambda one: step(one, now), now=now
    )
    if taken is None:
        raise not_found("campaign", campaign_id)
    if isinstance(taken, Refused):
        raise refused(taken.message, word=taken.code)
    if taken.jobs:
        async with session.broker() as broker:
            await publish(broker, taken.jobs)
    return taken.campaign


def read_at(text: str, now: datetime) -> datetime:
    """The time that is meant. Ends the command where there is none."""
    at = parse_at(text, now)
    if isinstance(at, ScheduleFault):
        raise refused("The time can not be:", [(at.field, at.message)], word="schedule")
    return at


def _sends(campaign: Campaign, reached: Reach) -> str:
    count = reachable(campaign, reached)
    devices = "1 device" if count == 1 else f"{count:,} devices"
    customers = "1 customer" if reached.customers == 1 else f"{reached.customers:,} customers"
    left_out = reached.devices - count
    among = f", {left_out:,} more are left out" if left_out else ""
    return f"{campaign.name} sends to {devices} of {customers} now{among}"


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


def _record(warning: CampaignWarning) -> dict[str, str]:
    return {"code": warning.code, "field": warning.field, "message": warning.message}
