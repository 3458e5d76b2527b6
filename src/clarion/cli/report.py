"""How a campaign's account and its preview are printed."""

from typing import assert_never

from clarion.campaigns.campaign import Campaign
from clarion.campaigns.preview import Preview
from clarion.cli.campaign_steps import print_warnings
from clarion.cli.draft import CONTENT_FIELDS
from clarion.cli.output import console, escape, print_json, print_records
from clarion.reports.funnel_store import Counts
from clarion.reports.queries import Report
from clarion.reports.waiting_store import Waiting, WaitsFor


def print_report(campaign: Campaign, report: Report, *, as_json: bool) -> None:
    """A campaign's account, and why what is in flight waits."""
    if as_json:
        print_json(report)
        return
    console.print(f"[bold]{escape(campaign.name)}[/]  {report.state.value}", highlight=False)
    everything: dict[str, Counts] = {"all": report, **report.platforms}
    print_records(
        [
            {"": name} | {column: getattr(counts, name) for column, counts in everything.items()}
            for name in Counts.__struct_fields__
        ],
        as_json=False,
        columns=("", *everything),
        none="",
    )
    print_records(
        [
            {"state": state, "reason": reason, "count": count}
            for state, reasons in sorted(report.reasons.items())
            for reason, count in sorted(reasons.items())
        ],
        as_json=False,
        columns=("state", "reason", "count"),
        none="",
    )
    for waiting in report.waiting:
        console.print(_sentence(waiting), highlight=False, markup=False)
    verdict = "[green]balances[/]" if report.balances else "[bold red]does not balance[/]"
    console.print(f"The account {verdict}.", highlight=False)


def _sentence(one: Waiting) -> str:
    match one.waits_for:
        case WaitsFor.CAMPAIGN:
            what = "the campaign is paused"
        case WaitsFor.FIREBASE_APP:
            what = f"Firebase app {one.project_id} is paused"
        case WaitsFor.QUOTA:
            what = f"{one.project_id} is slowed down"
        case WaitsFor.TIME:
            what = "their time has not come"
        case _:
            assert_never(one.waits_for)
    if one.until is None:
        then = "Somebody must resume it."
    else:
        then = f"They go on by themselves, {one.until:%Y-%m-%d %H:%M:%S} UTC at the earliest."
    return f"{one.deliveries} wait: {what} ({one.reason}). {then}"


def print_preview(preview: Preview, *, as_json: bool) -> None:
    """What one customer would see, how many are reached, and what should be told."""
    customer = preview.customer
    contents = {
        platform: {name: getattr(content, name) for name in CONTENT_FIELDS}
        for platform, content in preview.platforms.items()
    }
    if as_json:
        print_json(
            {
                "customer": customer and {"id": customer.id, "user_id": customer.user_id},
                "platforms": contents,
                "faults": preview.faults,
                "warnings": preview.warnings,
                "reach": preview.reach,
            }
        )
        return
    who = "nobody: no traits" if customer is None else customer.user_id or f"{customer.id}"
    console.print(
        f"[bold]{escape(preview.campaign.name)}[/]  as seen by {escape(who)}", highlight=False
    )
    print_records(
        [
            {"": field} | {name: content[field] for name, content in contents.items()}
            for field in ("title", "body", "image", "link", "data")
            if any(content[field] for content in contents.values())
        ],
        as_json=False,
        columns=("", *contents),
        none="It can be rendered on no platform.",
    )
    reached = preview.reach
    console.print(
        f"Reaches {reached.devices:,} devices of {reached.customers:,} customers: "
        f"{reached.opted_out:,} opted out, {reached.notifications_off:,} with notifications off, "
        f"{reached.no_firebase_app:,} without a Firebase app.",
        highlight=False,
        soft_wrap=True,
    )
    for fault in preview.faults:
        console.print(
            f"[red]✗[/] {fault.platform}: [bold]{escape(fault.field)}[/] {escape(fault.message)}",
            highlight=False,
            soft_wrap=True,
        )
    print_warnings(preview.warnings)
