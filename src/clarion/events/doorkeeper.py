"""The doorkeeper: who may send with a write key, from where and how fast.

What the database says of a key is remembered for some seconds, and every answer is given from that:
a call costs no statement, and what a source does not use costs nothing. That a key was used is
written down once a minute, aside from the calls.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import structlog

from clarion.clock import Clock
from clarion.events.admission import Admission, OriginRefused, Retired, TooFast, UnknownKey
from clarion.events.key_store import USED_SECONDS, KeyKind, find_admission, note_uses
from clarion.events.limit import Bucket, draw
from clarion.events.source import is_allowed
from clarion.storage.database import Database, StorageUnavailable, is_conflict
from clarion.storage.vault import Vault, VaultLocked

WRITE_KEY_CHARACTERS_MAX = 255
"""A longer one is nobody's, and is not worth a place among the remembered ones."""

log = structlog.get_logger(__name__)

Answer = Admission | UnknownKey | OriginRefused | TooFast


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorkeeperOptions:
    remembered_seconds: float = 5.0
    """How long a key is remembered: so long a retired one may still be taken."""
    remembered_max: int = 10_000


class Doorkeeper:
    """Knows write keys. One per collector."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault | None, options: DoorkeeperOptions
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._options = options
        self._remembered: dict[str, tuple[Admission | VaultLocked | None, float]] = {}
        self._buckets: dict[UUID, Bucket] = {}
        self._noted: dict[UUID, datetime] = {}
        self._to_note: dict[UUID, KeyKind] = {}
        self._noting: asyncio.Task[None] | None = None

    async def admit(
        self, write_key: str, *, origin: str | None, events: int, now: datetime
    ) -> Answer:
        """Whether a call of so many events may be taken. Raises StorageUnavailable where nobody
        can say, VaultLocked where its signatures could not be looked at."""
        remembered = self._remembered.get(write_key)
        if remembered is not None and remembered[1] > monotonic():
            admission = remembered[0]
        else:
            admission = await self._look_up(write_key)
        if admission is None:
            return UnknownKey()
        if isinstance(admission, VaultLocked):
            raise VaultLocked
        if origin is not None and not is_allowed(origin, admission.allowed_origins):
            return OriginRefused()
        if admission.limit is not None:
            known = self._buckets.get(admission.key_id)
            drawn = draw(admission.limit, known, events, now.timestamp())
            if isinstance(drawn, int):
                return TooFast(retry_after_seconds=drawn)
            self._buckets[admission.key_id] = drawn
        return admission

    async def look_up(self, write_key: str) -> Admission | None:
        """What a write key opens; None: nothing."""
        remembered = self._remembered.get(write_key)
        if remembered is not None and remembered[1] > monotonic():
            found = remembered[0]
        else:
            found = await self._look_up(write_key)
        if isinstance(found, VaultLocked):
            raise VaultLocked
        return found

    def note_use(self, kind: KeyKind, key_id: UUID, now: datetime) -> None:
        """Have it written down that a key is in use, once in a while."""
        noted = self._noted.get(key_id)
        if noted is not None and now - noted < _NOTED_FOR:
            return
        self._noted[key_id] = now
        self._to_note[key_id] = kind
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note())

    async def close(self) -> None:
        """Wait for what is being written down."""
        if self._noting is not None:
            await asyncio.shield(self._noting)

    async def _look_up(self, write_key: str) -> Admission | VaultLocked | None:
        if not write_key or len(write_key) > WRITE_KEY_CHARACTERS_MAX or "\x00" in write_key:
            return None
        found = await self._find(write_key)
        if len(self._remembered) >= self._options.remembered_max:
            self._remembered.clear()
        self._remembered[write_key] = (found, monotonic() + self._options.remembered_seconds)
        return found

    async def _find(self, write_key: str) -> Admission | VaultLocked | None:
        now = self._clock.now()
        try:
            async with self._database.read() as connection:
                found = await find_admission(connection, write_key, now, self._vault)
        except VaultLocked as locked:
            log.error("identity_secrets_locked")
            return locked
        if found is not None:  # whoever tries a retired key still has it
            self.note_use(KeyKind.WRITE_KEY, found.key_id, now)
        return None if isinstance(found, Retired) else found

    async def _note(self) -> None:
        while self._to_note:
            used, self._to_note = self._to_note, {}
            try:
                async with self._database.write() as connection:
                    for kind in KeyKind:
                        ids = sorted(one for one, its in used.items() if its is kind)
                        if ids:
                            await note_uses(connection, kind, ids, self._clock.now())
            except Exception as error:
                if not isinstance(error, StorageUnavailable) and not is_conflict(error):
                    raise
                # What an app sends does not wait for this note: the next one comes in a minute.
                reason = str(error) if isinstance(error, StorageUnavailable) else "conflict"
                log.warning("key_use_not_noted", keys=len(used), reason=reason)


_NOTED_FOR = timedelta(seconds=USED_SECONDS)
