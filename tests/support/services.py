"""What commands work with, where a test has no whole service."""

from cryptography.fernet import Fernet

from clarion.accounts.command import Services
from clarion.broker import NewJob
from clarion.clock import Clock
from clarion.storage.database import Database
from clarion.storage.vault import Vault


class NoBroker:
    """Of a test whose commands publish nothing."""

    async def publish(self, *jobs: NewJob) -> None:
        raise AssertionError(jobs)


def services(database: Database, clock: Clock) -> Services:
    return Services(
        database=database, clock=clock, broker=NoBroker(), vault=Vault(Fernet.generate_key())
    )
