"""`clarion import`: customers, devices and past events from a file, by everybody's rules."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from clarion.cli.api import open_api
from clarion.cli.api.client import Api, read_list
from clarion.cli.importing import progress as import_progress
from clarion.cli.importing.preview import preview
from clarion.cli.importing.progress import ProgressFile, head_of
from clarion.cli.importing.token_sample import check_tokens
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    errors,
    escape,
    print_done,
    print_json,
    refused,
)
from clarion.cli.sources.choice import Record, chosen
from clarion.clock import SystemClock
from clarion.faults import Rejected
from clarion.importing.dry_run import reading_of
from clarion.importing.importer import Importer, ImportRefused
from clarion.importing.lines.cell import name_and_kind
from clarion.importing.lines.reading import RefusedEvent
from clarion.importing.lines.row import IDS, SEGMENTS_NAMES, RecordKind
from clarion.importing.lines.row_reader import Header, RecordFormat, read_header, renamed
from clarion.importing.lines.text_reader import (
    HEAD_BYTES,
    Encoding,
    RecordForm,
    encoding_of,
    fault_of_file,
)
from clarion.importing.services.formats import FORMATS, Service

RETRIES_MAX = 30
RETRY_SECONDS = 2.0
"""Where something is away for a minute, an import waits for it."""

_FORMS = {
    ".csv": RecordForm.CSV,
    ".tsv": RecordForm.CSV,
    ".ndjson": RecordForm.NDJSON,
    ".jsonl": RecordForm.NDJSON,
    ".json": RecordForm.NDJSON,
}


async def import_(
    kind: RecordKind | Path,
    file: Path | None = None,
    *,
    from_: Annotated[Service | None, Parameter(name="--from")] = None,
    source: str | None = None,
    format: Annotated[RecordForm | None, Parameter(name="--format")] = None,
    encoding: Encoding | None = None,
    rename: Annotated[list[str] | None, Parameter(name="--rename", negative="")] = None,
    restart: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    check_sample: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    json: AsJson = False,
) -> None:
    """Import customers, devices or past events from a CSV or NDJSON file.

    Every line becomes an event and meets the rules of all events: a customer is an identify, a
    device is a Register Push. A line that says what is known changes nothing: broken off (Ctrl-C)
    and started again, an import goes on where it was. Refused lines stand in FILE.refused.csv (or
    .ndjson), each with its number and the reason: mend them there, and import that file.

    For example:

    ```
    clarion import customers crm.csv --dry-run
    clarion import customers crm.csv --source "My app" --rename external_id=user_id
    clarion import devices tokens.ndjson
    clarion import events history.ndjson --restart
    clarion import endpoints.json --from pinpoint --dry-run --check-sample 200
    ```

    Parameters
    ----------
    kind
        What each line is: customers, devices or events. The file, where `--from` is given.
    file
        CSV with a header, or one JSON object a line.
    from_
        Whose export the file is: each row is read as that service writes it.
    source
        The source (name or id) that the events come from; it decides the Firebase app of devices.
        Not needed where there is one.
    format
        How the file is written, where its name does not tell.
    encoding
        How its text is written, where it is neither UTF-8 nor begins with a byte order mark.
    rename
        What a column is called here: external_id=user_id, age=age:number, or nothing where it is
        to be left out: notes=. May be repeated.
    restart
        Begin at the first line again.
    dry_run
        Read all of it, tell what would be taken and refused, and keep nothing.
    check_sample
        Ask Firebase about so many of the file's tokens before anything is taken: it checks a push
        to each, and sends none.
    """
    lines, path = _meant(kind, file, from_)
    with _opened(path) as opened:
        looked = _looked_at(lines, path, opened, format, encoding, rename)
        if dry_run and not check_sample:
            preview(lines, opened, looked[0], as_json=json)
            return
        sampled = (check_sample, dry_run)
        await _run(lines, path, opened, looked, sampled, source, restart=restart, as_json=json)


async def _run(
    lines: RecordKind | Service,
    path: Path,
    opened: BinaryIO,
    looked: tuple[RecordFormat, Header | None],
    sampled: tuple[int, bool],
    source: str | None,
    *,
    restart: bool,
    as_json: bool,
) -> None:
    """`sampled`: of how many tokens Firebase is asked, and whether it ends there."""
    written, header = looked
    count, is_dry = sampled
    async with open_api() as api:
        sources = await read_list(api, "/sources")
        meant = chosen(sources, source)
        checked = await check_tokens(api, meant, lines, opened, written, count, as_json=as_json)
        if is_dry:
            preview(lines, opened, written, checked=checked, as_json=as_json)
            return
        kept = ProgressFile.of(path, header)
        progress = _progress(lines, meant, opened, kept, written, restart=restart)
        await _import(api, opened, written, kept, lines, progress, sources, quiet=as_json)
    _tell(progress, kept, checked, as_json=as_json)


def _meant(
    kind: RecordKind | Path, file: Path | None, service: Service | None
) -> tuple[RecordKind | Service, Path]:
    """What the lines are, and the file: where a service is named, the file alone is."""
    if service is not None:
        if file is not None or isinstance(kind, RecordKind):
            sentence = "With --from, only FILE is named: a row's own format says what it is."
            raise Ending(ExitCode.USAGE, sentence)
        return service, kind
    if isinstance(kind, RecordKind) and file is not None:
        return kind, file
    if isinstance(kind, RecordKind):
        raise Ending(ExitCode.USAGE, f"Name the file: clarion import {kind.value} FILE.")
    raise Ending(
        ExitCode.USAGE,
        f"{kind} is none of customers, devices and events: clarion import KIND FILE, or FILE "
        "--from SERVICE for another service's export.",
    )


def _tell(
    progress: import_progress.Progress,
    kept: ProgressFile,
    checked: dict[str, Any] | None,
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json(
            {
                "lines": progress.line,
                "taken": progress.taken,
                "refused": progress.refused,
                "refused_file": str(kept.refused_path) if progress.refused else None,
            }
            | ({"checked": checked} if checked else {})
        )
        return
    print_done(
        f"{_counted(progress.taken, 'record')} durable: running ingestors take in what is new."
    )
    if progress.refused:
        file = escape(str(kept.refused_path))
        console.print(
            f"[yellow]![/] {_counted(progress.refused, 'line')} refused: {file} says why. "
            "Mend them there, and import that file.",
            highlight=False,
        )


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Ending(ExitCode.USAGE, f"{file} can not be read: {error.strerror}.") from None
    with opened:
        yield opened


def _looked_at(
    kind: RecordKind | Service,
    file: Path,
    opened: BinaryIO,
    form: RecordForm | None,
    encoding: Encoding | None,
    rename: list[str] | None,
) -> tuple[RecordFormat, Header | None]:
    """How the file is written, and its header. Ends the command where it is no such file, or one
    all of whose lines would be refused."""
    head = opened.read(HEAD_BYTES)
    form = form or _FORMS.get(file.suffix.lower())
    fault = fault_of_file(head, form or RecordForm.CSV, encoding)
    if fault is not None:
        raise refused(f"{file.name} can not be imported. {fault}", word="no_records")
    if form is None:
        raise Ending(ExitCode.USAGE, f"{file.name} does not tell its format: add --format.")
    pairs = [pair.partition("=") for pair in rename or ()]
    if not all(old and equals for old, equals, _ in pairs):
        raise Ending(ExitCode.USAGE, "--rename says OLD=NEW, as in external_id=user_id.")
    names = {old: new for old, _, new in pairs}
    if isinstance(kind, Service):
        names = {**FORMATS[kind].names, **names}
    if kind is RecordKind.EVENTS:  # an event in Segment's names has no other ids
        names = {old: SEGMENTS_NAMES.get(new, new) for old, new in names.items()}
    written = RecordFormat(
        form=form,
        encoding=encoding_of(head, encoding),
        names=names,
        has_repeated_columns=isinstance(kind, Service) and FORMATS[kind].has_repeated_columns,
    )
    header = read_header(opened, written) if form is RecordForm.CSV else None
    if isinstance(header, Rejected):
        raise refused(f"{file.name} can not be imported. {header.message}", word=header.code)
    wanted = FORMATS[kind].needs * 2 if isinstance(kind, Service) else IDS.get(kind, ())
    if header is not None and wanted:
        columns = renamed(header.columns, names)
        if not {name_and_kind(column)[0] for column in columns} & set(wanted):
            raise refused(
                f"{file.name} has no column {' or '.join(wanted[::2])}. It has "
                f"{', '.join(header.columns)}: say which one it is, --rename NAME={wanted[0]}.",
                word="no_id_column",
            )
    return written, header


def _counted(count: int, what: str) -> str:
    return f"1 {what} is" if count == 1 else f"{count:,} {what}s are"


def _progress(
    kind: RecordKind | Service,
    source: Record,
    file: BinaryIO,
    kept: ProgressFile,
    written: RecordFormat,
    *,
    restart: bool,
) -> import_progress.Progress:
    """Where to go on. Ends the command where the file is another than the one begun with."""
    size = file.seek(0, 2)
    fresh = import_progress.Progress(
        kind=kind.value,
        source_id=source["id"],
        size=size,
        head=head_of(file),
        names=dict(written.names),
        at=SystemClock().now(),
    )
    earlier = None if restart else kept.load()
    if earlier is None:
        return fresh
    if not earlier.goes_on_as(fresh):
        raise refused(
            f"{kept.path.name} says that another import of this file was begun (other lines, kind, "
            "names or source). Add --restart to begin anew: what was taken in changes nothing.",
            word="another_import",
        )
    earlier.size = size
    return earlier


async def _import(
    api: Api,
    file: BinaryIO,
    written: RecordFormat,
    kept: ProgressFile,
    kind: RecordKind | Service,
    progress: import_progress.Progress,
    sources: Sequence[Record],
    *,
    quiet: bool,
) -> None:
    others = frozenset(source["name"] for source in sources if source["id"] != progress.source_id)
    reading = reading_of(kind, UUID(progress.source_id), progress.at, others)
    importer = Importer(_Door(api, progress.source_id), SystemClock(), reading)
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
            async for step in importer.run(file, written, progress.mark):
                await asyncio.to_thread(kept.advance, progress, step, refused_lines)
                _show(shown, task, progress)
        except ImportRefused as error:
            raise refused(f"The import stopped at line {progress.line}: {error}.") from None
        except asyncio.CancelledError:
            shown.stop()
            sentence = f"Broken off behind line {progress.line:,}: the same command goes on there."
            errors.print(sentence, highlight=False)
            raise
    if not progress.refused:
        kept.refused_path.unlink()


class _Door:
    """Implements `importer.Door`."""

    def __init__(self, api: Api, source_id: str) -> None:
        self._api = api
        self._source_id = source_id

    async def take(self, body: bytes) -> Sequence[RefusedEvent]:
        """See `Door.take`."""
        try:
            taken = await self._call("POST", f"/imports/{self._source_id}", body)
        except Ending as ending:
            if ending.code is ExitCode.REFUSED:
                raise ImportRefused(ending.message.removesuffix(".")) from None
            raise
        return [RefusedEvent(**refused) for refused in taken["refused"]]

    async def waiting(self) -> int:
        """See `Door.waiting`."""
        return (await self._call("GET", "/sources/backlog"))["jobs"] or 0

    async def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """As `Api.call`, again and again for a minute where something is away."""
        for _ in range(RETRIES_MAX):
            try:
                return await self._api.call(method, path, body=body)
            except Ending as ending:
                if ending.code is not ExitCode.UNAVAILABLE:
                    raise
            await asyncio.sleep(RETRY_SECONDS)
        return await self._api.call(method, path, body=body)


def _show(shown: Progress, task: TaskID, progress: import_progress.Progress) -> None:
    sentence = f"{progress.line:,} lines, {progress.refused:,} refused"
    shown.update(task, completed=progress.offset, told=sentence)
