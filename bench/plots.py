"""The results as pictures: bars of what a unit of work costs, beside its limit and its peers. Pure.

Drawn as SVG by a template, as the console's charts are; docs/benchmarks.md shows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

if TYPE_CHECKING:
    from bench.results import Part

WIDTH, LABEL_WIDTH, BAR_HEIGHT, STEP, TOP = 720, 250, 18, 28, 44
NUMBER_WIDTH = 110
"""Right of a bar, for its figure."""
OURS, SERVER, OTHERS = "#3157d5", "#9db2f2", "#8a8f98"

_SVG = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<svg xmlns="http://www.w3.org/2000/svg" width="{{ width }}" height="{{ height }}" \
viewBox="0 0 {{ width }} {{ height }}" role="img" aria-label="{{ title }}" \
font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="0" y="18" font-weight="600" fill="#1b1f27">{{ title }}</text>
{% for bar in bars %}
<text x="{{ bar.label_x }}" y="{{ bar.text_y }}" text-anchor="end" \
fill="#1b1f27">{{ bar.label }}</text>
{% for piece in bar.pieces %}
<rect x="{{ piece.x }}" y="{{ bar.y }}" width="{{ piece.width }}" height="{{ bar_height }}" \
fill="{{ piece.colour }}"/>
{% endfor %}
<text x="{{ bar.end }}" y="{{ bar.text_y }}" fill="#1b1f27">{{ bar.figure }}</text>
{% endfor %}
</svg>
""")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `ours` of our processes, `server` of the database's, `others` of a peer's; all in
    the unit of the picture."""

    label: str
    ours: float = 0.0
    server: float = 0.0
    others: float = 0.0


def plots(parts: Mapping[str, "Part"]) -> dict[str, str]:
    """The pictures that these parts have the figures for: a name and an SVG each."""
    pictures = {}
    if "campaign" in parts:
        columns = parts["campaign"].columns
        pictures["push"] = picture("CPU µs a push, all of it", _costs(columns, "a push"))
        pictures["pushes"] = picture(
            "Pushes a second, on one core", _speeds(columns, "pushes/s"), largest_first=True
        )
    if "ingestion" in parts:
        columns = parts["ingestion"].columns
        pictures["event"] = picture(
            "CPU µs an event, collected and known", _costs(columns, "an event")
        )
    if "sizes" in parts:
        columns = parts["sizes"].columns
        pictures["sizes"] = picture(
            "CPU µs a push, by the size of the campaign", _costs(columns, "a push")
        )
    return pictures


def picture(title: str, bars: Sequence[Bar], *, largest_first: bool = False) -> str:
    """Horizontal bars, in the order given or by size, each with its figure."""
    if largest_first:
        bars = sorted(bars, key=_whole, reverse=True)
    scale = (WIDTH - LABEL_WIDTH - NUMBER_WIDTH) / max(map(_whole, bars), default=1.0)
    drawn: list[dict[str, Any]] = []
    for number, bar in enumerate(bars):
        y = TOP + number * STEP
        x = float(LABEL_WIDTH)
        pieces = []
        for value, colour in ((bar.ours, OURS), (bar.server, SERVER), (bar.others, OTHERS)):
            if value:
                pieces.append({"x": f"{x:.1f}", "width": f"{value * scale:.1f}", "colour": colour})
                x += value * scale
        figure = f"{_whole(bar):,.0f}" if _whole(bar) >= 100 else f"{_whole(bar):.1f}"
        drawn.append({"label": bar.label, "label_x": LABEL_WIDTH - 8, "y": y,
                      "text_y": y + BAR_HEIGHT - 4, "pieces": pieces, "end": f"{x + 8:.1f}",
                      "figure": figure})  # fmt: skip
    height = TOP + STEP * len(bars)
    return _SVG.render(
        title=title, width=WIDTH, height=height, bars=drawn, bar_height=BAR_HEIGHT
    )  # fmt: skip


def _costs(columns: Mapping[str, Mapping[str, Any]], of: str) -> list[Bar]:
    bars = []
    for name, row in columns.items():
        cost, server = row.get(f"CPU µs {of}"), row.get(f"database CPU µs {of}")
        if cost is not None:
            is_ours = server is not None
            bars.append(
                Bar(name, cost if is_ours else 0.0, server or 0.0, 0.0 if is_ours else cost)
            )
    return bars


def _speeds(columns: Mapping[str, Mapping[str, Any]], unit: str) -> list[Bar]:
    return [
        Bar(name, ours=row[unit]) if "seconds, launch to settled" in row
        else Bar(name, others=row[unit])
        for name, row in columns.items()
        if unit in row
    ]  # fmt: skip


def _whole(bar: Bar) -> float:
    return bar.ours + bar.server + bar.others
