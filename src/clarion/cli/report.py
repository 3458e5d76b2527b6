"""How a campaign's account and its preview are printed."""

from typing import Any, assert_never

from msgspec import structs

from clarion.campaigns.content.spec import Content
from clarion.campaigns.preview import Preview
from clarion.cli.campaign_steps import print_warnings
from clarion.cli.output import console, escape, print_record, print_records
from clarion.reports.queries import CampaignReport
from clarion.reports.waiting import Waiting, WaitsFor


def print_report(report: CampaignReport, *, as_json: bool) -> None:
    """A campaign's account, and why what is in flight waits."""
    campaign, account = report.campaign, report.account
    counts = {
        "campaign_id": campaign.id,
        "state": campaign.state.value,
        **structs.asdict(account.total),
        "reasons": account.reasons,
        "platforms": account.platforms,
        "attempts": account.attempts,
        "unanswered": account.unanswered,
        "balances": account.balances,
        "waiting": report.waiting,
    }
    if as_json:
        print_record(counts, as_json=True)
        return
    console.print(f"[bold]{escape(campaign.name)}[/]  {campaign.state.value}", highlight=False)
    everything = {"all": account.total, **account.platforms}
    print_records(
        [
            {"": name} | {column: each[name] for column, each in _columns(everything).items()}
            for name in account.total.__struct_fields__
        ],
        as_json=False,
        columns=("", *everything),
        none="",
    )
    print_records(
        [
            {"state": state, "reason": reason, "count": count}
            for state, reasons in sorted(account.reasons.items())
            for reason, count in sorted(reasons.items())
        ],
        as_json=False,
        columns=("state", "reason", "count"),
        none="",
    )
    for waiting in report.waiting:
        console.print(_sentence(waiting), highlight=False, markup=False)
    verdict = "[green]balances[/]" if account.balances else "[bold red]does not balance[/]"
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
    faults = [
        {"platform": platform.value, "field": fault.field, "message": fault.message}
        for platform, fault in preview.faults
    ]
    if as_json:
        print_record(
            {
                "customer": customer and {"id": customer.id, "user_id": customer.user_id},
                "platforms": {
                    platform.value: _rendered(content)
                    for platform, content in preview.contents.items()
                },
                "faults": faults,
                "warnings": preview.warnings,
                "reach": preview.reach,
            },
            as_json=True,
        )
        return
    who = "nobody: no traits" if customer is None else customer.user_id or f"{customer.id}"
    console.print(
        f"[bold]{escape(preview.campaign.name)}[/]  as seen by {escape(who)}", highlight=False
    )
    contents = {name.value: _rendered(each) for name, each in preview.contents.items()}
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
    for fault in faults:
        console.print(
            f"[red]✗[/] {fault['platform']}: [bold]{escape(fault['field'])}[/] "
            f"{escape(fault['message'])}",
            highlight=False,
            soft_wrap=True,
        )
    print_warnings(preview.warnings)


def _rendered(content: Content) -> dict[str, Any]:
    return {
        "title": content.title,
        "body": content.body,
        "image": content.image,
        "link": content.link,
        "data": dict(content.data),
        "ttl_seconds": content.ttl_seconds,
        "priority": content.priority.value,
        "collapse_key": content.collapse_key,
    }


def _columns(everything: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {column: structs.asdict(counts) for column, counts in everything.items()}
