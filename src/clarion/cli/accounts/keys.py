"""API keys: what scripts and people call /api/v1 with."""

from typing import Annotated

from cyclopts import App as Commands
from cyclopts import Parameter

from clarion.cli.api import ask, ask_list
from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    console,
    print_done,
    print_record,
    print_records,
    read_id,
)

SCOPES = ("read", "author", "write", "admin")

commands = Commands(name="keys", help="API keys: what scripts and people call /api/v1 with.")


@commands.command
async def create(
    name: str,
    *,
    scope: Annotated[list[str] | None, Parameter(negative="")] = None,
    json: AsJson = False,
) -> None:
    """Make an API key. It is shown this once: only its hash is kept.

    For example:

    ```
    clarion keys create dashboard
    clarion keys create campaign-script --scope write --json
    clarion keys create terraform --scope admin
    ```

    Parameters
    ----------
    name
        What it is for.
    scope
        read: to look at everything but keys; write: also to send events from servers and to
        change campaigns; admin: everything. Each includes those before it.
    """
    wanted = {"name": name, "scopes": read_scopes(scope or ["read"])}
    made = await ask("POST", "/keys", body=wanted)
    if json:
        print_record(made, as_json=True)
        return
    shown_key = {field: made[field] for field in ("id", "name", "scopes", "key")}
    print_record(shown_key, as_json=False)
    console.print("Keep it: it is not shown again.", style="dim")
    if scope is None:
        console.print("It may only look: --scope write or admin makes more of it.", style="dim")


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List API keys, revoked ones too. Keys themselves are never shown.

    For example:

    ```
    clarion keys list
    ```
    """
    keys = await ask_list("/keys")
    print_records(
        keys,
        as_json=json,
        columns=("id", "name", "hint", "scopes", "last_used_at", "revoked_at"),
        none="There is no API key yet: clarion keys create NAME",
    )


@commands.command
async def revoke(key_id: str, *, json: AsJson = False) -> None:
    """Refuse a key from now on.

    For example:

    ```
    clarion keys revoke 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    wanted = read_id(key_id, "API key")
    key = await ask("POST", f"/keys/{wanted}/revoke", name=key_id)
    if json:
        print_record(key, as_json=True)
    else:
        print_done(f"{key_id} is revoked.")


def read_scopes(wanted: list[str]) -> list[str]:
    """The scopes, each known. Ends the command where one is not."""
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown:
        raise Ending(
            ExitCode.USAGE, f"{unknown[0]} is no scope; use {', '.join(SCOPES)}.", word="usage"
        )
    return list(dict.fromkeys(wanted))
