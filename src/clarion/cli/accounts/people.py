"""People: who works in the workspace, in which role, and who is invited."""

from typing import Any, Literal

from cyclopts import App as Commands

from clarion.cli.api import ask_list, open_api
from clarion.cli.api.client import Api, read_list
from clarion.cli.output import (
    AsJson,
    console,
    not_found,
    print_done,
    print_record,
    print_records,
    read_id,
)

Role = Literal["viewer", "author", "publisher", "admin"]

commands = Commands(name="people", help="People: who works in the workspace, and in which role.")


@commands.command(name="list")
async def list_(*, json: AsJson = False) -> None:
    """List everybody of the workspace, those who were deactivated, too.

    For example:

    ```
    clarion people list
    ```
    """
    people = await ask_list("/people")
    print_records(
        people,
        as_json=json,
        columns=("id", "email", "name", "role", "deactivated_at"),
        none="Nobody works here yet: clarion people invite EMAIL --role admin",
    )


@commands.command(name="invite")
async def invite_(email: str | None = None, *, role: Role = "viewer", json: AsJson = False) -> None:
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
        Whose it is; without it, on the machine that runs Clarion, whoever has the link says theirs.
    role
        viewer: looks; author: writes drafts; publisher: sends them; admin: does everything.
    """
    async with open_api() as api:
        wanted = {"email": email, "role": role}
        made = await api.call("POST", "/people/invitations", body=wanted)
    sentence = "Whoever has it becomes a member. It holds for three days."
    _print_link(made, api.address, sentence, as_json=json)


@commands.command
async def invitations(*, json: AsJson = False) -> None:
    """List the invitations that may still be accepted. Their links are never shown again.

    For example:

    ```
    clarion people invitations
    ```
    """
    waiting = await ask_list("/people/invitations")
    print_records(
        waiting,
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
    async with open_api() as api:
        path = f"/people/invitations/{wanted}/revoke"
        removed = await api.call("POST", path, name=invitation_id)
    if json:
        print_record(removed, as_json=True)
    else:
        print_done(f"The invitation {invitation_id} is of no use any more.")


@commands.command
async def reset_password(person: str, *, json: AsJson = False) -> None:
    """Make a link by which somebody who has forgotten their password chooses another.

    Nothing is mailed: hand it to them yourself. It holds for a day, and once.

    For example:

    ```
    clarion people reset-password ada@example.com
    ```

    Parameters
    ----------
    person
        Their id or their email.
    """
    async with open_api() as api:
        made = await api.call("POST", f"/people/{await _id_of(api, person)}/reset-password")
    sentence = "Whoever has it chooses their password. It holds for a day."
    _print_link(made, api.address, sentence, as_json=json)


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
    async with open_api() as api:
        path = f"/people/{await _id_of(api, person)}"
        changed = await api.call("PATCH", path, body={"role": role})
    _print(changed, f"{changed['email']} is {changed['role']} now.", as_json=json)


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
    async with open_api() as api:
        changed = await api.call("POST", f"/people/{await _id_of(api, person)}/deactivate")
    _print(changed, f"{changed['email']} may do nothing here any more.", as_json=json)


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
    async with open_api() as api:
        changed = await api.call("POST", f"/people/{await _id_of(api, person)}/reactivate")
    _print(changed, f"{changed['email']} is {changed['role']} again.", as_json=json)


async def _id_of(api: Api, person: str) -> str:
    """The id of whom an id or an email names. Ends the command where it is nobody."""
    wanted = person.strip().lower()
    for known in await read_list(api, "/people"):
        if wanted in (known["id"], known["email"]):
            return str(known["id"])
    raise not_found("person", person)


def _print_link(made: dict[str, Any], address: str, sentence: str, *, as_json: bool) -> None:
    """A link that is told this one time."""
    link = f"{address}{made['path']}"
    if as_json:
        print_record({**made, "link": link}, as_json=True)
        return
    console.print(link, highlight=False, soft_wrap=True)
    console.print(sentence, style="dim")


def _print(person: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_record(person, as_json=True)
    else:
        print_done(sentence)
