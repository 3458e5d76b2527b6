"""Devices: where customers can be reached. A token is only ever shown as a fingerprint."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import msgspec
from cyclopts import App as Commands

from clarion.cli.output import (
    AsJson,
    Limit,
    Name,
    console,
    not_found,
    print_record,
    print_records,
    read_id,
)
from clarion.cli.session import open_session
from clarion.customers.devices.store import (
    Change,
    Device,
    device_history,
    get_device,
    list_devices,
)
from clarion.customers.identity.explanation import MEANINGS
from clarion.customers.identity.explanation_store import explain_owner
from clarion.customers.profile.redaction import shown_body, shown_facts
from clarion.customers.profile.redaction_store import known_in_events
from clarion.customers.profile.store import user_ids_of
from clarion.events.store import StoredEvent

PAGE = 100

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
        devices = await list_devices(connection, session.workspace_id, after=cursor, limit=limit)
    print_records(
        [
            shown_device(device) | {"app_version": device.facts.get("app_version")}
            for device in devices
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
        device = await get_device(connection, session.workspace_id, device_id)
        if device is None:
            raise not_found("device", device_id)
        owners = await user_ids_of(connection, session.workspace_id, [device.customer_id])
    owner = {"id": device.customer_id, "user_id": owners.get(device.customer_id)}
    record = shown_device(device) | {"customer": owner}
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
        changes = await device_history(connection, session.workspace_id, device_id)
    if not changes:
        raise not_found("device", device_id)
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
        device = await get_device(connection, session.workspace_id, device_id)
        if device is None:
            raise not_found("device", device_id)
        explained = await explain_owner(connection, session.workspace_id, device_id)
        owners = await user_ids_of(connection, session.workspace_id, [device.customer_id])
        event = explained.event
        events = [] if event is None else [event]
        known = await known_in_events(connection, session.workspace_id, events)
    because = explained.explanation.because
    cause = None if event is None else _shown_cause(event, known)
    owner = {"id": device.customer_id, "user_id": owners.get(device.customer_id)}
    reason = {
        "because": because.value,
        "meaning": MEANINGS[because],
        "left_at": explained.explanation.left_at,
    }
    if json:
        print_record(
            {"device_id": device_id, "customer": owner, **reason, "cause": cause}, as_json=True
        )
        return
    shown = {"user_id": owner["user_id"], "customer_id": owner["id"]}
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
                "": "◀ decided" if claim == explained.explanation.claim else "",
            }
            for claim in explained.claims
        ],
        as_json=False,
        columns=("seen at", "user_id", "kind", "message_id", ""),
        none="No user was seen with it.",
    )


def _shown_cause(event: StoredEvent, known: Collection[str]) -> dict[str, Any]:
    return {
        "message_id": event.message_id,
        "type": event.type,
        "event": event.name,
        "at": event.at,
        "received_at": event.received_at,
        "body": shown_body(event.body, known),
    }


def _print_cause(cause: dict[str, Any]) -> None:
    """The event behind an answer, as it came."""
    body = msgspec.json.format(msgspec.json.encode(cause.pop("body")), indent=2).decode()
    console.print("\nThe event that decided:", style="bold")
    print_record(cause, as_json=False)
    console.print(body, style="dim", markup=False, highlight=False, soft_wrap=True)
    console.print("\nWho was seen with it:", style="bold")


def shown_device(device: Device) -> dict[str, Any]:
    """A device's fields as they are printed."""
    return {
        "id": device.id,
        "device_id": device.device_id,
        "platform": device.platform.value,
        "state": device.state.value,
        "reason": device.reason,
        "customer_id": device.customer_id,
        "source_id": device.source_id,
        "token_kind": device.token_kind.value,
        "token_fingerprint": device.token_fingerprint,
        "registrations": [asdict(one) for one in device.registrations],
        "cure": device.cure,
        "facts": shown_facts(device.facts),
        "registered_at": device.registered_at,
        "last_seen_at": device.last_seen_at,
    }


def shown_change(change: Change) -> dict[str, Any]:
    """A line of history as it is printed."""
    return {
        "at": change.at,
        "device_id": change.device_id,
        "change": change.change,
        "reason": change.reason,
        "customer_id": change.customer_id,
        "previous_customer_id": change.previous_customer_id,
        "token_fingerprint": change.token_fingerprint,
        "message_id": change.message_id,
    }
