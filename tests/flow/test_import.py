"""Files come in by the rules all events meet, and go out as files that can be imported again."""

import asyncio
import csv
import json
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clarion.accounts.workspace_store import list_workspaces
from clarion.broker import JobKind
from clarion.brokers.database import DatabaseBroker
from clarion.clock import SystemClock
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.importing.importer import (
    BATCH_RECORDS,
    PATIENCE_SECONDS,
    WAITING_JOBS_MAX,
    Importer,
)
from clarion.importing.lines.reading import Reading
from clarion.importing.lines.row import RecordKind
from clarion.importing.lines.row_reader import RecordFormat
from clarion.importing.lines.text_reader import Mark, RecordForm
from clarion.sources.store import list_sources
from clarion.storage.database import Database
from support.api import Service
from support.clock import FakeClock
from support.command import Clarion
from support.importing import DirectDoor
from support.patience import patience
from support.processes import until

CUSTOMERS = """user_id,email,age:number
u1,ada@example.org,42
u2,bob@example.org,x
,nobody@example.org,1
u3,cy@example.org,7
"""
TOKEN = "registration-token-of-the-imported-device"
DEVICES: list[dict[str, Any]] = [
    {"device_id": "d1", "token": TOKEN, "platform": "Android", "user_id": "u1"},
    {"device_id": "d2", "token": "another-token", "platform": "Web"},
    {"device_id": "d3", "platform": "iOS"},
]

BY_BOTH: list[dict[str, Any]] = [
    {
        "device_id": "d4", "fid": "cIsXk3vVRkCk8Hk0zq1abc", "platform": "Android",
        "timestamp": "2026-02-01T00:00:00Z",
    },
    {
        "device_id": "d4", "token": "cIsXk3vVRkCk8Hk0zq1abc:APA91bHun4", "platform": "Android",
        "timestamp": "2026-02-02T00:00:00Z",
        "facts": {"app_version": "2.1", "model": "Pixel 9", "push_permission": "denied"},
    },
]  # fmt: skip
"""A device that is reached by its token, and by its FID should that die."""

NDJSON = RecordFormat(form=RecordForm.NDJSON)


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[tuple[Database, DatabaseBroker]]:
    database = Database(f"sqlite:///{home}/data/clarion.db")
    broker = DatabaseBroker(database, SystemClock())
    try:
        yield database, broker
    finally:
        await broker.close()
        await database.close()


async def _take_in(home: Path) -> None:
    async with opened(home) as (database, broker):
        options = IngestorOptions(wait_seconds=0)
        ingestor = Ingestor(database, broker, SystemClock(), options)
        while await ingestor.step():
            pass


def take_in(home: Path) -> None:
    """What an ingestor does with all that is durable."""
    asyncio.run(_take_in(home))


def written(home: Path, name: str, records: list[dict[str, Any]]) -> Path:
    file = home / name
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


@pytest.fixture
def sending(clarion: Clarion) -> Clarion:
    clarion.json("sources", "create", "app")
    return clarion


