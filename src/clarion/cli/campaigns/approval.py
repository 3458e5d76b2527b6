"""`clarion campaigns propose | approval | approve | reject`: a second person's word."""

from typing import Annotated, Any

from cyclopts import Parameter

from clarion.cli.api import ask
from clarion.cli.campaigns.steps import path_of_campaign, print_campaign
from clarion.cli.campaigns.when import AT_NO_TIME, When
from clarion.cli.output import AsJson, Ending, ExitCode, print_record


async def propose(campaign_id: str, *, when: When = AT_NO_TIME, json: AsJson = False) -> None:
    """Ask somebody else to approve a campaign as it is, with its time. Nothing is scheduled by it.

    For example:

    ```
    clarion campaigns propose 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --at 2027-03-01T09:00:00Z
    ```

    `--at pushes` asks for no launch, but for what pushes to one customer say.

    Parameters
    ----------
    campaign_id
        Which.
    """
    path = f"{path_of_campaign(campaign_id)}/propose"
    if when.at is None:
        raise Ending(ExitCode.USAGE, "Say when: --at now, a time, or --at pushes.", word="usage")
    _print(await ask("POST", path, body=when.body(), name=campaign_id), json)


async def show_approval(campaign_id: str, *, json: AsJson = False) -> None:
    """Show what was proposed of a campaign last, and what was decided of it.

    For example:

    ```
    clarion campaigns approval 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    path = f"{path_of_campaign(campaign_id)}/approval"
    _print(await ask("GET", path, name=campaign_id), json)


async def approve(campaign_id: str, *, fingerprint: str, json: AsJson = False) -> None:
    """Approve exactly what was proposed, and schedule it, if it is to launch. Never your own.

    Look at the campaign and at its proposal first: the fingerprint says that this is what you mean.

    For example:

    ```
    clarion campaigns approve 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --fingerprint 5f0c…
    ```

    Parameters
    ----------
    campaign_id
        Which.
    fingerprint
        That of the proposal, as `clarion campaigns approval` shows it.
    """
    path = f"{path_of_campaign(campaign_id)}/approve"
    after = await ask("POST", path, body={"fingerprint": fingerprint}, name=campaign_id)
    print_campaign(after, as_json=json)


async def reject(
    campaign_id: str,
    *,
    comment: Annotated[str | None, Parameter(negative="")] = None,
    json: AsJson = False,
) -> None:
    """Reject what was proposed of a campaign, which stays as it is.

    For example:

    ```
    clarion campaigns reject 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --comment "The price is wrong."
    ```

    Parameters
    ----------
    campaign_id
        Which.
    comment
        Why.
    """
    path = f"{path_of_campaign(campaign_id)}/reject"
    _print(await ask("POST", path, body={"comment": comment}, name=campaign_id), json)


def _print(approval: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_record(approval, as_json=True)
        return
    deciders = {
        name: approval[name] and approval[name]["name"] for name in ("proposed_by", "decided_by")
    }
    # "at" may be "now", and what is called so is printed as a time.
    rest = {name: value for name, value in approval.items() if name != "at"}
    print_record(rest | {"launches": approval["at"]} | deciders, as_json=False)
