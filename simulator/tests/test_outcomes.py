"""What can be ordered by name: of each row of FCM's answers, by a token's beginning and by plan."""

import json
from typing import Any

import pytest

from fcm_simulator.fcm import outcomes
from fcm_simulator.fcm.faults import Orders
from fcm_simulator.fcm.outcomes import Trouble, answer, named_by
from fcm_simulator.fcm.simulation import Fcm

PROJECT = "shop-1"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
APNS_ERROR = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"

# name: HTTP status, canonical status, FcmError, a part of the message, APNs' reason
ROWS: dict[str, tuple[int, str, str, str, str]] = {
    "dead": (404, "NOT_FOUND", "UNREGISTERED", "NotRegistered", ""),
    "dead-entity": (404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found.", ""),
    "dead-disabled": (404, "NOT_FOUND", "UNREGISTERED", "APNs device token is disabled.", ""),
    "dead-apns": (404, "NOT_FOUND", "UNREGISTERED", "NotRegistered", "Unregistered"),
    "malformed": (
        400,
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "The registration token is not a valid FCM registration token",
        "",
    ),
    "malformed-field": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "not a valid FCM", ""),
    "malformed-argument": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Request contains", ""),
    "malformed-bare": (
        400,
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "Invalid registration token",
        "",
    ),
    "apns-disabled": (
        400,
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "APNs device token is disabled.",
        "",
    ),
    "apns-unexplained": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "BadDeviceToken", ""),
    "apns-dead": (
        400,
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "APNs device token is disabled.",
        "Unregistered",
    ),
    "apns-bad": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "", "BadDeviceToken"),
    "apns-topic": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "", "DeviceTokenNotForTopic"),
    "unaddressed": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Recipient of the message", ""),
    "unknown-field": (400, "INVALID_ARGUMENT", "", "Invalid JSON payload received.", ""),
    "type-fault": (400, "INVALID_ARGUMENT", "", "Invalid value at 'message.token'", ""),
    "payload": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Android message is too big", ""),
    "payload-bare": (400, "INVALID_ARGUMENT", "", "Request contains an invalid argument.", ""),
    "mismatch": (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch", ""),
    "denied": (403, "PERMISSION_DENIED", "", "'cloudmessaging.messages.create' denied", ""),
    "disabled": (403, "PERMISSION_DENIED", "", "it is disabled", ""),
    "credentials-missing": (401, "UNAUTHENTICATED", "", "Request is missing required", ""),
    "credentials-invalid": (401, "UNAUTHENTICATED", "", "Request had invalid", ""),
    "credentials-expired": (401, "UNAUTHENTICATED", "", "Request had invalid", ""),
    "authless": (
        401,
        "UNAUTHENTICATED",
        "THIRD_PARTY_AUTH_ERROR",
        "Auth error from APNS or Web Push Service",
        "InvalidProviderToken",
    ),
    "authless-environment": (
        401,
        "UNAUTHENTICATED",
        "THIRD_PARTY_AUTH_ERROR",
        "Auth error",
        "BadEnvironmentKeyInToken",
    ),
    "authless-key": (
        401,
        "UNAUTHENTICATED",
        "THIRD_PARTY_AUTH_ERROR",
        "Auth error",
        "BadEnvironmentKeyIdInToken",
    ),
    "authless-unrelated": (
        401,
        "UNAUTHENTICATED",
        "THIRD_PARTY_AUTH_ERROR",
        "Auth error",
        "UnrelatedKeyIdInToken",
    ),
    "authless-missing": (
        401,
        "UNAUTHENTICATED",
        "THIRD_PARTY_AUTH_ERROR",
        "Request is missing required",
        "InvalidProviderToken",
    ),
    "authless-web": (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "Auth error", ""),
    "throttled": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Message rate exceeded", ""),
    "throttled-device": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Device message rate", ""),
    "throttled-topic": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Topic quota exceeded.", ""),
    "cancelled": (499, "CANCELLED", "", "cancelled", ""),
    "aborted": (409, "ABORTED", "", "aborted", ""),
    "internal": (500, "INTERNAL", "INTERNAL", "Internal error encountered.", ""),
    "unavailable": (503, "UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable.", ""),
    "unspecified": (500, "UNKNOWN", "UNSPECIFIED_ERROR", "", ""),
}
PAGES = {"html": 502, "not-found": 404, "forbidden": 403}
BARE = {"unauthorized": (401, b"")}
DISGUISED = {"unavailable-marked": b"\xef\xbb\xbf{", "unavailable-wrapped": b"[{"}
"""How the body begins of an answer that is another's, with something about it."""


def detail(error: dict[str, Any], kind: str) -> dict[str, Any]:
    return next((one for one in error.get("details", ()) if one["@type"] == kind), {})


def test_every_answer_is_told_here() -> None:
    assert ROWS.keys() | PAGES.keys() | BARE.keys() | DISGUISED.keys() == outcomes.ANSWERS


