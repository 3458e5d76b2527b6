"""Rows of people, of where they may work, and of invitations."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Role
from clarion.accounts.people.person import Invitation, Member, Person
from clarion.accounts.people.preferences import NOT_CHOSEN, Preferences
from clarion.accounts.people.throttle import WINDOW, Count
from clarion.accounts.workspace_store import lock_workspace
from clarion.storage.bulk import insert_new, upsert
from clarion.storage.dialect import insert
from clarion.storage.schema import invitations, memberships, people, sign_in_tries

_PREFERENCES = [people.c[field.name] for field in fields(Preferences)]
_PERSON = [people.c[field.name] for field in fields(Person)]
_INVITATION = [invitations.c[field.name] for field in fields(Invitation)]
_MEMBER = [
    *_PERSON,
    memberships.c.workspace_id,
    memberships.c.role,
    memberships.c.created_at.label("member_since"),
    memberships.c.deactivated_at,
]


async def get_credentials(connection: AsyncConnection, email: str) -> tuple[Person, str] | None:
    """The person with this address, and the hash of their password."""
    return await _credentials(connection, people.c.email == email)


async def get_credentials_of(
    connection: AsyncConnection, person_id: UUID
) -> tuple[Person, str] | None:
    return await _credentials(connection, people.c.id == person_id)


async def create_person(connection: AsyncConnection, person: Person, password_hash: str) -> bool:
    """Adds a person. Returns False if the address is taken; that person is not changed."""
    row = {field.name: getattr(person, field.name) for field in fields(Person)}
    await insert_new(connection, people, [row | {"password_hash": password_hash}])
    stored = await get_credentials(connection, person.email)
    return stored is not None and stored[0].id == person.id


async def replace_password(
    connection: AsyncConnection, person_id: UUID, *, before: str, after: str
) -> bool:
    """Replaces the password's hash. Returns False if it was replaced meanwhile."""
    rows = await connection.execute(
        update(people)
        .where(people.c.id == person_id, people.c.password_hash == before)
        .values(password_hash=after)
        .returning(people.c.id)
    )
    return rows.one_or_none() is not None


async def get_preferences(connection: AsyncConnection, person_id: UUID) -> Preferences:
    """What the person has chosen."""
    rows = await connection.execute(select(*_PREFERENCES).where(people.c.id == person_id))
    row = rows.one_or_none()
    return NOT_CHOSEN if row is None else Preferences(**row._mapping)


async def save_preferences(
    connection: AsyncConnection, person_id: UUID, preferences: Preferences
) -> None:
    values = {field.name: getattr(preferences, field.name) for field in fields(Preferences)}
    await connection.execute(update(people).where(people.c.id == person_id).values(values))


async def put_member(
    connection: AsyncConnection, person_id: UUID, workspace_id: UUID, role: Role, now: datetime
) -> None:
    """Let a person work in a workspace, with this role; one who was deactivated may again."""
    row = {
        "person_id": person_id,
        "workspace_id": workspace_id,
        "role": role.value,
        "created_at": now,
        "deactivated_at": None,
    }
    await upsert(connection, memberships, [row], key=("person_id", "workspace_id"))


async def list_members(connection: AsyncConnection, workspace_id: UUID) -> list[Member]:
    """Everybody of the workspace, by their address; those who were deactivated, too."""
    return await _members(connection, memberships.c.workspace_id == workspace_id)


async def get_member(
    connection: AsyncConnection, workspace_id: UUID, person_id: UUID
) -> Member | None:
    members = await _members(
        connection,
        (memberships.c.workspace_id == workspace_id) & (memberships.c.person_id == person_id),
    )
    return members[0] if members else None


async def memberships_of(connection: AsyncConnection, person_id: UUID) -> list[Member]:
    """Where a person may work now, the oldest first."""
    members = await _members(
        connection, (memberships.c.person_id == person_id) & memberships.c.deactivated_at.is_(None)
    )
    return sorted(members, key=lambda member: (member.created_at, member.workspace_id))


async def save_member(connection: AsyncConnection, member: Member) -> None:
    await connection.execute(
        update(memberships)
        .where(
            memberships.c.workspace_id == member.workspace_id,
            memberships.c.person_id == member.person.id,
        )
        .values(role=member.role.value, deactivated_at=member.deactivated_at)
    )


