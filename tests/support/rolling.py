"""An upgrade while everything goes on, by processes of an earlier version beside those of this one:
`python -m support.rolling`, with PYTHONPATH=tests.

PostgreSQL and NATS on the loopback. Events come in and campaigns go out one after the other, all
the time, while processes are replaced in the order that docs/guides/upgrade.md tells. Each step
ends when those of both versions have been seen to work on each other's jobs. In the end every event
that was answered 200 is there once, and every push that was planned went out once.
"""

import asyncio
import re
import shutil
import sys
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import httpx
import msgspec
from sqlalchemy import func, select

from clarion.storage.database import Database
from clarion.storage.migrate import MIGRATIONS, NEWEST
from clarion.storage.schema import events
from fcm_simulator.process import SimulatorProcess
from support.cluster import BATCH, SECRET, registered, registration
from support.nats import NatsServer
from support.pages import ROOT
from support.patience import PATIENCE, patience
from support.postgres import PostgresServer
from support.processes import Installation, Process, api_client, installation, until

RELEASES = ROOT / "tests" / "golden" / "releases"
ARCHIVES = sorted(RELEASES.glob("*.tar.xz"), key=lambda archive: archive.stem.rpartition("-")[2])
"""By the newest revision of each, the last one of the newest version."""
FRONT = ("collector", "web")
MIDDLE = ("ingestor", "scheduler", "planner")
BACK = ("attributor", "sweeper", "sender")
DEVICES = 250
EVENTS_AT_ONCE = 20
PAUSE_SECONDS = 0.1
LATENCY_MS = 100
TRACED = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
"""With it an ingestor says in its log that it has taken the events of a call in."""
CAMPAIGN_SENT = r'"pushes": \d\d+, "event": "chunk_sent"'
"""And no push to one customer alone, which a planner has no part in."""
TAKEN_IN = '"events_taken_in"'
PLANNED = '"page_planned"'

Say = Callable[[str], None]


@dataclass
class Traffic:
    """What apps and marketers do meanwhile, and what was promised to them."""

    api_key: str
    write_key: str
    fronts: list[Process] = field(default_factory=list)
    """Who takes calls now, by turns."""
    events: int = 0
    """Answered 200."""
    refused: int = 0
    """Calls that found nobody, and were made again."""
    campaigns: int = 0
    """Done, every device reached."""
    pushes: int = 0
    """To one customer alone."""
    ends: bool = False

    async def apps(self) -> None:
        """Batches without a break, each made again until it is answered 200, as SDKs do."""
        key = (self.write_key, "")
        async with httpx.AsyncClient(auth=key, headers=TRACED, timeout=PATIENCE) as calls:
            turn = 0
            while not self.ends:
                batch = [
                    {"type": "track", "event": "Seen", "messageId": f"seen-{turn}-{place}",
                     "userId": f"customer-{place}"}
                    for place in range(EVENTS_AT_ONCE)
                ]  # fmt: skip
                turn += 1
                await self._post(calls, batch, turn)
                self.events += len(batch)
                await asyncio.sleep(PAUSE_SECONDS)

    async def register(self, devices: int) -> None:
        async with httpx.AsyncClient(auth=(self.write_key, ""), timeout=PATIENCE) as calls:
            for start in range(0, devices, BATCH):
                stop = min(start + BATCH, devices)
                await self._post(calls, [registration(n) for n in range(start, stop)], 0)

    async def _post(self, calls: httpx.AsyncClient, batch: list[Any], turn: int) -> None:
        async with patience():
            while True:
                front = self.fronts[turn % len(self.fronts)]
                try:
                    answer = await calls.post(f"{front.url}/v1/batch", json={"batch": batch})
                    if answer.status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                self.refused += 1
                turn += 1
                await asyncio.sleep(0.1)

    async def marketer(self) -> None:
        """A campaign to everyone after the other, each with a push to one customer beside it."""
        while not self.ends:
            await self.campaign()

    async def campaign(self) -> None:
        async with api_client(f"{self.fronts[-1].url}/api/v1", self.api_key) as api:
            draft = {"name": "Upgrade", "content": {"title": "Hello"}, "at": "now"}
            made = await api.post("/campaigns", json={**draft, "audience": {"everyone": True}})
            assert made.status_code < 300, made.text
            push = {"user_id": "customer-1", "content": {"title": "For you"}}
            pushed = await api.post("/pushes", json=push)
            assert pushed.status_code == 201, pushed.text
            self.pushes += 1
        path = f"/campaigns/{made.json()['id']}/report"
        done = await until(
            lambda: self._report(path),
            lambda told: told["planned"] == DEVICES and not told["in_flight"],
        )
        assert done["accepted"] == DEVICES and done["unanswered"] == 0, done
        self.campaigns += 1

    async def _report(self, path: str) -> dict[str, Any]:
        """From whoever is there to be asked."""
        async with api_client(f"{self.fronts[-1].url}/api/v1", self.api_key) as api:
            try:
                told: dict[str, Any] = (await api.get(path)).json()
            except httpx.TransportError:
                return {"planned": None, "in_flight": None}
            return told


