"""What Clarion's sender makes of every answer that the simulator can give; the words that were seen
since 2026 are told in `test_fcm_response`."""

import pytest

from clarion.deliveries.provider import (
    Misconfigured,
    Platform,
    Rejected,
    Throttled,
    Unavailable,
    Unregistered,
)
from clarion.providers.fcm.response import StaleAccessToken, read
from fcm_simulator.fcm import outcomes
from fcm_simulator.fcm.outcomes import Trouble, answer

PROJECT = "shop-1"

READ = {
    Unregistered: {
        "mismatch",
        "dead",
        "dead-entity",
        "dead-disabled",
        "dead-apns",
        "malformed",
        "malformed-field",
        "malformed-argument",
        "malformed-bare",
        "apns-disabled",
        "apns-unexplained",
    }
    | {"apns-dead", "apns-bad", "apns-topic"},
    Rejected: {"type-fault", "unaddressed", "unknown-field", "payload", "payload-bare"},
    Misconfigured: {"not-found", "denied", "disabled", "forbidden"}
    | {"authless-key", "authless-unrelated"}
    | {"authless", "authless-environment", "authless-missing", "authless-web"},
    StaleAccessToken: {
        "unauthorized",
        "credentials-missing",
        "credentials-invalid",
        "credentials-expired",
    },
    Throttled: {"throttled", "throttled-device", "throttled-topic"},
    Unavailable: {"internal", "unavailable", "html", "unspecified"}
    | {"cancelled", "aborted", "unavailable-marked", "unavailable-wrapped"},
}


@pytest.mark.parametrize("name", sorted(outcomes.ANSWERS))
def test_an_answer_is_read_as_what_it_means(name: Trouble) -> None:
    reply = answer(name, PROJECT, None)
    outcome = read(reply.status, reply.body, platform=Platform.IOS, retry_after_seconds=None)
    assert [kind for kind, names in READ.items() if name in names] == [type(outcome)]
