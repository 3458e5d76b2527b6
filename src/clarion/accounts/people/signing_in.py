"""How a person proves who they are: signs in, accepts an invitation, changes their password.

Passwords are hashed and checked outside of transactions, which would hold up all others meanwhile;
what was checked is looked at again where the row changes. Every try counts (`throttle.py`) before
its password is looked at, and the answer is the same, and takes as long, whether the account
exists, may work anywhere, or neither.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from clarion.accounts.actor import Actor, ActorKind, Permission, Role, permissions_of_role
from clarion.accounts.audit import Thing
from clarion.accounts.command import Run, Services, command
from clarion.accounts.people import session_store, store
from clarion.accounts.people.password_reset_store import remove_reset
from clarion.accounts.people.passwords import PasswordHasher
from clarion.accounts.people.person import (
    PASSWORD_CHARACTERS_MAX,
    Invitation,
    Member,
    Person,
    check_password,
    read_email,
)
from clarion.accounts.people.session import (
    TOKEN_BYTES,
    Place,
    Session,
    hash_of,
    is_over,
    is_use_noted,
)
from clarion.accounts.people.throttle import Count, counts_of
from clarion.accounts.workspace import read_name
from clarion.faults import Fault, Rejected, invalid, not_found
from clarion.storage.database import StorageUnavailable

WRONG = Rejected("sign_in", "The email or the password is wrong.")
TOO_MANY = Rejected("too_many_tries", "There were too many tries: come again in 15 minutes.")
BUSY = Rejected("unavailable", "Many people sign in at this moment: come again in a few seconds.")
NO_INVITATION = Rejected(
    "not_found", "The invitation was accepted, revoked or is too old: ask for another."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that has just begun, and its token for the cookie: the only time it is known."""

    session: Session
    member: Member
    token: str = field(repr=False)


async def sign_in(
    services: Services,
    hasher: PasswordHasher,
    *,
    email: str,
    password: str,
    place: Place,
    former_token: str | None = None,
    request_id: str | None = None,
) -> SignedIn | Rejected:
    """Begin a session with a new token. The session of `former_token`, which the browser had
    before, ends: nobody can have planted it for somebody else."""
    with hasher.place() as has_place:
        if not has_place:
            return BUSY
        account = read_email(email)
        counts = counts_of(email if isinstance(account, Fault) else account, place.address)
        if not await _count_try(services, counts):
            return TOO_MANY
        credentials = None
        open_to: list[Member] = []
        if not isinstance(account, Fault):
            async with services.database.read() as connection:
                credentials = await store.get_credentials(connection, account)
                if credentials is not None:
                    open_to = await store.memberships_of(connection, credentials[0].id)
        is_right = await _is_right(hasher, password, credentials)
        if credentials is None or not is_right or not open_to:
            log.warning("sign_in_failed", address=place.address)
            return WRONG
        actor = actor_of(open_to[0], request_id)
        password_hash = credentials[1]
        renewed = await hasher.hash(password) if hasher.is_outdated(password_hash) else None
        return await _start_session(
            services,
            actor,
            password_hash,
            place,
            counts=counts,
            former_token=former_token,
            renewed=renewed,
        )


