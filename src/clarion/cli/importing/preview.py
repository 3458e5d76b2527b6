"""`clarion import --dry-run`: what a file would become, without a trace of it anywhere."""

from collections import Counter
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
from rich.markup import escape

from clarion.cli.output import console, print_done, print_json
from clarion.clock import SystemClock
from clarion.importing.dry_run import reading_of
from clarion.importing.lines.reading import RefusedLine
from clarion.importing.lines.row import RecordKind
from clarion.importing.lines.row_reader import FileDivided, RecordFormat, read_records
from clarion.importing.lines.text_reader import Mark
from clarion.importing.services.formats import Service

SHOWN = 3


def preview(
    kind: RecordKind | Service,
    file: BinaryIO,
    written: RecordFormat,
    *,
    checked: dict[str, Any] | None = None,
    as_json: bool,
) -> None:
    """Read all of the file, and say what would be taken, and what refused and why. `checked`: what
    Firebase said of a sample of its tokens."""
    clock = SystemClock()
    now = clock.now()
    reading = reading_of(kind, UUID(int=0), now)
    taken = partly = 0
    events: list[dict[str, Any]] = []
    codes: Counter[str] = Counter()
    examples: dict[str, RefusedLine] = {}
    divided = None
    records = read_records(file, written, Mark())
    while True:
        try:
            row = next(records)
        except StopIteration:
            break
        except FileDivided as error:
            divided = str(error)
            break
        read = reading.read(row, now)
        if read.refused is not None:
            codes[read.refused.code] += 1
            examples.setdefault(read.refused.code, read.refused)
        if not read.events:
            continue
        taken += 1
        partly += read.refused is not None
        if len(events) < SHOWN:
            events += [msgspec.json.decode(raw) for _, raw in read.events]
    faults = [
        {"code": code, "lines": count, "first": examples[code].line,
         "message": examples[code].message}
        for code, count in codes.most_common()
    ]  # fmt: skip
    foreseen = {
        "taken": taken,
        "refused": codes.total(),
        "partly": partly,
        "events": events[:SHOWN],
        "faults": faults,
        "ends_early": divided,
    }
    if as_json:
        print_json(foreseen | ({"checked": checked} if checked else {}))
    else:
        _tell(foreseen, more=taken - len(events))


def _tell(foreseen: dict[str, Any], *, more: int) -> None:
    """`more`: how many lines there are beside those whose events are shown."""
    for event in foreseen["events"]:
        console.print(
            msgspec.json.encode(event).decode(), highlight=False, markup=False, soft_wrap=True
        )
    if more > 0:
        console.print(f"… and {more:,} more", style="dim", highlight=False)
    parts = f" ({foreseen['partly']:,} of them in part)" if foreseen["partly"] else ""
    foreseen_sums = f"{foreseen['taken']:,} would be taken{parts}, {foreseen['refused']:,} refused."
    print_done(f"{foreseen_sums} Nothing was kept.")
    divided = foreseen["ends_early"]
    if divided is not None:
        console.print(
            f"[yellow]![/] The import would end early: {escape(divided)}", highlight=False
        )
    for fault in foreseen["faults"]:
        place = f"{fault['lines']:,}, first in line {fault['first']:,}"
        sentence = f"{fault['code']}: {place}. {fault['message']}"
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
