"""Names that mean something, in whatever spelling; and those that were meant to."""

import pytest

from clarion.events.messages.reserved import meant_name, plain_name


@pytest.mark.parametrize("name", ["Register Push", "REGISTER_PUSH", " register-push "])
def test_a_reserved_name_is_known_in_any_case_and_joined_by_anything(name: str) -> None:
    assert plain_name(name) == "register push"
    assert meant_name(name) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RegisterPush", "Register Push"),
        ("registr push", "Register Push"),
        ("Registered Push", "Register Push"),
        ("DeviceDeleted", "Device Deleted"),
        ("Application Open", "Application Opened"),
        ("push_notification_taped", "Push Notification Tapped"),
    ],
)
def test_a_slip_is_told_from_the_name_that_was_meant(name: str, meant: str) -> None:
    assert meant_name(name) == meant


@pytest.mark.parametrize(
    "name",
    ["Product Viewed", "Register", "Push", "Application Updated", "Application Crashed",
     "Application Installed", "Device Created", "Register Purchase", "Push Received", "a" * 900],
)  # fmt: skip
def test_another_name_is_left_alone(name: str) -> None:
    assert meant_name(name) is None
