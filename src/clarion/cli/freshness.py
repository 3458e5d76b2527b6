"""`clarion devices freshness | stale | swept`: what does not refresh, and what the sweeper does."""

from datetime import timedelta
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.bar import Bar
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.workspace_store import get_workspace
from clarion.cli.output import AsJson, Limit, console, escape, not_found, print_json, print_records
from clarion.cli.session import Session, open_session
from clarion.customers.devices.token_age import DUE_AFTER_DAYS, Cohort, CohortBy, edges
from clarion.customers.devices.token_age_store import (
    cohorts,
    count_stale,
    list_stale,
    list_swept,
    swept_days,
)
from clarion.customers.profile.store import user_ids_of

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
        days = await _stale_after_days(session, connection)
        found = await cohorts(
            connection, session.workspace_id, by, edges(session.clock.now(), days)
        )
    if json:
        print_json(
            {
                "by": by.value,
                "due_after_days": min(DUE_AFTER_DAYS, days),
                "stale_after_days": days,
                "cohorts": [_record(one) for one in found],
            }
        )
        return
    if not found:
        console.print("There are no devices here.", style="dim")
        return
    _print_cohorts(found, by, days)


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
        days = stale_after_days or await _stale_after_days(session, connection)
        before = session.clock.now() + timedelta(days=in_days - days)
        platforms = await count_stale(connection, session.workspace_id, registered_before=before)
        found = await list_stale(
            connection, session.workspace_id, registered_before=before, after=None, limit=limit
        )
        ids = {one.customer_id for one in found}
        owners = await user_ids_of(connection, session.workspace_id, ids)
    rows = [
        {
            "device_id": one.device_id,
            "platform": one.platform.value,
            "registered_at": one.registered_at,
            "last_seen_at": one.last_seen_at,
            "user_id": owners.get(one.customer_id),
        }
        for one in found
    ]
    counts = {platform.value: count for platform, count in platforms.items()}
    if json:
        print_json(
            {
                "stale_after_days": days,
                "registered_before": before,
                "devices": sum(counts.values()),
                "platforms": counts,
                "listed": rows,
            }
        )
        return
    _print_preview(counts, days, in_days)
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
        found = await list_swept(connection, session.workspace_id, before_seq=None, limit=limit)
        ids = {one.customer_id for one in found if one.customer_id is not None}
        owners = await user_ids_of(connection, session.workspace_id, ids)
    rows = [
        {
            "at": one.at,
            "device_id": one.device_id,
            "user_id": None if one.customer_id is None else owners.get(one.customer_id),
        }
        for one in found
    ]
    if json:
        by_day = [{"day": one.day, "removed": one.removed} for one in counted]
        print_json({"days": by_day, "listed": rows})
        return
    for one in counted:
        console.print(f"{one.day:%Y-%m-%d}  {one.removed:>9,} removed", highlight=False)
    print_records(
        rows, as_json=False, columns=("at", "device_id", "user_id"), none="Nothing was swept."
    )


async def _stale_after_days(session: Session, connection: AsyncConnection) -> int:
    workspace = await get_workspace(connection, session.workspace_id)
    if workspace is None:
        raise not_found("workspace", session.workspace_id)
    return workspace.stale_after_days


def _print_preview(counts: dict[str, int], days: int, in_days: int) -> None:
    each = ", ".join(f"{count:,} {platform}" for platform, count in counts.items())
    when = "the next sweep" if not in_days else f"sweeps of the next {in_days} days"
    console.print(
        f"{sum(counts.values()):,} registrations not refreshed for {days} days: {when} would "
        f"remove them{f' ({each})' if each else ''}.",
        highlight=False,
    )


def _print_cohorts(found: list[Cohort], by: CohortBy, stale_after_days: int) -> None:
    due = min(DUE_AFTER_DAYS, stale_after_days)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(by.value, overflow="fold")
    for name in ("fresh", "due", "stale", "removed", "off"):
        table.add_column(name, justify="right")
    table.add_column("fresh share")
    for one in found:
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
        f"fresh: registered in the last {due} days; due: up to {stale_after_days}; stale: the next "
        "sweep removes it; off: of these, notifications turned off by their person",
        style="dim",
        highlight=False,
    )
    for one in found:
        if one.active and one.fresh_share < FRESH_SHARE_WARNED:
            name = escape(one.value or "–")
            console.print(
                f"[yellow]![/] {name}: only {one.fresh:,} of {one.active:,} are fresh. "
                "Let the app send Register Push at each start, or every 30 days.",
                highlight=False,
            )


def _record(one: Cohort) -> dict[str, Any]:
    return {
        "value": one.value,
        "fresh": one.fresh,
        "due": one.due,
        "stale": one.stale,
        "removed": one.removed,
        "fresh_share": round(one.fresh_share, 4),
        "notifications_off": one.notifications_off,
    }
