"""A collector for the SDKs; the simulator, and a key for it, for Google's clients."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fcm_simulator.process import SimulatedFcm, simulated_fcm
from harness import fcm as fcm
from harness import key_file as key_file
from support.place import Place, new_place
from support.ready_command import started

PROJECT = "shop-1"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedFcm, Path]]:
    """With the file that `clarion simulator key` wrote."""
    directory = tmp_path_factory.mktemp("simulator")
    file = directory / "key.json"
    with simulated_fcm(directory) as fcm:
        command = ["simulator", "key", "--project", PROJECT, "--out", str(file)]
        command += ["--url", fcm.base_url, "--data-dir", str(directory)]
        assert started(*command, environment=os.environ).wait() == 0
        yield fcm, file


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with new_place(tmp_path) as found:
        yield found