@dataclass
class Scene:
    """The two versions on one database and one broker."""

    old: Installation
    new: Installation
    simulator: SimulatorProcess
    database_url: str


@asynccontextmanager
async def scene(directory: Path, release: Path) -> AsyncIterator[Scene]:
    """`release`: an archive in `RELEASES`."""
    async with AsyncExitStack() as stack:
        postgres = await asyncio.to_thread(stack.enter_context, PostgresServer(durable=True))
        database_url = await stack.enter_async_context(postgres.new_database())
        nats = await asyncio.to_thread(stack.enter_context, NatsServer())
        simulator = await stack.enter_async_context(SimulatorProcess(directory / "fcm"))
        settings = {
            "DATA_DIR": str(directory / "data"),
            "DATABASE_URL": database_url,
            "BROKER_URL": nats.url("rolling"),
            "LISTEN": "127.0.0.1:0",
            "FCM_URL": simulator.base_url,
            "FCM_CA": simulator.ca_file,
            "SECRET_KEY": SECRET,
            "LOG": "debug,json",
        }
        code, old, new = (directory / name for name in ("code", "old", "new"))
        for folder in (code, old, new):
            folder.mkdir()
        await asyncio.to_thread(unpack, release, code)
        yield Scene(
            old=await stack.enter_async_context(installation(old, settings, code)),
            new=await stack.enter_async_context(installation(new, settings)),
            simulator=simulator,
            database_url=database_url,
        )


def unpack(release: Path, directory: Path) -> None:
    """Its package, with the revisions as they landed: before a release one may be completed."""
    with tarfile.open(release) as archive:
        for member in archive:
            if (content := archive.extractfile(member)) is not None:
                target = directory / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    for file in (directory / "clarion" / "storage" / "migrations" / "versions").glob("0*.py"):
        shutil.copy(MIGRATIONS / "versions" / file.name, file)