@pytest.mark.parametrize("name", ROWS)
def test_an_answer_is_built_as_google_builds_it(name: str) -> None:
    status, canonical, code, words, apns_reason = ROWS[name]
    reply = answer(Trouble(name), PROJECT, None)
    error = json.loads(reply.body)["error"]
    assert (reply.status, error["code"], error["status"]) == (status, status, canonical)
    assert words in error["message"]
    assert detail(error, FCM_ERROR).get("errorCode", "") == code
    assert detail(error, APNS_ERROR).get("reason", "") == apns_reason


@pytest.mark.parametrize("name", PAGES)
def test_some_answers_are_pages(name: str) -> None:
    reply = answer(Trouble(name), PROJECT, None)
    assert (reply.status, reply.is_html) == (PAGES[name], True)


@pytest.mark.parametrize("name", BARE)
def test_some_answers_are_a_status_alone(name: str) -> None:
    reply = answer(Trouble(name), PROJECT, None)
    assert (reply.status, reply.body) == BARE[name]


@pytest.mark.parametrize("name", DISGUISED)
def test_some_answers_have_something_about_them(name: str) -> None:
    reply = answer(Trouble(name), PROJECT, 7)
    plain = answer(Trouble(name.partition("-")[0]), PROJECT, 7)
    assert (reply.status, reply.retry_after) == (plain.status, 7)
    assert reply.body.startswith(DISGUISED[name])
    assert plain.body in reply.body


@pytest.mark.parametrize("name", sorted(outcomes.ANSWERS))
def test_an_answer_comes_by_plan_and_by_the_tokens_beginning(name: Trouble) -> None:
    fcm = Fcm()
    fcm.faults.order(Orders(retry_after=0), 0.0)
    told = answer(name, PROJECT, None)
    fcm.faults.order(Orders(plan=[name]), 0.0)
    assert send(fcm, "any") == (told.status, told.body)
    assert send(fcm, f"{name}-7") == (told.status, told.body)
    assert send(fcm, f"{name}-7") == (told.status, told.body)
    assert send(fcm, f"{name}-once-7") == (told.status, told.body)
    assert send(fcm, f"{name}-once-7")[0] == 200


def send(fcm: Fcm, token: str) -> tuple[int, bytes]:
    reply = fcm.send(PROJECT, json.dumps({"message": {"token": token}}).encode())
    return reply.status, reply.body


@pytest.mark.parametrize(
    ("token", "found"),
    [
        ("dead", None),
        ("deadly-1", None),
        ("ok-1", None),
        ("once-1", None),
        ("cZ3:APA91b-dead-1", None),
        ("dead-1", (Trouble.DEAD, False)),
        ("dead-once", (Trouble.DEAD, False)),
        ("dead-once-1", (Trouble.DEAD, True)),
        ("dead-apns-1", (Trouble.DEAD_APNS, False)),
        ("apns-1", None),
        ("quota-1", (Trouble.THROTTLED, False)),
        ("quota-once-1", (Trouble.THROTTLED, True)),
        ("quota-device-once-1-2", (Trouble.THROTTLED_DEVICE, True)),
        ("quota-topic-1", (Trouble.THROTTLED_TOPIC, False)),
        ("flaky-1", (Trouble.UNAVAILABLE, True)),
        ("lost-once-1", (Trouble.LOST, True)),
    ],
)
def test_a_token_names_what_becomes_of_it(token: str, found: object) -> None:
    assert named_by(token) == found


def test_an_app_that_is_gone_takes_one_push_and_a_dry_run_is_none() -> None:
    fcm = Fcm()
    dry = b'{"message":{"token":"gone-1"},"validateOnly":true}'
    assert [fcm.send(PROJECT, dry).status for _ in range(2)] == [200, 200]
    assert [send(fcm, "gone-1")[0] for _ in range(3)] == [200, 404, 404]
    assert fcm.send(PROJECT, dry).status == 404


def test_an_installation_id_that_was_read_and_never_registered_is_unregistered() -> None:
    fcm = Fcm()

    def reply(**target: str) -> int:
        return fcm.send(PROJECT, json.dumps({"message": target}).encode()).status

    assert reply(fid="fidless-7") == reply(token="fidless-7") == 404
    assert reply(token="fidless-7:APA91b") == 200
    assert reply(fid="fidless-7") == 404
    assert reply(token="fidless-7:APA91b") == 200


def test_retry_after_is_what_was_ordered() -> None:
    fcm = Fcm()
    fcm.faults.order(Orders(retry_after=7, outage_retry_after=9), 0.0)
    for token, seconds in {"throttled-1": 7, "throttled-topic-1": 7, "unavailable-1": 9}.items():
        body = json.dumps({"message": {"token": token}}).encode()
        assert fcm.send(PROJECT, body).retry_after == seconds
