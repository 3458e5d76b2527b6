"""Records of an export as lines of a file that can be imported again; but for that file. Pure."""

import csv
from collections.abc import Callable
from typing import IO, Any

import msgspec

from clarion.importing.lines.cell import protected, protected_json
from clarion.importing.lines.row import RecordKind
from clarion.importing.lines.text_reader import RecordForm

_COLUMNS = {
    RecordKind.CUSTOMERS: (
        "id", "user_id", "anonymous_id", "traits:json", "push_opted_out:boolean", "first_seen_at",
        "last_seen_at", "suppressed_at",
    ),
    RecordKind.DEVICES: (
        "device_id", "user_id", "platform", "token_kind", "state", "reason", "registered_at",
        "last_seen_at", "owners:json", "facts:json", "clarion_source",
    ),
    RecordKind.EVENTS: ("messageId", "type", "timestamp", "receivedAt", "body:json"),
}  # fmt: skip


def record_writer(
    kind: RecordKind, form: RecordForm, file: IO[str], *, with_tokens: bool
) -> Callable[[dict[str, Any]], None]:
    """What writes one record behind the other into `file`, each as the API tells it."""
    if form is RecordForm.NDJSON:
        return lambda record: _write_line(file, record)
    columns = _COLUMNS[kind]
    if kind is RecordKind.DEVICES and with_tokens:
        columns = (*columns, "token")
    writer = csv.writer(file)
    writer.writerow(columns)
    return lambda record: writer.writerow([_cell(record, column) for column in columns])


def _write_line(file: IO[str], record: dict[str, Any]) -> None:
    file.write(msgspec.json.encode(record).decode() + "\n")


def _cell(record: dict[str, Any], column: str) -> Any:
    name, _, _ = column.partition(":")
    value = record if name == "body" else record.get(name)
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return protected_json(msgspec.json.encode(value).decode())
        case _:
            return protected(str(value))
