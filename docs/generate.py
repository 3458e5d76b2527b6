"""Writes docs/reference/ from the code itself: `python -m docs.generate`.

Each page is a function that reads what the code declares (settings, the API's own description, the
commands, the error codes, the metrics) and returns Markdown. `tests/docs` holds the files equal to
it, so a page is never older than the code.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clarion.agent import AgentName
from clarion.broker import JobKind
from clarion.config import SETTINGS
from clarion.customers.devices.freshness.token_age import AGES
from clarion.customers.ingestor import INGESTED
from clarion.reports.backlog_store import UNDER_WAY, WAITING
from clarion.telemetry import AGENT_FAILURES, CHUNK_STEPS, Metrics
from docs.api import api
from docs.codes import errors
from docs.command_line import command_line

REFERENCE = Path(__file__).with_name("reference")
MADE = "<!-- Made by `make docs` from the code: change it there. -->"

LABELS: Mapping[str, Any] = {
    "kind": JobKind,
    "agent": AgentName,
    "failure": AGENT_FAILURES,
    "why": ("paused", "removals"),
    "state": UNDER_WAY,
    "waiting": WAITING,
    "freshness": AGES,
    "step": CHUNK_STEPS,
    "rate": ("pace", "quota"),
    "use": ("in use", "idle"),
    "outcome": INGESTED,
    "project": ("the id of the Firebase project",),
    "answer": ("what became of the try, as `reasons` of a report name it",),
    "code": ("those of [a whole call](errors.md#the-collector-the-whole-call)",),
}
"""What the labels of metrics may be."""


def settings() -> str:
    """Every variable of the environment that Clarion reads."""
    lines = [
        "# Settings",
        "",
        "Read from the environment once, at start, and checked together: every fault is told at",
        "once, and a variable that begins with `CLARION_` and is not on this list is refused. An",
        "empty variable is an absent one. `clarion config` shows what is in force and from where;",
        "`clarion check` looks at it without starting anything.",
        "",
        "Each may stand in a file, too, as Docker and Kubernetes hand out secrets: with `_FILE`",
        "behind its name, as in `CLARION_SECRET_KEY_FILE=/run/secrets/clarion`, a variable names a",
        "file that holds the value alone. Both at once are refused.",
    ]
    for one in SETTINGS:
        lines += [
            "",
            f"## `{one.name}`",
            "",
            one.meaning,
            "",
            f"- Default: {one.default}",
            f"- Example: {one.example}",
        ]
    return "\n".join(lines)


def metrics() -> str:
    """Every metric of a process."""
    lines = [
        "# Metrics",
        "",
        "`GET /metrics` of every process that listens (`serve`, `run collector`, `run web`), and",
        "of any process on `CLARION_METRICS_LISTEN`, in Prometheus' text format. Beside these",
        "stand the usual `process_*` and `python_*` of the process itself. A process shows the",
        "metrics of the agents that it runs: `overdue`, which publishes lost chunks again, is the",
        "sender's; `indexer`, which brings launches that have ended into the index by customer,",
        "the planner's; `eraser`, which finishes erasures that were cut off, and `remover`, which",
        "removes what is older than its workspace keeps it, the sweeper's.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    every = Metrics()
    parts = (every, every.under_way, every.sending, every.agents)
    for metric in (metric for part in parts for metric in vars(part).values()):
        if not hasattr(metric, "describe"):
            continue
        for family in metric.describe():
            labels = "; ".join(
                f"`{name}`: {', '.join(LABELS[name])}" for name in metric._labelnames
            )
            name = f"{family.name}_total" if family.type == "counter" else family.name
            lines.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(lines)


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings,
    "api.md": api,
    "errors.md": errors,
    "cli.md": command_line,
    "metrics.md": metrics,
}


def page(name: str) -> str:
    """The text of a file of docs/reference/."""
    title, _, rest = PAGES[name]().strip().partition("\n")
    return f"{title}\n\n{MADE}\n{rest}\n"


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name in PAGES:
        (REFERENCE / name).write_text(page(name))


if __name__ == "__main__":
    main()
