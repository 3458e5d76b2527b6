"""The `clarion` command, run in the test's own process; `clarion serve` in another."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clarion.cli import run
from support.patience import PATIENCE
from support.ready_command import forked


class Clarion:
    """Runs commands in this process, each as `clarion …` would."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *tokens: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run(tokens)
        out, errors = self._capsys.readouterr()
        return code, out, errors

    def json(self, *tokens: str) -> Any:
        code, out, errors = self(*tokens, "--json")
        assert code == 0, errors
        return json.loads(out)

    def key_file(self, project: str = "shop") -> Path:
        file = self.home / f"{project}.json"
        code, _, errors = self("simulator", "key", "--project", project, "--out", str(file))
        assert code == 0, errors
        return file


@contextmanager
def serving(home: Path, port: int = 0) -> Iterator[tuple[str, list[str], "subprocess.Popen[str]"]]:
    """`clarion serve` as a process: its address, what it printed before, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "clarion.cli", "serve"],
        env=_environment(home, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed: list[str] = []
    try:
        for line in process.stdout:
            if "listens on" in line:
                url = line.split("listens on ")[1].split()[0]
                yield url, printed, process
                break
            printed.append(line)
        else:
            assert process.stderr is not None
            raise AssertionError(process.stderr.read())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


@contextmanager
def quickly_serving(home: Path, place: str) -> Iterator[str]:
    """The same by a fork of what has loaded Clarion (`ready_command`), for tests that need no more
    than its address: to load costs more than most of them."""
    with forked(place, ("serve",), home, _environment(home, 0)) as printed:
        for line in printed:
            if "listens on" in line:
                yield line.split("listens on ")[1].split()[0]
                return
        raise AssertionError("clarion serve has ended")


def _environment(home: Path, port: int) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name[:8] != "CLARION_"}
    return own | {
        "CLARION_DATA_DIR": str(home / "data"),
        "CLARION_LISTEN": f"127.0.0.1:{port}",
        "CLARION_FCM_URL": "https://127.0.0.1:1",
        "PYTHONUNBUFFERED": "1",
    }
