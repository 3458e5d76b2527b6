"""Rows of sources' write keys and identity secrets. Secrets are sealed; only `find_admissions`
opens them."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.sources.auth_result import AuthResult, Retired, Secret
from clarion.sources.rate_limit import Limit
from clarion.sources.source import IdentitySecret, KeyKind, WriteKey
from clarion.storage.bulk import insert_new
from clarion.storage.schema import identity_secrets, sources, write_keys
from clarion.storage.vault import Vault, VaultLocked

WRITE_KEY_BYTES = 24
USED_SECONDS = 60
"""How exactly it is known when a key was last used: one in use is written about so often."""


_TABLES = {KeyKind.WRITE_KEY: write_keys, KeyKind.IDENTITY_SECRET: identity_secrets}


async def add_write_key(
    connection: AsyncConnection,
    *,
    workspace_id: UUID,
    source_id: UUID,
    key_id: UUID,
    now: datetime,
    write_key: str | None = None,
) -> WriteKey:
    """Another write key of a source, made here unless one is given."""
    key = WriteKey(
        id=key_id,
        created_at=now,
        last_used_at=None,
        retires_at=None,
        write_key=write_key or secrets.token_hex(WRITE_KEY_BYTES),
    )
    row = {
        "id": key.id,
        "workspace_id": workspace_id,
        "source_id": source_id,
        "write_key": key.write_key,
        "created_at": now,
    }
    await insert_new(connection, write_keys, [row])
    return key


async def add_identity_secret(
    connection: AsyncConnection,
    *,
    workspace_id: UUID,
    source_id: UUID,
    secret_id: UUID,
    sealed_secret: bytes,
    now: datetime,
) -> IdentitySecret:
    """Another identity secret of a source."""
    row = {
        "id": secret_id,
        "workspace_id": workspace_id,
        "source_id": source_id,
        "sealed_secret": sealed_secret,
        "created_at": now,
    }
    await insert_new(connection, identity_secrets, [row])
    return IdentitySecret(id=secret_id, created_at=now, last_used_at=None, retires_at=None)


async def write_keys_of(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID | None = None
) -> dict[UUID, list[WriteKey]]:
    """The write keys of each source (or of one), oldest first."""
    statement = select(write_keys).where(write_keys.c.workspace_id == workspace_id)
    if source_id is not None:
        statement = statement.where(write_keys.c.source_id == source_id)
    keys_of_source: dict[UUID, list[WriteKey]] = defaultdict(list)
    for row in await connection.execute(statement.order_by(*_oldest_first(write_keys))):
        keys_of_source[row.source_id].append(WriteKey(**_common(row), write_key=row.write_key))
    return keys_of_source


async def identity_secrets_of(
    connection: AsyncConnection, workspace_id: UUID, source_id: UUID | None = None
) -> dict[UUID, list[IdentitySecret]]:
    """The identity secrets of each source (or of one), oldest first, without themselves."""
    statement = select(identity_secrets).where(identity_secrets.c.workspace_id == workspace_id)
    if source_id is not None:
        statement = statement.where(identity_secrets.c.source_id == source_id)
    secrets_of_source: dict[UUID, list[IdentitySecret]] = defaultdict(list)
    for row in await connection.execute(statement.order_by(*_oldest_first(identity_secrets))):
        secrets_of_source[row.source_id].append(IdentitySecret(**_common(row)))
    return secrets_of_source


async def retire_keys(
    connection: AsyncConnection, kind: KeyKind, key_ids: Iterable[UUID], at: datetime | None
) -> None:
    """Refuse them from `at` on; None: take them again, until they are retired."""
    table = _TABLES[kind]
    await connection.execute(
        update(table).where(table.c.id.in_(list(key_ids))).values(retires_at=at)
    )


async def note_uses(
    connection: AsyncConnection, kind: KeyKind, key_ids: Iterable[UUID], now: datetime
) -> None:
    """Records that keys were used, unless that was recorded a moment ago."""
    table = _TABLES[kind]
    late = now - timedelta(seconds=USED_SECONDS)
    await connection.execute(
        update(table)
        .where(
            table.c.id.in_(list(key_ids)),
            or_(table.c.last_used_at.is_(None), table.c.last_used_at <= late),
        )
        .values(last_used_at=now)
    )


async def find_admissions(
    connection: AsyncConnection, keys: Sequence[str], now: datetime, vault: Vault | None
) -> dict[str, AuthResult | Retired]:
    """What each of `keys` opens now. Unknown keys are missing from the result."""
    secret = identity_secrets.c
    signs = and_(
        secret.source_id == sources.c.id, or_(secret.retires_at.is_(None), secret.retires_at > now)
    )
    anybodys = identity_secrets.alias()
    rows = await connection.execute(
        select(
            write_keys.c.id.label("key_id"),
            write_keys.c.write_key,
            exists()
            .where(anybodys.c.workspace_id == sources.c.workspace_id)
            .label("has_signatures"),
            write_keys.c.retires_at,
            sources,
            secret.id.label("secret_id"),
            secret.sealed_secret,
        )
        .select_from(
            write_keys.join(sources, sources.c.id == write_keys.c.source_id).outerjoin(
                identity_secrets, signs
            )
        )
        .where(write_keys.c.write_key.in_(keys))
    )
    of_key: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        of_key[row.write_key].append(row)
    return {key: _opens(rows_of_key, now, vault) for key, rows_of_key in of_key.items()}


def _opens(rows: Sequence[Any], now: datetime, vault: Vault | None) -> AuthResult | Retired:
    """What a key opens, by its rows: one for each secret of its source, but at least one."""
    row = rows[0]
    if row.revoked_at is not None or (row.retires_at is not None and row.retires_at <= now):
        return Retired(
            key_id=row.key_id,
            source_id=row.id,
            workspace_id=row.workspace_id,
            is_source_revoked=row.revoked_at is not None,
        )
    sealed = [row_of_secret for row_of_secret in rows if row_of_secret.secret_id is not None]
    secrets = tuple(
        Secret(id=row_of_secret.secret_id, text=text)
        for row_of_secret in sealed
        if (text := _opened(row_of_secret.sealed_secret, vault)) is not None
    )
    return AuthResult(
        key_id=row.key_id,
        source_id=row.id,
        workspace_id=row.workspace_id,
        source_created_at=row.created_at,
        allowed_origins=tuple(row.allowed_origins),
        limit=limit_of(row.events_per_second, row.burst),
        has_signatures=row.has_signatures,
        asks_for_signatures=row.signatures_from is None or row.signatures_from <= now,
        secrets=secrets,
        has_locked_secrets=len(secrets) < len(sealed),
    )


def limit_of(events_per_second: int | None, burst: int | None) -> Limit | None:
    """The limit in a source's columns, both of which are null where it has none."""
    if events_per_second is None or burst is None:
        return None
    return Limit(events_per_second=events_per_second, burst=burst)


def _opened(sealed: bytes, vault: Vault | None) -> bytes | None:
    """None: it was sealed with another key, or there is no vault to open it with."""
    try:
        return None if vault is None else vault.open(sealed)
    except VaultLocked:
        return None


def _oldest_first(table: Any) -> tuple[Any, Any]:
    return table.c.created_at, table.c.id


def _common(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "retires_at": row.retires_at,
    }
