"""The composition root: the only module that knows every concrete class.

`App.open(settings)` builds what every process needs; `run(roles)` adds the agents of the roles, and
the web server where a role needs one, and keeps them going until a stop is asked for. Then: no new
calls, those under way are answered; the sender settles what is in the air (for so long as
`DRAIN_SECONDS`), the other agents are cancelled (what they had in hand comes back by its lease),
and the parts are closed.
"""

import asyncio
import os
import platform
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum

import structlog

from clarion import tracing
from clarion.accounts.command import Services
from clarion.agent import Agent, AgentName, Runner
from clarion.broker import Broker, BrokerUnavailable
from clarion.campaigns.launches.scheduler import Scheduler, SchedulerOptions
from clarion.clock import Clock, SystemClock
from clarion.config import Address, Settings
from clarion.customers.devices.freshness.sweeper import Sweeper, SweeperOptions
from clarion.customers.ingestor import Ingestor
from clarion.deliveries.customer_index.indexer import CustomerIndexer
from clarion.deliveries.planning.planner import Planner
from clarion.deliveries.practice import PhoneAddress, PracticePhone
from clarion.deliveries.provider import TryingProvider
from clarion.deliveries.sending.sender import Sender
from clarion.events.backpressure import Backpressure
from clarion.events.collector import Collector
from clarion.parts import await_broker, open_broker, open_vault
from clarion.privacy.eraser import Eraser
from clarion.providers.fcm.client import FcmProvider
from clarion.providers.practice import PracticeProvider
from clarion.reports.attributor import Attributor
from clarion.retention.remover import Remover
from clarion.storage.database import Database, StorageUnavailable
from clarion.storage.leader_lease import LeaderLease
from clarion.storage.sqlite.connection import has_lost_thread
from clarion.storage.vault import Vault
from clarion.telemetry import Metrics
from clarion.watchdog import Watchdog
from clarion.web.api import create_api
from clarion.web.api.sources.streams import Streams
from clarion.web.console import create_console
from clarion.web.intilery import TrackApp
from clarion.web.probes import Probes
from clarion.web.sdk import CollectApp
from clarion.web.sdk.library import Library
from clarion.web.server import Asgi, WebApp, behind_proxies, bind, serve

