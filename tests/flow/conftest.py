"""The `clarion` command on an empty installation."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from fakes.command import Clarion


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty installation: the settings of this test alone."""
    for name in [name for name in os.environ if name.startswith("CLARION_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLARION_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def clarion(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Clarion]:
    """A command sets up the logs of its process, which here is the next test's too."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield Clarion(home, capsys)
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.reset_defaults()
