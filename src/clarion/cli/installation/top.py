"""top: one screen of what an installation does now, out of the metrics of its processes."""

import asyncio
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from urllib.error import URLError

from cyclopts import Parameter
from cyclopts.validators import Number
from prometheus_client.parser import text_string_to_metric_families
from rich.columns import Columns
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from clarion.cli.output import AsJson, Ending, ExitCode, console, print_json
from clarion.cli.session import load_settings
from clarion.clock import SystemClock
from clarion.config import Address, Settings

ASK_SECONDS = 5.0
QUIET_SECONDS = 60.0
"""An agent that has not worked for longer is shown in red, but for those that work by the hour."""
HOURLY = ("sweeper", "remover")

Labels = tuple[tuple[str, str], ...]
Values = dict[str, dict[Labels, float]]
"""By the name of the sample, then by its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What processes said at one instant. Numbers that each process has for itself are added up;
    of what all of them see alike, and of times, the largest is taken."""

    at: float
    """By a monotonic clock, in seconds."""
    values: Values
    silent: tuple[str, ...] = ()
    """Addresses that did not answer."""

    def by(self, name: str, label: str) -> dict[str, float]:
        """The values of a metric by one of its labels, others added up."""
        sums: defaultdict[str, float] = defaultdict(float)
        for labels, value in self.values.get(name, {}).items():
            sums[dict(labels).get(label, "")] += value
        return dict(sums)

    def one(self, name: str) -> float:
        return sum(self.values.get(name, {}).values())


@dataclass(slots=True)
class _Gathered:
    values: Values = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        for family in text_string_to_metric_families(text):
            if not family.name.startswith("clarion_"):
                continue
            adds_up = family.type != "gauge" or family.name == "clarion_database_connections"
            for sample in family.samples:
                by_labels = self.values.setdefault(sample.name, {})
                labels = tuple(sorted(sample.labels.items()))
                before = by_labels.get(labels, 0.0)
                value = 0.0 if sample.value != sample.value else sample.value  # NaN: not known
                by_labels[labels] = before + value if adds_up else max(before, value)


async def top(
    *urls: str,
    every: Annotated[float, Parameter(validator=Number(gte=0.2, lte=3_600))] = 2.0,
    once: bool = False,
    json: AsJson = False,
) -> None:
    """Show on one screen, live, what comes in, what waits, and what FCM answers; Ctrl-C ends it.

    It reads the metrics of processes and adds them up.

    For example:

    ```
    clarion top
    clarion top http://10.0.0.1:9464 http://10.0.0.2:9464
    clarion top --once --json
    ```

    Parameters
    ----------
    urls
        Where processes tell their metrics; without any, CLARION_METRICS_LISTEN or CLARION_LISTEN.
    every
        Seconds between two looks.
    once
        Two looks, printed once: so it is also where no terminal reads it.
    """
    addresses = [_metrics_url(url) for url in urls] or [_own(load_settings())]
    clock = SystemClock()
    before = await look(addresses, clock.monotonic())
    if len(before.silent) == len(addresses):
        raise Ending(
            ExitCode.UNAVAILABLE,
            f"Nobody tells metrics at {', '.join(addresses)}: name the addresses of processes.",
            word="unavailable",
        )
    await asyncio.sleep(every)
    after = await look(addresses, clock.monotonic())
    if json:
        print_json(figures(before, after))
        return
    if once or not console.is_terminal:
        console.print(screen(before, after, clock.now()))
        return
    with Live(screen(before, after, clock.now()), console=console, screen=True) as live:
        while True:
            await asyncio.sleep(every)
            before, after = after, await look(addresses, clock.monotonic())
            live.update(screen(before, after, clock.now()))


async def look(addresses: Sequence[str], at: float) -> Snapshot:
    """Ask all of them, side by side."""
    answers = await asyncio.gather(*(asyncio.to_thread(_text, url) for url in addresses))
    gathered = _Gathered()
    for url, text in zip(addresses, answers, strict=True):
        if text is None:
            gathered.silent.append(url)
        else:
            gathered.add(text)
    return Snapshot(at=at, values=gathered.values, silent=tuple(gathered.silent))


def rates(before: Snapshot, after: Snapshot, name: str, label: str) -> dict[str, float]:
    """How fast a counter rises, per second, by a label. A process that began anew counts from 0."""
    seconds = max(after.at - before.at, 1e-9)
    known = before.by(name, label)
    return {
        value: max(0.0, count - known.get(value, 0.0)) / seconds
        for value, count in after.by(name, label).items()
    }


