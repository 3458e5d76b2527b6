"""Which texts are tokens that Clarion knows: asked before anything is shown or exported."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.customers.devices.device import token_hash
from clarion.customers.profile.redaction import words_of
from clarion.customers.profile.store import Customer
from clarion.events.store import StoredEvent
from clarion.storage.dialect import among
from clarion.storage.schema import devices, tokens

WORDS_AT_ONCE = 10_000


async def known_in_events(
    connection: AsyncConnection, workspace_id: UUID, events: Sequence[StoredEvent]
) -> set[str]:
    """The tokens that these events may hold."""
    bodies = [event.body for event in events]
    owners = [event.customer_id for event in events]
    return await known_tokens(connection, workspace_id, bodies, owners)


async def known_in_traits(
    connection: AsyncConnection, workspace_id: UUID, customers: Sequence[Customer]
) -> set[str]:
    """The tokens that these customers' traits may hold."""
    traits = [customer.traits for customer in customers]
    return await known_tokens(
        connection, workspace_id, traits, [customer.id for customer in customers]
    )


async def known_tokens(
    connection: AsyncConnection,
    workspace_id: UUID,
    shown: Iterable[Any],
    customer_ids: Iterable[UUID | None] = (),
) -> set[str]:
    """The tokens that stand in `shown` (JSON texts, or values), now or ever registered by any
    device; and those of the devices of these customers.

    A device's own id is none, even where it is its installation id (FID): it is shown everywhere.
    """
    texts = [
        value if isinstance(value, str) else msgspec.json.encode(value).decode() for value in shown
    ]
    by_hash = {token_hash(word): word for word in words_of(texts)}
    hashes = sorted(by_hash)
    known_words: set[str] = set()
    for start in range(0, len(hashes), WORDS_AT_ONCE):
        rows = await connection.execute(
            select(tokens.c.installation_hash, tokens.c.device_id).where(
                tokens.c.workspace_id == workspace_id,
                among(
                    connection, tokens.c.installation_hash, hashes[start : start + WORDS_AT_ONCE]
                ),
            )
        )
        known_words |= {
            by_hash[row.installation_hash]
            for row in rows
            if by_hash[row.installation_hash] != row.device_id
        }
    return known_words | await _tokens_of(connection, workspace_id, customer_ids)


async def _tokens_of(
    connection: AsyncConnection, workspace_id: UUID, customer_ids: Iterable[UUID | None]
) -> set[str]:
    ids = sorted({customer_id for customer_id in customer_ids if customer_id is not None})
    if not ids:
        return set()
    rows = await connection.execute(
        select(devices.c.device_id, devices.c.token, devices.c.spares).where(
            devices.c.workspace_id == workspace_id, among(connection, devices.c.customer_id, ids)
        )
    )
    return {
        token
        for row in rows
        for token in (row.token, *(spare["token"] for spare in row.spares or ()))
        if token is not None and token != row.device_id
    }
