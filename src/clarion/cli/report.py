"""How a campaign's account is printed."""

from dataclasses import asdict
from typing import Any

from clarion.campaigns.campaign import Campaign
from clarion.cli.output import console, print_record, print_records
from clarion.reports.funnel import Report


def print_report(campaign: Campaign, account: Report, *, as_json: bool) -> None:
    """A campaign's account."""
    counts = {
        "campaign_id": campaign.id,
        "state": campaign.state.value,
        **asdict(account.total),
        "reasons": account.reasons,
        "platforms": {name: asdict(each) for name, each in account.platforms.items()},
        "attempts": account.attempts,
        "unanswered": account.unanswered,
        "balances": account.balances,
    }
    if as_json:
        print_record(counts, as_json=True)
        return
    console.print(f"[bold]{campaign.name}[/]  {campaign.state.value}", highlight=False)
    everything = {"all": account.total, **account.platforms}
    print_records(
        [
            {"": name} | {column: each[name] for column, each in _columns(everything).items()}
            for name in asdict(account.total)
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
    verdict = "[green]balances[/]" if account.balances else "[bold red]does not balance[/]"
    console.print(f"The account {verdict}.", highlight=False)


def _columns(everything: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {column: asdict(counts) for column, counts in everything.items()}