def figures(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """All that the screen shows, for scripts."""
    return {
        "events_per_second": rates(before, after, "clarion_events_total", "outcome"),
        "answers_per_second": rates(before, after, "clarion_fcm_answers_total", "answer"),
        "turned_away_per_second": rates(before, after, "clarion_calls_turned_away_total", "code"),
        "jobs": after.by("clarion_jobs", "kind"),
        "launches": after.by("clarion_launches", "state"),
        "pushes_waiting": after.by("clarion_pushes_waiting", "waiting"),
        "oldest_push_seconds": after.one("clarion_oldest_push_seconds"),
        "apps_stopped": after.by("clarion_firebase_apps_stopped", "why"),
        "backlog_bytes": after.one("clarion_backlog_bytes"),
        "connections": after.by("clarion_database_connections", "use"),
        "lag_seconds": after.by("clarion_agent_lag_seconds", "agent"),
        "restarts": after.by("clarion_agent_restarts_total", "agent"),
        "silent": list(after.silent),
    }


def screen(before: Snapshot, after: Snapshot, now: datetime) -> Group:
    """One screen of it."""
    shown = figures(before, after)
    blocks = [
        _table("events a second", shown["events_per_second"]),
        _table("jobs", shown["jobs"]),
        _table("launches", shown["launches"]),
        _table("pushes that wait", shown["pushes_waiting"]),
        _table("FCM's answers a second", shown["answers_per_second"]),
        _table("calls turned away a second", shown["turned_away_per_second"]),
        _table("Firebase apps stopped", shown["apps_stopped"], is_bad=True),
        _table("connections", shown["connections"]),
    ]
    oldest = f"oldest push that is due: {shown['oldest_push_seconds']:,.0f} s"
    head = Text(f"Clarion · {now:%H:%M:%S} UTC · {oldest}", style="bold")
    parts: list[Any] = [head, Columns(blocks, padding=(1, 3)), _agents(after, now)]
    if after.silent:
        parts.append(Text(f"no answer: {', '.join(after.silent)}", style="bold red"))
    return Group(*parts)


def _table(title: str, values: Mapping[str, float], *, is_bad: bool = False) -> Table:
    table = Table(title=title, box=None, show_header=False, title_justify="left", min_width=22)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in sorted(values.items()):
        style = "bold red" if is_bad and value else ""
        table.add_row(Text(name), Text(f"{value:,.1f}".removesuffix(".0"), style=style))
    if not values:
        table.add_row("–", "")
    return table


def _agents(seen: Snapshot, now: datetime) -> Table:
    table = Table(title="agents", box=None, title_justify="left", header_style="dim")
    for column in ("agent", "last worked", "lag", "failures", "restarts"):
        table.add_column(column, justify="left" if column == "agent" else "right")
    lags = seen.by("clarion_agent_lag_seconds", "agent")
    failures = seen.by("clarion_agent_failures_total", "agent")
    restarts = seen.by("clarion_agent_restarts_total", "agent")
    worked = seen.by("clarion_agent_last_success_timestamp_seconds", "agent")
    for agent, at in sorted(worked.items()):
        ago = now.timestamp() - at
        is_quiet = agent not in HOURLY and ago > QUIET_SECONDS
        table.add_row(
            agent,
            Text("never" if at == 0 else f"{ago:,.0f} s ago", style="red" if is_quiet else ""),
            f"{lags.get(agent, 0):,.1f} s",
            f"{failures.get(agent, 0):,.0f}",
            Text(f"{restarts.get(agent, 0):,.0f}", style="red" if restarts.get(agent) else ""),
        )
    return table


def _own(settings: Settings) -> str:
    listen = settings.metrics_listen or settings.listen
    host = "127.0.0.1" if listen.host in ("0.0.0.0", "::") else listen.host
    return f"http://{Address(host=host, port=listen.port)}/metrics"


def _metrics_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise Ending(ExitCode.USAGE, f"{url} is no http:// or https:// address.", word="usage")
    return url if url.rstrip("/").endswith("/metrics") else f"{url.rstrip('/')}/metrics"


def _text(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=ASK_SECONDS) as answer:
            return str(answer.read().decode())
    except (OSError, URLError, ValueError):
        return None
