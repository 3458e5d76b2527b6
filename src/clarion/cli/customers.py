"""Customers: whom we know, and what they did."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any, assert_never

from cyclopts import App as Commands

from clarion.cli.devices import PAGE, shown_change, shown_device
from clarion.cli.output import (
    AsJson,
    Before,
    Limit,
    Name,
    not_found,
    print_record,
    print_records,
    read_id,
)
from clarion.cli.session import Session, open_session
from clarion.customers.devices.ownership_periods import holdings
from clarion.customers.devices.store import Change, customer_history, list_devices_of
from clarion.customers.profile.redaction import shown_body, shown_traits
from clarion.customers.profile.redaction_store import known_in_events, known_in_traits
from clarion.customers.profile.search_store import search_customers
from clarion.customers.profile.store import Customer, find_customer, list_customers
from clarion.events.messages.message import read_traits
from clarion.events.store import StoredEvent, list_events
from clarion.reports.timeline import Entry, Push, timeline

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
        customers = await list_customers(
            connection, session.workspace_id, after=cursor, limit=limit
        )
        known = await known_in_traits(connection, session.workspace_id, customers)
    print_records(
        [_shown(customer, known) for customer in customers],
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
        found = await search_customers(connection, session.workspace_id, words, limit=limit)
        known = await known_in_traits(connection, session.workspace_id, found)
    print_records(
        [_shown(customer, known) for customer in found],
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
    async with open_session() as session:
        customer = await _find(session, user_id)
        async with session.database.read() as connection:
            devices = await list_devices_of(connection, session.workspace_id, customer.id)
            known = await known_in_traits(connection, session.workspace_id, [customer])
    shown = [shown_device(device) for device in devices]
    if json:
        print_record(_shown(customer, known) | {"devices": shown}, as_json=True)
        return
    print_record(_shown(customer, known), as_json=False)
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
    async with open_session() as session:
        customer = await _find(session, user_id)
        async with session.database.read() as connection:
            found = await list_events(
                connection,
                session.workspace_id,
                customer_id=customer.id,
                before_seq=before,
                limit=limit,
            )
            known = await known_in_events(connection, session.workspace_id, found)
    print_records(
        [
            {
                "seq": event.seq,
                "message_id": event.message_id,
                "type": event.type,
                "event": event.name,
                "at": event.at,
                "received_at": event.received_at,
                "body": shown_body(event.body, known),
            }
            for event in found
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
    async with open_session() as session:
        customer = await _find(session, user_id)
        async with session.database.read() as connection:
            changes = await customer_history(connection, session.workspace_id, customer.id)
    print_records(
        [shown_change(change) for change in changes],
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
    async with open_session() as session:
        customer = await _find(session, user_id)
        async with session.database.read() as connection:
            lines = await customer_history(connection, session.workspace_id, customer.id)
    print_records(
        [asdict(one) for one in holdings(lines, customer.id)],
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
    async with open_session() as session:
        customer = await _find(session, user_id)
        async with session.database.read() as connection:
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


async def _find(session: Session, user_id: str) -> Customer:
    async with session.database.read() as connection:
        customer = await find_customer(connection, session.workspace_id, user_id)
    if customer is None:
        raise not_found("customer", user_id)
    return customer


def _shown(customer: Customer, known: Collection[str]) -> dict[str, Any]:
    return {
        "id": customer.id,
        "user_id": customer.user_id,
        "traits": shown_traits(customer.traits, known),
        "push_opted_out": customer.push_opted_out,
        "suppressed_at": customer.suppressed_at,
        "first_seen_at": customer.first_seen_at,
        "last_seen_at": customer.last_seen_at,
    }
