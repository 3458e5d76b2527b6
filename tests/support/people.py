"""People who work in an installation that a test runs commands on."""

from pathlib import Path

from cryptography.fernet import Fernet

from clarion.accounts.actor import Role, operator
from clarion.accounts.command import Services
from clarion.accounts.people.commands import NewInvitation, invite
from clarion.accounts.people.passwords import PasswordHasher
from clarion.accounts.people.session import Place
from clarion.accounts.people.signing_in import SignedIn, accept_invitation
from clarion.accounts.workspace_store import list_workspaces
from clarion.broker import NewJob
from clarion.clock import SystemClock
from clarion.storage.database import Database
from clarion.storage.vault import Vault
from support.api import CHEAP

PASSWORD = "correct horse battery"


async def accept_all(home: Path, people: list[tuple[str, str]]) -> None:
    """Let these people in, as the console does."""
    database = Database(f"sqlite:///{home}/data/clarion.db")
    async with database.read() as connection:
        (workspace,) = await list_workspaces(connection)
    services = Services(
        database=database, clock=SystemClock(), broker=Nowhere(), vault=Vault(Fernet.generate_key())
    )
    hasher = PasswordHasher(CHEAP)
    for email, role in people:
        made = await invite(services, operator(workspace.id), Role(role), email)
        assert isinstance(made, NewInvitation)
        outcome = await accept_invitation(
            services,
            hasher,
            made.token,
            email=email,
            name=email,
            password=PASSWORD,
            place=Place(address=None, browser=None),
        )
        assert isinstance(outcome, SignedIn)
    await database.close()


class Nowhere:
    async def publish(self, *jobs: NewJob) -> None:
        raise AssertionError("nothing is published here")
