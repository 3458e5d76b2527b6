"""The simulator, and a key for it, for Google's clients."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fcm_simulator.process import SimulatedFcm, simulated_fcm
from harness import fcm as fcm
from harness import key_file as key_file

PROJECT = "shop-1"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedFcm, Path]]:
    """With a file of its key."""
    directory = tmp_path_factory.mktemp("simulator")
    file = directory / "key.json"
    with simulated_fcm(directory) as fcm:
        file.write_text(json.dumps(fcm.key(PROJECT)))
        yield fcm, file
