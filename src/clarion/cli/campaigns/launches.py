"""What became of one launch, and when its pushes were opened."""

from codecs import getincrementaldecoder
from contextlib import aclosing
from pathlib import Path

from clarion.cli.api import ask, open_api
from clarion.cli.campaigns.report import print_activity, print_launch
from clarion.cli.campaigns.steps import path_of_campaign
from clarion.cli.importing.exporting import opened_file
from clarion.cli.output import AsJson, Ending, ExitCode, print_done, read_id


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


async def deliveries(
    launch_id: str,
    *,
    out: Path | None = None,
    state: str | None = None,
    reason: str | None = None,
    platform: str | None = None,
) -> None:
    """Write what became of each push of a launch, as CSV.

    For example:

    ```
    clarion campaigns deliveries 5c0d7a9e-0b52-5f0f-8a4e-1d5f4c2f6b11 --out spring.csv
    clarion campaigns deliveries 5c0d7a9e-0b52-5f0f-8a4e-1d5f4c2f6b11 --state skipped | head
    ```

    Parameters
    ----------
    launch_id
        Which, as `clarion campaigns launches` lists them.
    out
        The file to write, for its owner's eyes alone; without it, standard output.
    state
        Only those in this state, such as accepted, skipped or unregistered.
    reason
        Only those for this reason, as the launch's account names it.
    platform
        Only those on this platform: iOS, Android or Web.
    """
    query = {"state": state, "reason": reason, "platform": platform}
    path = f"{_path_of_launch(launch_id)}/deliveries.csv"
    decode = getincrementaldecoder("utf-8")().decode
    lines = 0
    async with (
        open_api() as api,
        aclosing(api.stream(path, media="text/csv", query=query, name=launch_id)) as pieces,
    ):
        first = await anext(pieces)  # what is refused leaves no file
        with opened_file(out) as file:
            file.write(decode(first))
            lines += first.count(b"\n")
            async for piece in pieces:
                file.write(decode(piece))
                lines += piece.count(b"\n")
    if out is not None:
        print_done(f"{lines - 1:,} deliveries are in {out}.")


def _path_of_launch(launch_id: str) -> str:
    return f"/launches/{read_id(launch_id, 'launch')}"
