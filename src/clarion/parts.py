"""The parts of a process as its settings name them: each loaded where it is opened."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from clarion.broker import Broker, BrokerUnavailable
from clarion.clock import Clock
from clarion.config import Settings
from clarion.storage.database import Database
from clarion.storage.vault import Vault, load_or_make_vault

if TYPE_CHECKING:
    from clarion.deliveries.provider import TryingProvider

BROKER_WAIT_SECONDS = 60.0
"""So long a process waits at its start for a broker that is not there yet: a cluster that elects a
leader takes some seconds, a server that starts on the same machine a moment more."""
BROKER_PAUSE_SECONDS = 0.5
"""Between two tries."""

log = structlog.get_logger(__name__)


async def open_broker(settings: Settings, database: Database, clock: Clock) -> Broker:
    """The broker that `settings` name."""
    if settings.broker_url is None:
        from clarion.brokers.database import DatabaseBroker

        return DatabaseBroker(database, clock)
    from clarion.brokers.jetstream import JetStreamBroker

    return await JetStreamBroker.connect(settings.broker_url)


async def await_broker(connect: Callable[[], Awaitable[Broker]], clock: Clock) -> Broker:
    """The broker that `connect` makes, for a process that starts: tried again for up to
    `BROKER_WAIT_SECONDS` while it is away, which the log tells once, as it does when it is there.
    Raises BrokerUnavailable, at once where waiting does not help."""
    began = clock.monotonic()
    is_told = False
    while True:
        try:
            broker = await connect()
            break
        except BrokerUnavailable as error:
            if error.lasts or clock.monotonic() - began >= BROKER_WAIT_SECONDS:
                raise
            if not is_told:
                cure = error.cure or "none, if it is about to start"
                log.warning("broker_awaited", reason=str(error), cure=cure)
                is_told = True
        await clock.sleep(BROKER_PAUSE_SECONDS)
    if is_told:
        log.info("broker_found", after_seconds=round(clock.monotonic() - began, 1))
    return broker


def open_vault(settings: Settings) -> Vault:
    """The vault of `settings`. Where they name no key, one is made beside the data."""
    return load_or_make_vault(settings.data_dir, settings.secret_key, settings.former_secret_keys)


def open_provider(settings: Settings, clock: Clock) -> "TryingProvider":
    """The provider that `settings` name, for a command in its own process."""
    from clarion.providers.fcm.client import FcmProvider

    ca_file = None if settings.fcm_ca is None else str(settings.fcm_ca)
    return FcmProvider(settings.fcm_url, ca_file, clock)
