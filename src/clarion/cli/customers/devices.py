"""Devices: where customers can be reached. A token is only ever shown as a fingerprint."""

from typing import Any

import msgspec
from cyclopts import App as Commands

from clarion.cli.api import ask, ask_list
from clarion.cli.api.client import path_of
from clarion.cli.output import (
    LIMIT_MAX,
    AsJson,
    Limit,
    Name,
    console,
    print_record,
    print_records,
    read_id,
    with_times,
)

PAGE = 100

commands = Commands(name="devices", help="Devices: where customers can be reached.")
commands.command("clarion.cli.customers.freshness:freshness", name="freshness")
commands.command("clarion.cli.customers.freshness:stale", name="stale")
commands.command("clarion.cli.customers.freshness:swept", name="swept")


@commands.command(name="list")
async def list_(*, limit: Limit = PAGE, after: str | None = None, json: AsJson = False) -> None:
    """List devices by id.

    For example:

    ```
    clarion devices list --limit 20
    clarion devices list --json
    ```

    Parameters
    ----------
    limit
        How many.
    after
        The `id` of the last one seen: what follows it is listed.
    """
    cursor = None if after is None else read_id(after, "device")
    devices = await ask_list("/devices", query={"after": cursor}, limit=limit)
    print_records(
        devices if json else [_row(device) for device in devices],
        as_json=json,
        columns=(
            "device_id", "platform", "token_kind", "state", "reason", "app_version",
            "registered_at", "last_seen_at", "customer_id",
        ),
        none="There are no devices here.",
    )  # fmt: skip


@commands.command
async def show(device_id: Name, *, json: AsJson = False) -> None:
    """Show a device and whose it is.

    For example:

    ```
    clarion devices show 7f9a2c1e-install --json
    ```
    """
    device = await ask("GET", path_of("devices", device_id, "device"), name=device_id)
    if json:
        print_record(device, as_json=True)
        return
    registrations = device.pop("registrations")
    facts = {name: fact for name, fact in device.pop("facts").items() if fact is not None}
    print_record(with_times(device) | facts, as_json=False)
    print_records(
        registrations,
        as_json=False,
        columns=("token_kind", "token_fingerprint", "state", "reason", "registered_at"),
        none="No registrations.",
    )


@commands.command
async def history(device_id: Name, *, json: AsJson = False) -> None:
    """Show everything that happened to a device, oldest first.

    For example:

    ```
    clarion devices history 7f9a2c1e-install
    ```
    """
    path = f"{path_of('devices', device_id, 'device')}/history"
    changes = await ask_list(path, limit=LIMIT_MAX, name=device_id)
    print_records(
        changes,
        as_json=json,
        columns=(
            "at", "change", "reason", "customer_id", "previous_customer_id", "token_fingerprint",
            "message_id",
        ),
        none="No history.",
    )  # fmt: skip


@commands.command
async def why(device_id: Name, *, json: AsJson = False) -> None:
    """Explain whose a device is: the rule that decided, and the event behind it.

    For example:

    ```
    clarion devices why 7f9a2c1e-install
    ```
    """
    path = f"{path_of('devices', device_id, 'device')}/owner"
    ownership = await ask("GET", path, name=device_id)
    if json:
        print_record(ownership, as_json=True)
        return
    owner, cause, weighed = (ownership.pop(name) for name in ("customer", "cause", "weighed"))
    shown = {"device_id": device_id, "user_id": owner["user_id"], "customer_id": owner["id"]}
    print_record(shown | with_times(ownership), as_json=False)
    if cause is not None:
        _print_cause(with_times(cause))
    print_records(
        [
            {
                "seen at": with_times(claim)["at"],
                "user_id": claim["user_id"],
                "kind": claim["kind"],
                "message_id": claim["message_id"],
                "": "◀ decided" if claim["decided"] else "",
            }
            for claim in weighed
        ],
        as_json=False,
        columns=("seen at", "user_id", "kind", "message_id", ""),
        none="No user was seen with it.",
    )


def _row(device: dict[str, Any]) -> dict[str, Any]:
    """A device for a table."""
    device_facts = {
        "app_version": device["facts"]["app_version"],
        "customer_id": device["customer"]["id"],
    }
    return with_times(device) | device_facts


def _print_cause(cause: dict[str, Any]) -> None:
    """The event behind an answer, as it came."""
    body = msgspec.json.format(msgspec.json.encode(cause.pop("body")), indent=2).decode()
    console.print("\nThe event that decided:", style="bold")
    print_record(cause, as_json=False)
    console.print(body, style="dim", markup=False, highlight=False, soft_wrap=True)
    console.print("\nWho was seen with it:", style="bold")
