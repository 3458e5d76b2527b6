"""People who leave another service bring its export: one command takes it in, by the rules that all
events meet."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clarion.accounts.actor import Scope
from fcm_simulator.process import SimulatorProcess
from flow.test_import import take_in
from support.api import Service
from support.clock import FakeClock
from support.command import Clarion
from support.database import sqlite_database

EXPORTS = Path(__file__).parents[1] / "golden" / "exports"
FILES = [
    ("pinpoint", "pinpoint.json"),
    ("pinpoint", "pinpoint.csv"),
    ("onesignal", "onesignal.csv"),
    ("customer-io", "customer-io.ndjson"),
    ("customer-io", "customer-io.csv"),
    ("airship", "airship.ndjson"),
    ("posthog", "posthog.ndjson"),
    ("posthog", "posthog-tokens.csv"),
    ("braze", "braze.ndjson"),
    ("firebase-topics", "firebase-topics.ndjson"),
    ("firebase-topics", "firebase-topics.csv"),
]


@pytest.fixture
def sending(clarion: Clarion) -> Clarion:
    clarion.json("sources", "create", "app")
    return clarion


def brought(clarion: Clarion, name: str) -> Path:
    return Path(shutil.copy(EXPORTS / name, clarion.home / name))


def exported(clarion: Clarion, kind: str) -> list[dict[str, Any]]:
    file = clarion.home / f"all-{kind}.ndjson"
    file.unlink(missing_ok=True)
    code, _, errors = clarion("export", kind, "--with-tokens", "--out", str(file))
    assert code == 0, errors
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize(("service", "name"), FILES)
def test_an_export_comes_in_and_twice_is_once(sending: Clarion, service: str, name: str) -> None:
    file = brought(sending, name)
    foreseen = sending.json("import", str(file), "--from", service, "--dry-run")
    assert exported(sending, "events") == [], "a dry run keeps nothing"
    told = sending.json("import", str(file), "--from", service)
    assert (told["taken"], told["refused"]) == (foreseen["taken"], foreseen["refused"])
    assert told["taken"] > 0
    take_in(sending.home)
    before = [exported(sending, kind) for kind in ("events", "customers", "devices")]
    assert all(before[:2])
    sending.json("import", str(file), "--from", service, "--restart")
    take_in(sending.home)
    assert [exported(sending, kind) for kind in ("events", "customers", "devices")] == before


def test_opt_outs_are_carried_over_even_of_whom_fcm_can_not_reach(sending: Clarion) -> None:
    sending.json("import", str(brought(sending, "pinpoint.json")), "--from", "pinpoint")
    take_in(sending.home)
    customers = {one["user_id"]: one for one in exported(sending, "customers")}
    assert {name for name, customer in customers.items() if customer["push_opted_out"]} == {
        "user-2", "user-3",
    }  # fmt: skip
    assert customers["user-1"]["traits"]["Plan"] == "gold"
    assert customers["user-1"]["traits"]["email"] == "user-1@example.org"
    devices = {one["device_id"]: one for one in exported(sending, "devices")}
    assert {name: device["user_id"] for name, device in devices.items()} == {
        "ep-1": "user-1", "ep-2": "user-2",
    }  # fmt: skip
    assert devices["ep-1"]["registered_at"].startswith("2026-10-20")


def test_a_stranger_who_left_push_is_not_sent_to_either(sending: Clarion) -> None:
    """Of a device that nobody has signed in on, the opt-out is that of its anonymous customer."""
    row = json.loads((EXPORTS / "pinpoint.json").read_text().splitlines()[1])
    del row["User"]
    file = sending.home / "stranger.json"
    file.write_text(json.dumps(row) + "\n")
    assert sending.json("import", str(file), "--from", "pinpoint")["taken"] == 1
    take_in(sending.home)
    (customer,), (device,) = exported(sending, "customers"), exported(sending, "devices")
    assert customer["push_opted_out"] is True
    assert (device["device_id"], device["user_id"]) == ("ep-2", None)


def test_topics_that_were_left_are_categories_that_were_left(sending: Clarion) -> None:
    sending.json("import", str(brought(sending, "customer-io.csv")), "--from", "customer-io")
    take_in(sending.home)
    left, opted_out = exported(sending, "customers")
    assert left["traits"]["marketingPreferences"]["categories"] == [
        {"category": "topic_3", "subscribed": False}
    ]
    assert (left["push_opted_out"], opted_out["push_opted_out"]) == (False, True)


def test_an_import_goes_on_where_it_was_and_refused_rows_are_mended(sending: Clarion) -> None:
    file = brought(sending, "pinpoint.json")
    whole = file.read_text().splitlines(keepends=True)
    sending.json("import", str(file), "--from", "pinpoint")
    kept = file.with_name("pinpoint.json.import.json")
    earlier = json.loads(kept.read_text()) | {
        "offset": sum(len(line.encode()) for line in whole[:2]),
        "line": 2, "taken": 2, "refused": 0, "refused_bytes": 0,
    }  # fmt: skip
    kept.write_text(json.dumps(earlier))  # as it was when the machine went away
    told = sending.json("import", str(file), "--from", "pinpoint")
    assert (told["lines"], told["taken"], told["refused"]) == (7, 6, 4)
    refused = Path(told["refused_file"])
    rows = [json.loads(line) for line in refused.read_text().splitlines()]
    assert [row["refused"]["line"] for row in rows] == [3, 5, 6, 7]
    rows[3]["Address"] = json.loads(whole[0])["Address"][:-4] + "wxyz"
    refused.write_text(json.dumps(rows[3]) + "\n")
    again = sending.json("import", str(refused), "--from", "pinpoint")
    assert (again["taken"], again["refused"]) == (1, 0)
    take_in(sending.home)
    assert "ep-7" in {one["device_id"] for one in exported(sending, "devices")}


def test_what_is_named_wrong_is_said_with_the_cure(sending: Clarion) -> None:
    file = str(brought(sending, "onesignal.csv"))
    for words, cure in [
        (("import", "customers", file, "--from", "onesignal"), "only FILE is named"),
        (("import", file), "--from SERVICE"),
        (("import", "customers"), "clarion import customers FILE"),
        (("import", file, "--from", "airship"), "no column device_id"),
    ]:
        code, out, errors = sending(*words)
        said = " ".join((out + errors).split())
        assert code != 0
        assert cure in said, said


async def test_firebase_is_asked_about_a_sample_of_the_tokens(
    tmp_path: Path, sending: Clarion, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SimulatorProcess(tmp_path / "simulator") as simulator:
        monkeypatch.setenv("CLARION_FCM_URL", simulator.base_url)
        monkeypatch.setenv("CLARION_FCM_CA", str(simulator.ca_file))
        key = tmp_path / "key.json"
        key.write_text(json.dumps(simulator.key("shop")))
        file = tmp_path / "topics.csv"
        tokens = ["dead-of-a-device-1", *(f"alive-token-{number}" for number in range(4))]
        lines = [f"{token},news,android,u{token[-1]}" for token in tokens]
        file.write_text("\n".join(["token,topic,platform,user_id", *lines]) + "\n")

        words = ("import", str(file), "--from", "firebase-topics", "--check-sample")
        code, _, errors = await asyncio.to_thread(sending, *words, "5")
        assert code != 0
        assert "no Firebase app" in " ".join(errors.split())
        await asyncio.to_thread(sending.json, "firebase-apps", "add", str(key), "--source", "app")
        told = await asyncio.to_thread(sending.json, *words, "5", "--dry-run")
        assert told["checked"]["asked"] == 5
        assert {answer["outcome"]: answer["tokens"] for answer in told["checked"]["answers"]} == {
            "accepted": 4, "unregistered": 1,
        }  # fmt: skip
        told = await asyncio.to_thread(sending.json, *words, "2")
        assert (told["checked"]["asked"], told["taken"]) == (2, 5)
        assert await simulator.messages(limit=10) == [], "nothing is sent"


@pytest.fixture
async def service(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    database = await sqlite_database(tmp_path)
    clock.advance(365 * 86_400)  # the fixtures' times lie behind
    async with Service(database, clock) as service:
        yield service
    await database.close()


async def test_the_api_takes_the_same_rows(service: Service) -> None:
    source = (await service.get("/sources"))["data"][0]["id"]
    rows = [json.loads(line) for line in (EXPORTS / "pinpoint.json").read_text().splitlines()]
    path = f"/imports/{source}/from/pinpoint"
    foreseen = await service.post(f"{path}?dry_run=true", {"rows": rows})
    assert (foreseen["taken"], [one["row"] for one in foreseen["refused"]]) == (6, [2, 4, 5, 6])
    assert await service.every("/customers", 10) == []
    assert await service.post(path, {"rows": rows}) == foreseen
    while await service.ingestor.step():
        pass
    customers = await service.every("/customers", 10)
    assert {customer["user_id"] for customer in customers} == {f"user-{n}" for n in range(1, 6)}


async def test_the_api_says_what_it_can_not_take(service: Service) -> None:
    source = (await service.get("/sources"))["data"][0]["id"]
    for path, body, status in [
        (f"/imports/{source}/from/pinpoint", {"rows": []}, 422),
        (f"/imports/{source}/from/nowhere", {"rows": [{}]}, 422),
        (f"/imports/{service.clock.new_id()}/from/pinpoint", {"rows": [{}]}, 404),
        (f"/imports/{source}/check", {"tokens": []}, 422),
        (f"/imports/{source}/check", {"tokens": [{"token": "t", "platform": "Tablet"}]}, 422),
    ]:
        answer = await service.ask("POST", path, body)
        assert answer.status == status, (path, answer.text)
    reader = await service.make_key(Scope.READ)
    for path, body in [("from/pinpoint", {"rows": [{}]}), ("check", {"tokens": []})]:
        answer = await service.ask("POST", f"/imports/{source}/{path}", body, key=reader)
        assert answer.status == 403
