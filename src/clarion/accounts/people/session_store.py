"""Rows of sessions. Whoever is signed in has one; one that is over is as good as gone."""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.people.session import IDLE, LIFE, Session
from clarion.storage.bulk import insert_new
from clarion.storage.schema import sessions

_SHOWN = [sessions.c[field.name] for field in fields(Session)]


async def create_session(connection: AsyncConnection, session: Session, token_hash: str) -> None:
    row = {field.name: getattr(session, field.name) for field in fields(Session)}
    await insert_new(connection, sessions, [row | {"token_hash": token_hash}])


async def get_session(connection: AsyncConnection, token_hash: str) -> Session | None:
    """The session of this token, which may be over."""
    rows = await connection.execute(select(*_SHOWN).where(sessions.c.token_hash == token_hash))
    row = rows.one_or_none()
    return None if row is None else _session(row)


async def list_sessions(
    connection: AsyncConnection, person_id: UUID, now: datetime
) -> list[Session]:
    """Those of a person that are not over, the oldest first."""
    rows = await connection.execute(
        select(*_SHOWN)
        .where(
            sessions.c.person_id == person_id,
            sessions.c.last_used_at > now - IDLE,
            sessions.c.created_at > now - LIFE,
        )
        .order_by(sessions.c.id)
    )
    return [_session(row) for row in rows]


async def note_use(connection: AsyncConnection, session_id: UUID, now: datetime) -> None:
    await connection.execute(
        update(sessions).where(sessions.c.id == session_id).values(last_used_at=now)
    )


async def move_session(
    connection: AsyncConnection, person_id: UUID, session_id: UUID, workspace_id: UUID
) -> bool:
    """Moves the session to that workspace. Returns False if there is no such session."""
    rows = await connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.person_id == person_id)
        .values(workspace_id=workspace_id)
        .returning(sessions.c.id)
    )
    return rows.one_or_none() is not None


async def end_session(connection: AsyncConnection, person_id: UUID, session_id: UUID) -> bool:
    """Ends the session. Returns False if the person has no such session."""
    rows = await connection.execute(
        delete(sessions)
        .where(sessions.c.id == session_id, sessions.c.person_id == person_id)
        .returning(sessions.c.id)
    )
    return rows.one_or_none() is not None


async def end_session_of_token(connection: AsyncConnection, token_hash: str) -> None:
    await connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


async def end_sessions(
    connection: AsyncConnection, person_id: UUID, workspace_id: UUID | None = None
) -> None:
    """All of a person's, or those in one workspace."""
    statement = delete(sessions).where(sessions.c.person_id == person_id)
    if workspace_id is not None:
        statement = statement.where(sessions.c.workspace_id == workspace_id)
    await connection.execute(statement)


async def remove_old_sessions(connection: AsyncConnection, person_id: UUID, now: datetime) -> None:
    """Those of a person that are over."""
    is_over = (sessions.c.last_used_at <= now - IDLE) | (sessions.c.created_at <= now - LIFE)
    await connection.execute(delete(sessions).where(sessions.c.person_id == person_id, is_over))


def _session(row: Any) -> Session:
    return Session(**row._mapping)
