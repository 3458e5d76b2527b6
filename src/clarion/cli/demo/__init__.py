"""`clarion demo`: the main job from end to end, against the FCM simulator, and an honest account.

Three processes, as in earnest: Clarion (`clarion serve`), the simulator in Google's place, and this
one, which plays the apps with the real SDK, schedules a campaign, and in the end compares what
Clarion says with what the simulator counted and with the story it told.
"""

import asyncio
import importlib.util
import signal
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

from clarion.cli.installation import simulator
from clarion.cli.output import Ending, ExitCode, console
from clarion.telemetry import LogOptions, set_up_logs

SEED = 20_260_301


async def demo(*, data_dir: Path | None = None, scale: float = 1.0, seed: int = SEED) -> int:
    """Play the main job from end to end against the FCM simulator.

    About 5,000 customers and 8,000 devices live through a month: the real segment-analytics-python
    sends it to the collector; a campaign is scheduled a few seconds ahead and sent through dead
    tokens, throttling and an outage; opens come back. Another campaign repeats at each customer's
    own time, for some of whom that is now. Ends with 0 only if the accounts balance.
    On a terminal Clarion then keeps serving until Ctrl-C.

    For example:

    ```
    clarion demo
    clarion demo --data-dir demo-data --scale 0.2
    ```

    Parameters
    ----------
    data_dir
        Where to keep the data; a directory without an installation. Otherwise a temporary one.
    scale
        Of all numbers; 0.1 plays a tenth.
    seed
        Another one tells another story.
    """
    if importlib.util.find_spec("segment") is None:
        raise Ending(
            ExitCode.FAILURE,
            "The demo plays with the real SDK, which is not installed: pip install 'clarion[demo]'",
            word="demo_extra",
        )
    if not simulator.is_installed():
        raise Ending(ExitCode.FAILURE, simulator.MISSING, word="simulator_missing")
    if not 0.005 <= scale <= 20:
        raise Ending(ExitCode.USAGE, "--scale must be between 0.005 and 20.", word="usage")
    set_up_logs(LogOptions(level="warning"))
    async with AsyncExitStack() as stack:
        if data_dir is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clarion-")))
        else:
            directory = _made(data_dir)
        return await _demo(stack, directory, scale, seed)


def _made(data_dir: Path) -> Path:
    directory = data_dir.absolute()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


async def _demo(stack: AsyncExitStack, directory: Path, scale: float, seed: int) -> int:
    from clarion.cli.demo import play  # the SDK is an extra: only now it is known to be there

    began = monotonic()
    clarion, story = await play.perform(stack, directory, scale, seed, began)
    play.show(console, story)
    code = ExitCode.OK if story.balances else ExitCode.FAILURE
    if console.is_terminal:
        console.print(
            f"\nClarion keeps serving on {clarion.url} · API {clarion.url}/api/v1 · "
            f"data in {directory}\nAPI key [bold]{clarion.api_key}[/] · Ctrl-C ends",
            highlight=False,
            soft_wrap=True,
        )
        await _until_interrupted()
    return code


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
