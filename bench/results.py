"""Results of `make bench`, kept part by part: each with when and on which machine it was measured.

A run of some parts replaces those and leaves the others as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.plots import plots
from bench.report import written

FOLDER = Path(__file__).with_name("results")
PICTURES = Path(__file__).parents[1] / "docs" / "benchmarks"
"""Beside the page that shows them."""

Columns = Mapping[str, Mapping[str, Any]]
"""What was measured of each store or peer: names to figures."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it was last measured; `at`: ISO 8601."""

    at: str
    machine: Mapping[str, str]
    columns: Columns


def read(folder: Path = FOLDER) -> dict[str, Part]:
    """The parts that were ever measured; none if there is no file."""
    file = folder / "latest.json"
    if not file.exists():
        return {}
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Part])


def keep(parts: Mapping[str, Part], folder: Path = FOLDER, pictures: Path = PICTURES) -> list[Path]:
    """Writes these parts beside those that are kept already; returns what files there are now."""
    kept = read(folder) | dict(parts)
    texts = {
        folder / "latest.json": msgspec.json.format(msgspec.json.encode(kept)).decode() + "\n",
        folder / "latest.md": written(kept),
        **{pictures / f"{name}.svg": picture for name, picture in plots(kept).items()},
    }
    for file, text in texts.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return list(texts)
