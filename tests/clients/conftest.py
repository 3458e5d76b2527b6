"""A collector for the SDKs; the simulator, and a key for it, for Google's clients."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fcm_simulator.process import SimulatedFcm, simulated_fcm
from support.place import Place, new_place

PROJECT = "shop-1"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedFcm, Path]]:
    """With the file that `clarion simulator key` wrote."""
    directory = tmp_path_factory.mktemp("simulator")
    file = directory / "key.json"
    with simulated_fcm(directory) as fcm:
        command = ["simulator", "key", "--project", PROJECT, "--out", str(file)]
        command += ["--url", fcm.base_url, "--data-dir", str(directory)]
        subprocess.run([sys.executable, "-m", "clarion.cli", *command], check=True)
        yield fcm, file


@pytest.fixture
def fcm(simulated: tuple[SimulatedFcm, Path], monkeypatch: pytest.MonkeyPatch) -> SimulatedFcm:
    """With nothing counted or ordered; its authority is trusted as the clients' pages say."""
    fcm, _ = simulated
    fcm.reset()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", fcm.ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", fcm.ca_file)
    return fcm


@pytest.fixture
def key_file(simulated: tuple[SimulatedFcm, Path]) -> Path:
    return simulated[1]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with new_place(tmp_path) as found:
        yield found
