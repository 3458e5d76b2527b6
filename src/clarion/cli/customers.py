"""Customers: whom we know, and what they did."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any, assert_never

from cyclopts import App as Commands

from clarion.cli.devices import PAGE, shown_change, shown_device
from clarion.cli.output import AsJson, Before, Limit, Name, print_record, print_records, read_id
from clarion.cli.session import accepted, open_session
from clarion.customers.devices.store import Change
from clarion.customers.profile.redaction import shown_traits
from clarion.customers.profile.redaction_store import known_in_events
from clarion.customers.profile.store import Customer
from clarion.customers.queries import (
    customer_history,
    find_customer,
    list_customers,
    list_events,
    list_holdings,
    search_customers,
    show_customer,
)
from clarion.events.messages.message import read_traits
from clarion.events.store import StoredEvent
from clarion.reports.timeline_store import Entry, Push, timeline

commands = Commands(name="customers", help="Customers: whom we know, and what they did.")
for _name in ("erase", "suppress", "unsuppress", "export"):
    commands.command(f"clarion.cli.regulations:{_name}", name=_name)
for _name in ("merge", "unmerge", "merges"):
    commands.command(f"clarion.cli.merging:{_name}", name=_name)


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
    async with open_session() as session, session.database.read() as connection:
        customers = await list_customers(connection, session.actor, after=cursor, limit=limit)
    print_records(
        [_shown(customer) for customer in customers],
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
    async with open_session() as session, session.database.read() as connection:
        found = await search_customers(connection, session.actor, words, limit=limit)
    print_records(
        [_shown(customer) for customer in found],
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
    async with open_session() as session, session.database.read() as connection:
        found = await show_customer(connection, session.actor, user_id)
    customer, devices = accepted(found, name=user_id)
    shown = [shown_device(device) for device in devices]
    if json:
        print_record(_shown(customer) | {"devices": shown}, as_json=True)
        return
    print_record(_shown(customer), as_json=False)
    print_records(
        [one | {"push_permission": one["facts"].get("push_permission")} for one in shown],
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
    async with open_session() as session, session.database.read() as connection:
        found = await list_events(
            connection, session.actor, user_id, before_seq=before, limit=limit
        )
    shown_fields = ("seq", "message_id", "type", "event", "at", "received_at", "body")
    print_records(
        [
            {field: getattr(event, field) for field in shown_fields}
            for event in accepted(found, name=user_id)
        ],
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
    async with open_session() as session, session.database.read() as connection:
        changes = await customer_history(connection, session.actor, user_id)
    print_records(
        [shown_change(change) for change in accepted(changes, name=user_id)],
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
    async with open_session() as session, session.database.read() as connection:
        held = await list_holdings(connection, session.actor, user_id)
    print_records(
        [asdict(one) for one, _ in accepted(held, name=user_id)],
        as_json=json,
        columns=("device_id", "since", "until", "began_by", "ended_by"),
        none="No devices, now or ever.",
    )


@commands.command(name="timeline")
async def timeline_(user_id: Name, *, limit: Limit = PAGE, json: AsJson = False) -> None:
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
    async with open_session() as session, session.database.read() as connection:
        found = await find_customer(connection, session.actor, user_id)
        customer = accepted(found, name=user_id)
        entries = await timeline(connection, session.workspace_id, customer.id, limit=limit)
        events = [one for one in entries if isinstance(one, StoredEvent)]
        known = await known_in_events(connection, session.workspace_id, events)
    print_records(
        [_shown_entry(entry, known) for entry in entries],
        as_json=json,
        columns=("at", "kind", "what", "device_id", "message_id"),
        none="Nothing is known of this customer's life.",
    )


def _shown_entry(entry: Entry, known: Collection[str]) -> dict[str, Any]:
    match entry:
        case StoredEvent():
            is_identify = entry.type == "identify"
            traits = shown_traits(read_traits(entry.body), known) if is_identify else None
            what = entry.type if entry.name is None else f"{entry.type} {entry.name}"
            message_id = entry.message_id
            told: dict[str, Any] = {"kind": "event", "what": what, "message_id": message_id}
            told |= {"traits": traits}
        case Change():
            what = " ".join(filter(None, (entry.change, entry.reason)))
            told = {"kind": "device", "what": what, "message_id": entry.message_id}
            told |= {"device_id": entry.device_id}
        case Push():
            what = " ".join(filter(None, (entry.campaign, entry.state.value, entry.reason)))
            told = {"kind": "push", "what": what, "device_id": entry.device_id}
            told |= {"campaign_id": entry.campaign_id, "opened_at": entry.opened_at}
        case _:
            assert_never(entry)
    return {"at": entry.at, **told}


def _shown(customer: Customer) -> dict[str, Any]:
    record = asdict(customer)
    del record["workspace_id"]
    return record
