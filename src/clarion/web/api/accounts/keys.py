"""/keys: API keys. A key is told once, when it is made."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import PathParameter

from clarion.accounts import api_key
from clarion.accounts.actor import Scope
from clarion.accounts.commands import create_api_key, revoke_api_key
from clarion.accounts.queries import list_api_keys
from clarion.clock import Moment
from clarion.web.api.bodies import read
from clarion.web.api.gate import BODY, NEEDS, Call, GivenCaller, GivenParts
from clarion.web.api.pages import Page, whole

KeyId = Annotated[UUID, PathParameter(description="The API key's id.")]


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without itself; `hint` ends as the key does. `last_used_at` is known to the
    minute."""

    id: UUID
    name: str
    hint: str
    scopes: list[Scope]
    created_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None


class MadeApiKey(ApiKey, frozen=True, kw_only=True):
    """A new API key. `key` is shown only in this answer."""

    key: str


class NewApiKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A key to create. Each scope includes those before it: read, author, write, admin.
    `author` writes drafts and proposes them, and sends nothing."""

    name: str
    scopes: list[Scope] = msgspec.field(default_factory=lambda: [Scope.READ])


class Keys(Controller):
    path = "/keys"
    tags = ("keys",)
    opt = {NEEDS: Scope.ADMIN}  # noqa: RUF012 - Litestar's own shape

    @post("", summary="Make an API key", opt={BODY: NewApiKey})
    async def create(self, request: Call, parts: GivenParts, caller: GivenCaller) -> MadeApiKey:
        """Creates a key, with the scope `read` unless `scopes` says otherwise. Store it: Clarion
        keeps only its hash."""
        wanted = await read(request, NewApiKey)
        made = await parts.do(create_api_key, caller, wanted.name, wanted.scopes)
        return MadeApiKey(**_fields(made.key), key=made.secret)

    @get("", summary="List API keys")
    async def list_all(self, parts: GivenParts, caller: GivenCaller) -> Page[ApiKey]:
        """Every key, revoked ones too; always one page."""
        keys = await parts.ask(list_api_keys, caller)
        return whole([ApiKey(**_fields(key)) for key in keys])

    @post("/{key_id:uuid}/revoke", summary="Revoke an API key", status_code=200)
    async def revoke(self, parts: GivenParts, caller: GivenCaller, key_id: KeyId) -> ApiKey:
        """Revokes a key at once, also the one that makes this call. Revoking twice is revoking
        once."""
        return ApiKey(**_fields(await parts.do(revoke_api_key, caller, key_id)))


def _fields(key: api_key.ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.key_hint,
        "scopes": [Scope(scope) for scope in key.scopes],
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