async def upgrade(scene: Scene, *, say: Say) -> Traffic:
    """All of it, under load; returns what went on, every promise kept."""
    made = await scene.old.command("migrate")
    before = (await scene.old.command("migrate", "--plan"))["before"]
    key_file = scene.old.directory / "key.json"
    key_file.write_bytes(msgspec.json.encode(scene.simulator.key("shop")))
    await scene.old.command("firebase-apps", "add", str(key_file))
    api_key = (await asyncio.to_thread(Path(made["key_file"]).read_text)).strip()
    traffic = Traffic(api_key, made["write_key"])
    old_front, old_middle, old_back = [await scene.old.run(*it) for it in (FRONT, MIDDLE, BACK)]
    await old_front.listening()
    traffic.fronts = [old_front]
    await traffic.register(DEVICES)
    async with api_client(f"{old_front.url}/api/v1", api_key) as api:
        await registered(api, DEVICES)
    await scene.simulator.faults(latency_ms=LATENCY_MS)
    say(f"three processes of the old version run, at revision {before}; {DEVICES} devices")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.apps())
        tasks.create_task(traffic.marketer())
        await _more(lambda: traffic.campaigns)
        await _more(lambda: _count(old_back, CAMPAIGN_SENT))
        await scene.new.command("migrate")
        after = (await scene.new.command("migrate", "--plan"))["before"]
        assert after == NEWEST > before
        await _more(lambda: traffic.campaigns, 2)
        say(f"the tables are at revision {after}; the old processes go on")

        new_front = await scene.new.run(*FRONT)
        await new_front.listening()
        traffic.fronts = [old_front, new_front]
        new_back = await scene.new.run(*BACK)
        await _more(lambda: _count(old_middle, TAKEN_IN), 2)
        await _more(lambda: _count(new_back, CAMPAIGN_SENT))
        await _more(lambda: traffic.campaigns)
        say("new collectors write jobs for old ingestors, new senders send what old ones planned")

        new_middle = await scene.new.run(*MIDDLE)
        assert await old_middle.stop() == 0
        await _more(lambda: _count(new_middle, TAKEN_IN))
        await _more(lambda: _count(new_middle, PLANNED))
        await _more(lambda: _count(old_back, CAMPAIGN_SENT))
        say("old collectors write jobs for new ingestors, old senders send what new ones planned")

        traffic.fronts = [new_front]
        assert set(await scene.old.stop()) == {0}
        await _more(lambda: traffic.campaigns)
        say("the old processes have stopped")
        traffic.ends = True
    await _account(scene, traffic)
    say(
        f"{traffic.events:,} events and {traffic.campaigns * DEVICES + traffic.pushes:,} pushes of "
        f"{traffic.campaigns} campaigns: lost 0, doubled 0; {traffic.refused} calls made again"
    )
    return traffic


def _count(process: Process, line: str) -> int:
    """How often a process has said so in its log."""
    assert process.is_running, process.log.read_text()[-2_000:]
    return len(re.findall(line, process.log.read_text()))


async def _more(count: Callable[[], int], by: int = 1) -> None:
    """Returns when there are more than now."""
    goal = count() + by

    async def ask() -> int:
        return await asyncio.to_thread(count)

    await until(ask, lambda now: now >= goal)


async def _account(scene: Scene, traffic: Traffic) -> None:
    """What was promised against what is there."""
    database = Database(scene.database_url)
    seen = events.c.name == "Seen"
    found = select(func.count(), func.count(events.c.message_id.distinct())).where(seen)

    async def taken_in() -> tuple[int, int]:
        async with database.engine.connect() as connection:
            rows, ids = (await connection.execute(found)).one()
            return rows, ids

    # What waits when the last call is answered is still to be taken in.
    await until(taken_in, lambda count: count[0] >= traffic.events)
    assert await taken_in() == (traffic.events, traffic.events)
    await database.close()
    expected = traffic.campaigns * DEVICES + traffic.pushes
    told = await until(scene.simulator.stats, lambda stats: bool(stats["accepted"] >= expected))
    assert told["accepted"] == told["distinct_pushes"] == expected, (told, expected)
    assert told["repeated_pushes"] == 0 and told["distinct_tokens"] == DEVICES, told


async def main() -> None:
    begun = monotonic()

    def say(sentence: str) -> None:
        print(f"{monotonic() - begun:6.1f} s  {sentence}", flush=True)

    for release in ARCHIVES:
        with TemporaryDirectory(prefix="clarion-rolling-") as directory:
            async with scene(Path(directory), release) as both:
                await upgrade(both, say=say)
                assert set(await both.new.stop()) == {0}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
