"""Who may call the server API: the holder of an API key, for a source of its workspace by name."""

from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from clarion.events.source_store import list_sources
from clarion.storage.database import Database
from clarion.web.access import Access, Caller, Scope

SOURCE_SECONDS = 5.0
"""How long a source is remembered by its name: so long one that was revoked is still taken."""
SOURCES_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """The source that a brand names, and who calls for it."""

    caller: Caller
    source_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut:
    """Why not, and what helps."""

    code: str
    message: str


class Doors:
    """Knows callers and brands. Raises StorageUnavailable where nobody can say."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database = database
        self._access = access
        self._sources: dict[tuple[UUID, str], tuple[UUID, float]] = {}

    async def open(self, token: str | None, brand: str, needs: Scope) -> Brand | Shut:
        """`token` is the call's `auth-token`."""
        caller = None if token is None else await self._access.caller_of(f"Bearer {token}")
        if caller is None:
            return Shut(
                code="unauthorized",
                message="The API key is missing, unknown or revoked: send it as `auth-token`.",
            )
        if not caller.may(needs):
            return Shut(
                code="forbidden",
                message=f"This call needs an API key with the scope {needs.value}.",
            )
        source_id = await self._source(caller.workspace_id, brand)
        if source_id is None:
            return Shut(
                code="brand_unknown",
                message="The brand in the path must be the name of a source of the API key's "
                "workspace: create one with that name, or rename one to it.",
            )
        return Brand(caller=caller, source_id=source_id)

    async def _source(self, workspace_id: UUID, brand: str) -> UUID | None:
        """The oldest source of that name, in whatever letters, that is not revoked."""
        known = (workspace_id, brand.strip().casefold())
        remembered = self._sources.get(known)
        if remembered is not None and remembered[1] > monotonic():
            return remembered[0]
        async with self._database.read() as connection:
            sources = await list_sources(connection, workspace_id)
        for source in sources:
            if source.revoked_at is None and source.name.strip().casefold() == known[1]:
                if len(self._sources) >= SOURCES_MAX:
                    self._sources.clear()
                self._sources[known] = (source.id, monotonic() + SOURCE_SECONDS)
                return source.id
        return None
