"""`clarion sources limit | origins`: how fast a source may send, and from which web pages."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.cli.output import AsJson, Ending, ExitCode, Name, print_done, print_record
from clarion.cli.session import open_session
from clarion.cli.source_choice import find_source, shown
from clarion.sources.rate_limit import BURST_SECONDS, PER_SECOND_MAX, Limit
from clarion.sources.source import ORIGINS_MAX, read_origin
from clarion.sources.store import allow_origins, limit_source

PerSecond = Annotated[int | None, Parameter(validator=Number(gte=1, lte=PER_SECOND_MAX))]
Burst = Annotated[
    int | None, Parameter(validator=Number(gte=1, lte=PER_SECOND_MAX * BURST_SECONDS))
]


async def limit(
    source: Name,
    events_per_second: PerSecond = None,
    *,
    burst: Burst = None,
    json: AsJson = False,
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
    wanted = None
    if events_per_second is not None:
        burst = events_per_second * BURST_SECONDS if burst is None else burst
        wanted = Limit(events_per_second=events_per_second, burst=burst)
    async with open_session() as session, session.database.write() as connection:
        found = await find_source(connection, session, source)
        await limit_source(connection, session.workspace_id, found.id, wanted)
        found = await find_source(connection, session, source)
    if json:
        print_record(shown(found), as_json=True)
    elif wanted is None:
        print_done(f"{found.name} may send as fast as it likes.")
    else:
        print_done(
            f"Each write key of {found.name} may send {wanted.events_per_second} events a second, "
            f"{wanted.burst} at once."
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
    read = [read_origin(one) for one in allowed]
    for written, origin in zip(allowed, read, strict=True):
        if origin is None:
            message = f"{written} is no origin: write https://shop.example, without a path."
            raise Ending(ExitCode.USAGE, message, word="usage")
    wanted = list(dict.fromkeys(one for one in read if one is not None))
    if len(wanted) > ORIGINS_MAX:
        raise Ending(ExitCode.USAGE, f"{ORIGINS_MAX} origins at most.", word="usage")
    async with open_session() as session, session.database.write() as connection:
        found = await find_source(connection, session, source)
        await allow_origins(connection, session.workspace_id, found.id, wanted)
        found = await find_source(connection, session, source)
    if json:
        print_record(shown(found), as_json=True)
    elif wanted:
        print_done(f"Pages of {', '.join(wanted)} may send through {found.name}.")
    else:
        print_done(f"Pages of every origin may send through {found.name}.")
