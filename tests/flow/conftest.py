"""The `clarion` command, on an installation without anything in it, or where there is none."""

import asyncio
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from clarion.cli.installation.first_start import prepare
from clarion.clock import SystemClock
from clarion.config import Settings, read_settings
from clarion.storage.database import Database
from support.command import Clarion


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nobody has started Clarion: the settings of this test alone."""
    for name in [name for name in os.environ if name.startswith("CLARION_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLARION_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as it is with a workspace and nothing else."""
    data = tmp_path_factory.mktemp("installed") / "data"
    settings = read_settings({"CLARION_DATA_DIR": str(data)})
    assert isinstance(settings, Settings)

    async def make() -> None:
        database = Database(settings.database_url)
        await prepare(settings, database, SystemClock())
        await database.close()

    asyncio.run(make())
    return data


@pytest.fixture
def clarion(bare: Clarion, installed: Path) -> Clarion:
    """Commands on an installation without anything in it."""
    shutil.copytree(installed, bare.home / "data")
    return bare


@pytest.fixture
def bare(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Clarion]:
    """Commands where there is none. Each sets up the logs of its process, which here is the next
    test's too."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield Clarion(home, capsys)
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.reset_defaults()
