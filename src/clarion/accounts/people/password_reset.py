"""A password that was forgotten: an admin makes a link, and whoever has it chooses another.

Nothing is mailed, as with invitations. A password opens all workspaces of a person, so an admin of
one of them resets nobody who works in others, too: the operator does. That is looked at when the
link is made, and again when it is used: its person may have come to work elsewhere meanwhile.
"""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, ActorKind, Permission
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, Services, command
from clarion.accounts.people import session_store, store
from clarion.accounts.people.password_reset_store import get_reset, put_reset, remove_reset
from clarion.accounts.people.passwords import PasswordHasher
from clarion.accounts.people.person import (
    PASSWORD_RESET_LIFE,
    PasswordReset,
    Person,
    check_password,
)
from clarion.accounts.people.session import TOKEN_BYTES, Place, hash_of
from clarion.accounts.people.signing_in import BUSY, SignedIn, actor_of, begin_session
from clarion.faults import Rejected, invalid, not_found

LINK = "/console/password-resets/"
"""Where another password is chosen; the token of the link follows."""
NO_RESET = Rejected("not_found", "The link was used, replaced or is too old: ask for another.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasswordReset:
    """A reset that was just made, and its token: the only time that it is known."""

    reset: PasswordReset
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """The link, without the address of the installation."""
        return f"{LINK}{self.token}"


@command("person.offer_password_reset", needs=Permission.ADMIN)
async def offer_password_reset(
    run: Run, actor: Actor, person_id: UUID
) -> NewPasswordReset | Rejected:
    """Make a link by which a member of the actor's workspace chooses another password. Until it is
    used, the old one holds."""
    member = await store.get_member(run.connection, actor.workspace_id, person_id)
    if member is None:
        return not_found("person")
    if member.deactivated_at is not None:
        return Rejected("conflict", "They may do nothing here: reactivate them first.")
    is_operator = actor.kind is ActorKind.OPERATOR
    token = secrets.token_urlsafe(TOKEN_BYTES)
    reset = PasswordReset(
        person_id=person_id,
        workspace_id=None if is_operator else actor.workspace_id,
        created_by=actor.name,
        created_at=run.now,
        expires_at=run.now + PASSWORD_RESET_LIFE,
    )
    if not reset.opens(await _workspaces_of(run.connection, person_id)):
        return Rejected(
            "conflict",
            f"{member.person.email} works in other workspaces, too: whoever runs this "
            "installation can do it, by `clarion people reset-password`.",
        )
    await put_reset(run.connection, reset, hash_of(token))
    run.audit(Thing("person", person_id), {})
    return NewPasswordReset(reset=reset, token=token)


async def find_password_reset(
    services: Services, token: str
) -> tuple[PasswordReset, Person] | Rejected:
    """The password reset of a link, and its person."""
    async with services.database.read() as connection:
        reset = await get_reset(connection, hash_of(token), services.clock.now())
        if reset is None:
            return NO_RESET
        credentials = await store.get_credentials_of(connection, reset.person_id)
    return NO_RESET if credentials is None else (reset, credentials[0])


async def reset_password(
    services: Services,
    hasher: PasswordHasher,
    token: str,
    *,
    password: str,
    place: Place,
    former_token: str | None = None,
    request_id: str | None = None,
) -> SignedIn | Rejected:
    """Choose another password, and sign in. All sessions of the person end, whoever has them."""
    with hasher.place() as has_place:
        if not has_place:
            return BUSY
        offered = await find_password_reset(services, token)
        if isinstance(offered, Rejected):
            return offered
        reset, person = offered
        fault = check_password(password, person.email)
        if fault is not None:
            return invalid(fault)
        async with services.database.read() as connection:
            credentials = await store.get_credentials_of(connection, person.id)
            open_to = await store.memberships_of(connection, person.id)
        if credentials is None or not open_to:
            return NO_RESET
        after = await hasher.hash(password)
        return await _use_reset(
            services,
            actor_of(open_to[0], request_id),
            reset,
            hash_of(token),
            credentials[1],
            after,
            place,
            former_token=former_token,
        )


@command("person.reset_password", needs=Permission.READ)
async def _use_reset(
    run: Run,
    actor: Actor,
    reset: PasswordReset,
    token_hash: str,
    before: str,
    after: str,
    place: Place,
    *,
    former_token: str | None,
) -> SignedIn | Rejected:
    assert actor.id is not None
    if not await remove_reset(run.connection, actor.id, token_hash):
        return NO_RESET  # somebody was faster
    if not reset.opens(await _workspaces_of(run.connection, actor.id)):
        return NO_RESET  # they have come to work elsewhere since it was made
    if not await store.replace_password(run.connection, actor.id, before=before, after=after):
        return Rejected("conflict", "The password was changed meanwhile: sign in.")
    await session_store.end_sessions(run.connection, actor.id)
    return await begin_session(
        run,
        actor,
        place,
        counts=(),
        former_token=former_token,
        thing=Thing("person", actor.id),
    )


async def _workspaces_of(connection: AsyncConnection, person_id: UUID) -> list[UUID]:
    """Where the person may work now."""
    return [member.workspace_id for member in await store.memberships_of(connection, person_id)]
