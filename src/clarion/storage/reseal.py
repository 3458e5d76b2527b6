"""Seals everything in a database anew, with the key of now: what a former one has sealed stays as
it is until then, and nothing needs the former one afterwards.

It goes row by row, each in a transaction that first looks whether the row is still what was read,
so it may be cut off anywhere, run again, and run beside processes that are at work.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, select, update

from clarion.storage.database import Database
from clarion.storage.schema import firebase_apps, identity_secrets
from clarion.storage.vault import Vault, VaultLocked

SEALED: tuple[tuple[str, Table, Column[Any]], ...] = (
    ("Firebase key", firebase_apps, firebase_apps.c.sealed_key),
    ("identity secret", identity_secrets, identity_secrets.c.sealed_secret),
)
"""All that is sealed: what it is called, and where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A row that no key of the vault opens."""

    what: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    sealed_anew: int
    current: int
    """Were sealed with the key of now already."""
    locked: tuple[Locked, ...]


async def look(database: Database, vault: Vault) -> Resealed:
    """What `reseal` would do; nothing is changed."""
    return await _go(database, vault, writes=False)


async def reseal(database: Database, vault: Vault) -> Resealed:
    """Seal anew what a former key has sealed. What no key opens stays, and is named."""
    return await _go(database, vault, writes=True)


async def _go(database: Database, vault: Vault, *, writes: bool) -> Resealed:
    anew = current = 0
    locked = []
    for what, table, column in SEALED:
        async with database.read() as connection:
            rows = (await connection.execute(select(table.c.id, column).order_by(table.c.id))).all()
        for row_id, stored in rows:
            sealed = bytes(stored)
            if vault.is_current(sealed):
                current += 1
                continue
            try:
                plain = vault.open(sealed)
            except VaultLocked:
                locked.append(Locked(what=what, id=str(row_id)))
                continue
            anew += 1
            if writes:
                async with database.write() as connection:
                    await connection.execute(
                        update(table)
                        .where(table.c.id == row_id, column == stored)
                        .values({column.name: vault.seal(plain)})
                    )
    return Resealed(sealed_anew=anew, current=current, locked=tuple(locked))