DRAIN_SECONDS = 25.0
"""Less than service managers wait before they kill; FCM answers within a second as a rule."""
END_SECONDS = 28.0
"""So long after it was asked to end a process is ended hard, if something in it hangs."""
BEAT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What `clarion run` can run. `serve` runs them all."""

    COLLECTOR = "collector"
    INGESTOR = "ingestor"
    SCHEDULER = "scheduler"
    PLANNER = "planner"
    SENDER = "sender"
    ATTRIBUTOR = "attributor"
    SWEEPER = "sweeper"
    WEB = "web"


WEB_ROLES = frozenset({Role.COLLECTOR, Role.WEB})


class App:
    """The parts of one process, wired. Made by `open`."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        broker: Broker,
        provider: TryingProvider,
        vault: Vault,
        clock: Clock,
        metrics: Metrics | None = None,
        phone: PracticePhone | None = None,
    ) -> None:
        self.settings = settings
        self.database = database
        self.broker = broker
        self.provider = provider
        self.vault = vault
        self.clock = clock
        self.phone = phone
        self.metrics = metrics or Metrics()
        self.backpressure = Backpressure(
            broker,
            settings.backpressure,
            directory=settings.database_directory,
            metrics=self.metrics,
        )
        self._probes = Probes(
            database=database,
            broker=broker,
            backpressure=self.backpressure,
            metrics=self.metrics,
            clock=clock,
        )
        self._streams = Streams()
        self._stopping = asyncio.Event()
        self._runner = Runner(
            clock,
            self.metrics,
            outages=(StorageUnavailable, BrokerUnavailable),
            on_exhausted=self._give_up,
        )
        self._holder = f"{platform.node()}:{os.getpid()}:{clock.new_id().hex[-8:]}"
        """Names this process in the leases that it takes."""
        self._watchdog = Watchdog(why_broken=_why_broken)
        self._exhausted = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, clock: Clock | None = None, phone: PracticePhone | None = None
    ) -> AsyncIterator["App"]:
        """The parts that `settings` ask for; closed when the block ends, `phone` too."""
        clock = clock or SystemClock()
        database = Database(settings.database_url)
        broker = await await_broker(lambda: open_broker(settings, database, clock), clock)
        ca_file = None if settings.fcm_ca is None else str(settings.fcm_ca)
        metrics = Metrics()
        end_traces, missing = tracing.begin()
        if missing is not None:
            log.warning("traces_not_sent", cure=missing)
        provider: TryingProvider = FcmProvider(settings.fcm_url, ca_file, clock, metrics=metrics)
        if phone is not None:

            def connect(address: PhoneAddress) -> TryingProvider:
                return FcmProvider(address.url, address.ca_file, clock, metrics=metrics)

            provider = PracticeProvider(provider, phone, connect)
        try:
            yield cls(
                settings,
                database=database,
                broker=broker,
                provider=provider,
                vault=open_vault(settings),
                clock=clock,
                metrics=metrics,
                phone=phone,
            )
        finally:
            await provider.close()
            await broker.close()
            await database.close()
            await asyncio.to_thread(end_traces)

    async def run(
        self, roles: Iterable[Role], *, on_listening: Callable[[str], None] | None = None
    ) -> None:
        """Run `roles` until `stop`. `on_listening` hears the web server's address, once calls are
        answered. Raises CanNotListen, and Exhausted where the process came to a limit of its
        own."""
        wanted = set(roles)
        self._watchdog.start()
        beating = asyncio.create_task(self._beat())
        self._runner.start(agent for role in Role if role in wanted for agent in self._agents(role))
        try:
            await self._serve(wanted, on_listening)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self.stop()
            if not await self._runner.end(DRAIN_SECONDS):
                log.warning("stopped_in_the_air", cure="what was unanswered is sent again")
            beating.cancel()
            self._watchdog.close()
        if self._exhausted:
            raise Exhausted

    def stop(self) -> None:
        """Ask `run` to end. From now on no chunk is claimed."""
        self._stopping.set()
        self._runner.stop()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT ask for a stop; a second one ends the process at once."""
        loop = asyncio.get_running_loop()

        def stop(number: signal.Signals) -> None:
            # First what must happen: at the end of memory nothing may be left for the words.
            self._watchdog.end_within(END_SECONDS)
            loop.remove_signal_handler(number)
            self.stop()
            log.info("stopping", signal=number.name)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)

    async def _serve(self, roles: set[Role], on_listening: Callable[[str], None] | None) -> None:
        """Until a stop is asked for."""
        async with asyncio.TaskGroup() as group:
            if roles & WEB_ROLES:
                listener = _listener(self.settings.listen, "CLARION_LISTEN")
                group.create_task(self._serve_web(roles, listener, on_listening))
            if self.settings.metrics_listen is not None:
                listener = _listener(self.settings.metrics_listen, "CLARION_METRICS_LISTEN")
                group.create_task(self._serve_probes(listener))
            await self._stopping.wait()

    async def _serve_web(
        self,
        roles: set[Role],
        listener: socket.socket,
        on_listening: Callable[[str], None] | None,
    ) -> None:
        collector = Collector(
            self.database,
            self.broker,
            self.clock,
            vault=self.vault,
            metrics=self.metrics,
            backpressure=self.backpressure,
        )
        app = WebApp(
            collect=self._collect(collector) if Role.COLLECTOR in roles else None,
            track=self._track(collector) if Role.COLLECTOR in roles else None,
            api=behind_proxies(self._api()) if Role.WEB in roles else None,
            console=behind_proxies(self._console()) if Role.WEB in roles else None,
            metrics=self._probes.metrics_text,
            is_ready=self._probes.is_ready,
            shortage=self._probes.disk_shortage,
        )

        def say(url: str) -> None:
            log.info("listening", url=url)
            if on_listening is not None:
                on_listening(url)

        try:
            await serve(
                app, listener, self._stopping, on_started=say, before_stop=self._streams.close
            )
        finally:
            await collector.close()
            self.stop()  # a server that ended by itself is the end of the process

    async def _serve_probes(self, listener: socket.socket) -> None:
        app = WebApp(
            collect=None,
            api=None,
            metrics=self._probes.metrics_text,
            is_ready=self._probes.is_ready,
        )
        await serve(
            app,
            listener,
            self._stopping,
            on_started=lambda url: log.info("metrics_listening", url=f"{url}/metrics"),
        )

    def _collect(self, collector: Collector) -> CollectApp:
        return CollectApp(
            collector,
            library=Library.read(self.settings.analytics_js),
            public_url=self.settings.public_url,
        )

    def _track(self, collector: Collector) -> TrackApp:
        return TrackApp(collector, self.database, self.clock, services=self._services())

    def _api(self) -> Callable[..., Awaitable[None]]:
        return create_api(
            self.database,
            self.broker,
            self.clock,
            self.provider,
            self.vault,
            self._streams,
            fcm_url=self.settings.fcm_url,
            shortage=self._probes.disk_shortage,
        )

    def _console(self) -> Asgi:
        return create_console(
            self._services(),
            provider=self.provider,
            fcm_url=self.settings.fcm_url,
            phone=self.phone,
            public_url=self.settings.public_url,
        )

    def _services(self) -> Services:
        return Services(
            database=self.database, clock=self.clock, broker=self.broker, vault=self.vault
        )

    def _agents(self, role: Role) -> Sequence[Agent]:
        database, broker, clock = self.database, self.broker, self.clock
        match role:
            case Role.INGESTOR:
                return Ingestor(database, broker, clock, metrics=self.metrics).agents()
            case Role.SCHEDULER:
                options = SchedulerOptions(late_minutes=self.settings.late_minutes)
                lease = self._lease(AgentName.SCHEDULER)
                return Scheduler(database, broker, clock, options, lease).agents()
            case Role.PLANNER:
                indexer = CustomerIndexer(database, clock)
                return [*Planner(database, broker, clock).agents(), *indexer.agents()]
            case Role.SENDER:
                return Sender(
                    database, broker, clock, self.provider, self.vault, metrics=self.metrics
                ).agents()
            case Role.ATTRIBUTOR:
                return Attributor(database, clock).agents()
            case Role.SWEEPER:
                days = SweeperOptions(seen_days=self.settings.seen_days)
                leads = self._lease(AgentName.SWEEPER)
                sweeper = Sweeper(database, clock, days, leads, self.metrics)
                eraser = Eraser(database, broker, clock, lease=self._lease(AgentName.ERASER))
                remover = Remover(database, clock, lease=self._lease(AgentName.REMOVER))
                return [*sweeper.agents(), *eraser.agents(), *remover.agents()]
            case Role.COLLECTOR | Role.WEB:
                return []  # served

    def _lease(self, name: AgentName) -> LeaderLease:
        return LeaderLease(self.database, self.clock, name, holder=self._holder)

    def _give_up(self, name: AgentName) -> None:
        """Memory or threads are used up. To wait does not help: the process ends, settles what it
        can, and its service manager starts it anew."""
        self._exhausted = True
        self._watchdog.end_within(END_SECONDS)
        self.stop()
        log.error("process_exhausted", agent=name.value, cure="raise the limit of its memory")

    async def _beat(self) -> None:
        while True:
            self._watchdog.beat()
            await asyncio.sleep(BEAT_SECONDS)


class Exhausted(Exception):
    """The process has come to a limit of its own: memory, threads."""


class CanNotListen(Exception):
    """The address of a setting is taken, or not this machine's; says so for people."""


def _listener(address: Address, setting: str) -> socket.socket:
    try:
        return bind(address.host, address.port)
    except OSError as error:
        raise CanNotListen(
            f"Can not listen on {address}: {error.strerror or error}. "
            f"Choose another address with {setting}."
        ) from error


def _why_broken() -> str | None:
    if has_lost_thread():
        return "a thread of the database has died, probably for want of memory"
    return None
