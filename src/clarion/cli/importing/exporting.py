"""`clarion export`: customers, devices or events, as a file that can be imported again."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

from cyclopts import Parameter
from rich.progress import Progress

from clarion.cli.api import open_api
from clarion.cli.output import Ending, ExitCode, errors, print_done
from clarion.importing.lines.columns import LEFT_OUT
from clarion.importing.lines.row import RecordKind
from clarion.importing.lines.text_reader import RecordForm
from clarion.importing.record_writer import record_writer

PAGE = 500


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
    path, cursor = f"/exports/{kind.value}", None
    async with open_api() as api:
        total = (await api.call("GET", f"{path}/count"))["rows"]
        with (
            opened_file(out) as file,
            Progress(console=errors, disable=out is None or not errors.is_terminal) as shown,
        ):
            task = shown.add_task(kind.value, total=total)
            write = record_writer(kind, form, file, with_tokens=with_tokens)
            while True:
                query = {"with_tokens": with_tokens, "limit": PAGE, "cursor": cursor}
                page = await api.call("GET", path, query=query)
                for record in page["data"]:
                    write(record)
                    left_out += LEFT_OUT in record
                count += len(page["data"])
                shown.update(task, completed=count, total=max(total, count))
                cursor = page["next"]
                if cursor is None:
                    break
    if out is not None:
        print_done(f"{count:,} {kind.value} are in {out}.")
    if left_out:
        errors.print(
            f"[yellow]![/] Registration tokens were left out of {left_out:,} of them: "
            "--with-tokens writes them, for an import elsewhere.",
            highlight=False,
        )


@contextmanager
def opened_file(out: Path | None) -> Iterator[IO[str]]:
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
