"""The results as a page of tables."""

from collections.abc import Mapping
from typing import Any


def written(found: Mapping[str, Any]) -> str:
    """Markdown: the machine, then a table for each part, a column for each thing measured."""
    lines = [f"# Measured {found['at']}", ""]
    lines += [f"- {name}: {value}" for name, value in found["machine"].items()]
    results: Mapping[str, Mapping[str, Any]] = found["results"]
    for part, by_name in results.items():
        columns = dict(by_name)
        if part == "collector":
            columns = {
                f"{size}, {store}": row
                for store, sizes in by_name.items()
                for size, row in sizes.items()
            }
        lines += ["", f"## {part}", "", *_table(columns)]
    return "\n".join(lines) + "\n"


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
