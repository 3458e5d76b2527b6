"""The parts of a process as its settings name them: each loaded where it is opened."""

from typing import TYPE_CHECKING

from clarion.broker import Broker
from clarion.clock import Clock
from clarion.config import Settings
from clarion.storage.database import Database
from clarion.storage.vault import Vault, load_or_make_vault

if TYPE_CHECKING:
    from clarion.deliveries.provider import TryingProvider


async def open_broker(settings: Settings, database: Database, clock: Clock) -> Broker:
    """The broker that `settings` name."""
    if settings.broker_url is None:
        from clarion.brokers.database import DatabaseBroker

        return DatabaseBroker(database, clock)
    from clarion.brokers.jetstream import JetStreamBroker

    return await JetStreamBroker.connect(settings.broker_url)


def open_vault(settings: Settings) -> Vault:
    """The vault of `settings`. Where they name no key, one is made beside the data."""
    return load_or_make_vault(settings.data_dir, settings.secret_key, settings.former_secret_keys)


def open_provider(settings: Settings, clock: Clock) -> "TryingProvider":
    """The provider that `settings` name, for a command in its own process."""
    from clarion.providers.fcm.client import FcmProvider

    ca_file = None if settings.fcm_ca is None else str(settings.fcm_ca)
    return FcmProvider(settings.fcm_url, ca_file, clock)
