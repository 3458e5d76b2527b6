"""People: who works in the workspace, in which role, and who is invited."""

from dataclasses import replace
from typing import Any

from cyclopts import App as Commands

from clarion.accounts.actor import Role
from clarion.accounts.people.commands import (
    NewInvitation,
    change_role,
    deactivate,
    invite,
    reactivate,
    revoke_invitation,
)
from clarion.accounts.people.person import Invitation, Member
from clarion.accounts.people.queries import list_invitations, list_people
from clarion.cli.first_start import FirstStart
from clarion.cli.output import (
    AsJson,
    console,
    not_found,
    print_done,
    print_record,
    print_records,
    read_id,
)
from clarion.cli.session import Session, accepted, open_session
from clarion.clock import SystemClock
from clarion.config import Settings
from clarion.storage.database import Database

commands = Commands(name="people", help="People: who works in the workspace, and in which role.")


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List everybody of the workspace, those who were deactivated, too.

    For example:

    ```
    clarion people list
    ```
    """
    async with open_session() as session, session.database.read() as connection:
        members = accepted(await list_people(connection, session.actor))
    print_records(
        [_shown(member) for member in members],
        as_json=json,
        columns=("id", "email", "name", "role", "deactivated_at"),
        none="Nobody works here yet: clarion people invite EMAIL --role admin",
    )


@commands.command(name="invite")
async def invite_(
    email: str | None = None, *, role: Role = Role.VIEWER, json: AsJson = False
) -> None:
    """Make a link by which somebody becomes a member. Nothing is mailed: hand it to them yourself.

    It holds for three days, and once. Somebody new chooses a password by it; whoever has an account
    gives its password.

    For example:

    ```
    clarion people invite ada@example.com --role admin
    clarion people invite ben@example.com --role author --json
    ```

    Parameters
    ----------
    email
        Whose it is; without it, whoever has the link says theirs.
    role
        viewer: looks; author: writes drafts; publisher: sends them; admin: does everything.
    """
    async with open_session() as session:
        made = accepted(await invite(session.services, session.actor, role, email))
        link = link_of(session.settings, made)
    if json:
        print_record({**_shown_invitation(made.invitation), "link": link}, as_json=True)
        return
    console.print(link, highlight=False, soft_wrap=True)
    console.print("Whoever has it becomes a member. It holds for three days.", style="dim")


@commands.command
async def invitations(*, json: AsJson = False) -> None:
    """List the invitations that may still be accepted. Their links are never shown again.

    For example:

    ```
    clarion people invitations
    ```
    """
    async with open_session() as session, session.database.read() as connection:
        found = accepted(await list_invitations(connection, session.actor, session.clock.now()))
    print_records(
        [_shown_invitation(invitation) for invitation in found],
        as_json=json,
        columns=("id", "email", "role", "invited_by", "expires_at"),
        none="Nobody is invited.",
    )


@commands.command
async def uninvite(invitation_id: str, *, json: AsJson = False) -> None:
    """Make the link of an invitation useless.

    For example:

    ```
    clarion people uninvite 01981f5e-7a3b-7c12-9d51-0b6d2c4e8f70
    ```
    """
    wanted = read_id(invitation_id, "invitation")
    async with open_session() as session:
        outcome = await revoke_invitation(session.services, session.actor, wanted)
        removed = accepted(outcome, name=invitation_id)
    if json:
        print_record(_shown_invitation(removed), as_json=True)
    else:
        print_done(f"The invitation {invitation_id} is of no use any more.")


@commands.command(name="role")
async def role_(person: str, role: Role, *, json: AsJson = False) -> None:
    """Give somebody another role. It holds at once, where they are signed in, too.

    For example:

    ```
    clarion people role ada@example.com publisher
    ```

    Parameters
    ----------
    person
        Their id or their email.
    role
        viewer, author, publisher or admin.
    """
    async with open_session() as session:
        member = await _find(session, person)
        changed = accepted(
            await change_role(session.services, session.actor, member.person.id, role)
        )
    _print(changed, f"{changed.person.email} is {changed.role} now.", as_json=json)


@commands.command(name="deactivate")
async def deactivate_(person: str, *, json: AsJson = False) -> None:
    """Shut somebody out of the workspace. Their sessions in it end at once.

    For example:

    ```
    clarion people deactivate ada@example.com
    ```

    Parameters
    ----------
    person
        Their id or their email.
    """
    async with open_session() as session:
        member = await _find(session, person)
        changed = accepted(await deactivate(session.services, session.actor, member.person.id))
    _print(changed, f"{changed.person.email} may do nothing here any more.", as_json=json)


@commands.command(name="reactivate")
async def reactivate_(person: str, *, json: AsJson = False) -> None:
    """Let somebody work in the workspace again, in the role that they had.

    For example:

    ```
    clarion people reactivate ada@example.com
    ```

    Parameters
    ----------
    person
        Their id or their email.
    """
    async with open_session() as session:
        member = await _find(session, person)
        changed = accepted(await reactivate(session.services, session.actor, member.person.id))
    _print(changed, f"{changed.person.email} is {changed.role} again.", as_json=json)


def link_of(settings: Settings, made: NewInvitation) -> str:
    """The whole link, as far as the settings say where people reach the console."""
    listen = settings.listen
    if listen.host in ("0.0.0.0", "::"):
        listen = replace(listen, host="127.0.0.1")
    return f"{settings.public_url or f'http://{listen}'}{made.path}"


async def first_admin_link(
    settings: Settings, database: Database, made: FirstStart | None
) -> str | None:
    """The link by which whoever starts an installation becomes its first admin. It lets anybody in
    who has it, so that it is made for a person at a terminal alone."""
    if made is None or made.api_key is None or not console.is_terminal:
        return None
    session = Session(
        settings=settings,
        database=database,
        clock=SystemClock(),
        workspace_id=made.workspace_id,
    )
    return link_of(settings, accepted(await invite(session.services, session.actor, Role.ADMIN)))


async def _find(session: Session, person: str) -> Member:
    async with session.database.read() as connection:
        members = accepted(await list_people(connection, session.actor))
    wanted = person.strip().lower()
    for member in members:
        if wanted in (str(member.person.id), member.person.email):
            return member
    raise not_found("person", person)


def _print(member: Member, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_record(_shown(member), as_json=True)
    else:
        print_done(sentence)


def _shown(member: Member) -> dict[str, Any]:
    return {
        "id": member.person.id,
        "email": member.person.email,
        "name": member.person.name,
        "role": member.role.value,
        "created_at": member.created_at,
        "deactivated_at": member.deactivated_at,
    }


def _shown_invitation(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role.value,
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }
