"""`clarion sources limit | origins`: how fast a source may send, and from which web pages."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.cli.api import open_api
from clarion.cli.output import AsJson, Ending, ExitCode, Name, print_done, print_record
from clarion.cli.sources.choice import Record, find_source

PER_SECOND_MAX = 1_000_000
BURST_MAX = 5_000_000

PerSecond = Annotated[int | None, Parameter(validator=Number(gte=1, lte=PER_SECOND_MAX))]
Burst = Annotated[int | None, Parameter(validator=Number(gte=1, lte=BURST_MAX))]


async def limit(
    source: Name, events_per_second: PerSecond = None, *, burst: Burst = None, json: AsJson = False
) -> None:
    """Limit how fast each key of a source may send; without a number, end the limit.

    Who sends more is answered 429 with Retry-After. Each collector process counts by itself.

    For example:

    ```
    clarion sources limit "Android app" 100 --burst 500
    clarion sources limit "Android app"
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    events_per_second
        So many on average. Without it: as many as come.
    burst
        So many at once after a pause. Without it: five seconds' worth.
    """
    if events_per_second is None and burst is not None:
        raise Ending(ExitCode.USAGE, "--burst needs the events per second.", word="usage")
    wanted = {"events_per_second": events_per_second, "burst": burst}
    changed = await _change(source, {"rate_limit": wanted if events_per_second else None})
    pace = changed["rate_limit"]
    if json:
        print_record(changed, as_json=True)
    elif pace is None:
        print_done(f"{changed['name']} may send as fast as it likes.")
    else:
        print_done(
            f"Each write key of {changed['name']} may send {pace['events_per_second']} events a "
            f"second, {pace['burst']} at once."
        )


async def origins(source: Name, *allowed: str, json: AsJson = False) -> None:
    """Let only web pages of some origins send through a source; without any, all of them.

    Apps and servers send without an origin and are not concerned.

    For example:

    ```
    clarion sources origins "Web shop" https://shop.example "https://*.shop.example"
    clarion sources origins "Web shop"
    ```

    Parameters
    ----------
    source
        The source, by id or name.
    allowed
        Every origin that may: scheme, host and port as the browser shows them; `*.` at the
        beginning of the host stands for anything below it.
    """
    try:
        changed = await _change(source, {"allowed_origins": allowed})
    except Ending as ending:
        if ending.word == "invalid":  # it is the arguments that are wrong
            raise Ending(
                ExitCode.USAGE, ending.message, word="usage", faults=ending.faults
            ) from None
        raise
    origins_now = changed["allowed_origins"]
    if json:
        print_record(changed, as_json=True)
    elif origins_now:
        print_done(f"Pages of {', '.join(origins_now)} may send through {changed['name']}.")
    else:
        print_done(f"Pages of every origin may send through {changed['name']}.")


async def _change(source: str, change: Record) -> Record:
    """The source, changed."""
    async with open_api() as api:
        path = f"/sources/{(await find_source(api, source))['id']}"
        changed: Record = await api.call("PATCH", path, body=change)
    return changed
