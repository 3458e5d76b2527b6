"""Events and profiles read from the server API, with the scope `read`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Scope as KeyScope
from clarion.clock import Clock
from clarion.customers.profile.redaction_store import known_in_events, known_in_traits
from clarion.customers.profile.search_store import customers_by_email, customers_by_ids
from clarion.customers.profile.store import (
    Customer,
    get_customer,
    get_customer_by_id,
    list_customers,
)
from clarion.events.action_store import actions_of, find_events, list_events_of
from clarion.events.store import StoredEvent
from clarion.sources.store import list_sources
from clarion.storage.database import Database, StorageUnavailable
from clarion.web.intilery.address import Address
from clarion.web.intilery.auth import Denied, Doors, SourceRef
from clarion.web.intilery.ingest import RETRY_SECONDS, auth_token
from clarion.web.intilery.query import (
    IdType,
    Part,
    Query,
    named_in,
    part_in,
    query_in,
    scroll_id,
    scrolled_to,
    wanted_events,
)
from clarion.web.intilery.replies import ReadFault, ReadRefused, send_json, send_read_refused
from clarion.web.intilery.serialize import shown_event, shown_meta, shown_profile
from clarion.web.server import Scope, Send

PROFILES_A_PAGE = 100
EVENTS_A_PAGE = 100
ID_BYTES = 16
SEQ_BYTES = 8

CALLS = ("events", "profiles")


class Reading:
    def __init__(self, database: Database, doors: Doors, clock: Clock) -> None:
        self._database = database
        self._doors = doors
        self._clock = clock

    async def tell(self, address: Address, scope: Scope, send: Send) -> None:
        """Answer one call."""
        try:
            brand = await self._doors.open(auth_token(scope), address.brand, KeyScope.READ)
            if isinstance(brand, Denied):
                raise ReadRefused(ReadFault.AUTHENTICATION, brand.message)
            seconds = self._doors.too_fast(brand, KeyScope.READ, 1)
            if seconds is not None:
                message = "The API key has read faster than its source's limit allows."
                raise ReadRefused(ReadFault.RATE_LIMIT, message, retry_after_seconds=seconds)
            query = query_in(scope["query_string"])
            async with self._database.read() as connection:
                answer = await _told(connection, address, query, brand)
        except ReadRefused as refused:
            await send_read_refused(send, refused)
        except StorageUnavailable:
            message = "The database does not answer: ask again later."
            lost = ReadRefused(ReadFault.SERVER, message, retry_after_seconds=RETRY_SECONDS)
            await send_read_refused(send, lost)
        else:
            await send_json(send, 200, answer)


async def _told(
    connection: AsyncConnection, address: Address, query: Query, brand: SourceRef
) -> Mapping[str, Any]:
    workspace_id = brand.caller.workspace_id
    match address.call, address.rest:
        case "events", ():
            wanted, skip, size = wanted_events(query)
            page = await find_events(
                connection,
                brand.source_id,
                wanted,
                skip=skip,
                scrolled_to=_seq_scrolled_to(query),
                limit=size,
            )
            return {
                "data": await _shown(connection, workspace_id, address, page.events),
                "scrollId": None if page.further is None else _scroll_seq(page.further),
            }
        case "profiles", ():
            return await _profiles(connection, workspace_id, query)
        case "profiles", (named,):
            customers, is_one = await _named(connection, workspace_id, named)
            hidden_tokens = await known_in_traits(connection, workspace_id, customers)
            return _data([shown_profile(customer, hidden_tokens) for customer in customers], is_one)
        case "profiles", (named, part):
            wanted_part = part_in(part)
            customers, is_one = await _named(connection, workspace_id, named)
            hidden_tokens = await known_in_traits(connection, workspace_id, customers)
            match wanted_part:
                case Part.EVENTS:
                    return await _events(connection, workspace_id, address, query, customers)
                case Part.TRAITS:
                    traits = [
                        shown_profile(customer, hidden_tokens)["traits"] for customer in customers
                    ]
                    return _data(traits, is_one)
                case Part.META | Part.METADATA:
                    metas = [
                        shown_meta(
                            customer,
                            await actions_of(connection, workspace_id, customer.id),
                            hidden_tokens,
                        )
                        for customer in customers
                    ]
                    return _data(metas, is_one)
    raise ReadRefused(ReadFault.NOT_FOUND, "There is nothing at this path.")


async def _profiles(
    connection: AsyncConnection, workspace_id: UUID, query: Query
) -> Mapping[str, Any]:
    after = scrolled_to(query, ID_BYTES)
    customers = await list_customers(
        connection,
        workspace_id,
        after=None if after is None else UUID(bytes=after),
        limit=PROFILES_A_PAGE + 1,
    )
    shown = customers[:PROFILES_A_PAGE]
    is_more = len(customers) > PROFILES_A_PAGE
    hidden_tokens = await known_in_traits(connection, workspace_id, shown)
    return {
        "data": [shown_profile(customer, hidden_tokens) for customer in shown],
        "scrollId": scroll_id(shown[-1].id.bytes) if is_more else None,
    }


async def _named(
    connection: AsyncConnection, workspace_id: UUID, named: str
) -> tuple[list[Customer], bool]:
    """(Whom a path names, whether it can be one only)."""
    kind, name = named_in(named)
    customer: Customer | None = None
    match kind:
        case IdType.EMAIL:
            several = await customers_by_email(
                connection, workspace_id, name, limit=PROFILES_A_PAGE
            )
            if several:
                return several, False
        case IdType.USER_ID:
            customer = await get_customer(connection, workspace_id, name)
        case IdType.ID:
            customer = await _by_id(connection, workspace_id, name)
    if customer is None:
        raise ReadRefused(ReadFault.NOT_FOUND, "There is no such profile.")
    return [customer], True


async def _by_id(connection: AsyncConnection, workspace_id: UUID, text: str) -> Customer | None:
    try:
        return await get_customer_by_id(connection, workspace_id, UUID(text))
    except ValueError:
        return None


async def _events(
    connection: AsyncConnection,
    workspace_id: UUID,
    address: Address,
    query: Query,
    customers: Sequence[Customer],
) -> Mapping[str, Any]:
    """The events of these customers, the last to arrive first."""
    events = await list_events_of(
        connection,
        workspace_id,
        [customer.id for customer in customers],
        before_seq=_seq_scrolled_to(query),
        limit=EVENTS_A_PAGE + 1,
    )
    shown = events[:EVENTS_A_PAGE]
    is_more = len(events) > EVENTS_A_PAGE
    return {
        "data": await _shown(connection, workspace_id, address, shown),
        "scrollId": _scroll_seq(shown[-1].seq) if is_more else None,
    }


def _seq_scrolled_to(query: Query) -> int | None:
    seq = scrolled_to(query, SEQ_BYTES)
    return None if seq is None else int.from_bytes(seq, signed=True)


def _scroll_seq(seq: int) -> str:
    return scroll_id(seq.to_bytes(SEQ_BYTES))


async def _shown(
    connection: AsyncConnection,
    workspace_id: UUID,
    address: Address,
    events_read: Sequence[StoredEvent],
) -> list[dict[str, Any]]:
    owners = {event.customer_id for event in events_read if event.customer_id is not None}
    customers = await customers_by_ids(connection, workspace_id, owners)
    brands = {source.id: source.name for source in await list_sources(connection, workspace_id)}
    hidden_tokens = await known_in_events(connection, workspace_id, events_read)
    return [shown_event(event, address, brands, customers, hidden_tokens) for event in events_read]


def _data(records: Sequence[Any], is_one: bool) -> Mapping[str, Any]:
    """One profile by itself; those with one address as a list, since several may have it."""
    return {"data": records[0] if is_one else list(records)}
