"""The real firebase-admin against the simulator: what it sends, and every error that it knows."""

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import firebase_admin
import pytest
from firebase_admin import credentials, exceptions, messaging

from fcm_simulator.process import SimulatedFcm
from harness import keep_home

pytestmark = [
    pytest.mark.xdist_group("google clients"),
    # The client says so of each message with a token; FCM takes both.
    pytest.mark.filterwarnings("ignore:Message.token is deprecated"),
]

PROJECT = "shop-1"
ERRORS: dict[str, type[Exception]] = {
    "dead-1": messaging.UnregisteredError,
    "dead-apns-1": messaging.UnregisteredError,
    "mismatch-1": messaging.SenderIdMismatchError,
    "authless-1": messaging.ThirdPartyAuthError,
    "authless-missing-1": messaging.ThirdPartyAuthError,
    "throttled-1": messaging.QuotaExceededError,
    "throttled-device-1": messaging.QuotaExceededError,
    "malformed-1": exceptions.InvalidArgumentError,
    "apns-dead-1": exceptions.InvalidArgumentError,
    "payload-1": exceptions.InvalidArgumentError,
    "payload-bare-1": exceptions.InvalidArgumentError,
    "unknown-field-1": exceptions.InvalidArgumentError,
    "denied-1": exceptions.PermissionDeniedError,
    "disabled-1": exceptions.PermissionDeniedError,
    "credentials-invalid-1": exceptions.UnauthenticatedError,
    "not-found-1": exceptions.NotFoundError,
    "html-1": exceptions.UnknownError,
}
RETRIED: dict[str, type[Exception]] = {
    "internal-1": exceptions.InternalError,
    "unavailable-1": exceptions.UnavailableError,
}
"""It tries these five times, which takes it seven seconds."""


class Firebase:
    """The client, told of the simulator in the only way there is: it has no setting for it."""

    def __init__(self, fcm: SimulatedFcm, key_file: Path, seconds: float = 30) -> None:
        self.app = firebase_admin.initialize_app(
            credentials.Certificate(str(key_file)), {"httpTimeout": seconds}, name=uuid4().hex
        )
        keep_home(self.app.credential.get_credential())
        service = messaging._get_messaging_service(self.app)
        service._fcm_url = f"{fcm.base_url}/v1/projects/{PROJECT}/messages:send"
        service._fcm_topic_url = f"{fcm.base_url}/v1/projects/{PROJECT}/registrations"
        self._service = service

    def send(self, dry_run: bool = False, **message: Any) -> str:
        return messaging.send(messaging.Message(**message), dry_run=dry_run, app=self.app)

    def send_each(self, tokens: Any) -> messaging.BatchResponse:
        return messaging.send_each(messages(tokens), app=self.app)

    async def send_each_async(self, tokens: Any, dry_run: bool = False) -> messaging.BatchResponse:
        return await messaging.send_each_async(messages(tokens), dry_run=dry_run, app=self.app)

    async def close(self) -> None:
        """What was opened in an event loop has to be closed there, which it forgets itself."""
        await self._service._async_client.aclose()


def messages(tokens: Any) -> list[messaging.Message]:
    return [messaging.Message(token=token) for token in tokens]


def errors(batch: messaging.BatchResponse) -> list[type[Exception] | None]:
    return [response.exception and type(response.exception) for response in batch.responses]


@pytest.fixture
def firebase(fcm: SimulatedFcm, key_file: Path) -> Iterator[Firebase]:
    fcm.faults(retry_after=0)
    firebase = Firebase(fcm, key_file)
    yield firebase
    firebase_admin.delete_app(firebase.app)


