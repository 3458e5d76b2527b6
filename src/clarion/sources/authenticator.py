"""The doorkeeper: who may send with a write key, from where and how fast.

What the database says of a key is remembered for some seconds, and every answer is given from that:
a call costs no statement (`key_loader.py` makes few), and what a source does not use costs nothing.
That a key was used is written down once a minute, aside from the calls; whom it turned away, and
why, is in the door log.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.clock import Clock
from clarion.faults import Rejected
from clarion.sources.auth_result import (
    KEY_MEANINGS,
    SOURCE_REVOKED,
    WRITE_KEY_RETIRED,
    AuthResult,
    OriginRefused,
    Place,
    RejectedCalls,
    Retired,
    TooFast,
    UnknownKey,
)
from clarion.sources.key_loader import KeyAnswer, KeyLoader, KeyLoaderOptions
from clarion.sources.key_store import USED_SECONDS, note_uses
from clarion.sources.rate_limit import Bucket, Limit, debit, seconds_to_wait
from clarion.sources.source import KeyKind, is_allowed
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.vault import Vault

WRITE_KEY_CHARACTERS_MAX = 255
"""A longer one is nobody's, and is not worth a place among the remembered ones."""

KEY_CHARACTERS_SHOWN = 8
"""Of a write key that is not taken any more: enough to tell which."""

log = structlog.get_logger(__name__)

Answer = AuthResult | UnknownKey | OriginRefused | TooFast


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteKeyOptions:
    remembered_seconds: float = 5.0
    """How long a key is remembered: so long a retired one may still be taken."""
    remembered_max: int = 10_000
    key_loader: KeyLoaderOptions = field(default_factory=KeyLoaderOptions)


