"""Processes that are forked of a loaded Clarion are processes as any other."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.patience import PATIENCE, patience
from support.ready_command import Started

VERSION = ("--version",)
SLEEPS = """
import sys
from pathlib import Path
from support.ready_command import Started
process = Started("support.sleeper", (), environment={}, directory=Path(sys.argv[1]))
print(process.pid, flush=True)
sys.stdin.read()
"""


def test_a_process_has_an_exit_code_and_streams_of_its_own(tmp_path: Path) -> None:
    process = Started(
        "clarion.cli", VERSION, environment={}, directory=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, errors = process.communicate()
    assert (process.wait(), out.count(b"."), errors) == (0, 2, b"")
    wrong = Started(
        "clarion.cli", ("nothing",), environment={}, directory=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert b"nothing" in wrong.communicate()[1]
    assert wrong.wait() == 2


def test_a_process_that_is_killed_says_by_what(tmp_path: Path) -> None:
    process = Started("support.sleeper", (), environment={}, directory=tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    assert process.poll() is None
    process.kill()
    assert process.wait() == -signal.SIGKILL


async def test_several_may_wait_for_the_end_of_a_process(tmp_path: Path) -> None:
    process = Started("support.sleeper", (), environment={}, directory=tmp_path)
    waiting = [asyncio.create_task(process.ended()) for _ in range(3)]
    await asyncio.sleep(0)
    process.terminate()
    async with patience():
        assert await asyncio.gather(*waiting) == [-signal.SIGTERM] * 3
        assert await process.ended() == -signal.SIGTERM


def test_nothing_that_was_forked_outlives_the_tests(tmp_path: Path) -> None:
    path = os.pathsep.join(folder for folder in sys.path if folder)
    tests = subprocess.Popen(
        [sys.executable, "-c", SLEEPS, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert tests.stdout is not None
    pid = int(tests.stdout.readline())
    descriptor = os.pidfd_open(pid)
    tests.kill()
    tests.communicate(timeout=PATIENCE)
    ended, _, _ = select.select([descriptor], [], [], PATIENCE)
    os.close(descriptor)
    assert ended
