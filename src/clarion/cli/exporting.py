"""`clarion export`: customers, devices or events, as a file that can be imported again."""

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.progress import Progress

from clarion.cli.output import Ending, ExitCode, errors, print_done
from clarion.cli.session import open_session
from clarion.importing.cell import protected, protected_json
from clarion.importing.columns import LEFT_OUT
from clarion.importing.export_store import count_rows, export_pages
from clarion.importing.row import RecordKind
from clarion.importing.text_reader import RecordForm

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


async def export(
    kind: RecordKind,
    *,
    out: Path | None = None,
    format: Annotated[RecordForm | None, Parameter(name="--format")] = None,
    with_tokens: bool = False,
) -> None:
    """Export customers, devices or events, as a file that `clarion import` takes.

    For example:

    ```
    clarion export customers --out customers.csv
    clarion export devices --with-tokens --out devices.ndjson
    clarion export events | head -3
    ```

    Parameters
    ----------
    kind
        What to export.
    out
        The file to write, for its owner's eyes alone; without it, standard output.
    format
        NDJSON, unless the file's name says CSV.
    with_tokens
        With registration tokens, which are secrets: needed to move devices elsewhere.
    """
    form = format or (
        RecordForm.CSV if out is not None and out.suffix.lower() == ".csv" else RecordForm.NDJSON
    )
    count = left_out = 0
    async with open_session() as session:
        async with session.database.read() as connection:
            total = await count_rows(connection, session.workspace_id, kind)
        with (
            _opened(out) as file,
            Progress(console=errors, disable=out is None or not errors.is_terminal) as shown,
        ):
            task = shown.add_task(kind.value, total=total)
            write = record_writer(kind, form, file, with_tokens=with_tokens)
            async for page in export_pages(
                session.database, session.workspace_id, kind, with_tokens=with_tokens
            ):
                for record in page:
                    write(record)
                    left_out += LEFT_OUT in record
                count += len(page)
                shown.update(task, completed=count, total=max(total, count))
    if out is not None:
        print_done(f"{count:,} {kind.value} are in {out}.")
    if left_out:
        errors.print(
            f"[yellow]![/] Registration tokens were left out of {left_out:,} of them: "
            "--with-tokens writes them, for an import elsewhere.",
            highlight=False,
        )


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[str]]:
    """Standard output, or a file that is there whole or not at all."""
    if out is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    if out.exists() and not out.is_file():  # a device or a pipe, which a file must not replace
        with out.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    part = out.with_name(f"{out.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise Ending(ExitCode.USAGE, f"{out} can not be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def record_writer(
    kind: RecordKind, form: RecordForm, file: IO[str], *, with_tokens: bool
) -> Callable[[dict[str, Any]], None]:
    """What writes one record behind the other into `file`."""
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
        case datetime():
            return value.isoformat()
        case _:
            return protected(str(value))
