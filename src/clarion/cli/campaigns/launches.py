"""What became of one launch, and when its pushes were opened."""

from clarion.cli.api import ask
from clarion.cli.campaigns.report import print_activity, print_launch
from clarion.cli.campaigns.steps import path_of_campaign
from clarion.cli.output import AsJson, Ending, ExitCode, read_id


async def launch(launch_id: str, *, json: AsJson = False) -> None:
    """Show one launch: its state, and what became of its pushes on each platform.

    For example:

    ```
    clarion campaigns launch 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```

    Parameters
    ----------
    launch_id
        Which, as `clarion campaigns launches` lists them.
    """
    shown = await ask("GET", _path_of_launch(launch_id), name=launch_id)
    print_launch(shown, as_json=json)


async def activity(
    campaign_id: str | None = None, *, launch: str | None = None, json: AsJson = False
) -> None:
    """Show in which hours a campaign's pushes were received and opened, and how soon.

    For example:

    ```
    clarion campaigns activity 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    clarion campaigns activity --launch 5c0d7a9e-0b52-5f0f-8a4e-1d5f4c2f6b11 --json
    ```

    Parameters
    ----------
    campaign_id
        Which campaign, with all its launches.
    launch
        Only this launch, whichever campaign it is of.
    """
    if launch is not None:
        path = _path_of_launch(launch)
    elif campaign_id is not None:
        path = path_of_campaign(campaign_id)
    else:
        raise Ending(ExitCode.USAGE, "Say which: CAMPAIGN_ID, or --launch.", word="usage")
    shown = await ask("GET", f"{path}/activity", name=launch or campaign_id or "")
    print_activity(shown, as_json=json)


def _path_of_launch(launch_id: str) -> str:
    return f"/launches/{read_id(launch_id, 'launch')}"
