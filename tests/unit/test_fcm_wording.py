"""What FCM's sentences mean, however they are worded."""

import pytest

from clarion.providers.fcm.error_text import (
    apns_configuration,
    is_type_fault,
    limits_one_device,
    reason_of_end,
)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("The registration token is not a valid FCM registration token", "malformed_token"),
        ("The registration token is not a valid FCM registration token.", "malformed_token"),
        ("Invalid registration token", "malformed_token"),
        ("Invalid registration token: it ends too soon", "malformed_token"),
        ("InvalidRegistration", "malformed_token"),
        ("invalid-registration-token", "malformed_token"),
        ("The installation ID is invalid", "malformed_token"),
        ("NotRegistered", "unregistered"),
        ("Unregistered.", "unregistered"),
        ("registration-token-not-registered", "unregistered"),
        ("The registration token is no longer valid", "unregistered"),
        ("Error: NotRegistered", "unregistered"),
        ("APNs device token is disabled.", "apns_unregistered"),
        ("The APNs device token has expired", "apns_unregistered"),
        ("BadDeviceToken", "apns_bad_token"),
        ("Bad device token.", "apns_bad_token"),
        ("DeviceTokenNotForTopic", "apns_bad_token"),
        ("SenderId mismatch", "sender_mismatch"),
        ("MismatchSenderId", "sender_mismatch"),
    ],
)
def test_a_sentence_that_says_dead_says_why(sentence: str, reason: str) -> None:
    assert reason_of_end(sentence) == reason


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        ":",
        "Requested entity was not found.",
        "Request contains an invalid argument.",
        "Recipient of the message is not set.",
        "Invalid value at 'message.token' (TYPE_STRING), 12",
        "Firebase app is not registered",
        "Registration token and topic cannot both be set",
        "The access token is not valid",
        "Invalid token",
        "Topic names may not hold a registration token",
        "Android message is too big",
        "The caller does not have permission",
        "Invalid registration token format in your topic condition",
    ],
)
def test_no_other_sentence_ends_a_registration(sentence: str) -> None:
    assert reason_of_end(sentence) is None


def test_apples_words_about_keys_and_topics_are_known_wherever_they_stand() -> None:
    for word in ("BadEnvironmentKeyIdInToken", "UnrelatedKeyIdInToken", "BadCertificate"):
        assert apns_configuration(word) == word
        assert apns_configuration(f"Auth error from APNS: {word} (403)") == word
    assert apns_configuration("Forbidden") == "Forbidden"
    for text in ("BadDeviceToken", "Access Forbidden by a proxy", "MissingTopicName", ""):
        assert apns_configuration(text) == ""


def test_a_fault_of_our_json_is_told_from_a_fault_of_the_token() -> None:
    assert is_type_fault("Invalid value at 'message.token' (TYPE_STRING), 12")
    assert is_type_fault("Invalid JSON payload received. Unknown name \"x\" at 'message.fid'")
    assert not is_type_fault("Invalid registration token")


@pytest.mark.parametrize(
    ("sentence", "is_one_devices"),
    [
        ("Device message rate exceeded", True),
        ("Too many messages per device", True),
        ("Message rate exceeded for this device", True),
        ("Message rate exceeded", False),
        ("Message rate exceeded for project device-shop", False),
        ("Quota exceeded for consumer 'projects/my-device-rate-limit'", False),
        ("Quota exceeded for project:one-device-messages", False),
        ("Quota exceeded for \"per device\" of 'device quota'", False),
    ],
)
def test_a_quota_is_a_devices_only_where_the_sentence_says_so(
    sentence: str, is_one_devices: bool
) -> None:
    assert limits_one_device(sentence) is is_one_devices
