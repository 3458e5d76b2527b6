"""Events and profiles as the server API tells them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from clarion.customers.profile.redaction import shown_body, shown_traits
from clarion.customers.profile.store import Customer
from clarion.events.action_store import Action
from clarion.events.messages.action import action_of
from clarion.events.store import StoredEvent
from clarion.web.intilery.address import Address

SOURCE = "CLARION"
"""Where an event was taken in, as against SEGMENT_API and the like."""


def shown_event(
    event: StoredEvent,
    address: Address,
    brands: Mapping[UUID, str],
    customers: Mapping[UUID, Customer],
    known: Collection[str],
) -> dict[str, Any]:
    """An event; `brands` are the names of sources, `customers` those it may belong to;
    `known` are tokens."""
    owner = None if event.customer_id is None else customers.get(event.customer_id)
    body = shown_body(event.body, known)
    return {
        "id": event.message_id,
        "externalId": None if owner is None else owner.user_id,
        "email": None if owner is None else owner.traits.get("email"),
        "eventId": event.message_id,
        "eventTime": event.at,
        "receivedTime": event.received_at,
        "eventAction": action_of(event.type, event.name),
        "clientId": address.client,
        "accountId": address.account,
        "brandId": brands.get(event.source_id, "").upper(),
        "customerId": event.customer_id,
        "userId": event.user_id,
        "anonymousId": event.anonymous_id,
        "source": SOURCE,
        "rawData": {**body, "action": event.type},
    }


def shown_profile(customer: Customer, known: Collection[str]) -> dict[str, Any]:
    """A customer: their ids and traits."""
    return {
        "id": customer.id,
        "userId": customer.user_id,
        "traits": shown_traits(customer.traits, known),
    }


def shown_meta(
    customer: Customer, actions: Sequence[Action], known: Collection[str]
) -> dict[str, Any]:
    """Traits, and beside them what is known of the profile itself, which wins."""
    return {
        **shown_traits(customer.traits, known),
        "id": customer.id,
        "userId": customer.user_id,
        "createdBy": {"createdTime": customer.first_seen_at},
        "lastActivityTime": customer.last_seen_at,
        "firstEvent": {action.action: action.first_at for action in actions},
        "lastEvent": {action.action: action.last_at for action in actions},
        "audiencesStatic": [],
    }
