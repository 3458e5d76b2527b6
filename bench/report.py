"""The results as a page of tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.results import Part


def written(parts: Mapping[str, "Part"]) -> str:
    """Markdown: for each run its machine, then a table for each part, a column for each thing
    measured."""
    lines: list[str] = ["# Measured"]
    by_run: dict[str, dict[str, Part]] = {}
    for name, part in parts.items():
        by_run.setdefault(part.at, {})[name] = part
    for at in sorted(by_run, reverse=True):
        run = by_run[at]
        machine = next(iter(run.values())).machine
        lines += ["", f"## {at}", ""]
        lines += [f"- {name}: {value}" for name, value in machine.items()]
        for name, part in run.items():
            lines += ["", f"### {name}", "", *_table(_columns(name, part))]
    return "\n".join(lines) + "\n"


def _columns(name: str, part: "Part") -> Mapping[str, Mapping[str, Any]]:
    if name != "collector":
        return part.columns
    return {
        f"{size}, {store}": row
        for store, sizes in part.columns.items()
        for size, row in sizes.items()
    }


def _table(columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for row in columns.values() for name in row))
    lines = [
        f"| | {' | '.join(columns)} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name in names:
        cells = " | ".join(_cell(row.get(name)) for row in columns.values())
        lines.append(f"| {name} | {cells} |")
    return lines


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case Mapping():
            return ", ".join(f"{name} {count}" for name, count in value.items())
        case int():
            return f"{value:,}"
        case _:
            return str(value)
