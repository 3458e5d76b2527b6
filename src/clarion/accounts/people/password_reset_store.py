"""Rows of password resets: at most one a person."""

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.people.person import PasswordReset
from clarion.storage.bulk import upsert
from clarion.storage.schema import password_resets

_RESET = [password_resets.c[field.name] for field in fields(PasswordReset)]


async def put_reset(connection: AsyncConnection, reset: PasswordReset, token_hash: str) -> None:
    """The link of an earlier one is of no use from now on."""
    row = {field.name: getattr(reset, field.name) for field in fields(PasswordReset)}
    await upsert(
        connection, password_resets, [row | {"token_hash": token_hash}], key=("person_id",)
    )


async def get_reset(
    connection: AsyncConnection, token_hash: str, now: datetime
) -> PasswordReset | None:
    """The password reset of this link, if it can still be used."""
    rows = await connection.execute(
        select(*_RESET).where(
            password_resets.c.token_hash == token_hash, password_resets.c.expires_at > now
        )
    )
    row = rows.one_or_none()
    return None if row is None else PasswordReset(**row._mapping)


async def remove_reset(
    connection: AsyncConnection, person_id: UUID, token_hash: str | None = None
) -> bool:
    """A person's, of whatever link or of this one; False: it was not there."""
    statement = delete(password_resets).where(password_resets.c.person_id == person_id)
    if token_hash is not None:
        statement = statement.where(password_resets.c.token_hash == token_hash)
    rows = await connection.execute(statement.returning(password_resets.c.person_id))
    return rows.one_or_none() is not None
