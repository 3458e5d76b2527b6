"""`clarion customers why`."""

from clarion.cli.api import ask
from clarion.cli.api.client import path_of
from clarion.cli.output import AsJson, Name, console, escape, print_json, read_id


async def why(
    user_id: Name, campaign_id: str, *, launch: str | None = None, json: AsJson = False
) -> None:
    """Say why a customer got a campaign, or did not, in one sentence.

    For example:

    ```
    clarion customers why ada 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```

    Parameters
    ----------
    user_id
        The customer, by user id or id.
    campaign_id
        The campaign.
    launch
        One launch of it, rather than the newest.
    """
    campaign = read_id(campaign_id, "campaign")
    path = f"{path_of('customers', user_id, 'customer')}/campaigns/{campaign}"
    query = {"launch": None if launch is None else read_id(launch, "launch")}
    answer = await ask("GET", path, query=query, name=user_id)
    if json:
        print_json(answer)
    else:
        console.print(escape(answer["sentence"]), highlight=False, soft_wrap=True)
