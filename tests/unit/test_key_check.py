"""What FCM's answer to a push for nobody says of the key."""

import pytest

from clarion.deliveries.apps.key_check import KeyVerdict, verdict_on
from clarion.deliveries.provider import (
    Accepted,
    Misconfigured,
    Outcome,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Unregistered,
)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Accepted(), KeyVerdict.WORKS),
        (Unregistered(reason="malformed_token"), KeyVerdict.WORKS),
        (Rejected(reason="invalid_argument"), KeyVerdict.WORKS),
        (Misconfigured(reason="oauth_invalid_grant"), KeyVerdict.REFUSED),
        (Unavailable(reason="oauth_unreachable"), KeyVerdict.UNKNOWN),
        (Throttled(scope=ThrottleScope.APP), KeyVerdict.UNKNOWN),
    ],
)
def test_a_key_is_good_where_only_the_registration_is_not(
    outcome: Outcome, verdict: KeyVerdict
) -> None:
    assert verdict_on(outcome).verdict is verdict
