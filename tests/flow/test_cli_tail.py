"""`clarion sources tail` and `counts`: what a source sends, as a person or a script reads it."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import msgspec

from clarion.brokers.database import DatabaseBroker
from clarion.clock import SystemClock
from clarion.customers.ingestor import Ingestor, IngestorOptions
from clarion.customers.queries import SourceEvent
from clarion.events.collector import Collector, Taken
from clarion.ingest_log.source_report import SourceCounts
from clarion.storage.database import Database
from support.command import Clarion


def test_what_a_source_sends_is_told_with_reasons_and_cures(clarion: Clarion) -> None:
    made = clarion.json("sources", "create", "app")
    code, out, _ = clarion("sources", "tail", "app", "--no-follow")
    assert code == 0
    assert out.startswith("app has sent nothing of this yet.\n")
    assert made["write_key"] in out
    asyncio.run(send(clarion.home, made["write_key"], {"m1": "u", "m2": ""}))
    code, out, _ = clarion("sources", "tail", "app", "--no-follow")
    assert code == 0
    assert "✓ accepted" in out
    assert "no_user_anon_id" in out
    assert "→ Send the person's id as `userId`" in out
    code, out, _ = clarion("sources", "tail", "app", "--no-follow", "--only", "refused", "--json")
    (line,) = out.splitlines()
    assert (json.loads(line)["message_id"], json.loads(line)["outcome"]) == ("m2", "refused")
    counts = clarion.json("sources", "counts", "app")
    assert (counts["accepted"], counts["refused"]) == (1, 1)
    assert msgspec.convert(json.loads(line), SourceEvent).code == "no_user_anon_id"
    assert msgspec.convert(counts, SourceCounts).refusals[0].events == {"Seen": 1}
    assert set(counts) == {field.name for field in fields(SourceCounts)}
    code, out, _ = clarion("sources", "counts", "app", "--hours", "3")
    assert "the last 3 h: 1 accepted, 0 duplicates, 1 refused" in out
    assert "✗ no_user_anon_id  1 event  1 Seen" in out
    assert clarion("sources", "counts", "nobody")[0] == 3


def test_where_there_is_one_source_it_need_not_be_named(clarion: Clarion) -> None:
    names = [one["name"] for one in clarion.json("sources", "list")]
    if not names:
        names = [clarion.json("sources", "create", "app")["name"]]
    (only,) = names
    assert clarion("sources", "tail", "--no-follow")[1].startswith(f"{only} has sent nothing")
    assert clarion("sources", "counts")[1].startswith(f"{only}, the last 24 h")
    clarion.json("sources", "create", "web")
    code, _, said = clarion("sources", "tail", "--no-follow")
    assert (code, f"several sources ({only!r}, 'web')" in said) == (2, True)


def test_what_waits_to_be_taken_in_is_told_of(clarion: Clarion) -> None:
    made = clarion.json("sources", "create", "app")
    assert "wait" not in clarion("sources", "tail", "app", "--no-follow")[1]
    asyncio.run(send(clarion.home, made["write_key"], {"m1": "u"}, is_taken_in=False))
    code, out, _ = clarion("sources", "tail", "app", "--no-follow")
    assert (code, "1 job of events waits" in out) == (0, True)


def test_a_tail_tells_what_comes_until_it_is_interrupted(clarion: Clarion) -> None:
    made = clarion.json("sources", "create", "app")
    with tailing(clarion.home, "app", "--last", "0", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told: dict[str, str] = {}
        for number in range(100):  # it looks only for what comes after its beginning
            asyncio.run(send(clarion.home, made["write_key"], {f"m{number}": "u"}))
            if select.select([process.stdout], [], [], 0.2)[0]:
                told = json.loads(process.stdout.readline())
                break
        assert told["outcome"] == "accepted"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 128 + signal.SIGINT
        assert process.stderr.read() == ""


def test_a_tail_ends_quietly_when_its_reader_has_seen_enough(clarion: Clarion) -> None:
    made = clarion.json("sources", "create", "app")
    asyncio.run(send(clarion.home, made["write_key"], {"m1": "u"}))
    with tailing(clarion.home, "app", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["message_id"] == "m1"
        process.stdout.close()
        asyncio.run(send(clarion.home, made["write_key"], {"m2": "u"}))
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


@contextmanager
def tailing(home: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """The command as a process, on the installation of this test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "clarion.cli", "sources", "tail", *words],
        env={**os.environ, "CLARION_DATA_DIR": str(home / "data"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


async def send(
    home: Path, write_key: str, users: Mapping[str, str], *, is_taken_in: bool = True
) -> None:
    """Events by their messageId and user, sent and taken in."""
    database = Database(f"sqlite:///{home}/data/clarion.db")
    broker = DatabaseBroker(database, SystemClock())
    collector = Collector(database, broker, SystemClock())
    sent = [
        {"type": "track", "event": "Seen", "userId": user, "messageId": message_id}
        for message_id, user in users.items()
    ]
    body = json.dumps({"batch": sent}).encode()
    assert isinstance(await collector.collect(body, write_key=write_key, type_hint=None), Taken)
    ingestor = Ingestor(database, broker, SystemClock(), IngestorOptions(wait_seconds=0))
    if is_taken_in:
        await ingestor.step()
    await collector.close()
    await broker.close()
    await database.close()