async def accept_invitation(
    services: Services,
    hasher: PasswordHasher,
    token: str,
    *,
    email: str,
    name: str,
    password: str,
    place: Place,
    former_token: str | None = None,
    request_id: str | None = None,
) -> SignedIn | Rejected:
    """Become a member, and sign in. Somebody new chooses a password; whoever has an account proves
    with its password that it is theirs: a link alone takes over nobody's account."""
    with hasher.place() as has_place:
        if not has_place:
            return BUSY
        now = services.clock.now()
        async with services.database.read() as connection:
            invitation = await store.get_invitation(connection, hash_of(token), now)
            if invitation is None:
                return NO_INVITATION
            account = read_email(invitation.email or email)
            if isinstance(account, Fault):
                return invalid(account)
            credentials = await store.get_credentials(connection, account)
        if credentials is not None:
            counts = counts_of(account, place.address)
            if not await _count_try(services, counts):
                return TOO_MANY
            if not await _is_right(hasher, password, credentials):
                return WRONG
            person, password_hash = credentials
        else:
            counts = []
            checked_name = read_name(name)
            faults = [checked_name, check_password(password, account)]
            wrong = [fault for fault in faults if isinstance(fault, Fault)]
            if wrong or isinstance(checked_name, Fault):
                return invalid(*wrong)
            person_id = services.clock.new_id()
            person = Person(id=person_id, email=account, name=checked_name, created_at=now)
            password_hash = await hasher.hash(password)
        actor = _actor(person, invitation.workspace_id, invitation.role, request_id)
        return await _accept(
            services,
            actor,
            invitation,
            person,
            password_hash,
            place,
            is_new=credentials is None,
            counts=counts,
            former_token=former_token,
        )


async def change_password(
    services: Services,
    hasher: PasswordHasher,
    actor: Actor,
    *,
    current: str,
    new: str,
    place: Place,
) -> SignedIn | Rejected:
    """End all of the actor's sessions, whoever has them, and begin one with a new token."""
    with hasher.place() as has_place:
        if not has_place:
            return BUSY
        if actor.id is None or actor.kind is not ActorKind.PERSON:
            return not_found("person")
        async with services.database.read() as connection:
            credentials = await store.get_credentials_of(connection, actor.id)
        if credentials is None:
            return not_found("person")
        person, before = credentials
        counts = counts_of(person.email, place.address)
        if not await _count_try(services, counts):
            return TOO_MANY
        if not await _is_right(hasher, current, credentials):
            return invalid(Fault("current", "is not your password"))
        fault = check_password(new, person.email)
        if fault is not None:
            return invalid(Fault("new", fault.message))
        after = await hasher.hash(new)
        return await _replace_password(services, actor, before, after, place, counts=counts)


async def authenticate(
    services: Services, token: str, *, request_id: str | None = None
) -> tuple[Actor, Session] | None:
    """The actor of this session, with what their role allows now. Returns None if there is no such
    session."""
    now = services.clock.now()
    async with services.database.read() as connection:
        session = await session_store.get_session(connection, hash_of(token))
        if session is None or is_over(session, now):
            return None
        member = await store.get_member(connection, session.workspace_id, session.person_id)
    if member is None or member.deactivated_at is not None:
        return None
    if not is_use_noted(session, now):
        await _note_use(services, session.id)
    return actor_of(member, request_id), session


async def _note_use(services: Services, session_id: UUID) -> None:
    try:
        async with services.database.write() as connection:
            await session_store.note_use(connection, session_id, services.clock.now())
    except StorageUnavailable as error:
        # Who looks while the disk is full is not refused for want of this note.
        log.warning("session_use_not_noted", session=str(session_id), reason=str(error))


@command("session.start", needs=Permission.READ)
async def _start_session(
    run: Run,
    actor: Actor,
    password_hash: str,
    place: Place,
    *,
    counts: Sequence[Count],
    former_token: str | None,
    renewed: str | None,
) -> SignedIn | Rejected:
    """`renewed`: the password hashed as it is done today, where the known hash costs less."""
    assert actor.id is not None
    if not await _is_still(run, actor.id, password_hash):
        return WRONG
    if renewed is not None:
        await store.replace_password(run.connection, actor.id, before=password_hash, after=renewed)
    return await begin_session(run, actor, place, counts=counts, former_token=former_token)


