"""Customers: whom we know, and what they did."""

from typing import Any

from cyclopts import App as Commands

from clarion.cli.api import open_api
from clarion.cli.api.client import path_of, read_list, with_times
from clarion.cli.output import (
    LIMIT_MAX,
    AsJson,
    Before,
    Limit,
    Name,
    print_record,
    print_records,
    read_id,
)

PAGE = 100

commands = Commands(name="customers", help="Customers: whom we know, and what they did.")
for _name in ("erase", "suppress", "unsuppress", "export"):
    commands.command(f"clarion.cli.customers.regulations:{_name}", name=_name)
for _name in ("merge", "unmerge", "merges"):
    commands.command(f"clarion.cli.customers.merging:{_name}", name=_name)


@commands.command(name="list")
async def list_(*, limit: Limit = PAGE, after: str | None = None, json: AsJson = False) -> None:
    """List customers by id.

    For example:

    ```
    clarion customers list --limit 20
    clarion customers list --after 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70 --json
    ```

    Parameters
    ----------
    limit
        How many.
    after
        The id of the last one seen: what follows it is listed.
    """
    cursor = None if after is None else read_id(after, "customer")
    async with open_api() as api:
        customers = await read_list(api, "/customers", query={"after": cursor}, limit=limit)
    print_records(
        customers if json else [with_times(customer) for customer in customers],
        as_json=json,
        columns=("id", "user_id", "push_opted_out", "first_seen_at", "last_seen_at"),
        none="There are no customers here.",
    )


@commands.command
async def find(words: Name, /, *, limit: Limit = 20, json: AsJson = False) -> None:
    """Find customers by user id, email address, device id or registration token.

    The beginning of a user id or of an address will do; exact ones come first.

    For example:

    ```
    clarion customers find ada@shop.example
    clarion customers find user-47 --limit 5
    ```

    Parameters
    ----------
    words
        What is known of them.
    limit
        How many.
    """
    async with open_api() as api:
        found = await read_list(api, "/customers", query={"search": words}, limit=limit)
    print_records(
        found if json else [with_times(customer) for customer in found],
        as_json=json,
        columns=("id", "user_id", "push_opted_out", "first_seen_at", "last_seen_at"),
        none="Nobody is known by that.",
    )


@commands.command
async def show(user_id: Name, *, json: AsJson = False) -> None:
    """Show a customer, their traits and devices. One who has not signed in is named by id.

    For example:

    ```
    clarion customers show user-4711
    ```
    """
    async with open_api() as api:
        customer = await api.call("GET", path_of("customers", user_id, "customer"), name=user_id)
    if json:
        print_record(customer, as_json=True)
        return
    devices = customer.pop("devices")
    print_record(with_times(customer), as_json=False)
    print_records(
        [
            with_times(device) | {"push_permission": device["facts"]["push_permission"]}
            for device in devices
        ],
        as_json=False,
        columns=("device_id", "platform", "state", "reason", "push_permission", "registered_at"),
        none="No devices.",
    )


@commands.command
async def events(
    user_id: Name, *, limit: Limit = PAGE, before: Before = None, json: AsJson = False
) -> None:
    """List a customer's events, newest first.

    For example:

    ```
    clarion customers events user-4711 --limit 10 --json
    ```

    Parameters
    ----------
    user_id
        Whose.
    limit
        How many.
    before
        The `seq` of the last one seen: what is older is listed.
    """
    path = f"{path_of('customers', user_id, 'customer')}/events"
    async with open_api() as api:
        found = await read_list(api, path, query={"before": before}, limit=limit, name=user_id)
    print_records(
        found if json else [with_times(event) for event in found],
        as_json=json,
        columns=("at", "type", "event", "message_id", "seq"),
        none="No events.",
    )


@commands.command
async def history(user_id: Name, *, json: AsJson = False) -> None:
    """Show which devices came to a customer, changed, or left, oldest first.

    For example:

    ```
    clarion customers history user-4711
    ```
    """
    path = f"{path_of('customers', user_id, 'customer')}/devices/history"
    async with open_api() as api:
        changes = await read_list(api, path, limit=LIMIT_MAX, name=user_id)
    print_records(
        changes if json else [with_times(change) for change in changes],
        as_json=json,
        columns=("at", "device_id", "change", "reason", "customer_id", "previous_customer_id"),
        none="No history.",
    )


@commands.command
async def devices(user_id: Name, *, json: AsJson = False) -> None:
    """List the devices a customer has and had, and until when; `clarion devices why` says why.

    For example:

    ```
    clarion customers devices user-4711
    ```
    """
    path = f"{path_of('customers', user_id, 'customer')}/devices"
    async with open_api() as api:
        held = await read_list(api, path, name=user_id)
    print_records(
        held if json else [with_times(one) for one in held],
        as_json=json,
        columns=("device_id", "since", "until", "began_by", "ended_by"),
        none="No devices, now or ever.",
    )


@commands.command
async def timeline(user_id: Name, *, limit: Limit = PAGE, json: AsJson = False) -> None:
    """Show a customer's life in one list, newest first: events, changes of devices, pushes.

    For example:

    ```
    clarion customers timeline user-4711 --limit 30
    ```

    Parameters
    ----------
    user_id
        Whose.
    limit
        How many.
    """
    path = f"{path_of('customers', user_id, 'customer')}/timeline"
    async with open_api() as api:
        entries = await read_list(api, path, limit=limit, name=user_id)
    print_records(
        entries if json else [_row(entry) for entry in entries],
        as_json=json,
        columns=("at", "kind", "what", "device_id", "message_id"),
        none="Nothing is known of this customer's life.",
    )


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of a timeline for a table."""
    kind, thing = entry["kind"], entry[entry["kind"]]
    words = {
        "event": ("type", "event"),
        "change": ("change", "reason"),
        "push": ("campaign", "state", "reason"),
    }
    return with_times(
        {
            "at": entry["at"],
            "kind": "device" if kind == "change" else kind,
            "what": " ".join(filter(None, (thing[word] for word in words[kind]))),
            "device_id": thing.get("device_id"),
            "message_id": thing.get("message_id"),
        }
    )
