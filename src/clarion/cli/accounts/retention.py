"""`clarion workspaces retention | set-retention`: how long a workspace keeps what grows."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from clarion.cli.api import ask, ask_list
from clarion.cli.output import AsJson, Ending, ExitCode, print_record, print_records, with_times

DAYS_MAX = 3_650
FOR_EVER = "forever"

Days = Annotated[str | None, Parameter(help=f'Days, from 1 to {DAYS_MAX}, or "{FOR_EVER}".')]


async def show_retention(
    *,
    events: Days = None,
    deliveries: Days = None,
    ingest_log: Days = None,
    audit: Days = None,
    json: AsJson = False,
) -> None:
    """Show how many days what grows is kept, and what the next run removes, as it is or with other
    days. Nothing is removed by it.

    For example:

    ```
    clarion workspaces retention
    clarion workspaces retention --deliveries 90
    ```
    """
    wanted = _read(events=events, deliveries=deliveries, ingest_log=ingest_log, audit=audit)
    as_if = {kind: days for kind, days in wanted.items() if days is not None}
    removals = await ask_list("/workspace/retention/preview", query=as_if)
    print_records(
        removals if json else [_told(removal) for removal in removals],
        as_json=json,
        columns=("kind", "days", "before", "rows"),
        none="Nothing has a retention.",
    )


async def set_retention(
    *,
    events: Days = None,
    deliveries: Days = None,
    ingest_log: Days = None,
    audit: Days = None,
    json: AsJson = False,
) -> None:
    """Keep something for another number of days. What is older goes within an hour, for good.

    Reports keep their totals when deliveries go, and customers, devices and traits stay as they are
    when events go. `clarion workspaces retention` shows before what would go.

    For example:

    ```
    clarion workspaces set-retention --events 90 --ingest-log 14
    clarion workspaces set-retention --audit forever
    ```
    """
    wanted = _read(events=events, deliveries=deliveries, ingest_log=ingest_log, audit=audit)
    if not wanted:
        raise Ending(ExitCode.USAGE, "Say what to keep how long: --deliveries 180.", word="usage")
    kept = await ask("PATCH", "/workspace/retention", body=wanted)
    print_record(kept if json else {kind: _in_words(kept[kind]) for kind in kept}, as_json=json)


def _told(removal: Mapping[str, Any]) -> dict[str, Any]:
    return with_times(removal) | {"days": _in_words(removal["days"])}


def _in_words(days: int | None) -> int | str:
    return FOR_EVER if days is None else days


def _read(**given: str | None) -> dict[str, int | None]:
    days_by_kind: dict[str, int | None] = {}
    for kind, days in given.items():
        if days is None:
            continue
        if days == FOR_EVER:
            days_by_kind[kind] = None
        elif days.isascii() and days.isdigit() and 1 <= int(days) <= DAYS_MAX:
            days_by_kind[kind] = int(days)
        else:
            flag = f"--{kind.replace('_', '-')}"
            raise Ending(
                ExitCode.USAGE,
                f'{flag} takes days from 1 to {DAYS_MAX}, or "{FOR_EVER}".',
                word="usage",
            )
    return days_by_kind
