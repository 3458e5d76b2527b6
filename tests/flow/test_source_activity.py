"""What is recorded of a source beside its events: once, counted, and never without bound."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from clarion.broker import Broker, JobKind, Lease
from clarion.customers.devices.freshness.sweeper import Sweeper
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.ingest_log.outcome import Outcome, Stage, refused_entry
from clarion.ingest_log.rejection import RejectedEvent
from clarion.ingest_log.store import IngestLog
from clarion.sources.store import create_source
from clarion.storage.database import Database
from clarion.storage.schema import ingest_log, source_counts
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.station import Station, prepare, source_row, track

SDK = {"library": {"name": "analytics-node", "version": "2.3.0"}}


@pytest.fixture
async def station(database: Database, clock: FakeClock) -> AsyncIterator[Station]:
    await prepare(database, clock)
    async with Station(database, clock) as station:
        yield station


async def counted(station: Station) -> dict[tuple[str, str, str], int]:
    await station.take_in()
    async with station.database.read() as connection:
        rows = await connection.execute(select(source_counts))
        return {(row.kind, row.label, row.name): row._mapping["count"] for row in rows}


async def rows_of(station: Station, *outcomes: Outcome) -> Sequence[Any]:
    log = select(ingest_log).where(ingest_log.c.outcome.in_(outcomes)).order_by(ingest_log.c.seq)
    async with station.database.read() as connection:
        return (await connection.execute(log)).all()


TOLD = (Outcome.REFUSED, Outcome.WARNING)


async def send(station: Station, *events: Any) -> None:
    """A call, a moment after the one before."""
    assert isinstance(station.clock, FakeClock)
    station.clock.advance(0.001)
    reply = await station.post("/v1/batch", {"batch": list(events)})
    assert reply.status == 200


async def test_what_a_source_sends_is_counted_by_the_hour(
    station: Station, clock: FakeClock
) -> None:
    await send(
        station,
        track("m1", event="Seen", context=SDK),
        track("m2", event="Seen"),
        track("m1", event="Seen"),
        track("bad", event="Seen", userId="null"),
        track("m3", event="Register Push", properties={"deviceId": "D"}),
    )
    assert await counted(station) == {
        ("accepted", "track", "Seen"): 2,
        ("accepted", "track", "Register Push"): 1,
        ("duplicate", "track", "Seen"): 1,
        ("refused", "no_user_anon_id", "Seen"): 1,
        ("refused", "token_missing", "Register Push"): 1,
        ("sdk", "analytics-node", "2.3.0"): 1,
    }
    clock.advance(3_600)
    await send(station, track("m4", event="Seen"))
    await station.take_in()
    async with station.database.read() as connection:
        hours = (await connection.execute(select(source_counts.c.hour).distinct())).all()
    assert len(hours) == 2


async def test_counts_of_several_transactions_add_up(station: Station) -> None:
    for number in range(3):
        await send(station, track(f"m{number}", event="Seen"), track("m0", event="Seen"))
        await station.take_in()
    assert await counted(station) == {
        ("accepted", "track", "Seen"): 3,
        ("duplicate", "track", "Seen"): 3,
    }
    assert [row.message_id for row in await rows_of(station, Outcome.DUPLICATE)] == ["m0"] * 3


async def test_an_event_that_is_there_from_another_source_is_a_duplicate_of_this_one(
    station: Station,
) -> None:
    await send(station, track("m0", event="Seen"))
    async with station.database.write() as connection:
        row = source_row("other", 7, "other-key")
        await create_source(connection, now=station.clock.now(), **row)
    assert isinstance(station.clock, FakeClock)
    station.clock.advance(1)
    await station.post("/v1/track", track("m0", event="Seen"), key="other-key")
    await station.take_in()
    (repeat,) = await rows_of(station, Outcome.DUPLICATE)
    assert repeat.source_id != SOURCE


async def test_what_a_refused_event_could_be_known_by_is_kept(station: Station) -> None:
    await send(
        station,
        {"type": "tracks", "event": "Seen", "userId": "u", "messageId": "m", "context": SDK},
    )
    await station.post("/v1/identify", {"userId": "", "messageId": "n"})
    await station.take_in()
    await station.post("/v1/batch", {"batch": [{"messageId": "o"}], "context": SDK})
    await station.take_in()
    first, second, third = await rows_of(station, *TOLD)
    assert (third.message_id, third.library, third.library_version) == (
        "o", "analytics-node", "2.3.0",
    )  # fmt: skip
    assert (first.code, first.type, first.name) == ("event_type_unknown", "tracks", "Seen")
    assert (first.user_id, first.library, first.library_version) == ("u", "analytics-node", "2.3.0")
    assert (second.code, second.type) == ("no_user_anon_id", "identify")


@pytest.mark.parametrize("name", ["device-token", "push token", "registration_id", "write_key"])
async def test_an_excerpt_shows_no_token_however_it_is_named(station: Station, name: str) -> None:
    await send(station, {name: "SECRET", "type": "nothing"})
    await station.take_in()
    (refusal,) = await rows_of(station, *TOLD)
    assert name in refusal.excerpt
    assert "SECRET" not in refusal.excerpt


@dataclass
class Forgetful:
    """A broker whose jobs come back: what is acknowledged is not heard."""

    broker: Broker

    async def fetch(self, kind: JobKind, **rest: Any) -> Sequence["_Unheard"]:
        return [_Unheard(lease) for lease in await self.broker.fetch(kind, **rest)]


@dataclass
class _Unheard:
    lease: Lease

    @property
    def payload(self) -> bytes:
        return self.lease.payload

    @property
    def delivery_count(self) -> int:
        return self.lease.delivery_count

    async def ack(self) -> None:
        await self.lease.nack()


async def test_a_job_that_comes_back_records_and_counts_nothing_twice(station: Station) -> None:
    await send(station, track("m0", event="Seen"))
    await station.take_in()
    await send(
        station,
        track("m0", event="Seen"),
        track("m1", event="RegisterPush"),
        track("m1", event="RegisterPush"),
        track(None, event="Seen", userId="null"),
        track(None, event="Seen", userId="null"),
        track("m2", event="Register Push", properties={"deviceId": "D"}),
    )
    broker: Any = Forgetful(station.broker)
    forgetful = Ingestor(station.database, broker, station.clock, IngestorOptions(wait_seconds=0))
    assert await forgetful.step() == 2
    before = (await recorded(station), await counted_now(station))
    assert await forgetful.step() == 0
    assert (await recorded(station), await counted_now(station)) == before
    assert await counted(station) == before[1]
    assert [code for _, code in before[0]] == [
        "no_user_anon_id", "no_user_anon_id", "token_missing", "event_name_misspelt", "m1", "m0",
    ]  # fmt: skip
    assert before[1] == {
        ("accepted", "track", "Register Push"): 1,
        ("accepted", "track", "RegisterPush"): 1,
        ("accepted", "track", "Seen"): 1,
        ("duplicate", "track", "RegisterPush"): 1,
        ("duplicate", "track", "Seen"): 1,
        ("refused", "no_user_anon_id", "Seen"): 2,
        ("refused", "token_missing", "Register Push"): 1,
        ("warning", "event_name_misspelt", "Register Push"): 1,
    }


async def recorded(station: Station) -> list[tuple[str, str]]:
    return [
        *((row.stage, row.code) for row in await rows_of(station, *TOLD)),
        *(("repeat", row.message_id) for row in await rows_of(station, Outcome.DUPLICATE)),
    ]


async def counted_now(station: Station) -> dict[tuple[str, str, str], int]:
    async with station.database.read() as connection:
        rows = await connection.execute(select(source_counts))
        return {(row.kind, row.label, row.name): row._mapping["count"] for row in rows}


async def test_a_warning_is_recorded_once_an_hour_however_often_it_is_deserved(
    station: Station, clock: FakeClock
) -> None:
    for hour in range(2):
        for number in range(3):
            late = {"timestamp": "2099-01-01T00:00:00Z"}
            await send(station, track(f"{hour}-{number}", event="Seen", **late))
            await station.take_in()
            clock.advance(60)
        clock.advance(3_600)
    told = [(row.stage, row.code, row.message_id) for row in await rows_of(station, *TOLD)]
    assert told == [("advice", "time_impossible", "0-0"), ("advice", "time_impossible", "1-0")]
    async with station.database.read() as connection:
        rows = await connection.execute(
            select(source_counts.c.count).where(source_counts.c.kind == "warning")
        )
        assert list(rows.scalars()) == [3, 3]


async def test_ingestors_side_by_side_count_everything_and_warn_once(station: Station) -> None:
    late, odd = {"timestamp": "2099-01-01T00:00:00Z"}, {"timestamp": "yesterday"}
    for number in range(12):
        await send(
            station,
            track(f"a{number}", event="RegisterPush", **(late if number % 2 else odd)),
            track(f"b{number}", event="Seen", **(odd if number % 2 else late)),
            track(f"c{number}", userId=""),
        )
    options = IngestorOptions(wait_seconds=0, jobs_max=1)
    parts = (station.database, station.broker, station.clock, options)
    ingestors = [Ingestor(*parts) for _ in range(4)]
    while await station.broker.depth(JobKind.EVENTS):
        await asyncio.gather(*(ingestor.step() for ingestor in ingestors))
    found = await counted(station)
    assert found["accepted", "track", "Seen"] == found["accepted", "track", "RegisterPush"] == 12
    assert found["warning", "time_impossible", ""] == found["warning", "time_unreadable", ""] == 12
    codes = [row.code for row in await rows_of(station, *TOLD)]
    assert len(codes) == 12 + 3
    assert codes.count("no_user_anon_id") == 12


async def test_of_many_repeats_a_few_are_recorded_and_all_are_counted(station: Station) -> None:
    many = [track(f"m{number}", event="Seen") for number in range(300)]
    for _ in range(2):
        await send(station, *many)
        await station.take_in()
    assert (await counted(station))["duplicate", "track", "Seen"] == 300
    assert len(await rows_of(station, Outcome.DUPLICATE)) == 100


async def test_the_newest_of_a_source_are_kept_and_the_counts_of_30_days(
    station: Station, clock: FakeClock
) -> None:
    log = IngestLog(kept=3, refusals_kept=4, trim_every=5)
    sent = [track("m", event="Seen"), *(track(f"r{n}", userId="null") for n in range(9))]
    await send(station, *sent, *(track("m", event="Seen") for _ in range(9)))
    await station.take_in()
    assert len(await rows_of(station, *Outcome)) == 18

    async def write(*message_ids: str) -> None:
        async with station.database.write() as connection:
            tally = log.tally()
            for message_id in message_ids:
                refusal = RejectedEvent(message_id=message_id, code="c", message="m", excerpt="")
                where = (WORKSPACE, SOURCE, clock.now(), Stage.EVENT)
                tally.add(refused_entry(*where, refusal))
            await log.write(connection, tally, again=False)

    async def kept() -> list[str]:
        return [row.message_id for row in await rows_of(station, Outcome.REFUSED)]

    await write("s0")
    assert await kept() == ["r6", "r7", "r8", "s0"], "a process begins with what was before it"
    await write("s1", "s2", "s3", "s4")
    assert len(await kept()) == 8, "not each time"
    await write("s5")
    assert await kept() == ["s2", "s3", "s4", "s5"]
    assert len(await rows_of(station, Outcome.DUPLICATE)) == 9, "one hides no other"

    clock.advance(timedelta(days=30, hours=-1).total_seconds())
    sweeper = Sweeper(station.database, clock)
    assert await sweeper.trim() == 0
    clock.advance(timedelta(hours=2).total_seconds())
    assert await sweeper.trim() > 0
    assert await counted(station) == {}
