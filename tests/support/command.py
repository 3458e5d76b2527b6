"""The `clarion` command, run in the test's own process."""

import json
from pathlib import Path
from typing import Any

import pytest

from clarion.cli import run


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
