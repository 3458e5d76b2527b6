"""What the tests share: how long they wait, and Google's clients on this machine alone.

Who takes `fcm` or `key_file` has a fixture `simulated`: a simulator and the file of a key for it.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.oauth2.service_account import Credentials

from fcm_simulator.process import SimulatedFcm

PATIENCE = float(os.environ.get("TESTS_PATIENCE", "300"))
"""Seconds to wait for what must come: the bound only ends a test that would wait for ever."""


def keep_home(credentials: Credentials) -> Credentials:
    """google-auth asks Google in the background where an account may be used. Told beforehand, it
    does not."""
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    known: Credentials = credentials._set_regional_access_boundary(
        {"encodedLocations": "0x0", "expiry": tomorrow}
    )
    return known


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