async def lock_members(connection: AsyncConnection, workspace_id: UUID) -> None:
    """Until the transaction ends nobody else changes who may work here: of two admins who
    deactivate each other one stays."""
    await lock_workspace(connection, workspace_id)


async def create_invitation(
    connection: AsyncConnection, invitation: Invitation, token_hash: str
) -> None:
    """Those of the workspace that are too old go."""
    is_old = invitations.c.expires_at <= invitation.created_at
    await connection.execute(
        delete(invitations).where(invitations.c.workspace_id == invitation.workspace_id, is_old)
    )
    row = {field.name: getattr(invitation, field.name) for field in fields(Invitation)}
    row |= {"role": invitation.role.value, "token_hash": token_hash}
    await insert_new(connection, invitations, [row])


async def list_invitations(
    connection: AsyncConnection, workspace_id: UUID, now: datetime
) -> list[Invitation]:
    """Invitations that can still be accepted, the oldest first."""
    rows = await connection.execute(
        select(*_INVITATION)
        .where(invitations.c.workspace_id == workspace_id, invitations.c.expires_at > now)
        .order_by(invitations.c.id)
    )
    return [_invitation(row) for row in rows]


async def get_invitation(
    connection: AsyncConnection, token_hash: str, now: datetime
) -> Invitation | None:
    """The invitation of this link, if it can still be accepted."""
    rows = await connection.execute(
        select(*_INVITATION).where(
            invitations.c.token_hash == token_hash, invitations.c.expires_at > now
        )
    )
    row = rows.one_or_none()
    return None if row is None else _invitation(row)


async def remove_invitation(
    connection: AsyncConnection, workspace_id: UUID, invitation_id: UUID
) -> Invitation | None:
    """It is of no use from now on; None: it was not there, as where somebody was faster."""
    rows = await connection.execute(
        delete(invitations)
        .where(invitations.c.workspace_id == workspace_id, invitations.c.id == invitation_id)
        .returning(*_INVITATION)
    )
    row = rows.one_or_none()
    return None if row is None else _invitation(row)


async def count_try(connection: AsyncConnection, counts: Sequence[Count], now: datetime) -> bool:
    """Count a try to sign in. False: there were too many."""
    await connection.execute(delete(sign_in_tries).where(sign_in_tries.c.begun_at <= now - WINDOW))
    is_allowed = True
    for count in counts:
        statement = insert(connection, sign_in_tries).values(key=count.key, tries=1, begun_at=now)
        rows = await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["key"], set_={"tries": sign_in_tries.c.tries + 1}
            ).returning(sign_in_tries.c.tries)
        )
        is_allowed = is_allowed and rows.scalar_one() <= count.limit
    return is_allowed


async def take_back_try(connection: AsyncConnection, counts: Sequence[Count]) -> None:
    """It was a good one: what was tried for this account before is forgotten."""
    for count in counts:
        is_it = sign_in_tries.c.key == count.key
        if count.is_of_account:
            await connection.execute(delete(sign_in_tries).where(is_it))
        else:
            fewer = update(sign_in_tries).where(is_it).values(tries=sign_in_tries.c.tries - 1)
            await connection.execute(fewer)


async def _credentials(connection: AsyncConnection, which: Any) -> tuple[Person, str] | None:
    rows = await connection.execute(select(*_PERSON, people.c.password_hash).where(which))
    row = rows.one_or_none()
    return None if row is None else (_person(row), row.password_hash)


async def _members(connection: AsyncConnection, which: Any) -> list[Member]:
    rows = await connection.execute(
        select(*_MEMBER)
        .join_from(memberships, people, people.c.id == memberships.c.person_id)
        .where(which)
        .order_by(people.c.email)
    )
    return [
        Member(
            person=_person(row),
            workspace_id=row.workspace_id,
            role=Role(row.role),
            created_at=row.member_since,
            deactivated_at=row.deactivated_at,
        )
        for row in rows
    ]


def _person(row: Any) -> Person:
    return Person(id=row.id, email=row.email, name=row.name, created_at=row.created_at)


def _invitation(row: Any) -> Invitation:
    return Invitation(**{**row._mapping, "role": Role(row.role)})
