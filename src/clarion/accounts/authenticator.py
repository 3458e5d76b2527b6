"""Who calls: the actor behind an API key. The only way in which a key is looked up."""

from dataclasses import replace
from uuid import UUID

import structlog

from clarion.accounts.actor import Actor, ActorKind, permissions_of_scopes
from clarion.accounts.api_key import KEY_PREFIX, ApiKey, is_use_noted
from clarion.accounts.api_key_store import get_key_by_secret, note_use
from clarion.clock import Clock
from clarion.storage.database import Database, StorageUnavailable

log = structlog.get_logger(__name__)


class Authenticator:
    """Finds the actor of an API key."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def actor_of(
        self, authorization: str | None, *, request_id: str | None = None
    ) -> Actor | None:
        """The actor of an `Authorization: Bearer clk_…`; None where nobody has such a key.

        Looked up every time: a revoked key is refused at once.
        """
        scheme, _, secret = (authorization or "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret.startswith(KEY_PREFIX):
            return None
        async with self._database.read() as connection:
            key = await get_key_by_secret(connection, secret)
        if key is None:
            return None
        if not is_use_noted(key, self._clock.now()):
            await self._note_use(key.id)
        return replace(api_key_actor(key), request_id=request_id)

    async def _note_use(self, key_id: UUID) -> None:
        try:
            async with self._database.write() as connection:
                await note_use(connection, key_id, self._clock.now())
        except StorageUnavailable as error:
            # Who reads while the disk is full is not refused for want of this note.
            log.warning("key_use_not_noted", key=str(key_id), reason=str(error))


def api_key_actor(key: ApiKey) -> Actor:
    """The actor that calls with this key."""
    return Actor(
        kind=ActorKind.API_KEY,
        id=key.id,
        name=key.name,
        workspace_id=key.workspace_id,
        permissions=permissions_of_scopes(key.scopes),
        person_id=key.made_by,
    )
