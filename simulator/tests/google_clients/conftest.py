"""The simulator, and a key for it, for Google's clients."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fcm_simulator.process import SimulatedFcm, simulated_fcm

PROJECT = "shop-1"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedFcm, Path]]:
    """With a file of its key."""
    directory = tmp_path_factory.mktemp("simulator")
    file = directory / "key.json"
    with simulated_fcm(directory) as fcm:
        file.write_text(json.dumps(fcm.key(PROJECT)))
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
