"""The templates of all pages, compiled once in a process. What they print is escaped."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from clarion.web.console.static_files import address

FOLDER = Path(__file__).parent
TURNS = frozenset({"chevron-right", "log-out", "send", "undo-2"})
"""Icons that point along the line, and so the other way where it runs from right to left."""


@cache
def environment() -> Environment:
    """Pages stand in the folder of their screen, what they share in `kit/`."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["icon"] = icon
    made.globals["address"] = address
    made.filters["pretty"] = pretty
    return made


def pretty(value: Any) -> str:
    """JSON for people: indented, every script as itself, numbers exact."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@cache
def icon(name: str) -> Markup:
    """A drawing that stands beside a word, which says the same."""
    drawn = (FOLDER / "icons" / f"{name}.svg").read_text().strip()
    if name in TURNS:
        drawn = drawn.replace('class="icon"', 'class="icon turns"', 1)
    return Markup(drawn)
