"""What is shown of customers, of what they did, and of what sources sent of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor
from clarion.clock import Moment
from clarion.customers.devices import store as device_store
from clarion.customers.devices.ownership_periods import Holding, holdings
from clarion.customers.devices.queries import Owner, owners_of
from clarion.customers.devices.store import Change, Device
from clarion.customers.identity.merges import store as merge_store
from clarion.customers.identity.merges.store import Merge
from clarion.customers.profile import search_store, store
from clarion.customers.profile.category_store import categories_of
from clarion.customers.profile.redaction import shown_body, shown_text, shown_traits
from clarion.customers.profile.redaction_store import (
    known_in_events,
    known_in_traits,
    known_tokens,
)
from clarion.customers.profile.store import Customer
from clarion.events import store as event_store
from clarion.events.store import StoredEvent
from clarion.faults import Rejected, not_found
from clarion.ingest_log import queries as ingest_log
from clarion.ingest_log.diagnostics import cure_of
from clarion.ingest_log.outcome import Entry, Outcome, Position, Stage
from clarion.ingest_log.queries import Wanted
from clarion.ingest_log.tail import Tail
from clarion.sources.store import get_source

HISTORY_LINES_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """What an app sent, with tokens replaced by fingerprints. `event`: a track event's name, a
    page's or a screen's; `customer` None: it names nobody."""

    seq: int
    message_id: str
    type: str
    event: str | None
    at: datetime
    received_at: datetime
    source_id: UUID
    user_id: str | None
    anonymous_id: str | None
    customer: Owner | None
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk:
    """`context.library`: which SDK made an event."""

    name: str | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEvent:
    """An event and what became of it; what could not be read of a refused one is null. At `stage`
    call it is whole calls that were turned away, told a few at a time. `at`: the event's time,
    corrected. For a refusal or a warning `message` is the reason and `cure` what to do;
    `excerpt` is how a refused event begins, without tokens."""

    outcome: Outcome
    message_id: str | None
    type: str | None
    event: str | None
    user_id: str | None
    anonymous_id: str | None
    device_id: str | None
    sdk: Sdk | None
    at: Moment | None
    received_at: Moment
    stage: Stage | None
    code: str | None
    message: str | None
    cure: str | None
    excerpt: str | None


async def find_customer(
    connection: AsyncConnection, actor: Actor, name: str
) -> Customer | Rejected:
    """Whom `name` means (`store.find_customer`); traits as they are stored."""
    customer = await store.find_customer(connection, actor.workspace_id, name)
    return customer or not_found("customer")


async def list_categories(
    connection: AsyncConnection, actor: Actor, name: str
) -> dict[str, bool] | Rejected:
    """Whether a customer gets campaigns of each category that anybody has said something of."""
    customer = await find_customer(connection, actor, name)
    if isinstance(customer, Rejected):
        return customer
    return await categories_of(connection, customer)


async def list_customers(
    connection: AsyncConnection, actor: Actor, *, after: UUID | None, limit: int
) -> list[Customer]:
    """Customers by id, those who have not signed in included."""
    customers = await store.list_customers(connection, actor.workspace_id, after=after, limit=limit)
    return await _redacted(connection, actor, customers)


async def search_customers(
    connection: AsyncConnection, actor: Actor, words: str, *, limit: int
) -> list[Customer]:
    """Those whom `words` name: exact ones come first."""
    customers = await search_store.search_customers(
        connection, actor.workspace_id, words, limit=limit
    )
    return await _redacted(connection, actor, customers)


async def show_customer(
    connection: AsyncConnection, actor: Actor, name: str
) -> tuple[Customer, list[Device]] | Rejected:
    """A customer and where they can be reached, removed devices too."""
    customer = await find_customer(connection, actor, name)
    if isinstance(customer, Rejected):
        return customer
    devices = await device_store.list_devices_of(connection, actor.workspace_id, customer.id)
    return (await _redacted(connection, actor, [customer]))[0], devices


async def list_events(
    connection: AsyncConnection,
    actor: Actor,
    name: str | None = None,
    *,
    before_seq: int | None,
    limit: int,
) -> list[EventView] | Rejected:
    """A page of events, the last to arrive first: those of the customer `name`, of before they
    signed in too; None: of everybody."""
    customer_id = None
    if name is not None:
        customer = await find_customer(connection, actor, name)
        if isinstance(customer, Rejected):
            return customer
        customer_id = customer.id
    events = await event_store.list_events(
        connection, actor.workspace_id, customer_id=customer_id, before_seq=before_seq, limit=limit
    )
    return await view_events(connection, actor, events)


async def get_event(
    connection: AsyncConnection, actor: Actor, message_id: str
) -> EventView | Rejected:
    """An event, once it is taken in."""
    event = await event_store.get_event(connection, actor.workspace_id, message_id)
    if event is None:
        return Rejected(
            "not_found",
            "There is no such event in this workspace. One that was accepted a moment ago "
            "is durable, and is found here once it is taken in: ask again.",
        )
    return (await view_events(connection, actor, [event]))[0]


async def view_events(
    connection: AsyncConnection, actor: Actor, events: Sequence[StoredEvent]
) -> list[EventView]:
    """Events as people may see them."""
    known = await known_in_events(connection, actor.workspace_id, events)
    owners = await owners_of(connection, actor, [event.customer_id for event in events])
    return [_event_view(event, owners, known) for event in events]


async def customer_history(
    connection: AsyncConnection,
    actor: Actor,
    name: str,
    *,
    after_seq: int | None = None,
    limit: int | None = None,
) -> list[Change] | Rejected:
    """What happened to devices while they came to, were with, or left a customer; oldest first."""
    customer = await find_customer(connection, actor, name)
    if isinstance(customer, Rejected):
        return customer
    return await device_store.customer_history(
        connection, actor.workspace_id, customer.id, after_seq=after_seq, limit=limit
    )


async def list_holdings(
    connection: AsyncConnection, actor: Actor, name: str
) -> list[tuple[Holding, Owner | None]] | Rejected:
    """Each time a device was the customer's, those it still is first, then the newest; and whose it
    was then."""
    customer = await find_customer(connection, actor, name)
    if isinstance(customer, Rejected):
        return customer
    lines = await device_store.customer_history(
        connection, actor.workspace_id, customer.id, limit=HISTORY_LINES_MAX
    )
    held = holdings(lines, customer.id)
    owners = await owners_of(connection, actor, [holding.next_customer_id for holding in held])
    return [(holding, owners.get(holding.next_customer_id)) for holding in held]


async def list_merges(
    connection: AsyncConnection, actor: Actor, *, after: UUID | None, limit: int
) -> list[Merge]:
    """Every merge, the oldest first, those that were undone too."""
    return await merge_store.list_merges(connection, actor.workspace_id, after=after, limit=limit)


async def merges_of(connection: AsyncConnection, actor: Actor, user_id: str) -> list[Merge]:
    """The merges, not undone, that a user id is a part of."""
    return await merge_store.active_merges_of(connection, actor.workspace_id, [user_id])


async def list_activity(
    connection: AsyncConnection,
    actor: Actor,
    wanted: Wanted,
    *,
    before: Position | None,
    limit: int,
) -> tuple[list[SourceEvent], Position | None] | Rejected:
    """A page of what a source sent, newest first, and where the next one begins."""
    if await get_source(connection, actor.workspace_id, wanted.source_id) is None:
        return not_found("source")
    entries, position = await ingest_log.newest(connection, wanted, before, limit)
    return await _activity(connection, actor, entries), position


async def watch_activity(
    connection: AsyncConnection, actor: Actor, wanted: Wanted, after: Position | None
) -> Tail | Rejected:
    """A reader's place in what a source sends, for `next_activity`. `after`: where an earlier one
    ended."""
    if await get_source(connection, actor.workspace_id, wanted.source_id) is None:
        return not_found("source")
    return Tail(wanted, after)


async def next_activity(
    connection: AsyncConnection, actor: Actor, tail: Tail, *, last: int | None = None
) -> list[SourceEvent]:
    """What has come since the last look, in the order of its arrival. `last`: instead, at the
    beginning, how many that are there already."""
    entries = await (tail.look(connection) if last is None else tail.begin(connection, last))
    return await _activity(connection, actor, entries)


async def _activity(
    connection: AsyncConnection, actor: Actor, entries: Sequence[Entry]
) -> list[SourceEvent]:
    """What a source sent as people may see it, its excerpts without the tokens that are known."""
    return [
        _source_event(without_token)
        for without_token in await _without_tokens(connection, actor, entries)
    ]


async def list_refusals(
    connection: AsyncConnection,
    actor: Actor,
    source_id: UUID,
    *,
    before_seq: int | None,
    limit: int,
) -> list[Entry] | Rejected:
    """A page of what was refused of a source, newest first, with tokens replaced by
    fingerprints."""
    if await get_source(connection, actor.workspace_id, source_id) is None:
        return not_found("source")
    outcomes = frozenset({Outcome.REFUSED, Outcome.WARNING})
    wanted = Wanted(source_id=source_id, outcomes=outcomes)
    before = None if before_seq is None else Position(0, before_seq)
    entries, _ = await ingest_log.newest(connection, wanted, before, limit)
    return await _without_tokens(connection, actor, entries)


async def _without_tokens(
    connection: AsyncConnection, actor: Actor, entries: Sequence[Entry]
) -> list[Entry]:
    excerpts = [entry.excerpt for entry in entries if entry.excerpt]
    known = await known_tokens(connection, actor.workspace_id, excerpts) if excerpts else ()
    return [
        structs.replace(entry, excerpt=shown_text(entry.excerpt, known)) if entry.excerpt else entry
        for entry in entries
    ]


async def _redacted(
    connection: AsyncConnection, actor: Actor, customers: Sequence[Customer]
) -> list[Customer]:
    known = await known_in_traits(connection, actor.workspace_id, customers)
    return [
        replace(customer, traits=shown_traits(customer.traits, known)) for customer in customers
    ]


def _event_view(
    event: StoredEvent, owners: Mapping[UUID | None, Owner], known: Collection[str]
) -> EventView:
    return EventView(
        seq=event.seq,
        message_id=event.message_id,
        type=event.type,
        event=event.name,
        at=event.at,
        received_at=event.received_at,
        source_id=event.source_id,
        user_id=event.user_id,
        anonymous_id=event.anonymous_id,
        customer=owners.get(event.customer_id),
        body=shown_body(event.body, known),
    )


def _source_event(entry: Entry) -> SourceEvent:
    has_sdk = entry.library is not None or entry.library_version is not None
    return SourceEvent(
        outcome=entry.outcome,
        message_id=entry.message_id,
        type=entry.type,
        event=entry.name,
        user_id=entry.user_id,
        anonymous_id=entry.anonymous_id,
        device_id=entry.device_id,
        sdk=Sdk(name=entry.library, version=entry.library_version) if has_sdk else None,
        at=entry.at,
        received_at=entry.received_at,
        stage=entry.stage,
        code=entry.code,
        message=entry.message,
        cure=None if entry.code is None else cure_of(entry.code),
        excerpt=entry.excerpt,
    )
