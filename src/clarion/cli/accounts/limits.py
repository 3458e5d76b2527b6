"""`clarion workspaces limits | set-limits`: whom campaigns never reach, how often, and when."""

from pathlib import Path
from typing import Any

import msgspec

from clarion.cli.api import ask
from clarion.cli.output import AsJson, Ending, ExitCode, print_record, refused


async def show_limits(*, json: AsJson = False) -> None:
    """Show whom campaigns never reach, how often they may reach one customer, and when.

    For example:

    ```
    clarion workspaces limits
    ```
    """
    print_record(await ask("GET", "/workspace/limits"), as_json=json)


async def set_limits(
    *,
    exclusions: str | None = None,
    caps: str | None = None,
    quiet_hours: str | None = None,
    needs_approval: bool | None = None,
    file: Path | None = None,
    json: AsJson = False,
) -> None:
    """Change the limits of campaigns: what is named is replaced as a whole, from now on.

    For example:

    ```
    clarion workspaces set-limits --caps '[{"pushes": 3, "days": 1}]'
    clarion workspaces set-limits --exclusions '{"user_ids": ["auditor"]}'
    clarion workspaces set-limits --quiet-hours '{"start": "22:00", "end": "08:00"}'
    clarion workspaces set-limits --exclusions null --caps '[]'
    ```

    Parameters
    ----------
    exclusions
        A rule as JSON: whom no campaign reaches. null: nobody.
    caps
        Frequency caps as JSON, a list.
    quiet_hours
        Quiet hours as JSON, by the customer's own clock. null: none.
    needs_approval
        Somebody else has to approve each launch.
    file
        A JSON file with the limits. Flags win over it.
    """
    wire = {} if file is None else _decoded(_content(file), str(file))
    if not isinstance(wire, dict):
        raise refused(f"{file} holds no limits: it must be a JSON object")
    for name, text in (
        ("exclusions", exclusions),
        ("caps", caps),
        ("quiet_hours", quiet_hours),
    ):
        if text is not None:
            wire[name] = _decoded(text.encode(), f"--{name.replace('_', '-')}")
    if needs_approval is not None:
        wire["needs_approval"] = needs_approval
    if not wire:
        raise Ending(ExitCode.USAGE, "Say what to change: --caps, --exclusions.", word="usage")
    print_record(await ask("PATCH", "/workspace/limits", body=wire), as_json=json)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise Ending(ExitCode.NOT_FOUND, f"There is no file {file}.") from None
    except OSError as error:
        raise refused(f"{file} can not be read: {error}") from error


def _decoded(content: bytes, where: str) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise Ending(ExitCode.USAGE, f"{where} is no JSON: {error}", word="usage") from None
