"""/sources/…/write-keys and …/identity-secrets: what apps send with, and what they sign with."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import PathParameter

from clarion.accounts.actor import Actor, Scope
from clarion.clock import Moment
from clarion.sources.commands import (
    create_identity_secret,
    restore_key,
    retire_identity_secrets,
    retire_key,
    rotate_write_key,
)
from clarion.sources.queries import KeyState, KeyView, get_source, list_identity_secrets
from clarion.sources.source import KeyKind
from clarion.web.api.bodies import read
from clarion.web.api.gate import BODY, MAY_CONFLICT, NEEDS, Call, GivenCaller, GivenParts, Parts
from clarion.web.api.pages import Page, whole
from clarion.web.api.shown import shown
from clarion.web.api.sources.wire import SourceId, WriteKey

KeyId = Annotated[UUID, PathParameter(description="The key's id.")]


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
    kind: KeyKind
    state: KeyState
    created_at: Moment
    last_used_at: Moment | None
    retires_at: Moment | None


class MadeIdentitySecret(IdentitySecret, frozen=True, kw_only=True):
    """A new identity secret. `secret` is shown only in this answer."""

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
        wanted = await read(request, Rotation, may_be_empty=True)
        made = await parts.do(
            rotate_write_key,
            caller,
            source_id,
            retire_former_after_days=wanted.retire_former_after_days,
        )
        return shown(made, WriteKey)

    @get("", summary="List a source's write keys")
    async def list_write_keys(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> Page[WriteKey]:
        """Every write key, retired ones too, oldest first, and when each was last used; always one
        page."""
        source = await parts.ask(get_source, caller, source_id, parts.clock.now())
        return whole([shown(key, WriteKey) for key in source.write_keys])

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
        """Retires a write key now or after some days; running collectors know within seconds. The
        last valid key can not be retired: revoke the source instead. The body may be empty."""
        key = await _retire(request, parts, caller, source_id, KeyKind.WRITE_KEY, key_id)
        return shown(key, WriteKey)

    @post(
        "/{key_id:uuid}/restore",
        summary="Restore a write key",
        opt={MAY_CONFLICT: True, NEEDS: Scope.ADMIN},
        status_code=200,
    )
    async def restore_write_key(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId, key_id: KeyId
    ) -> WriteKey:
        """Makes a write key valid again that was retired, or was to be."""
        kind = KeyKind.WRITE_KEY
        key = await parts.do(restore_key, caller, source_id, kind, key_id)
        return shown(key, WriteKey)


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
        wanted = await read(request, NewIdentitySecret, may_be_empty=True)
        made = await parts.do(
            create_identity_secret,
            caller,
            source_id,
            retire_former_after_days=wanted.retire_former_after_days,
            ask_after_days=wanted.ask_after_days,
        )
        return shown(made.key, MadeIdentitySecret, secret=made.secret)

    @get("", summary="List a source's identity secrets")
    async def list_identity_secrets(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> Page[IdentitySecret]:
        """Every identity secret, retired ones too, oldest first, without itself; always one
        page."""
        secrets = await parts.ask(list_identity_secrets, caller, source_id, parts.clock.now())
        return whole([shown(secret, IdentitySecret) for secret in secrets])

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
        return shown(key, IdentitySecret)

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
        kind = KeyKind.IDENTITY_SECRET
        key = await parts.do(restore_key, caller, source_id, kind, key_id)
        return shown(key, IdentitySecret)

    @delete("", summary="Ask for no signatures", status_code=204)
    async def delete_identity_secrets(
        self, parts: GivenParts, caller: GivenCaller, source_id: SourceId
    ) -> None:
        """Every identity secret of the source is retired: userIds are taken at their word again.
        Each may be restored."""
        await parts.do(retire_identity_secrets, caller, source_id)


async def _retire(
    request: Call, parts: Parts, caller: Actor, source_id: UUID, kind: KeyKind, key_id: UUID
) -> KeyView:
    days = (await read(request, Retirement, may_be_empty=True)).after_days
    return await parts.do(retire_key, caller, source_id, kind, key_id, days=days)
