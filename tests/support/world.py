"""A workspace with devices, a campaign, and the agents that send it, on a clock to be moved."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from cryptography.fernet import Fernet
from sqlalchemy import delete

from clarion.accounts.actor import Actor, operator
from clarion.accounts.command import Services
from clarion.accounts.workspace_store import create_workspace
from clarion.audiences import rule_parser
from clarion.brokers.database import DatabaseBroker, DatabaseBrokerOptions
from clarion.campaigns.campaign import Campaign, CampaignState, schedule
from clarion.campaigns.commands import apply_transition
from clarion.campaigns.content.spec import ContentSpec, parse_content
from clarion.campaigns.launches.scheduler import Scheduler
from clarion.campaigns.store import create_campaign, get_campaign
from clarion.customers.identity.batch import Arrival
from clarion.customers.ingestion import Ingestion
from clarion.deliveries.apps.pace_store import make_pace
from clarion.deliveries.apps.quarantine_store import make_watch
from clarion.deliveries.apps.store import put_app
from clarion.deliveries.planning.planner import Planner, PlannerOptions
from clarion.deliveries.provider import Provider
from clarion.deliveries.sending.sender import Sender, SenderOptions
from clarion.events.messages.message import Event
from clarion.faults import Rejected
from clarion.reports.attributor import Attributor
from clarion.reports.funnel_store import Report, report
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import paces, removal_watches
from clarion.storage.vault import Vault
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.history import App
from support.ledger import check_counts
from support.provider import MemoryProvider

APP = UUID(int=3)


@dataclass
class World:
    database: Database
    clock: FakeClock
    provider: MemoryProvider = field(default_factory=MemoryProvider)
    app: App = field(default_factory=App)
    round_seconds: float = 70.0
    """What passes from one round of a story of trouble to the next."""

    async def open(self, provider: Provider | None = None) -> "World":
        self.broker = DatabaseBroker(
            self.database, self.clock, DatabaseBrokerOptions(poll_seconds=0.02)
        )
        self.vault = Vault(Fernet.generate_key())
        self.make_agents(provider)
        async with self.database.write() as connection:
            await create_workspace(
                connection, workspace_id=WORKSPACE, name="test", now=self.clock.now()
            )
            await put_app(
                connection,
                workspace_id=WORKSPACE,
                app_id=APP,
                project_id="demo",
                client_email="sender@demo.example",
                private_key_id="1",
                sealed_key=self.vault.seal(msgspec.json.encode({"project_id": "demo"})),
                now=self.clock.now(),
            )
            await create_source(
                connection,
                workspace_id=WORKSPACE,
                name="app",
                source_id=SOURCE,
                now=self.clock.now(),
                firebase_app_id=APP,
            )
        return self

    @property
    def services(self) -> Services:
        """What commands work with."""
        return Services(
            database=self.database, clock=self.clock, broker=self.broker, vault=self.vault
        )

    @property
    def actor(self) -> Actor:
        return operator(WORKSPACE)

    def go_on(self, vault: Vault) -> None:
        """Work on what is in the database already."""
        options = DatabaseBrokerOptions(poll_seconds=0.02)
        self.broker = DatabaseBroker(self.database, self.clock, options)
        self.vault = vault
        self.make_agents()

    def make_agents(self, provider: Provider | None = None) -> None:
        """The agents of a process; made again, they are those of a new one."""
        parts = (self.database, self.broker, self.clock)
        self.scheduler = Scheduler(*parts)
        self.planner = Planner(
            *parts, PlannerOptions(page_devices=5, chunk_deliveries=2, wait_seconds=0)
        )
        self.attributor = Attributor(self.database, self.clock)
        self.sender = Sender(
            *parts, provider or self.provider, self.vault, SenderOptions(wait_seconds=0)
        )

    async def take(self, *events: Event) -> None:
        async with self.database.write() as connection:
            ingestion = Ingestion(connection, WORKSPACE, self.clock.now())
            await ingestion.take([Arrival(event=event, source_id=SOURCE) for event in events])

    async def devices(self, *tokens: str, user: str | None = None) -> None:
        """One device for each token, of one user each unless `user` is given."""
        await self.take(
            *(
                self.app.register(0, f"D-{token}", user=user or f"user-{token}", token=token)
                for token in tokens
            )
        )

    async def campaign(
        self,
        audience: Any | None = None,
        content: dict[str, Any] | None = None,
        spread_minutes: int = 0,
    ) -> UUID:
        """A campaign that is due now."""
        spec = parse_content(content or {"title": "Hello", "ttl_seconds": 7200})
        whom = rule_parser.parse(audience or {"everyone": True})
        assert isinstance(spec, ContentSpec)
        assert not isinstance(whom, list)
        now = self.clock.now()
        draft = Campaign(
            id=self.clock.new_id(),
            workspace_id=WORKSPACE,
            name="Test",
            content=spec,
            audience=whom,
            spread_minutes=spread_minutes,
            created_at=now,
            changed_at=now,
        )
        scheduled = schedule(draft, now, now)
        assert isinstance(scheduled, Campaign)
        async with self.database.write() as connection:
            await create_campaign(connection, scheduled)
        return draft.id

    async def forget_answers(self) -> None:
        """As if the Firebase app had sent nothing yet: in stories of trouble nobody is healthy."""
        async with self.database.write() as connection:
            await connection.execute(delete(removal_watches))
            await connection.execute(delete(paces))
            await make_watch(connection, APP)
            await make_pace(connection, "demo", self.clock.now())

    async def change(self, campaign_id: UUID, step: Any) -> None:
        """Take a campaign through one of its steps, as the API does."""
        async with self.database.write() as connection:
            now = self.clock.now()
            changed = await apply_transition(
                connection, WORKSPACE, campaign_id, lambda campaign: step(campaign, now)
            )
            assert not isinstance(changed, Rejected), changed

    async def get(self, campaign_id: UUID) -> Campaign:
        async with self.database.read() as connection:
            campaign = await get_campaign(connection, WORKSPACE, campaign_id)
        assert campaign is not None
        return campaign

    async def report(self, campaign_id: UUID) -> Report:
        async with self.database.read() as connection:
            return await report(connection, WORKSPACE, campaign_id)

    async def settle(self, campaign_id: UUID, hours: float = 3.0) -> Report:
        """Let every agent work, moving the clock, until the campaign is done or time is up."""
        for _ in range(int(hours * 60)):
            await self.scheduler.step()
            while await self.planner.step():
                pass
            while await self.sender.step():
                assert (await self.report(campaign_id)).balances
                await check_counts(self.database, campaign_id)
            if (await self.get(campaign_id)).state in (
                CampaignState.DONE,
                CampaignState.CANCELLED,
                CampaignState.FAILED,
            ):
                found = await self.report(campaign_id)
                if found.total.in_flight == 0:
                    return found
            self.clock.advance(60)
            await self.sender.sweep()
            await self.scheduler.nudge()
        return await self.report(campaign_id)
