"""What the tests share: how long they wait, and Google's clients on this machine alone."""

import os
from datetime import UTC, datetime, timedelta

from google.oauth2.service_account import Credentials

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
