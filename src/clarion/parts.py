"""The parts of a process as its settings name them: each loaded where it is opened."""

from clarion.broker import Broker
from clarion.clock import Clock
from clarion.config import Settings
from clarion.storage.database import Database
from clarion.storage.vault import Vault, load_or_make_vault


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
