"""What is done with a campaign beside sending it: made a draft again, copied, put away."""

from clarion.cli.api import ask
from clarion.cli.campaigns.steps import path_of_campaign, print_campaign
from clarion.cli.output import AsJson, print_done, print_json, print_record


async def unschedule(campaign_id: str, *, json: AsJson = False) -> None:
    """Make a campaign that is scheduled, paused or late a draft again: it can be edited then.

    For example:

    ```
    clarion campaigns unschedule 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    await _act(campaign_id, "unschedule", "is a draft again", json)


async def duplicate(campaign_id: str, *, name: str | None = None, json: AsJson = False) -> None:
    """Make a draft that says the same to the same people.

    For example:

    ```
    clarion campaigns duplicate 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --name Autumn
    ```

    Parameters
    ----------
    campaign_id
        Which.
    name
        What the copy is called; without it, as the campaign is.
    """
    path = f"{path_of_campaign(campaign_id)}/duplicate"
    campaign = await ask("POST", path, body={"name": name}, name=campaign_id)
    print_campaign(campaign, as_json=json)


async def archive(campaign_id: str, *, json: AsJson = False) -> None:
    """Take a draft, or a campaign that is over, out of the list. Its report stays.

    For example:

    ```
    clarion campaigns archive 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    await _act(campaign_id, "archive", "is archived", json)


async def restore(campaign_id: str, *, json: AsJson = False) -> None:
    """Put an archived campaign back into the list.

    For example:

    ```
    clarion campaigns restore 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    await _act(campaign_id, "restore", "is in the list again", json)


async def delete(campaign_id: str, *, json: AsJson = False) -> None:
    """Delete a draft that has never launched, for good.

    For example:

    ```
    clarion campaigns delete 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    await ask("DELETE", path_of_campaign(campaign_id), name=campaign_id)
    if json:
        print_json({"deleted": campaign_id})
    else:
        print_done("The draft is deleted.")


async def _act(campaign_id: str, verb: str, done: str, as_json: bool) -> None:
    campaign = await ask("POST", f"{path_of_campaign(campaign_id)}/{verb}", name=campaign_id)
    if as_json:
        print_record(campaign, as_json=True)
    else:
        print_done(f"{campaign['name']} {done}.")
