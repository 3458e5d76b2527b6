"""The real firebase-admin of npm against the simulator, which it takes for Google: over TLS, HTTP/2
for many messages and HTTP/1.1 for one; and every error that it knows."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fcm_simulator.process import SimulatedFcm
from support import npm
from support.chromium import CLIENTS, unpack

pytestmark = pytest.mark.xdist_group("google clients")

ERRORS = {
    "dead-1": "registration-token-not-registered",
    "dead-entity-1": "registration-token-not-registered",
    "dead-apns-1": "registration-token-not-registered",
    "mismatch-1": "mismatched-credential",
    "denied-1": "mismatched-credential",
    "disabled-1": "mismatched-credential",
    "authless-1": "third-party-auth-error",
    "authless-web-1": "third-party-auth-error",
    "credentials-invalid-1": "third-party-auth-error",
    "throttled-1": "message-rate-exceeded",
    "throttled-device-1": "message-rate-exceeded",
    "throttled-topic-1": "message-rate-exceeded",
    "malformed-1": "invalid-argument",
    "apns-dead-1": "invalid-argument",
    "payload-1": "invalid-argument",
    "payload-bare-1": "invalid-argument",
    "type-fault-1": "invalid-argument",
    "internal-1": "internal-error",
    "unspecified-1": "unknown-error",
    "cancelled-1": "unknown-error",
    "forbidden-1": "authentication-error",
    "unauthorized-1": "authentication-error",
    "html-1": "unknown-error",
    "not-found-1": "unknown-error",
}
RETRIED = {"unavailable-1": "server-unavailable"}
"""It tries this five times."""


class Firebase:
    """The client, in a Node.js of its own."""

    def __init__(self, fcm: SimulatedFcm, key_file: Path) -> None:
        npm.installed(CLIENTS, unpack)
        port = str(urlsplit(fcm.base_url).port)
        env = {**npm.environment(), "NODE_EXTRA_CA_CERTS": fcm.ca_file}
        for name in [name for name in env if name.lower().endswith("_proxy")]:
            del env[name]
        self._process = subprocess.Popen(
            [str(npm.NODE), "firebase.mjs", str(key_file), port],
            cwd=CLIENTS,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, method: str, *args: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *args]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def send(self, dry_run: bool = False, **message: Any) -> str:
        """One, over HTTP/1.1: its id, or its error."""
        return said(self.call("send", message, dry_run))

    def send_each(self, *messages: dict[str, Any]) -> list[str]:
        """Many, over HTTP/2: of each its id, or its error."""
        return [said(one) for one in self.call("sendEach", messages)["responses"]]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def said(reply: dict[str, Any]) -> str:
    error = reply.get("error", reply)
    if "code" in error:
        return str(error["code"]).removeprefix("messaging/")
    return str(reply.get("messageId") or reply["value"])


@pytest.fixture
def firebase(fcm: SimulatedFcm, key_file: Path) -> Iterator[Firebase]:
    fcm.faults(retry_after=0)
    firebase = Firebase(fcm, key_file)
    yield firebase
    firebase.close()


def test_it_sends_a_message_with_everything_over_both_versions(
    fcm: SimulatedFcm, firebase: Firebase
) -> None:
    message: dict[str, Any] = {
        "token": "token-1",
        "data": {"a": "b"},
        "notification": {"title": "Hello", "body": "There is news", "imageUrl": "https://x.example/y"},
        "android": {
            "ttl": 3_600_000,
            "priority": "high",
            "notification": {
                "tag": "t",
                "color": "#1a73e8",
                "visibility": "private",
                "priority": "max",
                "vibrateTimingsMillis": [100],
                "lightSettings": {
                    "color": "#aabbccdd",
                    "lightOnDurationMillis": 100,
                    "lightOffDurationMillis": 200,
                },
            },
        },
        "apns": {
            "headers": {"apns-priority": "10"},
            "payload": {"aps": {"badge": 1, "sound": "default"}},
        },
        "webpush": {"notification": {"title": "Hello"}, "fcmOptions": {"link": "https://x.example"}},
        "fcmOptions": {"analyticsLabel": "label-1"},
    }  # fmt: skip
    names = [firebase.send(**message), *firebase.send_each(message, {"fid": "F1", "data": {}})]
    found = fcm.messages()
    assert [one["name"] for one in found] == names
    assert [one["token"] for one in found] == ["token-1", "token-1", "F1"]
    assert found[0]["android"] == found[1]["android"]
    assert found[0]["android"]["notification"]["visibility"] == "PRIVATE"
    assert fcm.stats()["grants"] == 1, "an assertion without the id of a key"


def test_it_sends_to_topics_and_conditions(fcm: SimulatedFcm, firebase: Firebase) -> None:
    both = "'news' in topics && 'sport' in topics"
    firebase.send(topic="news", data={})
    firebase.send_each({"condition": both, "data": {}})
    assert [message["token"] for message in fcm.messages()] == ["news", both]


@pytest.mark.parametrize("is_http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_it_knows_each_error(fcm: SimulatedFcm, firebase: Firebase, is_http2: bool) -> None:
    tokens = {"good-1": None, **ERRORS, "good-2": None}
    if is_http2:
        tokens |= RETRIED
        found = firebase.send_each(*({"token": token} for token in tokens))
    else:
        found = [firebase.send(token=token) for token in tokens]
    errors = dict(zip(tokens, found, strict=True))
    assert {token: errors[token] for token in tokens if tokens[token]} == {
        token: error for token, error in tokens.items() if error
    }
    assert fcm.stats()["accepted"] == 2
    if is_http2:
        assert fcm.stats()["replies"]["unavailable"] == 5


def test_an_installation_id_that_was_never_registered_has_an_error_of_its_own(
    fcm: SimulatedFcm, firebase: Firebase
) -> None:
    fcm.register({"token": "F1:a", "fid": "F1", "reached_by": "token"})
    (by_fid, by_token, by_name) = firebase.send_each(
        {"fid": "F1", "data": {}}, {"token": "F1:a", "data": {}}, {"fid": "fidless-1", "data": {}}
    )
    assert by_fid == by_name == "installation-id-not-registered"
    assert by_token.startswith("projects/")


def test_a_dry_run_is_validated_and_not_kept(fcm: SimulatedFcm, firebase: Firebase) -> None:
    assert firebase.send(dry_run=True, token="token-1").endswith("/fake_message_id")
    assert firebase.send(dry_run=True, token="dead-1") == ERRORS["dead-1"]
    assert fcm.messages() == []


def test_an_access_token_that_expired_is_an_error_until_it_is_renewed(
    fcm: SimulatedFcm, firebase: Firebase
) -> None:
    """It keeps an access token until five minutes before its end, whatever FCM says of it."""
    fcm.faults(expire_access_tokens=True)
    assert firebase.send(token="a").startswith("projects/")
    fcm.faults(expire_access_tokens=True)
    assert firebase.send(token="b") == "third-party-auth-error"


def test_a_key_that_was_deleted_is_said(fcm: SimulatedFcm, firebase: Firebase) -> None:
    fcm.faults(oauth_refuses="key")
    reply = firebase.call("send", {"token": "a"})
    assert "invalid_grant" in json.dumps(reply)
    assert fcm.stats()["replies"] == {}


def test_an_answer_that_was_lost_makes_it_send_twice(fcm: SimulatedFcm, firebase: Firebase) -> None:
    assert firebase.send(token="lost-once-1").startswith("projects/")
    stats = fcm.stats()
    assert (stats["accepted"], stats["repeated_pushes"]) == (2, 1)


def test_who_subscribes_to_a_topic_is_reached_by_it(fcm: SimulatedFcm, firebase: Firebase) -> None:
    made = firebase.call("subscribeToTopic", ["F1:a", "F2:b", "dead-1"], "news")
    assert (made["successCount"], made["failureCount"]) == (2, 1)
    assert [(one["index"], said(one)) for one in made["errors"]] == [(2, ERRORS["dead-1"])]
    firebase.send(topic="news", data={})
    left = firebase.call("unsubscribeFromTopic", ["F1:a"], "news")
    assert left["successCount"] == 1
    firebase.send(topic="news", data={})
    assert [message["reached"] for message in fcm.messages()] == [2, 1]


def test_the_older_calls_for_topics_follow_and_leave_the_same(
    fcm: SimulatedFcm, firebase: Firebase
) -> None:
    tokens = ["F1:a", "F2:b", "dead-1", "malformed-1"]
    made = firebase.call("subscribeToTopicLegacy", tokens, "/topics/news")
    assert made["successCount"] == 2
    assert [(one["index"], said(one)) for one in made["errors"]] == [
        (2, "registration-token-not-registered"),
        (3, "invalid-registration-token"),
    ]
    assert fcm.stats()["topics"] == 2
    for _ in range(2):
        left = firebase.call("unsubscribeFromTopicLegacy", ["F1:a"], "news")
        assert left["successCount"] == 1
    firebase.send(topic="news", data={})
    assert [message["reached"] for message in fcm.messages()] == [1]
