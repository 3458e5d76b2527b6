"""Who may call: API keys as Bearer tokens, and what their scopes allow."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from clarion.accounts.actor import Scope as Scope
from clarion.clock import Clock
from clarion.storage.database import Database, StorageUnavailable
from clarion.web.key_store import KEY_PREFIX, get_key_by_secret, is_use_noted, note_use

log = structlog.get_logger(__name__)


_RANKS = {scope: rank for rank, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever holds a key."""

    workspace_id: UUID
    key_id: UUID
    scopes: frozenset[str]

    def may(self, wanted: Scope) -> bool:
        """Whether one of the key's scopes includes `wanted`."""
        return any(scope in self.scopes for scope in Scope if _RANKS[scope] >= _RANKS[wanted])


class Access:
    """Knows callers by the key they show."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def caller_of(self, authorization: str | None) -> Caller | None:
        """The caller of an `Authorization: Bearer clk_…`; None where nobody has such a key.

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
        now = self._clock.now()
        if not is_use_noted(key, now):
            await self._note_use(key.id)
        return Caller(workspace_id=key.workspace_id, key_id=key.id, scopes=frozenset(key.scopes))

    async def _note_use(self, key_id: UUID) -> None:
        try:
            async with self._database.write() as connection:
                await note_use(connection, key_id, self._clock.now())
        except StorageUnavailable as error:
            # Who reads while the disk is full is not refused for want of this note.
            log.warning("key_use_not_noted", key=str(key_id), reason=str(error))
