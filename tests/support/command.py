"""The `clarion` command, run in the test's own process; `clarion serve` in another."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clarion.cli import run
from support.ready_command import Program, started


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
def serving(
    home: Path, port: int = 0, *, real: bool = False
) -> Iterator[tuple[str, list[str], Program]]:
    """`clarion serve` as a process: its address, what it printed before, and the process; `real`:
    from its interpreter on."""
    process = started(
        "serve", real=real, environment=_environment(home, port), directory=home,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    printed: list[str] = []
    try:
        for line in iter(process.stdout.readline, b""):
            if b"listens on" in line:
                url = line.decode().split("listens on ")[1].split()[0]
                yield url, printed, process
                break
            printed.append(line.decode())
        else:
            assert process.stderr is not None
            raise AssertionError(process.stderr.read())
    finally:
        process.kill()
        process.communicate()


def _environment(home: Path, port: int) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name[:8] != "CLARION_"}
    return own | {
        "CLARION_DATA_DIR": str(home / "data"),
        "CLARION_LISTEN": f"127.0.0.1:{port}",
        "CLARION_FCM_URL": "https://127.0.0.1:1",
        "PYTHONUNBUFFERED": "1",
    }