@command("invitation.accept", needs=Permission.READ)
async def _accept(
    run: Run,
    actor: Actor,
    invitation: Invitation,
    person: Person,
    password_hash: str,
    place: Place,
    *,
    is_new: bool,
    counts: Sequence[Count],
    former_token: str | None,
) -> SignedIn | Rejected:
    workspace_id = invitation.workspace_id
    if await store.remove_invitation(run.connection, workspace_id, invitation.id) is None:
        return NO_INVITATION  # somebody was faster
    if is_new:
        if not await store.create_person(run.connection, person, password_hash):
            message = "There is an account with this email now: use its password."
            return Rejected("conflict", message)
    elif not await _is_still(run, person.id, password_hash):
        return WRONG
    await store.put_member(run.connection, person.id, workspace_id, invitation.role, run.now)
    return await begin_session(
        run,
        actor,
        place,
        counts=counts,
        former_token=former_token,
        thing=Thing("person", person.id),
        changes={"role": invitation.role.value, "invitation": str(invitation.id)},
    )


@command("person.change_password", needs=Permission.READ)
async def _replace_password(
    run: Run, actor: Actor, before: str, after: str, place: Place, *, counts: Sequence[Count]
) -> SignedIn | Rejected:
    assert actor.id is not None
    if not await store.replace_password(run.connection, actor.id, before=before, after=after):
        return Rejected("conflict", "The password was changed meanwhile: sign in again.")
    await remove_reset(run.connection, actor.id)
    await session_store.end_sessions(run.connection, actor.id)
    return await begin_session(run, actor, place, counts=counts, thing=Thing("person", actor.id))


async def begin_session(
    run: Run,
    actor: Actor,
    place: Place,
    *,
    counts: Sequence[Count],
    former_token: str | None = None,
    thing: Thing | None = None,
    changes: dict[str, str] | None = None,
) -> SignedIn | Rejected:
    """A session in the actor's workspace, and the audit entry of the command."""
    assert actor.id is not None
    member = await store.get_member(run.connection, actor.workspace_id, actor.id)
    if member is None or member.deactivated_at is not None:
        return WRONG  # shut out while the password was checked
    if former_token is not None:
        await session_store.end_session_of_token(run.connection, hash_of(former_token))
    await session_store.remove_old_sessions(run.connection, actor.id, run.now)
    await store.take_back_try(run.connection, counts)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = Session(
        id=run.new_id(),
        person_id=actor.id,
        workspace_id=actor.workspace_id,
        address=place.address,
        browser=place.browser,
        created_at=run.now,
        last_used_at=run.now,
    )
    await session_store.create_session(run.connection, session, hash_of(token))
    run.audit(thing or Thing("session", session.id), changes or {})
    return SignedIn(session=session, member=member, token=token)


async def _is_still(run: Run, person_id: UUID, password_hash: str) -> bool:
    """Whether the password was not changed while it was checked."""
    stored = await store.get_credentials_of(run.connection, person_id)
    return stored is not None and stored[1] == password_hash


async def _count_try(services: Services, counts: Sequence[Count]) -> bool:
    async def count(connection: AsyncConnection) -> bool:
        return await store.count_try(connection, counts, services.clock.now())

    return await services.database.transact(count, services.clock)


async def _is_right(
    hasher: PasswordHasher, password: str, credentials: tuple[Person, str] | None
) -> bool:
    is_short_enough = len(password) <= PASSWORD_CHARACTERS_MAX
    password_hash = None if credentials is None else credentials[1]
    is_right = await hasher.verify(password if is_short_enough else "", password_hash)
    return is_right and is_short_enough and credentials is not None


def actor_of(member: Member, request_id: str | None) -> Actor:
    """A person at work in one of their workspaces."""
    return _actor(member.person, member.workspace_id, member.role, request_id)


def _actor(person: Person, workspace_id: UUID, role: Role, request_id: str | None) -> Actor:
    return Actor(
        kind=ActorKind.PERSON,
        id=person.id,
        name=person.name,
        workspace_id=workspace_id,
        permissions=permissions_of_role(role),
        person_id=person.id,
        request_id=request_id,
    )
