"""Who may call the server API: the holder of an API key, for a source of its workspace by name."""

from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from clarion.accounts.actor import Actor, Permission, Scope
from clarion.accounts.authenticator import Authenticator
from clarion.clock import Clock
from clarion.sources.rate_limit import Bucket, Limit, draw
from clarion.sources.source import Source
from clarion.sources.store import list_sources
from clarion.storage.database import Database

SOURCE_SECONDS = 5.0
"""How long a source is remembered by its name: so long one that was revoked is still taken, and its
limit is what it was."""
SOURCES_MAX = 10_000
BUCKETS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRef:
    """The source that a brand names, and who calls for it."""

    caller: Actor
    source_id: UUID
    limit: Limit | None
    """How fast each of its write keys may send; each API key may as much, and may read so fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Why not, and what helps."""

    code: str
    message: str


class Doors:
    """Authenticates callers and finds brands. Raises StorageUnavailable."""

    def __init__(self, database: Database, authenticator: Authenticator, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._authenticator = authenticator
        self._sources: dict[tuple[UUID, str], tuple[Source, float]] = {}
        self._buckets: dict[tuple[UUID | None, UUID, Scope], Bucket] = {}

    async def open(self, token: str | None, brand: str, needs: Scope) -> SourceRef | Denied:
        """`token` is the call's `auth-token`."""
        caller = None if token is None else await self._authenticator.actor_of(f"Bearer {token}")
        if caller is None:
            return Denied(
                code="unauthorized",
                message="The API key is missing, unknown or revoked: send it as `auth-token`.",
            )
        if not caller.may(Permission(needs)):
            return Denied(
                code="forbidden",
                message=f"This call needs an API key with the scope {needs.value}.",
            )
        source = await self._source(caller.workspace_id, brand)
        if source is None:
            return Denied(
                code="brand_unknown",
                message="The brand in the path must be the name of a source of the API key's "
                "workspace: create one with that name, or rename one to it.",
            )
        return SourceRef(caller=caller, source_id=source.id, limit=source.limit)

    def too_fast(self, brand: SourceRef, does: Scope, count: int) -> int | None:
        """The seconds until a call that sends so many events, or reads, may come again; None: it
        may be answered now. Who sends much may still read."""
        if brand.limit is None:
            return None
        who = (brand.caller.id, brand.source_id, does)
        drawn = draw(brand.limit, self._buckets.get(who), count, self._clock.monotonic())
        if isinstance(drawn, int):
            return drawn
        if len(self._buckets) >= BUCKETS_MAX:
            self._buckets.clear()
        self._buckets[who] = drawn
        return None

    async def _source(self, workspace_id: UUID, brand: str) -> Source | None:
        """The oldest source of that name, in whatever letters, that is not revoked."""
        cache_key = (workspace_id, brand.strip().casefold())
        remembered = self._sources.get(cache_key)
        if remembered is not None and remembered[1] > monotonic():
            return remembered[0]
        async with self._database.read() as connection:
            sources = await list_sources(connection, workspace_id)
        for source in sources:
            if source.revoked_at is None and source.name.strip().casefold() == cache_key[1]:
                if len(self._sources) >= SOURCES_MAX:
                    self._sources.clear()
                self._sources[cache_key] = (source, monotonic() + SOURCE_SECONDS)
                return source
        return None
