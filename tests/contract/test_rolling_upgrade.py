"""Old and new processes side by side: the tables may be a revision ahead of the code that runs, and
jobs of either version are read by the other."""

import re

import msgspec
import pytest
from sqlalchemy import text

from clarion.campaigns.campaign import CampaignState
from clarion.events.envelope import Item, Parcel, decode, encode
from clarion.storage.database import Database
from clarion.storage.migrate import MIGRATIONS, REVISIONS
from clarion.storage.schema import metadata
from support.api import Service
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.expansion import faults

PROMISED_SINCE = "0031"
"""The first revision beside which processes of the version before it go on: 0030 still made a
table again for its key, and 0.2.0, the first release, is what comes after."""
PREFIX = "import sqlalchemy as sa\nfrom alembic import op\n\n\ndef upgrade():\n    "


def judged() -> list[str]:
    return [name for name in REVISIONS if name >= PROMISED_SINCE]


@pytest.mark.parametrize("revision", judged())
def test_a_revision_only_adds_what_old_processes_need_not_know(revision: str) -> None:
    [file] = (MIGRATIONS / "versions").glob(f"{revision}_*.py")
    assert faults(file.read_text()) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("op.drop_column('launches', 'reason')", "drop_column"),
        ("op.drop_table('launches')", "drop_table"),
        ("op.rename_table('launches', 'starts')", "rename_table"),
        ("op.alter_column('launches', 'reason', nullable=False)", "alter_column"),
        ("op.add_column('launches', sa.Column('x', sa.Text(), nullable=False))", "server_default"),
        ("op.add_column('launches', sa.Column('x', sa.Text()))", "server_default"),
        ("op.create_unique_constraint('u', 'launches', ['reason'])", "may not keep"),
        ("op.create_index('u', 'launches', ['reason'], unique=True)", "unique index"),
        ("op.execute('ALTER TABLE launches DROP COLUMN reason')", "ALTER TABLE"),
        ("op.execute(sa.text('DROP TABLE launches'))", "DROP TABLE"),
        ("with op.batch_alter_table('launches') as b:\n        b.drop_column('x')", "drop_column"),
    ],
)
def test_a_revision_that_takes_away_is_refused(source: str, words: str) -> None:
    found = faults(PREFIX + source)
    assert len(found) >= 1 and words in found[0], found
    phase = '"""Removes it, unused since 0.2."""\nphase = "contract"\n'
    assert faults(phase + PREFIX + source) == [], "in a later version it may"
    assert faults('"""Removes it."""\nphase = "contract"\n' + PREFIX + source), "it says since when"


@pytest.mark.parametrize(
    "source",
    [
        "op.add_column('launches', sa.Column('x', sa.Text(), nullable=True))",
        "op.add_column('launches', sa.Column('x', sa.Text(), nullable=False, server_default=''))",
        "op.create_table('x', sa.Column('id', sa.Text(), nullable=False))\n"
        "    op.create_unique_constraint('u', 'x', ['id'])",
        "op.create_index('u', 'launches', ['reason'])",
        "op.add_column('a', sa.Column('x', sa.Text(), nullable=True))\n"
        "    op.create_index('u', 'a', ['x'], unique=True)",
    ],
)
def test_a_revision_that_adds_is_taken(source: str) -> None:
    assert faults(PREFIX + source) == []


def test_the_judge_finds_what_earlier_revisions_did() -> None:
    """Those before were applied with every process stopped."""
    found = [
        name
        for name in REVISIONS
        if name < PROMISED_SINCE
        and faults(next((MIGRATIONS / "versions").glob(f"{name}_*.py")).read_text())
    ]
    assert len(found) > 3


async def get_ahead(database: Database) -> int:
    """What a later version's expansion may do to every table; returns to how many."""
    async with database.engine.begin() as connection:
        for table in metadata.sorted_tables:
            name = table.name
            assert re.fullmatch(r"[a-z_]+", name)
            for column in ("later TEXT", "later_too INTEGER NOT NULL DEFAULT 7"):
                await connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {column}"))
        await connection.execute(text("CREATE TABLE later (id INTEGER PRIMARY KEY)"))
    return len(metadata.sorted_tables)


async def test_processes_go_on_while_the_tables_are_a_revision_ahead(
    database: Database, clock: FakeClock
) -> None:
    """What was begun before is ended after: devices, a campaign, a push, an erasure."""
    async with Service(database, clock) as service:
        world = service.world
        await world.devices("ok-1", "down-2", user="ada")
        campaign = await world.campaign()
        await world.scheduler.step()
        await world.planner.step()
        assert await get_ahead(database) > 20
        await world.devices("ok-3", "ok-4", user="ben")
        await world.settle(campaign)
        report = await service.get(f"/campaigns/{campaign}/report")
        assert (report["planned"], report["accepted"], report["balances"]) == (2, 2, True)
        assert (await world.get(campaign)).state is CampaignState.DONE
        second = await world.campaign()
        await world.settle(second)
        assert (await service.get(f"/campaigns/{second}/report"))["accepted"] == 4
        pushed = await service.post("/pushes", {"user_id": "ben", "content": {"title": "Hello"}})
        assert len(pushed["devices"]) == 2
        [source] = (await service.get("/sources"))["data"]
        seen = {"type": "track", "event": "Seen", "userId": "cem", "messageId": "seen"}
        await service.send(source["write_key"], seen)
        assert (await service.get("/customers/cem"))["user_id"] == "cem"
        for path in ("/campaigns", "/sources", "/customers/ben", "/audit"):
            await service.get(path)
        erased = await service.ask("DELETE", "/customers/ada")
        assert erased.status in (200, 202, 204), erased.text


PARCEL = Parcel(
    workspace_id=WORKSPACE,
    source_id=SOURCE,
    received_at=FakeClock().now(),
    sent_at=None,
    context=b"",
    items=[Item(raw=b"{}", type="track", message_id="m")],
    refusals=[],
    trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def test_jobs_of_the_version_before_are_read() -> None:
    """It wrote no trace."""
    [fields] = msgspec.msgpack.decode(encode([PARCEL]))
    before = msgspec.msgpack.encode([fields[:-1]])
    assert decode(before) == [msgspec.structs.replace(PARCEL, trace="")]


def test_jobs_of_the_next_version_are_read() -> None:
    """What it adds at the end is not known yet."""
    [fields] = msgspec.msgpack.decode(encode([PARCEL]))
    assert decode(msgspec.msgpack.encode([[*fields, "more", 7]])) == [PARCEL]
