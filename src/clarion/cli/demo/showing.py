"""What the demo shows: progress while it plays, and a report a person can read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from clarion.cli.demo.acts import Progress as Hear
from clarion.cli.demo.acts import Sent
from clarion.cli.demo.verdict import Check

_FUNNEL = (
    "planned", "accepted", "received", "opened",
    "unregistered", "rejected", "skipped", "expired", "cancelled", "in_flight",
)  # fmt: skip
_NAMES = {
    "accepted": "accepted by FCM",
    "received": "received, the app says",
    "opened": "opened",
    "unregistered": "unregistered",
    "in_flight": "in flight",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything the report tells."""

    calls: int
    taken_seconds: float
    known_seconds: float
    sent: Sent
    report: Mapping[str, Any]
    stats: Mapping[str, Any]
    removals: Mapping[str, int]
    checks: Sequence[Check]
    faults: Sequence[str]
    seconds: float

    @property
    def balances(self) -> bool:
        return bool(self.checks) and all(check.holds for check in self.checks) and not self.faults


@contextmanager
def act(console: Console, title: str, total: int) -> Iterator[Hear]:
    """Live progress of one act; where nobody watches, a line at its end."""
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        progress_so_far = [0, total]

        def hear(done: int, of: int) -> None:
            progress_so_far[:] = done, of
            progress.update(task, completed=done, total=of)

        yield hear
    if not console.is_terminal:
        console.print(f"{title:<34} {progress_so_far[0]:>6}/{progress_so_far[1]}", highlight=False)


def show(console: Console, story: Story) -> None:
    """The report."""
    console.print()
    console.print(Panel(_funnel(story), title="The campaign", expand=False))
    console.print(Panel(_removals(story), title="Registrations removed", expand=False))
    console.print(Panel(_fcm(story), title="What FCM counted", expand=False))
    console.print(Panel(_speed(story), title="Speed", expand=False))
    console.print(Panel(_checks(story), title="The account", expand=False))
    for fault in story.faults:
        console.print(f"[bold red]✗[/] {fault}", highlight=False)
    verdict = (
        "[bold green]✓ Everything balances.[/]"
        if story.balances
        else "[bold red]✗ The account does not balance.[/]"
    )
    console.print(f"{verdict}  {story.seconds:.0f} s in all.", highlight=False)


def _funnel(story: Story) -> Table:
    platforms: Mapping[str, Mapping[str, int]] = story.report["platforms"]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for column in ("all", "", *platforms):
        table.add_column(column, justify="right")
    planned = max(1, story.report["planned"])
    for name in _FUNNEL:
        count = story.report[name]
        if not count and name not in ("planned", "in_flight"):
            continue
        bar = f"[dim]{100 * count / planned:.1f} %[/]"
        each = (f"{platform.get(name, 0):,}" for platform in platforms.values())
        table.add_row(_NAMES.get(name, name), f"[bold]{count:,}[/]", bar, *each)
        for reason, times in sorted(story.report["reasons"].get(name, {}).items()):
            table.add_row(f"  [dim]{reason}[/]", f"[dim]{times:,}[/]", "")
    return table


def _speed(story: Story) -> Table:
    table = _plain()
    calls_per_second = story.calls / max(story.known_seconds, 0.001)
    overall = story.report["planned"] / max(story.sent.seconds, 0.001)
    table.add_row("calls made by the SDK", f"{story.calls:,}")
    table.add_row("until known as customers and devices", f"{calls_per_second:,.0f}/s")
    table.add_row("pushes settled, at best", f"{story.sent.peak:,.0f}/s")
    table.add_row("pushes settled, trouble included", f"{overall:,.0f}/s")
    return table


def _fcm(story: Story) -> Table:
    table = _plain()
    for answer, count in sorted(story.stats["replies"].items()):
        table.add_row(f"answered {answer}", f"{count:,}")
    return table


def _removals(story: Story) -> Table:
    table = _plain()
    for reason, count in sorted(story.removals.items()):
        table.add_row(reason, f"{count:,}")
    return table


def _plain() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    return table


def _checks(story: Story) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    table.add_column("")
    table.add_column("expected", justify="right")
    table.add_column("found", justify="right")
    for check in story.checks:
        mark = "[green]✓[/]" if check.holds else "[bold red]✗[/]"
        table.add_row(mark, check.what, f"{check.expected:,}", f"{check.found:,}")
    return table
