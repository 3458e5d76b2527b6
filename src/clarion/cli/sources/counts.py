"""`clarion sources counts`: how much of what a source sent, and what there is to mend."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.bar import Bar
from rich.table import Table

from clarion.cli.api import open_api
from clarion.cli.output import AsJson, Name, console, escape, print_json
from clarion.cli.sources.choice import Record, choose_source

HOURS_MAX = 720
HOURS_SHOWN = 24
BAR_CHARACTERS = 16
ROWS_SHOWN = 20


async def counts(
    source: Name | None = None,
    *,
    hours: Annotated[int, Parameter(validator=Number(gte=1, lte=HOURS_MAX))] = HOURS_SHOWN,
    json: AsJson = False,
) -> None:
    """Count what a source sent: by hour, event and SDK; refusals and warnings with their cures.

    For example:

    ```
    clarion sources counts
    clarion sources counts "Android app"
    clarion sources counts "Android app" --hours 168 --json
    ```

    Parameters
    ----------
    source
        The source, by id or name; needless where there is only one.
    hours
        How far back, the hour under way included; counts are kept for 30 days.
    """
    async with open_api() as api:
        chosen = await choose_source(api, source)
        path = f"/sources/{chosen['id']}/counts"
        report = await api.call("GET", path, query={"hours": hours})
    if json:
        print_json(report)
    else:
        _print_report(chosen["name"], report, hours)


def _print_report(name: str, report: Record, back: int) -> None:
    console.print(
        f"[bold]{escape(name)}[/], the last {back} h: {report['accepted']:,} accepted, "
        f"{report['duplicate']:,} duplicates, {report['refused']:,} refused",
        highlight=False,
    )
    if report["turned_away"]:
        console.print(
            f"[red]calls turned away whole: {report['turned_away']:,}[/]; nothing of them was kept",
            highlight=False,
        )
    _print_hours([hour for hour in report["hours"] if _size(hour)])
    rows = [
        (event["type"], event["event"], event["accepted"], event["duplicate"])
        for event in report["events"]
    ]
    _print_table(("type", "event", "accepted", "duplicates"), rows)
    _print_table(
        ("SDK", "version", "events"),
        [(sdk["name"], sdk["version"], sdk["count"]) for sdk in report["sdks"]],
    )
    reasons = [
        ("call", call["code"], call["count"], call["cure"], call["about"])
        for call in report["calls"]
    ]
    reasons += [
        ("event", refusal["code"], refusal["count"], refusal["cure"], refusal["events"])
        for refusal in report["refusals"]
    ]
    for what, code, count, cure, names in reasons:
        most = ", ".join(f"{often:,} {name}" for name, often in list(names.items())[:5])
        about = f" {what}{'' if count == 1 else 's'}" + (
            f"  [dim]{escape(most)}[/]" if most else ""
        )
        _print_told("red", "✗", code, count, about, None, cure)
    for warning in report["warnings"]:
        about = "" if warning["subject"] is None else f"  [dim]{escape(warning['subject'])}[/]"
        _print_told(
            "yellow",
            "!",
            warning["code"],
            warning["count"],
            about,
            warning["meaning"],
            warning["cure"],
        )


def _print_hours(hours: Sequence[Record]) -> None:
    if not hours:
        return
    most = max(_size(hour) for hour in hours)
    has_calls = any(hour["turned_away"] for hour in hours)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("hour (UTC)")
    for column in ("accepted", "duplicates", "refused", *(["calls turned away"] * has_calls)):
        table.add_column(column, justify="right")
    table.add_column("")
    for hour in hours[-HOURS_SHOWN:]:
        table.add_row(
            f"{datetime.fromisoformat(hour['hour']):%m-%d %H:00}",
            *(f"{count:,}" for count in (hour["accepted"], hour["duplicate"], hour["refused"])),
            *([f"{hour['turned_away']:,}"] * has_calls),
            Bar(most, 0, _size(hour), width=BAR_CHARACTERS),
        )
    console.print(table)


def _size(hour: Record) -> int:
    return sum(int(hour[name]) for name in ("accepted", "duplicate", "refused", "turned_away"))


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Names and how often; a bar for the first count, the largest of which fills it."""
    if not rows:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    first = next(index for index, value in enumerate(rows[0]) if isinstance(value, int))
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index >= first else "left", overflow="fold")
    table.add_column("")
    most = max(row[first] for row in rows) or 1
    for row in rows[:ROWS_SHOWN]:
        cells = [f"{cell:,}" if isinstance(cell, int) else escape(cell or "–") for cell in row]
        table.add_row(*cells, Bar(most, 0, row[first], width=BAR_CHARACTERS))
    console.print(table)
    if len(rows) > ROWS_SHOWN:
        console.print(f"… and {len(rows) - ROWS_SHOWN:,} more: --json", style="dim")


def _print_told(
    style: str, sign: str, code: str, count: int, about: str, meaning: str | None, cure: str | None
) -> None:
    console.print(f"[{style}]{sign} {code}[/]  {count:,}{about}", highlight=False, soft_wrap=True)
    for line in (meaning, None if cure is None else f"→ {cure}"):
        if line is not None:
            console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
