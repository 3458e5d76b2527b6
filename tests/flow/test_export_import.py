"""What is exported and imported again is the same: here, where it changes nothing, and
elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarion.brokers.database import DatabaseBroker
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.events.collector import Collector, Taken
from clarion.importing.dry_run import reading_of
from clarion.importing.export_store import export_page
from clarion.importing.importer import Importer
from clarion.importing.lines.reading import RefusedLine
from clarion.importing.lines.row import RecordKind
from clarion.importing.lines.row_reader import RecordFormat
from clarion.importing.lines.text_reader import Mark, RecordForm
from clarion.importing.record_writer import record_writer
from clarion.storage.database import Database
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.database import sqlite_database
from support.importing import DirectDoor
from support.sampling import examples
from support.station import prepare

Lines = list[dict[str, Any]]
FIRST = (RecordKind.CUSTOMERS, RecordKind.DEVICES)


@dataclass
class Installation:
    """Clarion without a server: what is taken in, exported and imported."""

    database: Database
    clock: FakeClock

    async def take(self, events: Lines) -> None:
        async with self._parts() as (collector, _):
            taken = await collector.take(
                msgspec.json.encode({"batch": events}),
                workspace_id=WORKSPACE,
                source_id=SOURCE,
                type_hint=None,
            )
            assert isinstance(taken, Taken), taken
        await self.settle()

    async def settle(self) -> None:
        broker = DatabaseBroker(self.database, self.clock)
        ingestor = Ingestor(self.database, broker, self.clock, IngestorOptions(wait_seconds=0))
        while await ingestor.step():
            pass
        await broker.close()

    async def export(self, kind: RecordKind, form: RecordForm, *, with_tokens: bool = True) -> str:
        file = StringIO(newline="")
        write = record_writer(kind, form, file, with_tokens=with_tokens)
        last: UUID | int | None = None
        while True:
            async with self.database.read() as connection:
                page, last = await export_page(
                    connection, WORKSPACE, kind, after=last, limit=1_000, with_tokens=with_tokens
                )
            for record in page:
                write(msgspec.json.decode(msgspec.json.encode(record)))
            if last is None:
                return file.getvalue()

    async def lines(self, kind: RecordKind) -> Lines:
        text = await self.export(kind, RecordForm.NDJSON)
        return [json.loads(line) for line in text.split("\n")[:-1]]

    async def everything(self) -> list[Lines]:
        return [await self.lines(kind) for kind in RecordKind]

    async def import_(self, kind: RecordKind, form: RecordForm, text: str) -> list[RefusedLine]:
        refused: list[RefusedLine] = []
        now = self.clock.now()
        reading = reading_of(kind, SOURCE, now)
        async with self._parts() as (_, broker):
            door = DirectDoor(self.database, broker, self.clock, WORKSPACE, SOURCE)
            importer = Importer(door, self.clock, reading)
            file = BytesIO(text.encode())
            async for step in importer.run(file, RecordFormat(form=form), Mark()):
                refused += step.refused
        await self.settle()
        return refused

    @asynccontextmanager
    async def _parts(self) -> AsyncIterator[tuple[Collector, DatabaseBroker]]:
        broker = DatabaseBroker(self.database, self.clock)
        collector = Collector(self.database, broker, self.clock)
        yield collector, broker
        await collector.close()
        await broker.close()


@asynccontextmanager
async def installed() -> AsyncIterator[Installation]:
    with TemporaryDirectory() as place:
        database = await sqlite_database(Path(place))
        clock = FakeClock()
        await prepare(database, clock)
        yield Installation(database, clock)
        await database.close()


def without(lines: Lines, *names: str) -> list[Mapping[str, Any]]:
    """In one order, without what an installation gives by itself. Owners are known since the
    millisecond that an app has told: microseconds only keep the order of what came in one call."""
    kept = [{name: value for name, value in line.items() if name not in names} for line in lines]
    for line in kept:
        if "owners" in line:
            line["owners"] = [[to_millisecond(since), owner] for since, owner in line["owners"]]
    return sorted(kept, key=lambda line: json.dumps(line, sort_keys=True))


def to_millisecond(since: str) -> str:
    return datetime.fromisoformat(since).isoformat(timespec="milliseconds")


async def _round(events: Lines, form: RecordForm) -> None:
    async with installed() as here, installed() as there:
        await here.take(events)
        before = await here.everything()
        files = {kind: await here.export(kind, form) for kind in RecordKind}
        gone = sum(line["state"] == "removed" for line in before[1])
        for kind in FIRST:
            refused = await there.import_(kind, form, files[kind])
            expected = gone if kind is RecordKind.DEVICES else 0
            assert len(refused) == expected, refused
        customers, devices = [await there.lines(kind) for kind in FIRST]
        assert without(customers, "id") == without(before[0], "id")
        alive = [line for line in before[1] if line["state"] != "removed"]
        assert without(devices) == without(alive)

        for kind in reversed(RecordKind):
            await here.import_(kind, form, files[kind])
        customers, devices, _ = await here.everything()
        assert (without(customers), without(devices)) == (without(before[0]), without(before[1]))

    async with installed() as elsewhere:
        assert not await elsewhere.import_(RecordKind.EVENTS, form, files[RecordKind.EVENTS])
        customers, devices, found = await elsewhere.everything()
        assert without(found, "receivedAt") == without(before[2], "receivedAt")
        assert (without(customers), without(devices)) == (without(before[0]), without(before[1]))


TIMES = st.builds(
    lambda day, hour: f"2026-02-{day:02}T{hour:02}:00:00Z", st.integers(1, 27), st.integers(0, 23)
) | st.sampled_from(["2026-02-03T00:00:00Z", "2026-02-03T00:00:01Z"])
ODD = [
    "=HYPERLINK(\"https://x.example\",\"y\")", "+49 170", "-5", "@cmd", "'=1", "''+1", "'", "a;=1",
    "1.23457E+11", "1,23457E+11", "#####", "#N/A", "02-Jan", "1/2/2024", "4711.0", "007", "0",
    "fingerprint:0a1b2c3d4e5f", "a,b", 'a"b', "a\nb", "a\rb", "a\r\nb", "\ufeffx", "“x”", "TRUE",
    "null", "[]", "{}", " x ", "x\u2028y", "\x85", "é", "😀", "a\tb", "123456789012345670000",
    "user_id", "device_id", "sep=;", "1e5", "\\N", "١٢", "x" * 255, "1,234,567",
]  # fmt: skip
TEXTS = st.sampled_from(ODD) | st.text(max_size=12)
IDS = TEXTS.filter(lambda text: bool(text.strip()))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = TEXTS | st.sampled_from(
    ["traits", "refused", "body", "user_id", "email", "cart_token", "ref_id", "staff_id",
     "campaign", "marketingPreferences", "exclusions", "id", "key", "timestamp", ""]
)  # fmt: skip
PREFERENCES = st.sampled_from(
    [
        {"channels": [{"channel": "push", "subscribed": False}]},
        {"channels": [{"channel": "email", "subscribed": False}]},
        None,
    ]
)
TRAITS = st.dictionaries(NAMES, JSON, max_size=4) | st.fixed_dictionaries(
    {"marketingPreferences": PREFERENCES}
)
TOKENS = st.sampled_from(["=token-of-a-device-1234", "@t", "cIsXk3vVRkCk8Hk0zq1abc:APA91bHun4Mx"])


def _event(kind: str, user: str, other: str, device: str, at: str, more: Any) -> dict[str, Any]:
    token, traits, extra = more
    base = {"timestamp": at, **extra}
    match kind:
        case "identify":
            return base | {"type": "identify", "userId": user, "traits": traits}
        case "anonymous":
            return base | {"type": "identify", "anonymousId": other, "traits": traits}
        case "register":
            properties = {"deviceId": device, "fcmToken": token, "deviceType": "Android"}
            return base | {
                "type": "track",
                "event": "Register Push",
                "userId": user,
                "properties": properties,
            }
        case "register alone":
            properties = {"deviceId": device, "fcmToken": token + device[:9], "deviceType": "iOS"}
            return base | {
                "type": "track",
                "event": "Register Push",
                "userId": device,
                "properties": properties,
            }
        case _:
            context = {
                "device": {"id": device, "model": "Pixel 9"},
                "app": {"name": "Shop", "build": "7"},
                "os": {"name": "Android"},
            }
            return base | {
                "type": "track",
                "event": "Seen",
                "anonymousId": device,
                "properties": traits,
                "context": context,
            }


EXTRA = st.dictionaries(
    st.sampled_from(["body", "refused", "user_id", "at", "x", "message_id", "source"]),
    JSON,
    max_size=2,
)
KINDS = st.sampled_from(["identify", "anonymous", "register", "register alone", "seen"])


@st.composite
def histories(draw: st.DrawFn) -> Lines:
    """What few people did on few devices, so that these change hands."""
    users = st.sampled_from(draw(st.lists(IDS, min_size=1, max_size=3)))
    others = st.sampled_from(draw(st.lists(IDS, min_size=1, max_size=2)))
    devices = st.sampled_from(draw(st.lists(IDS, min_size=1, max_size=2)))
    more = st.tuples(TOKENS, TRAITS, EXTRA)
    event = st.builds(_event, KINDS, users, others, devices, TIMES, more)
    return draw(st.lists(event, min_size=1, max_size=7))


async def test_two_devices_of_one_second_stay_whose_they_are() -> None:
    """In a file they come in one call, and Clarion tells by microseconds what was first there."""
    more: Any = ("=token-of-a-device-1234", {}, {})
    at = "2026-02-03T00:00:01Z"
    alone = _event("register alone", "", "", "[]", at, more)
    await _round([alone, _event("register", "ada", "", "x", at, more)], RecordForm.NDJSON)


@pytest.mark.parametrize("form", list(RecordForm))
def test_what_is_exported_and_imported_is_the_same_whatever_it_is(form: RecordForm) -> None:
    @settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck))
    @given(histories())
    def same(events: Lines) -> None:
        asyncio.run(_round(events, form))

    same()
