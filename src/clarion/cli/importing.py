"""`clarion import`: customers, devices and past events from a file, by everybody's rules."""

import asyncio
from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import Parameter
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from clarion.cli import import_progress
from clarion.cli.import_progress import ProgressFile, head_of
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    errors,
    print_done,
    print_json,
    refused,
)
from clarion.cli.session import Session, open_session
from clarion.cli.source_choice import find_source
from clarion.events.collector import Collector
from clarion.events.importer import Importer, ImportRefused
from clarion.events.record import RecordKind
from clarion.events.record_file import RecordForm
from clarion.events.source import Source
from clarion.events.source_store import list_sources

_FORMS = {
    ".csv": RecordForm.CSV,
    ".tsv": RecordForm.CSV,
    ".ndjson": RecordForm.NDJSON,
    ".jsonl": RecordForm.NDJSON,
    ".json": RecordForm.NDJSON,
}


async def import_(
    kind: RecordKind,
    file: Path,
    *,
    source: str | None = None,
    format: Annotated[RecordForm | None, Parameter(name="--format")] = None,
    restart: bool = False,
    json: AsJson = False,
) -> None:
    """Import customers, devices or past events from a CSV or NDJSON file.

    Every line becomes an event and meets the rules that all events meet: a customer is an identify,
    a device is a Register Push. A line that says what is known already changes nothing, so an
    import can be broken off (Ctrl-C) and started again, and goes on where it was. Lines that are
    refused stand in FILE.refused.ndjson, each with its number, the reason and the cure.

    For example:

    ```
    clarion import customers crm.csv --source "My app"
    clarion import devices tokens.ndjson
    clarion import events history.ndjson --restart
    ```

    Parameters
    ----------
    kind
        What each line is.
    file
        CSV with a header, or one JSON object a line.
    source
        The source (name or id) that the events come from; it decides the Firebase app of devices.
        Not needed where there is one.
    format
        How the file is written, where its name does not tell.
    restart
        Begin at the first line again.
    """
    form = format or _FORMS.get(file.suffix.lower())
    if form is None:
        raise Ending(ExitCode.USAGE, f"{file.name} does not tell its format: add --format.")
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Ending(ExitCode.USAGE, f"{file} can not be read: {error.strerror}.") from None
    with opened:
        async with open_session() as session:
            chosen = await _choose_source(session, source)
            kept = ProgressFile.of(file)
            progress = _progress(session, kind, chosen, opened, kept, restart=restart)
            await _import(session, kind, chosen, opened, form, kept, progress, quiet=json)
    if json:
        print_json(
            {
                "lines": progress.line,
                "taken": progress.taken,
                "refused": progress.refused,
                "refused_file": str(kept.refused_path) if progress.refused else None,
            }
        )
        return
    print_done(
        f"{_counted(progress.taken, 'record')} durable: running ingestors take in what is new."
    )
    if progress.refused:
        console.print(
            f"[yellow]![/] {_counted(progress.refused, 'line')} refused: "
            f"{kept.refused_path} says why.",
            highlight=False,
        )


def _counted(count: int, what: str) -> str:
    return f"1 {what} is" if count == 1 else f"{count:,} {what}s are"


async def _choose_source(session: Session, name: str | None) -> Source:
    async with session.database.read() as connection:
        if name is not None:
            return await find_source(connection, session, name)
        sources = await list_sources(connection, session.workspace_id)
    sending = [one for one in sources if one.revoked_at is None]
    if len(sending) == 1:
        return sending[0]
    if not sending:
        raise Ending(
            ExitCode.USAGE, "There is no source to import as: clarion sources create NAME."
        )
    names = ", ".join(repr(one.name) for one in sending)
    raise Ending(ExitCode.USAGE, f"There are several sources ({names}): add --source NAME.")


def _progress(
    session: Session,
    kind: RecordKind,
    source: Source,
    file: BinaryIO,
    kept: ProgressFile,
    *,
    restart: bool,
) -> import_progress.Progress:
    """Where to go on. Ends the command where the file is another than the one begun with."""
    head = head_of(file)
    size = file.seek(0, 2)
    known = None if restart else kept.load()
    fresh = import_progress.Progress(
        kind=kind.value, source_id=str(source.id), size=size, head=head, at=session.clock.now()
    )
    if known is None:
        return fresh
    if (known.kind, known.source_id, known.head) != (fresh.kind, fresh.source_id, fresh.head) or (
        size < known.offset
    ):
        raise refused(
            f"{kept.path.name} says that another import of this file was begun (other lines, kind "
            "or source). Add --restart to begin anew: what was taken in changes nothing.",
            word="another_import",
        )
    known.size = size
    return known


async def _import(
    session: Session,
    kind: RecordKind,
    source: Source,
    file: BinaryIO,
    form: RecordForm,
    kept: ProgressFile,
    progress: import_progress.Progress,
    *,
    quiet: bool,
) -> None:
    async with session.broker() as broker:
        collector = Collector(session.database, broker, session.clock)
        importer = Importer(collector, session.clock, source=source, kind=kind, at=progress.at)
        shown = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[told]}"),
            console=errors,
            disable=quiet or not errors.is_terminal,
        )
        with shown, kept.open_refused(progress) as refused_lines:
            task = shown.add_task(kind.value, total=progress.size, told="")
            _show(shown, task, progress)
            try:
                async for step in importer.run(file, form, progress.mark):
                    await asyncio.to_thread(kept.advance, progress, step, refused_lines)
                    _show(shown, task, progress)
            except ImportRefused as error:
                raise refused(f"The import stopped at line {progress.line}: {error}.") from None
            finally:
                await collector.close()
        if not progress.refused:
            kept.refused_path.unlink()


def _show(shown: Progress, task: TaskID, progress: import_progress.Progress) -> None:
    told = f"{progress.line:,} lines, {progress.refused:,} refused"
    shown.update(task, completed=progress.offset, told=told)
