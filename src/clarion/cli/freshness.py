"""`clarion devices freshness | stale | swept`: what does not refresh, and what the sweeper does."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.bar import Bar
from rich.table import Table

from clarion.cli.output import AsJson, Limit, console, escape, print_json, print_records
from clarion.cli.session import accepted, open_session
from clarion.customers.devices.queries import (
    SweepPreview,
    TokenAges,
    list_stale,
    list_swept,
    preview_sweep,
    token_ages,
)
from clarion.customers.devices.token_age import Cohort, CohortBy
from clarion.customers.devices.token_age_store import swept_days

PAGE = 100
BAR_CHARACTERS = 20
FRESH_SHARE_WARNED = 0.5
"""An app version of which fewer are fresh does not refresh its tokens."""

StaleAfter = Annotated[int | None, Parameter(validator=Number(gte=1, lte=365))]
Ahead = Annotated[int, Parameter(validator=Number(gte=0, lte=365))]


async def freshness(*, by: CohortBy = CohortBy.PLATFORM, json: AsJson = False) -> None:
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
    async with open_session() as session, session.database.read() as connection:
        ages = accepted(await token_ages(connection, session.actor, by, session.clock.now()))
    if json:
        print_json(asdict(ages) | {"cohorts": [_record(one) for one in ages.cohorts]})
        return
    if not ages.cohorts:
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
    async with open_session() as session, session.database.read() as connection:
        preview = accepted(
            await preview_sweep(
                connection,
                session.actor,
                session.clock.now(),
                stale_after_days=stale_after_days,
                in_days=in_days,
            )
        )
        devices = await list_stale(connection, session.actor, preview, limit=limit)
    rows = [
        {
            "device_id": one.device_id,
            "platform": one.platform.value,
            "registered_at": one.registered_at,
            "last_seen_at": one.last_seen_at,
            "user_id": owner.user_id,
        }
        for one, owner in devices
    ]
    if json:
        print_json(asdict(preview) | {"listed": rows})
        return
    _print_preview(preview, in_days)
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
    async with open_session() as session, session.database.read() as connection:
        since = session.clock.now() - timedelta(days=days)
        counted = await swept_days(connection, session.workspace_id, since=since)
        found = await list_swept(connection, session.actor, limit=limit)
    rows = [
        {
            "at": one.at,
            "device_id": one.device_id,
            "user_id": None if owner is None else owner.user_id,
        }
        for one, owner in found
    ]
    if json:
        print_json({"days": [asdict(one) for one in counted], "listed": rows})
        return
    for one in counted:
        console.print(f"{one.day:%Y-%m-%d}  {one.removed:>9,} removed", highlight=False)
    print_records(
        rows, as_json=False, columns=("at", "device_id", "user_id"), none="Nothing was swept."
    )


def _print_preview(preview: SweepPreview, in_days: int) -> None:
    each = ", ".join(f"{count:,} {platform}" for platform, count in preview.platforms.items())
    when = "the next sweep" if not in_days else f"sweeps of the next {in_days} days"
    console.print(
        f"{preview.devices:,} registrations not refreshed for {preview.stale_after_days} days: "
        f"{when} would remove them{f' ({each})' if each else ''}.",
        highlight=False,
    )


def _print_cohorts(ages: TokenAges) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(ages.by.value, overflow="fold")
    for name in ("fresh", "due", "stale", "removed", "off"):
        table.add_column(name, justify="right")
    table.add_column("fresh share")
    for one in ages.cohorts:
        table.add_row(
            escape(one.value or "–"),
            *(
                f"{count:,}"
                for count in (one.fresh, one.due, one.stale, one.removed, one.notifications_off)
            ),
            Bar(1.0, 0.0, one.fresh_share, width=BAR_CHARACTERS),
        )
    console.print(table)
    console.print(
        f"fresh: registered in the last {ages.due_after_days} days; due: up to "
        f"{ages.stale_after_days}; stale: the next "
        "sweep removes it; off: of these, notifications turned off by their person",
        style="dim",
        highlight=False,
    )
    for one in ages.cohorts:
        if one.active and one.fresh_share < FRESH_SHARE_WARNED:
            name = escape(one.value or "–")
            console.print(
                f"[yellow]![/] {name}: only {one.fresh:,} of {one.active:,} are fresh. "
                "Let the app send Register Push at each start, or every 30 days.",
                highlight=False,
            )


def _record(one: Cohort) -> dict[str, Any]:
    record = asdict(one)
    off = record.pop("notifications_off")
    return record | {"fresh_share": one.fresh_share, "notifications_off": off}
