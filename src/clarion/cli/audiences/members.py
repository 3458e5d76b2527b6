"""`clarion audiences upload`: user ids in a file, put on a static list."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from clarion.cli.api import open_api
from clarion.cli.api.client import path_of
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    escape,
    print_done,
    print_json,
    refused,
)

PART_CHARACTERS = 100_000
"""Of a file that goes over in one call, whose body has 512 KiB at most."""
HEADINGS = ("user_id", "userId", "id")

Record = dict[str, Any]
Flag = Annotated[bool, Parameter(negative="")]


async def upload(code: str, file: Path, *, replace: Flag = False, json: AsJson = False) -> None:
    """Put the user ids in a file on a static list: one a line, CSV with a column user_id, or
    NDJSON. What did not match is told.

    For example:

    ```
    clarion audiences upload testers testers.csv --replace
    ```

    Parameters
    ----------
    file
        The file, in UTF-8.
    replace
        Instead of those that are on it.
    """
    parts = _parts(content_of_file(file), file)
    report: Record = {"rows": 0, "members": 0, "unmatched": 0, "unmatched_ids": [], "faults": []}
    async with open_api() as api:
        for number, (before, part) in enumerate(parts):
            body = {"file": part, "replace": replace and number == 0}
            path = f"{path_of_audience(code)}/members"
            done = await api.call("POST", path, body=body, name=code)
            report["members"] = done["members"]
            for name in ("rows", "unmatched", "unmatched_ids"):
                report[name] += done[name]
            report["faults"] += [_moved(fault, before) for fault in done["faults"]]
    if json:
        print_json(report)
        return
    _print_upload(code, report)


def path_of_audience(code: str) -> str:
    """Where an audience is. Ends the command where that is no code."""
    return path_of("audiences", code, "audience")


def content_of_file(file: Path) -> bytes:
    """What is in a file. Ends the command where it can not be read."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise Ending(ExitCode.NOT_FOUND, f"There is no file {file}.") from None
    except OSError as error:
        raise refused(f"{file} can not be read: {error.strerror}") from error


def _parts(content: bytes, file: Path) -> list[tuple[int, str]]:
    """The file in parts that fit into a call, each with the lines that stand before it. The heading
    of a CSV goes with each."""
    try:
        lines = content.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError:
        raise refused(f"{file} is not in UTF-8: save it so.") from None
    first = lines[0] if lines else ""
    cells = {cell.strip().strip('"') for cell in first.replace(";", ",").split(",")}
    heading = first if cells & set(HEADINGS) else ""
    parts: list[tuple[int, str]] = []
    start, size = 0, 0
    for number, line in enumerate(lines):
        if size + len(line) > PART_CHARACTERS and number > start:
            parts.append((start, "".join(lines[start:number])))
            start, size = number, 0
        size += len(line)
    parts.append((start, "".join(lines[start:])))
    return [
        (before - bool(heading), heading + part) if before else (0, part) for before, part in parts
    ]


def _moved(fault: Record, lines: int) -> Record:
    """A fault of a part, by its line in the whole file."""
    word, _, number = fault["field"].partition(" ")
    return fault | {"field": f"{word} {int(number) + lines}"} if number.isdigit() else fault


def _print_upload(code: str, report: Record) -> None:
    print_done(f"{code} has {report['members']:,} members.")
    if report["unmatched"]:
        first = ", ".join(escape(user_id) for user_id in report["unmatched_ids"][:5])
        console.print(
            f"{report['unmatched']:,} are of no customer yet, and count from when one signs in so: "
            f"{first}",
            highlight=False,
            soft_wrap=True,
        )
    for fault in report["faults"]:
        console.print(
            f"[yellow]![/] {escape(fault['field'])} {escape(fault['message'])}.", highlight=False
        )