def test_it_sends_a_message_with_everything(fcm: SimulatedFcm, firebase: Firebase) -> None:
    name = firebase.send(
        token="token-1",
        data={"a": "b"},
        notification=messaging.Notification("Hello", "There is news", "https://x.example/y.png"),
        android=messaging.AndroidConfig(
            ttl=3_600,
            priority="high",
            notification=messaging.AndroidNotification(
                tag="t",
                visibility="private",
                priority="max",
                vibrate_timings_millis=[100],
                event_timestamp=datetime(2026, 1, 1),
                light_settings=messaging.LightSettings("#aabbccdd", 100, 200),
            ),
        ),
        apns=messaging.APNSConfig(
            headers={"apns-priority": "10"},
            payload=messaging.APNSPayload(messaging.Aps(badge=1, sound="default")),
            live_activity_token="activity",
        ),
        webpush=messaging.WebpushConfig(
            notification=messaging.WebpushNotification("Hello"),
            fcm_options=messaging.WebpushFCMOptions(link="https://example.com"),
        ),
        fcm_options=messaging.FCMOptions(analytics_label="label-1"),
    )
    (found,) = fcm.messages()
    assert (found["name"], found["token"], found["data"]) == (name, "token-1", {"a": "b"})
    assert found["android"]["notification"]["visibility"] == "PRIVATE"


def test_it_sends_to_topics_conditions_and_installations(
    fcm: SimulatedFcm, firebase: Firebase
) -> None:
    both = "'news' in topics && 'sport' in topics"
    for target in ({"topic": "news"}, {"condition": both}, {"fid": "installation-1"}):
        firebase.send(**target)
    assert [message["token"] for message in fcm.messages()] == ["news", both, "installation-1"]


def test_a_dry_run_is_validated_and_not_kept(fcm: SimulatedFcm, firebase: Firebase) -> None:
    name = firebase.send(dry_run=True, token="token-1")
    assert name == f"projects/{PROJECT}/messages/fake_message_id"
    with pytest.raises(messaging.UnregisteredError):
        firebase.send(dry_run=True, token="dead-1")
    assert fcm.messages() == []
    assert fcm.stats()["accepted"] == 0


@pytest.mark.parametrize("token", ERRORS)
def test_it_knows_each_error(firebase: Firebase, token: str) -> None:
    with pytest.raises(exceptions.FirebaseError) as raised:
        firebase.send(token=token)
    assert type(raised.value) is ERRORS[token]


async def test_many_are_told_apart_in_turn_and_at_once(fcm: SimulatedFcm, key_file: Path) -> None:
    fcm.faults(retry_after=0)
    firebase = Firebase(fcm, key_file)
    tokens = {"good-1": None, **ERRORS, **RETRIED, "good-2": None}
    by_threads, by_tasks = await asyncio.gather(
        asyncio.to_thread(firebase.send_each, tokens), firebase.send_each_async(tokens)
    )
    await firebase.close()
    assert errors(by_threads) == errors(by_tasks) == list(tokens.values())
    stats = fcm.stats()
    assert stats["accepted"] == 4
    assert stats["replies"]["internal"] == stats["replies"]["unavailable"] == 10
    await asyncio.to_thread(firebase_admin.delete_app, firebase.app)


def test_it_sends_again_after_a_short_outage(fcm: SimulatedFcm, firebase: Firebase) -> None:
    firebase.send(token="flaky-1")
    assert fcm.stats()["replies"] == {"unavailable": 1, "accepted": 1}


@pytest.mark.parametrize("is_date", [False, True])
def test_it_waits_as_long_as_it_is_told(
    fcm: SimulatedFcm, firebase: Firebase, is_date: bool
) -> None:
    fcm.faults(retry_after=2 if is_date else 1, retry_after_date=is_date)
    began = time.monotonic()
    firebase.send(token="throttled-once-1")
    # A date has whole seconds only.
    assert time.monotonic() - began >= 1
    assert fcm.stats()["replies"] == {"throttled": 1, "accepted": 1}


async def test_it_gives_up_on_who_never_answers(fcm: SimulatedFcm, key_file: Path) -> None:
    firebase = Firebase(fcm, key_file, seconds=1)
    by_threads, by_tasks = await asyncio.gather(
        asyncio.to_thread(firebase.send_each, ["hang-1"]), firebase.send_each_async(["hang-1"])
    )
    await firebase.close()
    # It tries twice in a thread, and then has another word for it.
    assert errors(by_threads) == [exceptions.UnavailableError]
    assert errors(by_tasks) == [exceptions.DeadlineExceededError]
    assert fcm.stats()["replies"] == {"hang": 3}
    await asyncio.to_thread(firebase_admin.delete_app, firebase.app)


