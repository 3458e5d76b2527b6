"""Old events go, and nobody notices but who looks for those events."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from clarion.retention.aged_event_store import ROWS_MAX, AgedEvents
from clarion.retention.remover import RemoverOptions
from clarion.storage.database import Database
from clarion.storage.schema import event_traces, events, receipts_due
from flow.test_erasure import ADA, IDS, LIFE, OTHERS, WORDS, at, left, seen, send, track
from flow.test_retention import DAY, count_of, preview, retention, run
from support.api import Service, register, service_on_sqlite
from support.book import WORKSPACE
from support.clock import FakeClock
from support.privacy import Regulator

NEWEST = track("newest", "Seen", anonymousId="somebody-else")
"""The newest event stays, whatever its age."""


@pytest.fixture
async def service(database: Database, clock: FakeClock) -> AsyncIterator[Service]:
    async with Service(database, clock) as service:
        yield service


async def remove_all(service: Service) -> None:
    """All events but one that comes last."""
    await retention(service, events=1)
    service.clock.advance(2 * DAY)
    await send(service, NEWEST)
    await run(service)
    assert await count_of(service, events) == 1


async def erase(service: Service) -> Any:
    parts = (service.database, service.world.broker, service.clock)
    erased = await Regulator(*parts).erase(WORKSPACE, ADA, by="test")
    assert erased is not None
    return erased


async def test_events_are_kept_for_exactly_so_many_days_and_a_preview_tells_how_many_go(
    service: Service,
) -> None:
    await retention(service, events=10)
    await send(service, track("e1", "Seen", userId="ada"), track("e2", "Seen", anonymousId="A"))
    service.clock.advance(5 * DAY)
    await send(service, track("e3", "Seen", userId="ada"), track("e4", "Seen", userId="bob"))
    assert (await preview(service))["events"]["rows"] == 0
    service.clock.advance(5 * DAY)
    await run(service)
    assert await count_of(service, events) == 4
    service.clock.advance(0.001)
    shown = await preview(service)
    assert (shown["events"]["days"], shown["events"]["rows"]) == (10, 2)
    assert (await preview(service, "?events=4"))["events"]["rows"] == 4
    before = await service.get("/customers")
    assert await run(service) == 2
    assert (await preview(service))["events"]["rows"] == 0
    assert await service.get("/customers") == before
    for message_id, status in (("e1", 404), ("e2", 404), ("e3", 200), ("e4", 200)):
        assert (await service.ask("GET", f"/events/{message_id}")).status == status
    life = await service.get("/customers/ada/timeline")
    assert [entry["event"]["message_id"] for entry in life["data"]] == ["e3"]


async def test_a_message_that_was_seen_counts_for_nothing_though_its_event_is_gone(
    service: Service,
) -> None:
    await send(service, track("e1", "Seen", userId="ada"))
    await remove_all(service)
    before = [(await service.get("/customers"))["data"], await count_of(service, event_traces)]
    await send(service, track("e1", "Seen", userId="ada"))
    after = [(await service.get("/customers"))["data"], await count_of(service, event_traces)]
    assert (after, await count_of(service, events)) == (before, 1)


async def test_what_is_to_be_attributed_waits_for_it(service: Service) -> None:
    push = {"data": {"clarion_push": f"{'0' * 32}.{'1' * 32}"}}
    await send(
        service,
        track("e1", "Seen", userId="ada"),
        track("e2", "Push Notification Received", userId="ada", properties=push),
    )
    await retention(service, events=1)
    service.clock.advance(2 * DAY)
    await send(service, NEWEST)
    assert await run(service) == 1
    assert (await count_of(service, events), await count_of(service, receipts_due)) == (2, 1)
    await service.attributor.step()
    assert await run(service) == 1
    assert (await count_of(service, events), await count_of(service, receipts_due)) == (1, 0)


async def test_the_next_event_is_numbered_after_all_that_were(service: Service) -> None:
    """The tail of a source goes on behind the last number it has shown."""
    await send(service, *(track(f"e{number}", "Seen", userId="ada") for number in range(5)))
    await retention(service, events=1)
    service.clock.advance(2 * DAY)
    assert await run(service) == 4
    await send(service, NEWEST)
    async with service.database.read() as connection:
        last = (await connection.execute(select(func.max(events.c.seq)))).scalar_one()
    assert last == 6
    assert await run(service) == 1


async def test_a_workspace_removes_nothing_of_another_s(service: Service) -> None:
    elsewhere = await service.make_key_elsewhere()
    made = await service.post("/sources", {"name": "theirs"}, key=elsewhere)
    await service.send(made["write_key"], track("t1", "Seen", userId="ada"))
    await send(service, track("e1", "Seen", userId="ada"))
    kept = await service.ask("PATCH", "/workspace/retention", {"events": None}, key=elsewhere)
    assert kept.status == 200
    await retention(service, events=1)
    service.clock.advance(500 * DAY)
    await send(service, NEWEST)
    await run(service)
    assert (await service.ask("GET", "/events/t1", key=elsewhere)).status == 200
    assert (await service.ask("GET", "/events/e1")).status == 404


async def test_an_erasure_finds_what_is_left_of_whose_events_are_gone(service: Service) -> None:
    await send(service, *OTHERS)
    await remove_all(service)
    others = await seen(service)
    await send(service, *LIFE)
    service.clock.advance(2 * DAY)
    await run(service)
    assert await count_of(service, event_traces) > 0
    erased = await erase(service)
    assert erased.events == 1, "the newest"
    assert await left(service.database, WORDS, IDS) == []
    assert await seen(service) == others, "others keep their registrations and what they told"


async def test_an_erasure_finds_what_nobody_known_has_taught_on_their_device(
    service: Service,
) -> None:
    device = {"device": {"id": LIFE[1]["properties"]["deviceId"], "type": "ios"}}
    mine = {"traits": {"email": "second@shop.example"}, "context": device}
    hers = [
        *LIFE[:6],
        track("z1", "Opened", anonymousId="after-sign-out", context=device, **at(50)),
        {"type": "identify", "messageId": "z2", "anonymousId": "after-sign-out", **mine, **at(51)},
        track("z3", "Opened", anonymousId="after-sign-out", **at(52)),
    ]
    await send(service, *hers)
    await remove_all(service)
    await erase(service)
    assert await left(service.database, [*WORDS, "second@shop.example"], IDS) == []
    strangers = (await service.get("/customers"))["data"]
    assert {stranger["user_id"] for stranger in strangers} == {None}


async def test_a_stranger_s_id_that_stood_beside_theirs_is_found_without_the_event(
    service: Service,
) -> None:
    radio = {"device": {"id": "adas-radio-1"}}
    await send(
        service,
        track("r1", "Opened", anonymousId="adas-browser-1", context=radio, **at(1)),
        {"type": "identify", "messageId": "r2", "userId": ADA, "anonymousId": "adas-browser-1",
         "traits": {"email": "Ada.Lovelace@shop.example"}, **at(2)},
    )  # fmt: skip
    await remove_all(service)
    await erase(service)
    assert await left(service.database, WORDS, IDS) == []


async def test_a_device_still_moves_as_it_would_where_the_events_are_gone(
    service: Service,
) -> None:
    await send(service, register("e1", "D", "T", user="ada") | at(1))
    await send(service, track("e2", "Seen", anonymousId="D", **at(30)))
    await remove_all(service)
    late = register("e3", "D", "T2", user="bob") | at(20)
    await send(service, late)
    people = {one["user_id"]: one for one in (await service.get("/customers"))["data"]}
    assert people["bob"]["last_seen_at"].startswith("2026-02-01T10:30"), "e2 is bob's"
    assert people["ada"]["last_seen_at"].startswith("2026-02-01T10:01")


async def test_the_space_of_old_events_is_given_back_on_sqlite(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with service_on_sqlite(tmp_path, clock) as service:
        for part in range(10):
            await send(
                service,
                *(track(f"e{part}.{number}", "Seen", userId="ada", properties={"x": "y" * 500})
                  for number in range(100)),
            )  # fmt: skip
        await service.database.empty_log()
        before = (tmp_path / "clarion.db").stat().st_size
        clock.advance(401 * DAY)
        await send(service, NEWEST)
        await run(service, RemoverOptions(pause_seconds=0))
        await service.database.empty_log()
        assert (tmp_path / "clarion.db").stat().st_size < before / 2
        async with service.database.read() as connection:
            traces = (await connection.execute(select(event_traces))).all()
        assert len(traces) <= 4, "of a person's id the first and the last are enough"


class Instructions:
    """Counts what SQLite does: its virtual machine calls back every so many instructions."""

    EVERY = 100

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += self.EVERY
        return 0


async def work_of_a_slice(service: Service, people: int) -> int:
    """How many instructions of SQLite's a row costs while its writer is held, at most, when the
    events of so many anonymous people are removed."""
    for start in range(0, people, 200):
        await send(
            service,
            *(track(f"e{number}", "Seen", anonymousId=f"person-{number}")
              for number in range(start, start + 200)),
        )  # fmt: skip
    service.clock.advance(2 * DAY)
    await send(service, NEWEST)
    aged, most = AgedEvents(), 0
    while True:
        async with service.database.read() as connection:
            found = await aged.find(connection, WORKSPACE, service.clock.now(), 100_000)
        if found is None:
            return most
        assert len(found.seqs) <= ROWS_MAX
        counter = Instructions()
        async with service.database.write() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.set_progress_handler(counter, Instructions.EVERY)
            removed = await aged.remove(connection, found, service.clock.now())
            await driver.set_progress_handler(None, 0)
        assert removed == len(found.seqs)
        most = max(most, counter.count // removed)


async def test_a_slice_holds_the_one_writer_of_sqlite_for_as_long_however_many_events_there_are(
    tmp_path: Path, clock: FakeClock
) -> None:
    """In instructions, which no machine's speed changes: some dozens a row, of at most 200."""
    work = []
    for people in (400, 1_600):
        directory = tmp_path / str(people)
        directory.mkdir()
        async with service_on_sqlite(directory, clock) as service:
            work.append(await work_of_a_slice(service, people))
    assert work[1] < 1.25 * work[0]
    assert work[1] < 200
