"""Deliveries as lines of CSV, of which a spreadsheet runs none. Pure."""

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import StringIO
from typing import Any

from clarion.importing.cell import protected

DELIVERY_COLUMNS = (
    "launch_id", "device_id", "customer_id", "user_id", "platform", "state", "reason", "attempts",
    "unanswered", "settled_at", "received_at", "opened_at", "converted_at",
    "language",
)  # fmt: skip


def heading() -> bytes:
    """The first line."""
    return _lines([DELIVERY_COLUMNS])


def delivery_lines(deliveries: Iterable[Mapping[str, Any]]) -> bytes:
    """A line for each, with its values by the names of the columns; UTF-8, times in UTC."""
    return _lines(
        [_cell(delivery[column]) for column in DELIVERY_COLUMNS] for delivery in deliveries
    )


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