def test_an_answer_that_was_lost_makes_it_send_twice(fcm: SimulatedFcm, firebase: Firebase) -> None:
    firebase.send(token="lost-once-1")
    stats = fcm.stats()
    assert (stats["accepted"], stats["repeated_pushes"]) == (2, 1)


def test_a_connection_that_is_cut_each_time_is_unavailable(firebase: Firebase) -> None:
    with pytest.raises(exceptions.UnavailableError):
        firebase.send(token="reset-1")


def test_an_access_token_that_expired_is_renewed(fcm: SimulatedFcm, firebase: Firebase) -> None:
    firebase.send(token="a")
    fcm.faults(expire_access_tokens=True)
    firebase.send(token="b")
    stats = fcm.stats()
    assert stats["replies"] == {"accepted": 2, "unauthenticated": 1}
    assert stats["grants"] == 2


def test_a_listed_registration_dies_as_it_was_ordered(
    fcm: SimulatedFcm, firebase: Firebase
) -> None:
    fcm.register({"token": "F1:old", "fid": "F1"}, {"token": "t", "state": "uninstalled"})
    firebase.send(token="t")
    firebase.send(fid="F1")
    for token in ("t", "F1:old"):
        with pytest.raises(messaging.UnregisteredError):
            firebase.send(token=token)
    fcm.change("F1", token="F1:new")
    firebase.send(token="F1:new")
    with pytest.raises(messaging.UnregisteredError):
        firebase.send(fid="F1")
    assert fcm.registration("F1")["reached_by"] == "token"


async def test_a_dry_run_of_many_at_once(fcm: SimulatedFcm, key_file: Path) -> None:
    firebase = Firebase(fcm, key_file)
    found = await firebase.send_each_async(["any", "dead-1", "malformed-1"], dry_run=True)
    await firebase.close()
    assert errors(found) == [None, ERRORS["dead-1"], ERRORS["malformed-1"]]
    assert fcm.stats()["replies"] == {"validated": 1, "unregistered": 1, "malformed_token": 1}
    await asyncio.to_thread(firebase_admin.delete_app, firebase.app)


# Topics

NAMED = {
    "dead-1": "UNREGISTERED",
    "malformed-1": "INVALID_ARGUMENT",
    "denied-1": "PERMISSION_DENIED",
}


def told(response: messaging.TopicManagementResponse) -> list[tuple[int, str]]:
    return [(error.index, error.reason) for error in response.errors]


def test_who_subscribes_to_a_topic_is_reached_by_it(fcm: SimulatedFcm, firebase: Firebase) -> None:
    tokens = ["F1:a", "F2:b", *NAMED]
    response = messaging.subscribe_to_topic(tokens, "/topics/news", app=firebase.app)
    assert response.success_count == 2
    assert told(response) == [(2 + at, reason) for at, reason in enumerate(NAMED.values())]
    again = messaging.subscribe_to_topic("F1:a", "news", app=firebase.app)
    assert (again.success_count, fcm.stats()["topics"]) == (1, 2)
    firebase.send(topic="news")
    for _ in range(2):
        response = messaging.unsubscribe_from_topic(["F1:a"], "news", app=firebase.app)
        assert response.success_count == 1
    firebase.send(topic="news")
    assert [message["reached"] for message in fcm.messages()] == [2, 1]


async def test_topics_at_once(fcm: SimulatedFcm, key_file: Path) -> None:
    firebase = Firebase(fcm, key_file)
    tokens = [f"F{number}:a" for number in range(50)]
    made = await messaging.subscribe_to_topic_async(tokens, "news", app=firebase.app)
    left = await messaging.unsubscribe_from_topic_async(tokens[:20], "news", app=firebase.app)
    refused = await messaging.subscribe_to_topic_async(["dead-1"], "news", app=firebase.app)
    await firebase.close()
    assert (made.success_count, left.success_count) == (50, 20)
    assert told(refused) == [(0, "UNREGISTERED")]
    assert fcm.stats()["topics"] == 30
    await asyncio.to_thread(firebase_admin.delete_app, firebase.app)
