"""What a process depends on goes away without a word: it says so, and it still ends when it is
asked to."""

from pathlib import Path

import httpx
import pytest

from clarion.watchdog import EXIT_CODE, Watchdog, is_exhausted
from support.nats import NatsServer
from support.postgres import PostgresServer
from support.processes import Process, installation, until
from support.relay import Relay, relay

PATIENCE = 60


async def ready(url: str) -> int:
    async with httpx.AsyncClient(timeout=30) as client:
        return (await client.get(f"{url}/readyz")).status_code


@pytest.mark.parametrize("roles", [(), ("collector", "sender")], ids=["serve", "run"])
async def test_a_silent_postgresql_is_not_ready_and_keeps_nobody_from_ending(
    postgres: PostgresServer, tmp_path: Path, roles: tuple[str, ...]
) -> None:
    async with relay(postgres.port) as wire, postgres.new_database() as url:
        settings = {
            "DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": url.replace(f":{postgres.port}/", f":{wire.port}/"),
            "LISTEN": "127.0.0.1:0",
            "SECRET_KEY": "secret of this test",
        }
        async with installation(tmp_path, settings) as here:
            await here.command("migrate")
            await holds_nobody_up(await (here.run(*roles) if roles else here.serve()), wire)


async def test_a_silent_nats_is_not_ready_and_keeps_nobody_from_ending(tmp_path: Path) -> None:
    with NatsServer() as nats:
        async with relay(nats.port) as wire:
            settings = {
                "DATA_DIR": str(tmp_path / "data"),
                "BROKER_URL": f"nats://127.0.0.1:{wire.port}",
                "LISTEN": "127.0.0.1:0",
            }
            async with installation(tmp_path, settings) as here:
                await holds_nobody_up(await here.serve(), wire)


async def holds_nobody_up(process: Process, wire: Relay) -> None:
    url = await process.listening()
    await until(lambda: ready(url), lambda status: status == 200, seconds=PATIENCE)
    wire.is_deaf = True
    wire.swallow()
    await until(lambda: ready(url), lambda status: status == 503, seconds=PATIENCE)
    assert await process.stop() in (0, EXIT_CODE)


async def test_a_file_that_was_removed_is_not_ready_and_takes_no_calls(tmp_path: Path) -> None:
    settings = {"DATA_DIR": str(tmp_path / "data"), "LISTEN": "127.0.0.1:0"}
    async with installation(tmp_path, settings) as here:
        key = (await here.command("migrate"))["write_key"]
        process = await here.serve()
        url = await process.listening()
        (tmp_path / "data" / "clarion.db").unlink()
        async with httpx.AsyncClient(base_url=url, auth=(key, ""), timeout=30) as client:
            event = {"event": "Seen", "userId": "u"}
            assert (await client.post("/v1/track", json=event)).status_code == 503
        assert await ready(url) == 503
        assert await process.stop() == 0
        assert "removed or replaced" in here.logs()
        assert not (tmp_path / "data" / "clarion.db").exists()


def watched(why: str | None) -> tuple[Watchdog, list[int]]:
    codes: list[int] = []
    dog = Watchdog(why_broken=lambda: why, look_seconds=0.01, end=codes.append)
    dog.start()
    return dog, codes


def soon(codes: list[int], thread: Watchdog) -> list[int]:
    thread._thread.join(PATIENCE)
    return codes


def test_what_does_not_end_in_time_is_ended_hard() -> None:
    dog, codes = watched(None)
    dog.end_within(0.05)
    assert soon(codes, dog) == [EXIT_CODE]


def test_what_can_never_work_again_is_ended_hard() -> None:
    dog, codes = watched("a thread has died")
    assert soon(codes, dog) == [EXIT_CODE]


def test_what_ends_by_itself_is_left_alone() -> None:
    dog, codes = watched(None)
    dog.end_within(PATIENCE * 10)
    dog.close()
    assert soon(codes, dog) == []


@pytest.mark.parametrize(
    ("error", "is_so"),
    [
        (MemoryError(), True),
        (RuntimeError("can't start new thread"), True),
        (ExceptionGroup("", [ValueError(), ExceptionGroup("", [MemoryError()])]), True),
        (RuntimeError("another"), False),
        (OSError(12, "Cannot allocate memory"), True),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_limits_of_the_process_itself_are_known(error: Exception, is_so: bool) -> None:
    assert is_exhausted(error) is is_so
