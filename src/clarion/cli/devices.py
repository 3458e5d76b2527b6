"""Devices: where customers can be reached. A token is only ever shown as a fingerprint."""

from dataclasses import asdict
from typing import Any

import msgspec
from cyclopts import App as Commands

from clarion.cli.output import AsJson, Limit, Name, console, print_record, print_records, read_id
from clarion.cli.session import accepted, open_session
from clarion.customers.devices.queries import (
    Cause,
    device_history,
    explain_device,
    get_device,
    list_devices,
)
from clarion.customers.devices.store import Change, Device
from clarion.customers.profile.redaction import shown_facts

PAGE = 100

_OF_DEVICE = (
    "id", "device_id", "platform", "state", "reason", "customer_id", "source_id", "token_kind",
    "token_fingerprint", "registrations", "cure", "facts", "registered_at", "last_seen_at",
)  # fmt: skip
_OF_CHANGE = (
    "at", "device_id", "change", "reason", "customer_id", "previous_customer_id",
    "token_fingerprint", "message_id",
)  # fmt: skip

commands = Commands(name="devices", help="Devices: where customers can be reached.")
commands.command("clarion.cli.freshness:freshness", name="freshness")
commands.command("clarion.cli.freshness:stale", name="stale")
commands.command("clarion.cli.freshness:swept", name="swept")


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
    async with open_session() as session, session.database.read() as connection:
        devices = await list_devices(connection, session.actor, after=cursor, limit=limit)
    print_records(
        [
            shown_device(device) | {"app_version": device.facts.get("app_version")}
            for device, _ in devices
        ],
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
    async with open_session() as session, session.database.read() as connection:
        found = await get_device(connection, session.actor, device_id)
    device, owner = accepted(found, name=device_id)
    record = shown_device(device) | {"customer": asdict(owner)}
    if json:
        print_record(record, as_json=True)
        return
    registrations = record.pop("registrations")
    print_record(record | record.pop("facts"), as_json=False)
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
    async with open_session() as session, session.database.read() as connection:
        history = await device_history(connection, session.actor, device_id)
    changes = accepted(history, name=device_id)
    print_records(
        [shown_change(change) for change in changes],
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
    async with open_session() as session, session.database.read() as connection:
        explained = await explain_device(connection, session.actor, device_id)
    ownership = accepted(explained, name=device_id)
    owner = ownership.customer
    cause = None if ownership.cause is None else _shown_cause(ownership.cause)
    reason = {
        "because": ownership.because.value,
        "meaning": ownership.meaning,
        "left_at": ownership.left_at,
    }
    if json:
        print_record(
            {"device_id": device_id, "customer": asdict(owner), **reason, "cause": cause},
            as_json=True,
        )
        return
    shown = {"user_id": owner.user_id, "customer_id": owner.id}
    print_record({"device_id": device_id, **shown, **reason}, as_json=False)
    if cause is not None:
        _print_cause(cause)
    print_records(
        [
            {
                "seen at": claim.at,
                "user_id": claim.user_id,
                "kind": claim.kind.value,
                "message_id": claim.message_id,
                "": "◀ decided" if claim.decided else "",
            }
            for claim in ownership.weighed
        ],
        as_json=False,
        columns=("seen at", "user_id", "kind", "message_id", ""),
        none="No user was seen with it.",
    )


def _shown_cause(cause: Cause) -> dict[str, Any]:
    record = asdict(cause)
    del record["source_id"]
    return record


def _print_cause(cause: dict[str, Any]) -> None:
    """The event behind an answer, as it came."""
    body = msgspec.json.format(msgspec.json.encode(cause.pop("body")), indent=2).decode()
    console.print("\nThe event that decided:", style="bold")
    print_record(cause, as_json=False)
    console.print(body, style="dim", markup=False, highlight=False, soft_wrap=True)
    console.print("\nWho was seen with it:", style="bold")


def shown_device(device: Device) -> dict[str, Any]:
    """A device's fields as they are printed."""
    record = {field: getattr(device, field) for field in _OF_DEVICE}
    record["registrations"] = [asdict(one) for one in device.registrations]
    return record | {"facts": shown_facts(device.facts)}


def shown_change(change: Change) -> dict[str, Any]:
    """A line of history as it is printed."""
    return {field: getattr(change, field) for field in _OF_CHANGE}
