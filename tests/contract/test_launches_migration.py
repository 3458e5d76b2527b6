"""Campaigns of before, each of which was its one launch, come over with how far they were."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert

from clarion.campaigns.campaign import LATE_REASON, CampaignState, DefinitionState
from clarion.campaigns.launches.launch import LaunchState, launch_id
from clarion.campaigns.store import get_campaign
from clarion.storage.database import Database
from clarion.storage.dialect import Id, Instant
from clarion.storage.migrate import MIGRATIONS, migrate
from clarion.storage.schema.columns import Json
from support.book import NOW, WORKSPACE

BEFORE = "0010"
_OLD = MetaData()
CAMPAIGNS = Table(
    "campaigns", _OLD, Column("id", Id), Column("workspace_id", Id), Column("name", Text),
    Column("state", Text), Column("content", Json), Column("audience", Json),
    Column("scheduled_at", Instant), Column("spread_minutes", Integer),
    Column("paused_from", Text), Column("paused_reason", Text), Column("created_at", Instant),
    Column("updated_at", Instant),
)  # fmt: skip
LAUNCHES = Table(
    "launches", _OLD, Column("id", Id), Column("workspace_id", Id), Column("campaign_id", Id),
    Column("state", Text), Column("cursor", Id), Column("planned", Integer),
    Column("started_at", Instant), Column("planned_at", Instant), Column("done_at", Instant),
)  # fmt: skip

S, L, D = CampaignState, LaunchState, DefinitionState
Before = tuple[str, str | None, str | None, str | None]
"""The campaign's state, the one to go back to, why it is paused; its launch's state."""
CASES: dict[str, tuple[Before, CampaignState, DefinitionState, LaunchState | None]] = {
    "draft": (("draft", None, None, None), S.DRAFT, D.DRAFT, None),
    "scheduled": (("scheduled", None, None, None), S.SCHEDULED, D.SCHEDULED, None),
    "late": (("paused", "scheduled", LATE_REASON, None), S.PAUSED, D.PAUSED, None),
    "cancelled before": (("cancelled", None, None, None), S.CANCELLED, D.CANCELLED, None),
    "launching": (("launching", None, None, "planning"), S.LAUNCHING, D.ENDED, L.PLANNING),
    "half sent": (("sending", None, None, "sending"), S.SENDING, D.ENDED, L.SENDING),
    "paused": (("paused", "sending", "in doubt", "sending"), S.PAUSED, D.ENDED, L.PAUSED),
    "cancelled": (("cancelled", None, None, "sending"), S.CANCELLED, D.ENDED, L.CANCELLED),
    "done": (("done", None, None, "done"), S.DONE, D.ENDED, L.DONE),
}


def fill(connection: Connection, case: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, BEFORE)
    (state, paused_from, reason, launch), *_ = CASES[case]
    campaign = {
        "id": UUID(int=7), "workspace_id": WORKSPACE, "name": case, "state": state,
        "content": {"title": "Hello"}, "audience": {"everyone": True},
        "scheduled_at": None if state == "draft" else NOW, "spread_minutes": 0,
        "paused_from": paused_from, "paused_reason": reason,
        "created_at": NOW, "updated_at": NOW + timedelta(seconds=9),
    }  # fmt: skip
    connection.execute(insert(CAMPAIGNS), campaign)
    if launch is not None:
        row = {
            "id": launch_id(UUID(int=7), "1"), "workspace_id": WORKSPACE,
            "campaign_id": UUID(int=7), "state": launch, "cursor": None, "planned": 3,
            "started_at": NOW + timedelta(seconds=1), "planned_at": None,
            "done_at": NOW + timedelta(seconds=5) if launch == "done" else None,
        }  # fmt: skip
        connection.execute(insert(LAUNCHES), row)


@pytest.mark.parametrize("case", CASES)
async def test_a_campaign_of_before_is_what_it_was(database_url: str, case: str) -> None:
    old = Database(database_url)
    async with old.engine.begin() as connection:
        await connection.run_sync(partial(fill, case=case))
    await old.close()
    await migrate(database_url)
    database = Database(database_url)
    async with database.read() as connection:
        campaign = await get_campaign(connection, WORKSPACE, UUID(int=7))
    await database.close()
    assert campaign is not None
    before, state, definition, of_launch = CASES[case]
    assert (campaign.state, campaign.definition) == (state, definition)
    assert campaign.paused_reason == before[2]
    assert (campaign.paused_from or None) == (before[1] and CampaignState(before[1]))
    assert campaign.scheduled_at == (None if state is S.DRAFT else NOW)
    assert campaign.updated_at == NOW + timedelta(seconds=9)
    if of_launch is None:
        assert campaign.launch is None
        return
    launch = campaign.launch
    assert launch is not None
    assert (launch.state, launch.occurrence, launch.due_at) == (of_launch, "1", NOW)
    assert (launch.planned, launch.started_at) == (3, NOW + timedelta(seconds=1))
    is_final = of_launch in (L.DONE, L.CANCELLED)
    assert (launch.done_at is not None) is is_final
