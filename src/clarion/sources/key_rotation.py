"""Rotating a source's keys: the steps people take, each whole within the caller's transaction.

A new key is made while the former stay valid; the former are retired once nobody uses them any
more; what was retired by mistake is restored. Write keys and identity secrets alike.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.sources.key_store import (
    KeyKind,
    add_identity_secret,
    add_write_key,
    restore_key,
    retire_keys,
)
from clarion.sources.source import (
    VALID_KEYS_MAX,
    IdentitySecret,
    Key,
    Source,
    WriteKey,
    is_full,
    is_last,
)
from clarion.sources.store import ask_for_signatures_from
from clarion.storage.vault import Vault

IDENTITY_SECRET_PREFIX = "cis_"  # noqa: S105 - what one begins with
IDENTITY_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefused:
    """Why a source's keys stay as they are; for people to read."""

    message: str


async def rotate_write_key(
    connection: AsyncConnection,
    source: Source,
    *,
    key_id: UUID,
    now: datetime,
    retire_former_at: datetime | None,
) -> WriteKey | KeyRefused:
    """Another write key. The former end at `retire_former_at`; None: when a person says so."""
    if is_full(source.write_keys, now):
        return _FULL
    await _end_former(connection, KeyKind.WRITE_KEY, source.write_keys, retire_former_at)
    return await add_write_key(
        connection,
        workspace_id=source.workspace_id,
        source_id=source.id,
        key_id=key_id,
        now=now,
    )


async def rotate_identity_secret(
    connection: AsyncConnection,
    source: Source,
    vault: Vault,
    *,
    secret_id: UUID,
    now: datetime,
    retire_former_at: datetime | None,
    ask_at: datetime | None,
) -> tuple[IdentitySecret, str] | KeyRefused:
    """Another identity secret, and its text: the only time that it is known. `ask_at`: from when
    on signatures are asked for; None: as before, or from now on if nothing could sign before."""
    if is_full(source.identity_secrets, now):
        return _FULL
    former = source.identity_secrets
    if ask_at is not None or not any(one.is_valid(now) for one in former):
        at = ask_at or now
        await ask_for_signatures_from(connection, source.workspace_id, source.id, at)
    await _end_former(connection, KeyKind.IDENTITY_SECRET, former, retire_former_at)
    text = IDENTITY_SECRET_PREFIX + secrets.token_urlsafe(IDENTITY_SECRET_BYTES)
    made = await add_identity_secret(
        connection,
        workspace_id=source.workspace_id,
        source_id=source.id,
        secret_id=secret_id,
        sealed_secret=vault.seal(text.encode()),
        now=now,
    )
    return made, text


async def retire(
    connection: AsyncConnection,
    source: Source,
    kind: KeyKind,
    key_id: UUID,
    *,
    at: datetime,
    now: datetime,
) -> KeyRefused | None:
    """Refuse a key of `source` from `at` on. One that has ended already stays so."""
    keys = keys_of(source, kind)
    key = next(one for one in keys if one.id == key_id)
    if not key.is_valid(now):
        return None
    if is_last(keys, key_id):
        return _LAST[kind]
    await retire_keys(connection, kind, [key_id], at)
    return None


async def restore(
    connection: AsyncConnection, source: Source, kind: KeyKind, key_id: UUID, *, now: datetime
) -> KeyRefused | None:
    """Take a key of `source` again, whether it has ended or was to end."""
    keys = keys_of(source, kind)
    key = next(one for one in keys if one.id == key_id)
    if not key.is_valid(now) and is_full(keys, now):
        return _FULL
    await restore_key(connection, kind, key_id)
    return None


async def retire_identity_secrets(
    connection: AsyncConnection, source: Source, now: datetime
) -> None:
    """Ask for no signatures any more: every secret that has not ended ends now."""
    ids = [one.id for one in source.identity_secrets if one.is_valid(now)]
    await retire_keys(connection, KeyKind.IDENTITY_SECRET, ids, now)


def keys_of(source: Source, kind: KeyKind) -> Sequence[Key]:
    """The source's keys of that kind."""
    return source.write_keys if kind is KeyKind.WRITE_KEY else source.identity_secrets


async def _end_former(
    connection: AsyncConnection, kind: KeyKind, keys: Sequence[Key], at: datetime | None
) -> None:
    """Those that stand; what was to end sooner still does."""
    if at is not None:
        standing = [one.id for one in keys if one.retires_at is None]
        await retire_keys(connection, kind, standing, at)


_FULL = KeyRefused(
    message=f"The source has {VALID_KEYS_MAX} valid ones already: retire one that nobody uses."
)
_LAST = {
    KeyKind.WRITE_KEY: KeyRefused(
        message="It is the last write key that stands: rotate first, or revoke the source."
    ),
    KeyKind.IDENTITY_SECRET: KeyRefused(
        message="It is the last identity secret that stands, and without one userIds are taken at "
        "their word: make another first, or ask for no signatures."
    ),
}
