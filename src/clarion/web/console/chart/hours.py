"""Bars by the hour: numbers to shapes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
SHOWN_HOURS = 72
"""The first so many are drawn; the table has them all."""
WIDTH, HEIGHT = 100.0, 30.0
_SLOTS_MIN = 12
_NICE = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the picture; `x`, `width` and `height` in its units."""

    hour: datetime
    count: int
    x: float
    width: float
    height: float

    @property
    def y(self) -> float:
        return HEIGHT - self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars of one number; `best`: the hour with the most. `top`: what the whole height means;
    `end`: what the far edge means, which bars of few hours do not reach."""

    bars: list[Bar]
    end: datetime | None
    best: datetime | None
    best_count: int
    total: int
    top: int


def chart(numbers: Mapping[datetime, int]) -> Chart:
    """The number of each hour from the first on, hours without any included."""
    counts = {hour.astimezone(UTC): count for hour, count in numbers.items()}
    if not counts:
        return Chart(bars=[], end=None, best=None, best_count=0, total=0, top=1)
    first, last = min(counts), max(counts)
    shown = min(SHOWN_HOURS, int((last - first) / HOUR) + 1)
    best = max(counts, key=lambda hour: counts[hour])
    top = nice(counts[best])
    slots = max(shown, _SLOTS_MIN)
    slot = WIDTH / slots
    bars = []
    for number in range(shown):
        hour = first + number * HOUR
        count = counts.get(hour, 0)
        bars.append(
            Bar(
                hour=hour,
                count=count,
                x=number * slot + slot * 0.1,
                width=slot * 0.8,
                height=HEIGHT * count / top,
            )
        )
    has_any = counts[best] > 0
    return Chart(
        bars=bars,
        end=first + slots * HOUR,
        best=best if has_any else None,
        best_count=counts[best],
        total=sum(counts.values()),
        top=top,
    )


def nice(most: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 … that is not less."""
    size = 1
    while True:
        for step in _NICE:
            if step * size >= most:
                return step * size
        size *= 10
