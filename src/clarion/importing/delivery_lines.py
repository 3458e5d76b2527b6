"""Deliveries as lines of CSV, of which a spreadsheet runs none. Pure."""

import csv
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeVar

from clarion.importing.lines.cell import protected

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DELIVERY_COLUMNS = (
    "launch_id", "device_id", "customer_id", "user_id", "platform", "state", "reason", "attempts",
    "unanswered", "settled_at", "received_at", "opened_at", "converted_at",
    "language",
)  # fmt: skip


DELIVERIES_AT_ONCE = 1_000
"""That are read, and are sent, at once."""

D = TypeVar("D", bound="DataclassInstance")
"""A delivery, with the columns as its fields."""


async def delivery_lines(
    first: Sequence[D], read: Callable[[D], Awaitable[Sequence[D]]]
) -> AsyncIterator[bytes]:
    """The heading, then a line for each, page by page: UTF-8, times in UTC. `first`: the first
    page; `read`: the one behind a delivery. A page has DELIVERIES_AT_ONCE, but the last one."""
    yield _lines([DELIVERY_COLUMNS])
    page = first
    while page:
        values = map(asdict, page)
        yield _lines(
            [_cell(delivery[column]) for column in DELIVERY_COLUMNS] for delivery in values
        )
        page = await read(page[-1]) if len(page) == DELIVERIES_AT_ONCE else []


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case int():
            return str(value)
        case _:
            return protected(str(value))
