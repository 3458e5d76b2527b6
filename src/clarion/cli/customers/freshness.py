"""`clarion devices freshness | stale | swept`: what does not refresh, and what the sweeper does."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.bar import Bar
from rich.table import Table

from clarion.cli.api import ask, open_api
from clarion.cli.api.client import read_list
from clarion.cli.output import AsJson, Limit, console, escape, print_json, print_records, with_times

PAGE = 100
BAR_CHARACTERS = 20
FRESH_SHARE_WARNED = 0.5
"""An app version of which fewer are fresh does not refresh its tokens."""

By = Literal["platform", "source", "app-version", "app_version"]
StaleAfter = Annotated[int | None, Parameter(validator=Number(gte=1, lte=365))]
Ahead = Annotated[int, Parameter(validator=Number(gte=0, lte=365))]


async def freshness(*, by: By = "platform", json: AsJson = False) -> None:
    """Show how long ago devices were registered, by platform, source or app version.

    For example:

    ```
    clarion devices freshness
    clarion devices freshness --by app_version
    clarion devices freshness --by source --json
    ```

    Parameters
    ----------
    by
        What devices are put together by.
    """
    ages = await ask("GET", "/freshness", query={"by": by.replace("-", "_")})
    if json:
        print_json(ages)
        return
    if not ages["cohorts"]:
        console.print("There are no devices here.", style="dim")
        return
    _print_cohorts(ages)


async def stale(
    *,
    stale_after_days: StaleAfter = None,
    in_days: Ahead = 0,
    limit: Limit = PAGE,
    json: AsJson = False,
) -> None:
    """Preview a sweep: the registrations it would remove. Nothing is removed by asking.

    For example:

    ```
    clarion devices stale
    clarion devices stale --stale-after-days 45 --in-days 7
    ```

    Parameters
    ----------
    stale_after_days
        As if this were the workspace's setting.
    in_days
        As of so many days from now, if no app refreshes anything until then.
    limit
        How many are listed; all are counted.
    """
    query = {"stale_after_days": stale_after_days, "in_days": in_days}
    async with open_api() as api:
        preview = await api.call("GET", "/freshness/preview", query=query)
        devices = await read_list(api, "/freshness/stale", query=query, limit=limit)
    if json:
        print_json(preview | {"listed": devices})
        return
    _print_preview(preview, in_days)
    rows = [with_times(device) | {"user_id": device["customer"]["user_id"]} for device in devices]
    if rows:
        columns = ("device_id", "platform", "registered_at", "last_seen_at", "user_id")
        print_records(rows, as_json=False, columns=columns, none="")


async def swept(*, days: Ahead = 30, limit: Limit = PAGE, json: AsJson = False) -> None:
    """Show which registrations sweeps removed, newest first. One lives again once its app
    registers again.

    For example:

    ```
    clarion devices swept --days 90
    ```

    Parameters
    ----------
    days
        How many days are counted.
    limit
        How many are listed.
    """
    async with open_api() as api:
        counted = await read_list(api, "/freshness/swept/days", query={"days": days})
        swept = await read_list(api, "/freshness/swept", limit=limit)
    if json:
        print_json({"days": counted, "listed": swept})
        return
    for day in counted:
        console.print(f"{day['day'][:10]}  {day['removed']:>9,} removed", highlight=False)
    rows = [with_times(day) | {"user_id": (day["customer"] or {}).get("user_id")} for day in swept]
    print_records(
        rows, as_json=False, columns=("at", "device_id", "user_id"), none="Nothing was swept."
    )


def _print_preview(preview: dict[str, Any], in_days: int) -> None:
    each = ", ".join(f"{count:,} {platform}" for platform, count in preview["platforms"].items())
    when = "the next sweep" if not in_days else f"sweeps of the next {in_days} days"
    console.print(
        f"{preview['devices']:,} registrations not refreshed for "
        f"{preview['stale_after_days']} days: {when} would remove "
        f"them{f' ({each})' if each else ''}.",
        highlight=False,
    )


def _print_cohorts(ages: dict[str, Any]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(ages["by"], overflow="fold")
    for name in ("fresh", "due", "stale", "removed", "off"):
        table.add_column(name, justify="right")
    table.add_column("fresh share")
    for cohort in ages["cohorts"]:
        table.add_row(
            escape(cohort["value"] or "–"),
            *(f"{cohort[name]:,}" for name in ("fresh", "due", "stale", "removed")),
            f"{cohort['notifications_off']:,}",
            Bar(1.0, 0.0, cohort["fresh_share"], width=BAR_CHARACTERS),
        )
    console.print(table)
    console.print(
        f"fresh: registered in the last {ages['due_after_days']} days; due: up to "
        f"{ages['stale_after_days']}; stale: the next "
        "sweep removes it; off: of these, notifications turned off by their person",
        style="dim",
        highlight=False,
    )
    for cohort in ages["cohorts"]:
        active = cohort["fresh"] + cohort["due"] + cohort["stale"]
        if active and cohort["fresh_share"] < FRESH_SHARE_WARNED:
            name = escape(cohort["value"] or "–")
            console.print(
                f"[yellow]![/] {name}: only {cohort['fresh']:,} of {active:,} are fresh. "
                "Let the app send Register Push at each start, or every 30 days.",
                highlight=False,
            )