class WriteKeyAuthenticator:
    """Authenticates write keys. One per collector."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        vault: Vault | None,
        rejected_calls: RejectedCalls,
        options: WriteKeyOptions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._reader = KeyLoader(database, clock, vault, options.key_loader)
        self._rejected_calls = rejected_calls
        self._options = options
        self._remembered: dict[str, tuple[KeyAnswer, float]] = {}
        self._buckets: dict[UUID, Bucket] = {}
        self._noted: dict[UUID, datetime] = {}
        self._to_note: dict[UUID, KeyKind] = {}
        self._noting: asyncio.Task[None] | None = None

    async def let_in(self, write_key: str, *, origin: str | None) -> Answer:
        """Whether any call with this key may be taken now: asked before a body is looked at.
        Raises StorageUnavailable where nobody can say."""
        remembered = self._remembered.get(write_key)
        if remembered is not None and remembered[1] > monotonic():
            admission = remembered[0]  # nearly always, and then nothing is waited for
        else:
            admission = await self._look_up(write_key)
        if not isinstance(admission, AuthResult):
            return self._turn_away(admission, write_key)
        if origin is not None and not is_allowed(origin, admission.allowed_origins):
            return self._origin_refused(admission, origin)
        if admission.limit is not None:
            bucket = self._buckets.get(admission.key_id)
            seconds = seconds_to_wait(admission.limit, bucket, self._clock.monotonic())
            if seconds is not None:
                return self._too_fast(admission, admission.limit, seconds)
        return admission

    def charge(self, admission: AuthResult, *, events: int, size: int) -> None:
        """Take a call that was let in out of its key's bucket."""
        if admission.limit is not None:
            bucket = self._buckets.get(admission.key_id)
            self._buckets[admission.key_id] = debit(
                admission.limit, bucket, events, self._clock.monotonic(), size=size
            )

    async def opens(self, write_keys: Iterable[str]) -> bool:
        """Whether one of them is a key that may be used now. Raises StorageUnavailable."""
        results = await asyncio.gather(*map(self._known, write_keys))
        return any(isinstance(result, AuthResult) for result in results)

    async def authenticate_key(self, write_key: str) -> AuthResult | UnknownKey:
        """What a write key opens. Raises what `admit` raises."""
        result = await self._known(write_key)
        if not isinstance(result, AuthResult):
            return self._turn_away(result, write_key)
        return result

    async def note_fault(self, write_key: str, fault: Rejected, size: int) -> None:
        """Records a call that can not be read with the source of this key. `size`: bytes that were
        read of it."""
        self._rejected_calls.count(fault.code)
        try:
            result = await self._known(write_key)
        except StorageUnavailable:
            return
        if isinstance(result, AuthResult) and size:
            self.charge(result, events=1, size=size)
        if isinstance(result, AuthResult | Retired):
            self._rejected_calls.note(_place_of(result), fault)

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
        """Wait for what is being read, and written down."""
        await self._reader.close()
        if self._noting is not None:
            await asyncio.shield(self._noting)

    def _turn_away(self, retired: Retired | None, write_key: str) -> UnknownKey:
        """Tell whose key it was, if it ever was somebody's."""
        self._rejected_calls.count("write_key_unknown")
        if retired is not None:
            code = SOURCE_REVOKED if retired.is_source_revoked else WRITE_KEY_RETIRED
            about = f"{write_key[:KEY_CHARACTERS_SHOWN]}…"
            self._rejected_calls.note(
                _place_of(retired),
                Rejected(code, f"{KEY_MEANINGS[code]} ({about})"),
                about,
            )
        return UnknownKey()

    def _origin_refused(self, admission: AuthResult, origin: str) -> OriginRefused:
        code = "origin_not_allowed"
        message = f"A page of {origin} sent, which is none of the source's allowed origins."
        self._rejected_calls.count(code)
        self._rejected_calls.note(_place_of(admission), Rejected(code, message), about=origin)
        return OriginRefused()

    def _too_fast(self, admission: AuthResult, limit: Limit, seconds: int) -> TooFast:
        code = "too_fast"
        message = (
            f"A write key has sent more than its source's limit of {limit.events_per_second:,} "
            f"events a second, {limit.burst:,} at once: the app was told to come again."
        )
        self._rejected_calls.count(code)
        self._rejected_calls.note(_place_of(admission), Rejected(code, message))
        return TooFast(retry_after_seconds=seconds)

    async def _known(self, write_key: str) -> KeyAnswer:
        remembered = self._remembered.get(write_key)
        if remembered is not None and remembered[1] > monotonic():
            return remembered[0]
        return await self._look_up(write_key)

    async def _look_up(self, write_key: str) -> KeyAnswer:
        if not write_key or len(write_key) > WRITE_KEY_CHARACTERS_MAX or "\x00" in write_key:
            return None
        result = await self._reader.read(write_key)
        if isinstance(result, AuthResult | Retired):  # whoever tries a retired key still has it
            self.note_use(KeyKind.WRITE_KEY, result.key_id, self._clock.now())
        if len(self._remembered) >= self._options.remembered_max:
            self._remembered.clear()
        self._remembered[write_key] = (result, monotonic() + self._options.remembered_seconds)
        return result

    async def _note(self) -> None:
        while self._to_note:
            used, self._to_note = self._to_note, {}
            try:
                await self._database.transact(partial(self._write_uses, used), self._clock)
            except StorageUnavailable as error:
                # What an app sends does not wait for this note: the next one comes in a minute.
                log.warning("key_use_not_noted", keys=len(used), reason=str(error))

    async def _write_uses(self, used: Mapping[UUID, KeyKind], connection: AsyncConnection) -> None:
        for kind in KeyKind:
            ids = sorted(key_id for key_id, its_kind in used.items() if its_kind is kind)
            if ids:
                await note_uses(connection, kind, ids, self._clock.now())


_NOTED_FOR = timedelta(seconds=USED_SECONDS)


def _place_of(auth_result: AuthResult | Retired) -> Place:
    return Place(auth_result.workspace_id, auth_result.source_id)
