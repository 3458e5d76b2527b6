"""What commands print and how they end."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, TextIO
from uuid import UUID

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich import markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment, SegmentLines
from rich.table import Table
from rich.text import Text

from clarion.cli.terminal import can_show
from clarion.text import one_line, visible, visible_json, without_passwords

AsJson = Annotated[
    bool, Parameter(name="--json", negative="", help="Print JSON for scripts, one document.")
]

Name = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""What something is called by those who have made it: an id of an app may begin with a hyphen."""

LIMIT_MAX = 1_000_000
Limit = Annotated[int, Parameter(validator=Number(gte=1, lte=LIMIT_MAX))]
"""How many of a list."""
Before = Annotated[int | None, Parameter(validator=Number(gte=0, lte=2**63 - 1))]
"""The number of a row."""

COLUMNS_MAX = 10_000
_TIMES = ("at", "before", "signatures_from", "since", "until", "registered_before")
"""Fields that are times, beside those that end in _at."""


def counted(count: int, noun: str) -> str:
    """ "1 device", "2 devices"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class SafeConsole(Console):
    """A console on which foreign text gives no orders: rich writes what it is given as it is."""

    def render_str(self, text: str, **options: Any) -> Text:
        # Before it is measured, so that what stands beside it is in line.
        return super().render_str(visible(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        # What was not a plain text before it came here.
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else visible(segment.text)
            yield segment if text is segment.text else segment._replace(text=text)


console = SafeConsole()
errors = SafeConsole(stderr=True)


class ExitCode(IntEnum):
    """How a command ended. Documented in the help; scripts depend on it."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    """A wrong argument or a wrong setting."""
    NOT_FOUND = 3
    UNAVAILABLE = 4
    """The database, the broker or an address can not be used now."""
    REFUSED = 5
    """What was asked for can not be: a faulty file or content, a campaign in another state."""


EXIT_CODES_HELP = (
    "Exit codes: 0 done; 1 failure; 2 wrong argument or setting; 3 not found; 4 the database, the "
    "broker or an address is unavailable; 5 refused (faulty content, wrong state)."
)


class Ending(Exception):
    """Ends a command with a code and a sentence for the person. `faults`: what is wrong where."""

    def __init__(
        self,
        code: ExitCode,
        message: str,
        *,
        word: str = "",
        faults: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.word = word or code.name.lower()
        self.faults = faults


def not_found(what: str, name: object) -> Ending:
    return Ending(ExitCode.NOT_FOUND, f"There is no {what} {name}.", word="not_found")


def refused(message: str, faults: Sequence[tuple[str, str]] = (), word: str = "") -> Ending:
    return Ending(ExitCode.REFUSED, message, faults=faults, word=word)


def read_id(text: str, what: str) -> UUID:
    """An id as people give it; what is no id names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise not_found(what, text) from None


def escape(text: str) -> str:
    """Text of others for a line of ours: no markup in it, no order to the terminal, no line end."""
    return markup.escape(one_line(text))


def print_json(value: Any) -> None:
    """One JSON document on standard output, indented."""
    write_json(msgspec.json.format(msgspec.json.encode(value), indent=2), sys.stdout)


def write_json(document: bytes, stream: TextIO) -> None:
    """A document and a line end. In an encoding that can not hold it all, and where a terminal
    would obey it, a character is its number: it stays the same document."""
    text = visible_json(document.decode())
    if not can_show(stream, text):
        text = json.dumps(json.loads(text), indent=2 if "\n" in text else None)
    stream.write(text + "\n")
    stream.flush()


def print_record(record: Mapping[str, Any], *, as_json: bool, title: str | None = None) -> None:
    """One thing: its fields, one a line."""
    if as_json:
        print_json(record)
        return
    table = Table(show_header=False, box=None, title=title, title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in with_times(record).items():
        table.add_row(name, escape(shown(value)))
    _print_table(table)


def print_records(
    records: Sequence[Mapping[str, Any]], *, as_json: bool, columns: Sequence[str], none: str
) -> None:
    """Several things: a JSON array of all their fields, or a table of `columns`."""
    if as_json:
        print_json(records)
        return
    if not records:
        console.print(none, style="dim")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        is_count = isinstance(records[0].get(column), int)
        is_id = column == "id" or column.endswith(("_id", "_key"))  # to be copied whole
        table.add_column(
            column, overflow="fold", no_wrap=is_id, justify="right" if is_count else "left"
        )
    for record in map(with_times, records):
        table.add_row(*(escape(shown(record.get(column))) for column in columns))
    _print_table(table)


def _print_table(table: Table) -> None:
    """The whole table: half an id is no id. What is too wide for a terminal, it wraps itself; for
    a file or a pipe there is no width. A line ends where its text does: blanks up to the widest
    would be wrapped into empty lines."""
    needs = Measurement.get(console, console.options.update(max_width=COLUMNS_MAX), table)
    table.width = needs.maximum
    if console.is_terminal:
        table.width = min(needs.maximum, max(needs.minimum, console.width))
    options = console.options.update(max_width=COLUMNS_MAX)
    lines = console.render_lines(table, options, pad=False)
    console.print(SegmentLines([_without_end(line) for line in lines], new_lines=True), crop=False)


def _without_end(line: list[Segment]) -> list[Segment]:
    """A line without the blanks at its end."""
    while line and not line[-1].text.strip():
        line = line[:-1]
    if not line:
        return []
    return [*line[:-1], line[-1]._replace(text=line[-1].text.rstrip())]


def print_done(sentence: str) -> None:
    """What was done, for a person."""
    console.print(f"[green]✓[/] {escape(sentence)}", highlight=False)


def print_ending(ending: Ending, *, as_json: bool) -> None:
    """Why the command ended, on standard error. What libraries say of an address may hold its
    password."""
    message = without_passwords(ending.message)
    faults = [(name, without_passwords(text)) for name, text in ending.faults]
    if as_json:
        body: dict[str, Any] = {"success": False, "code": ending.word, "message": message}
        if faults:
            body["faults"] = [{"field": name, "message": text} for name, text in faults]
        write_json(msgspec.json.encode(body), sys.stderr)
        return
    first, *more = message.split("\n")
    errors.print(f"[bold red]error:[/] {escape(first)}", highlight=False)
    for line in more:
        errors.print(f"  {escape(line)}", highlight=False)
    for name, text in faults:
        if message == f"{name} {text}.":
            continue  # told already
        errors.print(f"  [bold]{escape(name)}[/] {escape(text)}", highlight=False)


def with_times(record: Mapping[str, Any]) -> dict[str, Any]:
    """A thing of the API for a table: its times are datetimes."""
    return {
        name: _as_time(value) if name in _TIMES or name.endswith("_at") else value
        for name, value in record.items()
    }


def _as_time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def shown(value: Any) -> str:
    """A value as people read it in a table."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S UTC")
        case Mapping() | list() | tuple():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