def test_customers_come_in_and_refused_lines_stand_in_a_file(sending: Clarion) -> None:
    file = sending.home / "crm.csv"
    file.write_text(CUSTOMERS)
    told = sending.json("import", "customers", str(file))
    assert (told["taken"], told["refused"]) == (2, 2)
    refused = Path(told["refused_file"])
    with refused.open(encoding="utf-8-sig", newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header == [
        *("refused.line", "refused.code", "refused.message"),
        *("user_id", "email", "age:number"),
    ]
    assert [(row[0], row[1]) for row in rows] == [("3", "cell_no_number"), ("4", "user_id_missing")]
    assert rows[0][3:] == ["u2", "bob@example.org", "x"]
    assert stat.S_IMODE(refused.stat().st_mode) == 0o600
    take_in(sending.home)
    shown = sending.json("customers", "show", "u1")
    assert shown["traits"] == {"email": "ada@example.org", "age": 42}


def test_refused_lines_are_mended_in_their_file_and_imported_from_it(sending: Clarion) -> None:
    file = sending.home / "crm.csv"
    file.write_text(CUSTOMERS)
    refused = Path(sending.json("import", "customers", str(file))["refused_file"])
    refused.write_text(refused.read_text().replace("example.org,x", "example.org,55"))
    again = sending.json("import", "customers", str(refused))
    assert (again["taken"], again["refused"]) == (1, 1)
    last = Path(again["refused_file"])
    last.write_text(last.read_text().replace(",nobody@", "u4,nobody@"))
    once_more = sending.json("import", "customers", str(last))
    assert (once_more["taken"], once_more["refused"]) == (1, 0)
    take_in(sending.home)
    for user_id, email, age in (("u2", "bob", 55), ("u4", "nobody", 1)):
        shown = sending.json("customers", "show", user_id)
        assert shown["traits"] == {"email": f"{email}@example.org", "age": age}

    devices = written(sending.home, "tokens.ndjson", DEVICES)
    refused = Path(sending.json("import", "devices", str(devices))["refused_file"])
    (line,) = map(json.loads, refused.read_text().splitlines())
    assert (line["refused"]["line"], line["refused"]["code"]) == (3, "token_missing")
    refused.write_text(json.dumps(line | {"token": "token-of-d3"}) + "\n")
    assert sending.json("import", "devices", str(refused))["taken"] == 1
    take_in(sending.home)
    assert sending.json("devices", "show", "d3")["platform"] == "iOS"


def test_refused_lines_that_were_taken_away_are_not_awaited(sending: Clarion) -> None:
    file = sending.home / "crm.csv"
    lines = "".join(f"u{number},{'x' * 60}\n" for number in range(2_000))
    file.write_text(f"user_id,note\n,nobody\n{lines}")
    refused = Path(sending.json("import", "customers", str(file))["refused_file"])
    refused.unlink()
    with file.open("a") as more:
        more.write(",nobody again\n")
    told = sending.json("import", "customers", str(file))
    assert (told["taken"], told["refused"]) == (2_000, 2)
    with refused.open(encoding="utf-8-sig", newline="") as rows:
        [row] = csv.DictReader(rows)
    assert (row["refused.line"], row["note"]) == ("2003", "nobody again")


def test_a_device_that_no_ingestor_would_register_is_a_refused_line(sending: Clarion) -> None:
    records = [
        {"device_id": "d1", "token": TOKEN},
        {"device_id": "d2", "token": TOKEN, "platform": "1"},
        {"device_id": "d3", "token": "no token", "platform": "iOS"},
        {"device_id": "0000-0000", "token": TOKEN, "platform": "iOS"},
        {"device_id": "d4", "token": TOKEN, "platform": "ANDROID"},
    ]
    told = sending.json("import", "devices", str(written(sending.home, "d.ndjson", records)))
    assert (told["taken"], told["refused"]) == (1, 4)
    refused = map(json.loads, Path(told["refused_file"]).read_text().splitlines())
    assert [one["refused"]["code"] for one in refused] == [
        "device_type_unknown",
        "device_type_unknown",
        "token_malformed",
        "device_id_blocked",
    ]
    take_in(sending.home)
    assert [one["device_id"] for one in sending.json("devices", "list")] == ["d4"]


def test_a_dry_run_tells_what_would_be_and_leaves_no_trace(bare: Clarion) -> None:
    clarion = bare
    file = clarion.home / "crm.csv"
    file.write_text(CUSTOMERS)
    told = clarion.json("import", "customers", str(file), "--dry-run")
    assert (told["taken"], told["refused"]) == (2, 2)
    assert told["events"][0]["traits"] == {"email": "ada@example.org", "age": 42}
    assert {(one["code"], one["lines"], one["first"]) for one in told["faults"]} == {
        ("cell_no_number", 1, 3),
        ("user_id_missing", 1, 4),
    }
    code, out, _ = clarion("import", "customers", str(file), "--dry-run")
    assert (code, "2 would be taken, 2 refused" in out) == (0, True)
    assert [one.name for one in clarion.home.iterdir()] == ["crm.csv"]


def test_an_export_of_another_product_comes_in_by_its_own_column_names(sending: Clarion) -> None:
    file = sending.home / "braze.csv"
    file.write_text("external_id;Vorname;Alter\nu1;Jörg;42\n", encoding="utf-16")
    code, _, errors = sending("import", "customers", str(file))
    assert (code, "--rename" in errors, "external_id" in errors) == (5, True, True)
    names = ["--rename", "external_id=user_id", "--rename", "Alter=age:number"]
    assert sending.json("import", "customers", str(file), *names)["taken"] == 1
    assert sending("import", "customers", str(file), *names[:2])[0] == 5
    assert sending("import", "customers", str(file), "--rename", "external_id")[0] == 2
    take_in(sending.home)
    assert sending.json("customers", "show", "u1")["traits"] == {"Vorname": "Jörg", "age": 42}


def test_what_is_no_file_of_records_is_refused_before_anything_is_done(sending: Clarion) -> None:
    for name, raw, word in (
        ("crm.xlsx", b"PK\x03\x04\x14\x00\x06", "Excel"),
        ("crm.csv", b"\x1f\x8b\x08\x00", "gunzip"),
        ("crm.json", b'[{"user_id": "u1"}]', "jq"),
        ("twice.csv", b"user_id,user_id\n", "user_id"),
    ):
        file = sending.home / name
        file.write_bytes(raw)
        code, _, errors = sending("import", "customers", str(file))
        assert (code, word in " ".join(errors.split())) == (5, True), name
        assert not file.with_name(f"{name}.import.json").exists()


def test_a_file_imported_twice_changes_nothing(sending: Clarion) -> None:
    file = sending.home / "crm.csv"
    file.write_text(CUSTOMERS)
    for again in ([], [], ["--restart"]):
        told = sending.json("import", "customers", str(file), *again)
        assert (told["taken"], told["refused"]) == (2, 2)
        take_in(sending.home)
    assert len(sending.json("customers", "events", "u1")) == 1


def test_devices_come_in_as_registrations(sending: Clarion) -> None:
    file = written(sending.home, "tokens.ndjson", DEVICES)
    told = sending.json("import", "devices", str(file))
    assert (told["taken"], told["refused"]) == (2, 1)
    take_in(sending.home)
    assert sending.json("devices", "show", "d1")["customer"]["user_id"] == "u1"
    assert sending.json("devices", "show", "d2")["customer"]["user_id"] is None


def test_lines_added_to_a_file_are_all_that_is_imported_next(sending: Clarion) -> None:
    file = written(sending.home, "tokens.ndjson", DEVICES[:1])
    assert sending.json("import", "devices", str(file))["taken"] == 1
    with file.open("a") as more:
        more.write(json.dumps(DEVICES[1]) + "\n")
    # The beginning of a file this small has changed: it can not be known to be the same.
    code, _, errors = sending("import", "devices", str(file))
    assert (code, "--restart" in errors) == (5, True)
    assert sending.json("import", "devices", str(file), "--restart")["taken"] == 2


def test_another_kind_or_an_unreadable_file_is_refused(sending: Clarion) -> None:
    file = written(sending.home, "x.ndjson", DEVICES)
    sending.json("import", "devices", str(file))
    assert sending("import", "customers", str(file))[0] == 5
    assert sending("import", "devices", str(sending.home / "none.csv"))[0] == 2
    odd = file.rename(sending.home / "x.data")
    assert sending("import", "devices", str(odd))[0] == 2
    assert sending("import", "devices", str(odd), "--format", "ndjson")[0] == 0


def test_a_command_asks_for_the_source_where_there_are_several(sending: Clarion) -> None:
    file = written(sending.home, "x.ndjson", DEVICES)
    sending.json("sources", "create", "second")
    code, _, errors = sending("import", "devices", str(file))
    assert (code, "'second'" in errors) == (2, True)
    assert sending("import", "devices", str(file), "--source", "second")[0] == 0


async def test_an_import_that_was_broken_off_goes_on_and_every_record_is_there_once(
    database: Database, tmp_path: Path
) -> None:
    async with Service(database, FakeClock()) as service:
        async with database.read() as connection:
            (workspace,) = await list_workspaces(connection)
            (source,) = await list_sources(connection, workspace.id)
        records = [{"user_id": f"u{n}", "n": n} for n in range(BATCH_RECORDS * 2 + 10)]
        file = written(tmp_path, "many.ndjson", records)

        async def importing(start: Mark, steps: int) -> Mark:
            broker = service.world.broker
            door = DirectDoor(database, broker, service.clock, workspace.id, source.id)
            reading = Reading(kind=RecordKind.CUSTOMERS, at=service.clock.now())
            importer = Importer(door, service.clock, reading)
            with file.open("rb") as opened:
                async for step in importer.run(opened, NDJSON, start):
                    start = step.after
                    steps -= 1
                    if not steps:
                        break
            return start

        first = await importing(Mark(), 1)
        assert first.line == BATCH_RECORDS
        await importing(Mark(), 1)  # the place was not written down: the batch comes again
        assert (await importing(first, 100)).line == len(records)
        while await service.ingestor.step():
            pass
        customers = await service.every("/customers", 500)
        assert {customer["user_id"] for customer in customers} == {
            record["user_id"] for record in records
        }
        events = await service.every("/events", 500)
        assert len(events) == len(records)


def test_an_import_that_is_interrupted_says_so_and_goes_on_there(sending: Clarion) -> None:
    """So many batches that it waits for ingestors before the last ones: it can not be too fast."""
    records = [{"user_id": f"u{n}"} for n in range(BATCH_RECORDS * (WAITING_JOBS_MAX + 2))]
    file = written(sending.home, "many.ndjson", records)
    kept = file.with_name("many.ndjson.import.json")

    async def lines() -> int:
        return int(json.loads(kept.read_text())["line"]) if kept.exists() else 0

    command = [sys.executable, "-m", "clarion.cli", "import", "customers", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        asyncio.run(until(lines, bool))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    line = asyncio.run(lines())
    assert (process.returncode, f"behind line {line:,}" in said) == (130, True)
    assert line < len(records)
    told = sending.json("import", "customers", str(file))
    assert (told["lines"], told["taken"]) == (len(records), len(records))


class PatientClock(SystemClock):
    """Knows how long an import has waited."""

    slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await super().sleep(seconds)


async def test_an_import_waits_for_the_backlog_only_where_ingestors_run(
    tmp_path: Path, sending: Clarion
) -> None:
    records = [{"user_id": f"u{n}"} for n in range(BATCH_RECORDS * (WAITING_JOBS_MAX + 8))]
    file = written(tmp_path, "many.ndjson", records)
    async with opened(sending.home) as (database, broker):
        async with database.read() as connection:
            (workspace,) = await list_workspaces(connection)
            (source,) = await list_sources(connection, workspace.id)
        clock = PatientClock()
        reading = Reading(kind=RecordKind.CUSTOMERS, at=clock.now())
        door = DirectDoor(database, broker, clock, workspace.id, source.id)
        importer = Importer(door, clock, reading)
        waiting: list[int] = []
        is_full = asyncio.Event()

        async def importing() -> None:
            with file.open("rb") as lines:
                async for _ in importer.run(lines, NDJSON, Mark()):
                    waiting.append(await broker.depth(JobKind.EVENTS))
                    if waiting[-1] > WAITING_JOBS_MAX:
                        is_full.set()

        working = asyncio.create_task(importing())
        async with patience():
            await is_full.wait()
        while not working.done() or await broker.depth(JobKind.EVENTS):
            for lease in await broker.fetch(
                JobKind.EVENTS, limit=1, wait_seconds=0.01, lease_seconds=60
            ):
                await lease.ack()
        await working
        assert max(waiting) == WAITING_JOBS_MAX + 1

        waiting.clear()
        clock.slept = 0
        await importing()  # nobody takes in anything
        assert PATIENCE_SECONDS <= clock.slept < PATIENCE_SECONDS * 2
        assert max(waiting) >= WAITING_JOBS_MAX + 8


def test_what_is_exported_can_be_imported_elsewhere_and_is_the_same(
    sending: Clarion, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sending.home
    for other in ("other", "third"):
        shutil.copytree(installed, home / other / "data")
    sending.json("import", "customers", str(_csv(home)))
    sending.json("import", "devices", str(written(home, "tokens.ndjson", [*DEVICES, *BY_BOTH])))
    take_in(home)
    for kind, name in (("customers", "c.csv"), ("devices", "d.csv"), ("events", "e.ndjson")):
        code, _, errors = sending("export", kind, "--with-tokens", "--out", str(home / name))
        assert code == 0, errors
    before = _state(sending)

    monkeypatch.setenv("CLARION_DATA_DIR", str(home / "other" / "data"))
    sending.json("sources", "create", "app")
    told = sending.json("import", "events", str(home / "e.ndjson"))
    assert told["refused"] == 0
    take_in(home / "other")
    assert _state(sending) == before

    monkeypatch.setenv("CLARION_DATA_DIR", str(home / "third" / "data"))
    sending.json("sources", "create", "app")
    for kind, name in (("customers", "c.csv"), ("devices", "d.csv")):
        assert sending.json("import", kind, str(home / name))["refused"] == 0
    take_in(home / "third")
    assert _state(sending) == before


def test_a_devices_owner_is_explained_for_people_and_for_scripts(sending: Clarion) -> None:
    sending.json("import", "devices", str(written(sending.home, "tokens.ndjson", DEVICES)))
    take_in(sending.home)
    told = sending.json("devices", "why", "d1")
    assert told["customer"]["user_id"] == "u1"
    assert told["cause"]["body"]["properties"]["deviceId"] == "d1"
    code, out, _ = sending("devices", "why", "d1")
    assert (code, TOKEN in out) == (0, False)
    lines = [line.split() for line in out.splitlines()]
    assert ["user_id", "u1"] in lines
    assert ["message_id", told["cause"]["message_id"]] in lines
    assert ['"deviceId":', '"d1",'] in lines


def test_an_export_shows_no_token_unless_it_is_asked_to(sending: Clarion) -> None:
    sending.json("import", "devices", str(written(sending.home, "tokens.ndjson", DEVICES)))
    take_in(sending.home)
    for kind in ("customers", "devices", "events"):
        code, out, _ = sending("export", kind)
        assert (code, TOKEN in out) == (0, False)
    assert TOKEN in sending("export", "devices", "--with-tokens")[1]
    file = sending.home / "d.csv"
    sending("export", "devices", "--out", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["device_id"] for row in rows} == {"d1", "d2"}
    assert "token" not in rows[0]


def test_where_nothing_can_be_written_nothing_is_exported(sending: Clarion) -> None:
    sending.json("import", "customers", str(_csv(sending.home)))
    take_in(sending.home)
    nowhere = str(sending.home / "none" / "file.zip")
    known = sending.json("customers", "list")[0]["user_id"]
    for what in (("customers", "export", known), ("export", "customers")):
        code, _, errors = sending(*what, "--out", nowhere)
        assert (code, "can not be written" in " ".join(errors.split())) == (2, True), what


def _csv(home: Path) -> Path:
    file = home / "crm.csv"
    file.write_text(CUSTOMERS)
    return file


def _state(clarion: Clarion) -> Any:
    """Who there is and where they are reached, without what an import may make anew."""
    customers = {
        one["user_id"] or one["id"]: (one["traits"], one["push_opted_out"])
        for one in clarion.json("customers", "list")
    }
    devices = {
        one["device_id"]: (
            one["platform"],
            one["state"],
            [(each["token_kind"], each["token_fingerprint"]) for each in one["registrations"]],
            one["facts"],
        )
        for one in clarion.json("devices", "list")
    }
    return customers, devices
