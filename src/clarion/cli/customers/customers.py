"""Customers: whom we know, and what they did."""

from typing import Any

from cyclopts import App as Commands

from clarion.cli.api import ask, ask_list
from clarion.cli.api.client import path_of
from clarion.cli.output import (
    LIMIT_MAX,
    AsJson,
    Before,
    Ending,
    ExitCode,
    Limit,
    Name,
    print_record,
    print_records,
    read_id,
    with_times,
)

PAGE = 100

commands = Commands(name="customers", help="Customers: whom we know, and what they did.")
for _name in ("erase", "suppress", "unsuppress", "export"):
    commands.command(f"clarion.cli.customers.regulations:{_name}", name=_name)
commands.command("clarion.cli.customers.why:why", name="why")
for _name in ("categories", "leave", "rejoin"):
    commands.command(f"clarion.cli.customers.categories:{_name}", name=_name)


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
    customers = await ask_list("/customers", query={"after": cursor}, limit=limit)
    print_records(
        customers,
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
    customers = await ask_list("/customers", query={"search": words}, limit=limit)
    print_records(
        customers,
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
    customer = await ask("GET", path_of("customers", user_id, "customer"), name=user_id)
    if json:
        print_record(customer, as_json=True)
        return
    devices = customer.pop("devices")
    print_record(customer, as_json=False)
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
    page = await ask_list(path, query={"before": before}, limit=limit, name=user_id)
    print_records(
        page, as_json=json, columns=("at", "type", "event", "message_id", "seq"), none="No events."
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
    changes = await ask_list(path, limit=LIMIT_MAX, name=user_id)
    print_records(
        changes,
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
    held = await ask_list(path, name=user_id)
    print_records(
        held,
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
    entries = await ask_list(path, limit=limit, name=user_id)
    print_records(
        entries if json else [_row(entry) for entry in entries],
        as_json=json,
        columns=("at", "kind", "what", "device_id", "message_id"),
        none="Nothing is known of this customer's life.",
    )


@commands.command
async def merge(user_id: Name, into: Name, *, yes: bool = False, json: AsJson = False) -> None:
    """Merge a customer into another: from now on, and for all that was, the two are one.

    `clarion customers unmerge` takes it back as if it had never been.

    For example:

    ```
    clarion customers merge user-4711 user-12 --yes
    ```

    Parameters
    ----------
    user_id
        Who is merged.
    into
        Whom they count as.
    yes
        Do it: without this, nothing is done.
    """
    if not yes:
        what = f"This would merge {user_id} into {into}. Say --yes to do it."
        raise Ending(ExitCode.USAGE, what, word="confirmation")
    path = f"{path_of('customers', user_id, 'customer')}/merge"
    merge = await ask("POST", path, body={"into": into}, name=user_id)
    print_record(merge, as_json=json, title="Merged")


@commands.command
async def unmerge(user_id: Name, *, json: AsJson = False) -> None:
    """Undo a customer's merge: they are a customer of their own again.

    For example:

    ```
    clarion customers unmerge user-4711
    ```

    Parameters
    ----------
    user_id
        Who was merged.
    """
    path = f"{path_of('customers', user_id, 'customer')}/unmerge"
    merge = await ask("POST", path, name=user_id)
    print_record(merge, as_json=json, title="Unmerged")


@commands.command
async def merges(*, limit: Limit = PAGE, json: AsJson = False) -> None:
    """List merges, the oldest first, those that were undone too.

    For example:

    ```
    clarion customers merges
    ```

    Parameters
    ----------
    limit
        How many.
    """
    merges = await ask_list("/merges", limit=limit)
    print_records(
        merges,
        as_json=json,
        columns=("user_id", "into", "made_at", "made_by", "undone_at"),
        none="Nobody was merged.",
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
