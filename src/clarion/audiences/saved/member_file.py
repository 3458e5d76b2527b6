"""The user ids in a file: one a line, or a column of CSV, or NDJSON. Pure."""

import csv
from dataclasses import dataclass
from io import StringIO
from typing import Any

import msgspec

from clarion.events.messages.identifiers import usable_id
from clarion.faults import Fault, Rejected, invalid
from clarion.text import is_storable

ROWS_MAX = 100_000
"""Of one upload; more go into several."""
FAULTS_MAX = 100
COLUMNS = ("user_id", "userId", "id")
"""What the column, or the member of an object, may be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFile:
    """`rows`: lines that were not empty; `user_ids`: each once, in their order."""

    rows: int
    user_ids: list[str]
    faults: list[Fault]


def read_members(file: bytes) -> MemberFile | Rejected:
    """The user ids in the file, and the lines that hold none (the first `FAULTS_MAX`)."""
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError:
        return invalid(Fault("file", "is not in UTF-8: save it so"))
    if not text.strip():
        return invalid(Fault("file", "is empty: it takes a user id a line"))
    cells = _ndjson(text) if text.lstrip()[0] in '{"' and _is_json(text) else _csv(text)
    if isinstance(cells, Fault):
        return invalid(cells)
    if len(cells) > ROWS_MAX:
        message = f"has {len(cells)} rows; the limit is {ROWS_MAX}: upload it in parts"
        return invalid(Fault("file", message))
    user_ids: dict[str, None] = {}
    faults: list[Fault] = []
    for line, cell in cells:
        user_id = usable_id(cell)
        if user_id is not None and is_storable(user_id):
            user_ids[user_id] = None
        elif len(faults) < FAULTS_MAX:
            faults.append(Fault(f"line {line}", "holds no user id that an event could carry"))
    if not user_ids:  # else it would empty a list that it is to replace
        return invalid(Fault("file", "holds no user id: it takes one a line"), *faults)
    return MemberFile(rows=len(cells), user_ids=list(user_ids), faults=faults)


def _is_json(text: str) -> bool:
    first = text.lstrip().partition("\n")[0]
    try:
        msgspec.json.decode(first)
    except msgspec.DecodeError:
        return False
    return True


def _ndjson(text: str) -> list[tuple[int, Any]]:
    cells = []
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        try:
            value = msgspec.json.decode(row)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            value = next((value[name] for name in COLUMNS if name in value), None)
        cells.append((line, value))
    return cells


def _csv(text: str) -> list[tuple[int, Any]] | Fault:
    """With a heading, the column it names; without, the only one."""
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row))
    except csv.Error as error:
        return Fault("file", f"is no CSV from line {reader.line_num} on: {error}")
    heading = [cell.strip().lower() for cell in rows[0][1]]
    names = [name.lower() for name in COLUMNS]
    column = next((heading.index(name) for name in names if name in heading), None)
    if column is None:
        if len(heading) > 1:
            return Fault("file", f"has no column named one of: {', '.join(COLUMNS)}")
        return [(line, row[0]) for line, row in rows]
    return [(line, row[column] if column < len(row) else "") for line, row in rows[1:]]
