"""/sources/…/write-keys and …/identity-secrets: what apps send with, and what they sign with."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.params import PathParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, Scope
from clarion.sources import source
from clarion.sources.key_rotation import (
    KeyRefused,
    keys_of,
    restore,
    retire,
    retire_identity_secrets,
    rotate_identity_secret,
    rotate_write_key,
)
from clarion.sources.key_store import KeyKind
from clarion.sources.store import get_source
from clarion.web.api.bodies import read
from clarion.web.api.errors import ApiError, ErrorCode, not_found
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, GivenCaller, GivenParts, Parts
from clarion.web.api.moment import Moment
from clarion.web.api.pages import Page, whole
from clarion.web.api.source_wire import SourceId, WriteKey, after_days, shown_key

KeyId = Annotated[UUID, PathParameter(description="The key's id.")]
Call = Request[Actor, Any, Any]
T = TypeVar("T")


class Rotation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How long the former ones stay valid; null: until a person retires them."""

    retire_former_after_days: int | None = None


class NewIdentitySecret(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How long the former ones stay valid (null: until a person retires them), and when signatures
    are asked for (null: as before; for a first secret, now)."""

    retire_former_after_days: int | None = None
    ask_after_days: int | None = None


class Retirement(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When it ends; 0: now."""

    after_days: int = 0


class IdentitySecret(msgspec.Struct, frozen=True, kw_only=True):
    """An identity secret without itself. `last_used_at`: when something signed with it came last,
    to the minute; from `retires_at` on it signs nothing any more; null: it stands."""

    id: UUID
    created_at: Moment
    last_used_at: Moment | None
    retires_at: Moment | None


class MadeIdentitySecret(IdentitySecret, frozen=True, kw_only=True):
    """A new identity secret: the only time that `secret` is told."""

    secret: str


class WriteKeys(Controller):
    path = "/sources/{source_id:uuid}/write-keys"
    tags = ("sources",)

    @post(
        "",
        summary="Rotate a source's write key",
        opt={BODY: Rotation, MAY_CONFLICT: True, NEEDS: Scope.ADMIN},
    )
    async def create_write_key(
        self, request: Call, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> WriteKey:
        """Makes another write key. Those before it stay valid, so that apps can update, until
        somebody retires them or the days are over. The body may be empty."""
        ends = await _read_rotation(request, parts)
        async with parts.database.write() as connection:
            made = await rotate_write_key(
                connection,
                await _find(connection, caller, source_id, lock=True),
                key_id=parts.clock.new_id(),
                now=parts.clock.now(),
                retire_former_at=ends,
            )
        return shown_key(_done(made), caller)

    @get("", summary="List a source's write keys")
    async def list_write_keys(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> Page[WriteKey]:
        """Every write key, retired ones too, oldest first, and when each was last used; always one
        page."""
        async with parts.database.read() as connection:
            found = await _find(connection, caller, source_id)
        return whole([shown_key(key, caller) for key in found.write_keys])

    @post(
        "/{key_id:uuid}/retire",
        summary="Retire a write key",
        opt={BODY: Retirement, MAY_CONFLICT: True, NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def retire_write_key(
        self,
        request: Call,
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        key_id: KeyId,
    ) -> WriteKey:
        """It is refused from now on, or from some days on; running collectors know within seconds.
        The last key that stands is not retired: revoke the source instead. The body may be
        empty."""
        key = await _retire(request, parts, caller, source_id, KeyKind.WRITE_KEY, key_id)
        assert isinstance(key, source.WriteKey)
        return shown_key(key, caller)

    @post(
        "/{key_id:uuid}/restore",
        summary="Restore a write key",
        opt={MAY_CONFLICT: True, NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def restore_write_key(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId, key_id: KeyId
    ) -> WriteKey:
        """It is taken again, whether it was retired or was to be."""
        key = await _restore(parts, caller, source_id, KeyKind.WRITE_KEY, key_id)
        assert isinstance(key, source.WriteKey)
        return shown_key(key, caller)


class IdentitySecrets(Controller):
    path = "/sources/{source_id:uuid}/identity-secrets"
    tags = ("sources",)
    opt = {NEEDS: Scope.ADMIN}  # noqa: RUF012 - Litestar's own shape

    @post("", summary="Make an identity secret", opt={BODY: NewIdentitySecret, MAY_CONFLICT: True})
    async def create_identity_secret(
        self, request: Call, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> MadeIdentitySecret:
        """Whoever acts for a person through this source needs the userId's signature: from now on,
        or, so that apps can be updated first, after some days. Secrets before this one stay valid
        until somebody retires them or the days are over. Keep it on your server: it is told this
        once, and stored encrypted. The body may be empty."""
        wanted, now = await read(request, NewIdentitySecret, may_be_empty=True), parts.clock.now()
        async with parts.database.write() as connection:
            made = await rotate_identity_secret(
                connection,
                await _find(connection, caller, source_id, lock=True),
                parts.vault,
                secret_id=parts.clock.new_id(),
                now=now,
                retire_former_at=_perhaps_after(
                    wanted.retire_former_after_days, "retire_former_after_days", now
                ),
                ask_at=_perhaps_after(wanted.ask_after_days, "ask_after_days", now),
            )
        secret, text = _done(made)
        return MadeIdentitySecret(**_fields(secret), secret=text)

    @get("", summary="List a source's identity secrets")
    async def list_identity_secrets(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> Page[IdentitySecret]:
        """Every identity secret, retired ones too, oldest first, without itself; always one
        page."""
        async with parts.database.read() as connection:
            found = await _find(connection, caller, source_id)
        return whole([IdentitySecret(**_fields(one)) for one in found.identity_secrets])

    @post(
        "/{key_id:uuid}/retire",
        summary="Retire an identity secret",
        opt={BODY: Retirement, MAY_CONFLICT: True},
        status_code=200,
    )
    async def retire_identity_secret(
        self,
        request: Call,
        parts: GivenParts,
        caller: GivenCaller,
        source_id: SourceId,
        key_id: KeyId,
    ) -> IdentitySecret:
        """What is signed with it is refused from now on, or from some days on. The last one that
        stands is not retired: DELETE them all to ask for no signatures. The body may be empty."""
        kind = KeyKind.IDENTITY_SECRET
        key = await _retire(request, parts, caller, source_id, kind, key_id)
        return IdentitySecret(**_fields(key))

    @post(
        "/{key_id:uuid}/restore",
        summary="Restore an identity secret",
        opt={MAY_CONFLICT: True},
        status_code=200,
    )
    async def restore_identity_secret(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId, key_id: KeyId
    ) -> IdentitySecret:
        """What is signed with it is taken again. Where all were retired, signatures are asked for
        again."""
        key = await _restore(parts, caller, source_id, KeyKind.IDENTITY_SECRET, key_id)
        return IdentitySecret(**_fields(key))

    @delete("", summary="Ask for no signatures", status_code=204)
    async def delete_identity_secrets(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> None:
        """Every identity secret of the source is retired: userIds are taken at their word again.
        Each may be restored."""
        async with parts.database.write() as connection:
            found = await _find(connection, caller, source_id, lock=True)
            await retire_identity_secrets(connection, found, parts.clock.now())


async def _find(
    connection: AsyncConnection, caller: Actor, source_id: UUID, *, lock: bool = False
) -> source.Source:
    found = await get_source(connection, caller.workspace_id, source_id, lock=lock)
    if found is None:
        raise not_found("source")
    return found


async def _retire(
    request: Call, parts: Parts, caller: Actor, source_id: UUID, kind: KeyKind, key_id: UUID
) -> source.Key:
    wanted = await read(request, Retirement, may_be_empty=True)
    now = parts.clock.now()
    at = after_days(wanted.after_days, "after_days", now)
    async with parts.database.write() as connection:
        found = await _find(connection, caller, source_id, lock=True)
        _key(found, kind, key_id)
        _done(await retire(connection, found, kind, key_id, at=at, now=now))
        return _key(await _find(connection, caller, source_id), kind, key_id)


async def _restore(
    parts: Parts, caller: Actor, source_id: UUID, kind: KeyKind, key_id: UUID
) -> source.Key:
    async with parts.database.write() as connection:
        found = await _find(connection, caller, source_id, lock=True)
        _key(found, kind, key_id)
        _done(await restore(connection, found, kind, key_id, now=parts.clock.now()))
        return _key(await _find(connection, caller, source_id), kind, key_id)


async def _read_rotation(request: Call, parts: Parts) -> datetime | None:
    """When the former end; None: when a person says so."""
    days = (await read(request, Rotation, may_be_empty=True)).retire_former_after_days
    return _perhaps_after(days, "retire_former_after_days", parts.clock.now())


def _perhaps_after(days: int | None, field: str, now: datetime) -> datetime | None:
    return None if days is None else after_days(days, field, now)


def _key(found: source.Source, kind: KeyKind, key_id: UUID) -> source.Key:
    for key in keys_of(found, kind):
        if key.id == key_id:
            return key
    raise not_found("key")


def _done(outcome: T | KeyRefused) -> T:
    """What came of a step. Ends the call where it was refused."""
    if isinstance(outcome, KeyRefused):
        raise ApiError(ErrorCode.SOURCE_KEYS, outcome.message)
    return outcome


def _fields(secret: source.Key) -> dict[str, Any]:
    return {
        "id": secret.id,
        "created_at": secret.created_at,
        "last_used_at": secret.last_used_at,
        "retires_at": secret.retires_at,
    }
