"""An erasure goes in slices, is finished after any crash, and finds what is easily overlooked."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from clarion.customers.ingestion import Ingestion
from clarion.privacy.eraser import Eraser, EraserOptions
from clarion.privacy.erasure_request_store import unfinished
from clarion.storage.database import Database
from contract.test_ingestion import take
from flow.test_erasure import ADA, IDS, LIFE, OTHERS, PHONE, WORDS, at, left, seen, send, track
from support.api import Service, register, service_on_sqlite
from support.book import NOW, WORKSPACE
from support.clock import FakeClock
from support.faults import Crash, Doom, DoomedDatabase
from support.history import App
from support.privacy import Regulator

SLICES = EraserOptions(rows_max=2, pause_seconds=0)
TRIED = 9
"""How many points of an erasure are tried, spread evenly over all it has."""


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def test_an_erasure_that_is_cut_off_anywhere_is_finished(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with service_on_sqlite(tmp_path, clock) as service:
        broker = service.world.broker
        await send(service, *OTHERS)
        others = await seen(service)
        await send(service, *LIFE)
        counted = Doom()
        await Regulator(
            DoomedDatabase(service.database, counted),  # type: ignore[arg-type]
            broker,
            clock,
            SLICES,
        ).erase(WORKSPACE, ADA, by="test")
        points = len(counted.passed)
        whole = Regulator(service.database, broker, clock, SLICES)
        assert await whole.unsuppress(WORKSPACE, ADA, by="test")
        went_on = 0
        for point in range(2, points, points // TRIED):
            await send(service, *LIFE)
            doom = Doom(point)
            doomed = DoomedDatabase(service.database, doom)
            with pytest.raises(Crash):
                await Regulator(doomed, broker, clock, SLICES).erase(WORKSPACE, ADA, by="test")  # type: ignore[arg-type]
            assert not await Eraser(service.database, broker, clock).step(), "it may live yet"
            clock.advance(61)
            went_on += await Eraser(service.database, broker, clock, SLICES).step()
            if await left(service.database, [ADA], []):
                assert await whole.erase(WORKSPACE, ADA, by="test"), doom.where
            assert await left(service.database, WORDS, IDS) == [], doom.where
            assert await seen(service) == others
            assert await whole.unsuppress(WORKSPACE, ADA, by="test")
        assert went_on >= 3


async def test_the_log_of_sqlite_is_empty_then_and_a_vacuum_leaves_nothing(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with service_on_sqlite(tmp_path, clock) as service:
        told = {"email": "Ada.Lovelace@shop.example"}
        many = [
            {"type": "identify", "messageId": f"i{one}", "userId": ADA, "traits": told | {"n": one}}
            for one in range(200)
        ]
        await send(service, *OTHERS, *LIFE, *many)
        assert b"Ada.Lovelace" in in_files(tmp_path)
        parts = (service.database, service.world.broker, clock)
        await Regulator(*parts).erase(WORKSPACE, ADA, by="test")
        assert (tmp_path / "clarion.db-wal").stat().st_size == 0
        with closing(sqlite3.connect(tmp_path / "clarion.db")) as connection:
            connection.execute("VACUUM")
        whole = in_files(tmp_path).lower()
        assert [one for one in WORDS if one.lower().encode() in whole] == []


async def test_whoever_asks_again_finishes_what_was_begun(service: Service) -> None:
    await send(service, *LIFE)
    parts = (service.database, service.world.broker, service.clock)
    assert await Regulator(*parts).begin(WORKSPACE, ADA, by="test")
    await send(service, track("late-x1", "Late", userId=ADA), register("x2", PHONE, "token-late"))
    erased = await Regulator(*parts).erase(WORKSPACE, ADA, by="test")
    assert erased is not None
    assert erased.events == 10
    assert await left(service.database, [*WORDS, "late-x1", "token-late"], IDS) == []
    assert await Regulator(*parts).erase(WORKSPACE, ADA, by="test") is None


async def test_slices_find_all_that_one_transaction_would(service: Service) -> None:
    await send(service, *OTHERS, *LIFE)
    parts = (service.database, service.world.broker, service.clock)
    await Regulator(*parts, SLICES).erase(WORKSPACE, ADA, by="test")
    assert await left(service.database, WORDS, IDS) == []
    async with service.database.read() as connection:
        assert await unfinished(connection) == []


async def test_more_installations_than_a_statement_holds_are_no_obstacle(
    database: Database, clock: FakeClock
) -> None:
    async with Service(database, clock) as service:
        app = App()
        registrations = [
            app.register(n, f"many-{n % 40}", user="many", token=f"many-token-{n}")
            for n in range(1_100)
        ]
        await take(database, registrations)
        parts = (database, service.world.broker, clock, EraserOptions(pause_seconds=0))
        erased = await Regulator(*parts).erase(WORKSPACE, "many", by="test")
        assert erased is not None
        assert erased.events == 1_100
        assert await left(database, ["many"], []) == []


async def test_what_nobody_known_did_on_their_device_goes_too(service: Service) -> None:
    """After a sign-out an SDK has a new anonymousId, on the same device with the same token."""
    device = {"device": {"id": PHONE, "token": "token-of-adas-phone-2", "type": "ios"}}
    mine = {"traits": {"email": "second@shop.example"}, "context": device}
    await send(
        service,
        *LIFE[:6],
        track("z1", "Opened", anonymousId="after-sign-out", context=device, **at(50)),
        {"type": "identify", "messageId": "z2", "anonymousId": "after-sign-out", **mine, **at(51)},
        track("z3", "Opened", anonymousId="after-sign-out", **at(52)),
    )
    parts = (service.database, service.world.broker, service.clock)
    await Regulator(*parts).erase(WORKSPACE, ADA, by="test")
    assert await left(service.database, [*WORDS, "second@shop.example"], IDS) == []
    assert await left(service.database, ["z3"], []), "what names nothing of hers is nobody's"


async def test_audiences_that_named_them_name_nobody_in_their_place(service: Service) -> None:
    await send(service, *OTHERS, *LIFE)
    world, words = service.world, {"email": "Ada.Lovelace@shop.example"}
    listed = await world.campaign({"user_ids": ["bob", ADA]})
    alone = await world.campaign({"user_ids": [ADA]})
    addressed = await world.campaign({"traits": words})
    planned = await world.campaign({"traits": {"plan": "pro"}})
    parts = (service.database, world.broker, service.clock)
    await Regulator(*parts).erase(WORKSPACE, ADA, by="test")
    assert await left(service.database, WORDS, IDS) == []
    for campaign, count in ((listed, 1), (alone, 0), (addressed, 0), (planned, 1)):
        report = await world.settle(campaign)
        assert report.balances
        assert report.total.planned == count


async def test_an_id_that_many_strangers_come_with_is_no_device_of_hers(service: Service) -> None:
    """Some SDKs say the same of every browser."""
    device = {"device": {"id": "unknown-device"}}
    strangers = [
        track(f"s{n}", "Opened", anonymousId=f"stranger-{n}", context=device) for n in range(30)
    ]
    await send(service, *LIFE, track("a50", "Opened", userId=ADA, context=device), *strangers)
    parts = (service.database, service.world.broker, service.clock)
    await Regulator(*parts).erase(WORKSPACE, ADA, by="test")
    assert len([one for one in await left(service.database, ["stranger-"], []) if "body" in one])
    assert await left(service.database, WORDS, IDS) == []


async def test_refusals_tell_nothing_of_a_short_id_a_number_or_an_address_of_before(
    service: Service,
) -> None:
    told = {"phone": 436641234567, "email": "before@shop.example"}
    await send(
        service,
        {"type": "identify", "messageId": "i1", "userId": 42, "traits": told, **at(1)},
        {"type": "identify", "messageId": "i2", "userId": 42,
         "traits": {"email": "now@shop.example"}, **at(2)},
        {"type": "nonsense", "messageId": "r1", "userId": 42},
        {"type": "nonsense", "messageId": "r2", "userId": "x", "traits": {"tel": 436641234567}},
        {"type": "nonsense", "messageId": "r3", "userId": "y", "to": "before@shop.example"},
        {"type": "nonsense", "messageId": "r4", "userId": "z", "order": "A-420"},
    )  # fmt: skip
    parts = (service.database, service.world.broker, service.clock)
    erased = await Regulator(*parts).erase(WORKSPACE, "42", by="test")
    assert erased is not None
    assert erased.refusals == 3
    assert await left(service.database, ["436641234567", "before@shop", '"42"', ":42,"], []) == []
    assert await left(service.database, ["a-420"], []), "a number in a longer one is another's"


async def test_ingestion_takes_in_nothing_of_theirs_between_two_slices(service: Service) -> None:
    await send(service, *OTHERS, *LIFE)
    parts = (service.database, service.world.broker, service.clock)
    eraser = Eraser(*parts, SLICES)
    erasure = await Regulator(*parts).begin(WORKSPACE, ADA, by="test")
    assert erasure is not None
    await send(
        service,
        register("n1", PHONE, "token-new", user=ADA) | at(55),
        track("n2", "Opened", userId=ADA, anonymousId="n-browser"),
        register("n3", "shared-tablet-1", "token-bobs-3", user="bob") | at(56),
    )
    await eraser.finish(erasure)
    assert await left(service.database, [*WORDS, "n-browser", "token-new"], IDS) == []
    async with service.database.write() as connection:
        await Ingestion(connection, WORKSPACE, NOW).settle_anew(["shared-tablet-1"])
    bob = await service.get("/customers/bob")
    assert [one["device_id"] for one in bob["devices"]] == ["shared-tablet-1"]


def in_files(directory: Path) -> bytes:
    return b"".join(one.read_bytes() for one in directory.iterdir())
