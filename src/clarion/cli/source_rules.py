"""`clarion sources limit | origins`: how fast a source may send, and from which web pages."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from clarion.cli.output import AsJson, Ending, ExitCode, Name, print_done, print_record
from clarion.cli.session import accepted, open_session
from clarion.cli.source_choice import meant_source, shown
from clarion.deliveries.apps.source_commands import change_source
from clarion.sources.rate_limit import BURST_SECONDS, PER_SECOND_MAX, limit_of
from clarion.sources.source import ORIGINS_MAX, read_origin, read_origins

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
    wanted = None if events_per_second is None else limit_of(events_per_second, burst)
    async with open_session() as session:
        found = await meant_source(session, source)
        changed = await change_source(session.services, session.actor, found.id, rate_limit=wanted)
    if json:
        print_record(shown(accepted(changed)), as_json=True)
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
    wanted = read_origins(allowed)
    if isinstance(wanted, list):
        unread = next((one for one in allowed if read_origin(one) is None), None)
        message = f"{unread} is no origin: write https://shop.example, without a path."
        if len(allowed) > ORIGINS_MAX:
            message = f"{ORIGINS_MAX} origins at most."
        raise Ending(ExitCode.USAGE, message, word="usage")
    async with open_session() as session:
        found = await meant_source(session, source)
        changed = await change_source(
            session.services, session.actor, found.id, allowed_origins=wanted
        )
    if json:
        print_record(shown(accepted(changed)), as_json=True)
    elif wanted:
        print_done(f"Pages of {', '.join(wanted)} may send through {found.name}.")
    else:
        print_done(f"Pages of every origin may send through {found.name}.")
