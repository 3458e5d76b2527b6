"""How a campaign's account and its preview are printed."""

from datetime import datetime

from clarion.cli.audiences.looking import skipped_of
from clarion.cli.campaigns.steps import Record, print_warnings
from clarion.cli.output import console, counted, escape, print_json, print_records

_NOT_OF_PLATFORMS = ("attempts", "unanswered")
"""Counts of the whole campaign alone."""
_OF_LANGUAGES = ("planned", "skipped", "accepted", "received", "opened", "converted")
_HOURLY = ("received", "opened", "converted")


def print_report(campaign: Record, report: Record, *, as_json: bool) -> None:
    """A campaign's account, and why what is in flight waits."""
    if as_json:
        print_json(report)
        return
    reason = f": {escape(report['reason'])}" if report["reason"] else ""
    console.print(
        f"[bold]{escape(campaign['name'])}[/]  {report['state']}{reason}",
        highlight=False,
        soft_wrap=True,
    )
    _print_account(report)
    _print_languages(report)
    for waiting in report["waiting"]:
        console.print(_sentence(waiting), highlight=False, markup=False)
    _print_verdict(report)


def print_launch(launch: Record, *, as_json: bool) -> None:
    """A launch and its account."""
    if as_json:
        print_json(launch)
        return
    started = datetime.fromisoformat(launch["started_at"])
    reason = f": {launch['reason']}" if launch["reason"] else ""
    console.print(
        f"Launch of {started:%Y-%m-%d %H:%M} UTC  {launch['state']}{reason}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    _print_account(launch)
    _print_languages(launch)
    _print_verdict(launch)


def print_activity(activity: Record, *, as_json: bool) -> None:
    """When pushes were received and opened, and how long that took."""
    if as_json:
        print_json(activity)
        return
    hours = [
        hour | {"hour": f"{datetime.fromisoformat(hour['hour']):%Y-%m-%d %H:00}"}
        for hour in activity["hours"]
    ]
    print_records(
        [{"hour (UTC)": hour.pop("hour")} | hour for hour in hours],
        as_json=False,
        columns=("hour (UTC)", *_HOURLY),
        none="No app has reported any of its pushes yet.",
    )
    for kind in ("received", "opened"):
        after = activity[f"{kind}_after"]
        count = sum(bucket["count"] for bucket in after["classes"])
        median = after["median_up_to_seconds"]
        if count:
            half = "later than three days" if median is None else f"within {median:,} s"
            console.print(
                f"Of {count:,} that were {kind}, half were {half} of FCM taking them.",
                highlight=False,
            )


def _print_account(report: Record) -> None:
    everything: dict[str, Record] = {"all": report, **report["platforms"]}
    counts = [name for name, value in report.items() if type(value) is int]
    print_records(
        [
            {"": name} | {column: counted[name] for column, counted in everything.items()}
            for name in counts
            if name not in _NOT_OF_PLATFORMS
        ],
        as_json=False,
        columns=("", *everything),
        none="",
    )
    print_records(
        [
            {"state": state, "reason": reason}
            | {name: of["reasons"].get(state, {}).get(reason, 0) for name, of in everything.items()}
            for state, reasons in sorted(report["reasons"].items())
            for reason in sorted(reasons)
        ],
        as_json=False,
        columns=("state", "reason", *everything),
        none="",
    )


def _print_languages(report: Record) -> None:
    """How each text did, where the content has several."""
    if not report["languages"]:
        return
    print_records(
        [{"language": tag} | counts for tag, counts in report["languages"].items()],
        as_json=False,
        columns=("language", *_OF_LANGUAGES),
        none="",
    )


def _print_verdict(report: Record) -> None:
    if report["deliveries_removed_at"] is not None:
        gone = datetime.fromisoformat(report["deliveries_removed_at"])
        console.print(
            f"Single deliveries were removed for their age on {gone:%Y-%m-%d}; the totals stay.",
            highlight=False,
        )
    verdict = "[green]balances[/]" if report["balances"] else "[bold red]does not balance[/]"
    console.print(f"The account {verdict}.", highlight=False)


def _sentence(waiting: Record) -> str:
    what = {
        "campaign_paused": "the campaign is paused",
        "firebase_app_paused": f"Firebase app {waiting['project_id']} is paused",
        "throttled": f"{waiting['project_id']} is slowed down",
        "due_later": "their time has not come",
    }[waiting["waits_for"]]
    if waiting["until"] is None:
        then = "Somebody must resume it."
    else:
        until = datetime.fromisoformat(waiting["until"])
        then = f"They go on by themselves, {until:%Y-%m-%d %H:%M:%S} UTC at the earliest."
    return f"{waiting['deliveries']} wait: {what} ({waiting['reason']}). {then}"


def print_preview(campaign: Record, preview: Record, *, as_json: bool) -> None:
    """What one customer would see, how many are reached, and what should be told."""
    if as_json:
        print_json(preview)
        return
    customer, contents = preview["customer"], preview["platforms"]
    who = "nobody: no traits" if customer is None else customer["user_id"] or customer["id"]
    console.print(f"[bold]{escape(campaign['name'])}[/]  as seen by {escape(who)}", highlight=False)
    print_contents(contents)
    reached = preview["reach"]
    console.print(
        f"Reaches {counted(reached['devices'], 'device')} of "
        f"{counted(reached['customers'], 'customer')}; {skipped_of(reached)}.",
        highlight=False,
        soft_wrap=True,
    )
    for fault in preview["faults"]:
        console.print(
            f"[red]✗[/] {fault['platform']}: [bold]{escape(fault['field'])}[/] "
            f"{escape(fault['message'])}",
            highlight=False,
            soft_wrap=True,
        )
    print_warnings(preview["warnings"])


def print_contents(contents: dict[str, Record]) -> None:
    """What each platform would show."""
    print_records(
        [
            {"": field} | {name: content[field] for name, content in contents.items()}
            for field in ("title", "body", "image", "link", "data", "buttons")
            if any(content[field] for content in contents.values())
        ],
        as_json=False,
        columns=("", *contents),
        none="It can be rendered on no platform.",
    )
