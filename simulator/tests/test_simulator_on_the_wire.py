"""The simulator on the wire: its bodies, who may call it, and its control side."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from google.auth import crypt, jwt
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.service_account import Credentials
from requests import Response, Session

from fcm_simulator.oauth import GOOGLE_AUDIENCE, GRANT_TYPE, OLD_AUDIENCE
from fcm_simulator.process import SimulatorProcess
from harness import keep_home

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("simulator"),
]

PROJECT = "shop-1"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


@pytest.fixture(scope="module")
def key(running_simulator: SimulatorProcess) -> dict[str, str]:
    return running_simulator.key(PROJECT)


@pytest.fixture
def trusting(simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """google-auth is told of the simulator's authority as its documentation says."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_file)


Post = Callable[..., Response]


@pytest.fixture
def post(simulator: SimulatorProcess, key: dict[str, str], trusting: None) -> Iterator[Post]:
    """POST a body as whoever holds the key, with google-auth and nothing else."""
    made = Credentials.from_service_account_info(key, scopes=[SCOPE])
    with AuthorizedSession(keep_home(made), max_refresh_attempts=0) as session:

        def post_(body: Any, project: str = PROJECT) -> Response:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            address = f"{simulator.base_url}/v1/projects/{project}/messages:send"
            response: Response = session.post(address, data=data)
            return response

        yield post_


def to(token: str = "token-1", **more: Any) -> dict[str, Any]:
    return {"message": {"token": token, **more}}


# Bodies


async def test_each_body_has_the_structure_of_googles(
    simulator: SimulatorProcess, post: Post
) -> None:
    for token in ("dead-1", "malformed-1", "apns-dead-1", "mismatch-1", "authless-1", "flaky-1"):
        response = await asyncio.to_thread(post, to(token))
        error = response.json()["error"]
        assert response.headers["content-type"] == "application/json; charset=UTF-8"
        assert error["code"] == response.status_code
        assert error["status"].isupper()
        assert any(one["@type"].endswith("v1.FcmError") for one in error["details"])


async def test_a_bad_gateway_is_a_page_of_html(post: Post) -> None:
    response = await asyncio.to_thread(post, to("html-once-1"))
    assert response.status_code == 502
    assert response.headers["content-type"].startswith("text/html")
    assert "Error 502 (Server Error)!!1" in response.text


@pytest.mark.parametrize(
    ("body", "description", "where"),
    [
        (
            {"message": {"toen": "x"}},
            "Invalid JSON payload received. Unknown name \"toen\" at 'message': Cannot find field.",
            "message",
        ),
        (
            to(data={"a": "b", "n": 12}),
            "Invalid value at 'message.data[1].value' (TYPE_STRING), 12",
            "message.data[1].value",
        ),
        (
            to(android={"priority": "urgent"}),
            "Invalid value at 'message.android.priority' (type.googleapis.com/"
            'google.firebase.fcm.v1.AndroidConfig.AndroidMessagePriority), "urgent"',
            "message.android.priority",
        ),
        (
            to(android={"notification": {"event_timestamp": "x"}}),
            'Invalid JSON payload received. Unknown name "event_timestamp" at '
            "'message.android.notification': Cannot find field.",
            "message.android.notification",
        ),
    ],
)
async def test_googles_front_door_says_what_is_wrong_and_has_no_fcm_error(
    simulator: SimulatorProcess, post: Post, body: Any, description: str, where: str
) -> None:
    response = await asyncio.to_thread(post, body)
    error = response.json()["error"]
    assert (response.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == description
    assert error["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": where, "description": description}],
        }
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"\xff", b'{"message":"\xff"}', b"[" * 9999]
)
async def test_a_body_that_is_no_request_is_refused(post: Post, body: bytes) -> None:
    assert (await asyncio.to_thread(post, body)).status_code == 400


async def test_nobody_addressed_is_refused_by_fcm_itself(post: Post) -> None:
    for body in ({}, {"message": {}}, {"message": None}, {"message": {"token": None}}):
        error = (await asyncio.to_thread(post, body)).json()["error"]
        assert error["message"] == "Recipient of the message is not set."


# Access


async def test_a_request_without_credentials_is_told_so(simulator: SimulatorProcess) -> None:
    def call(header: str | None) -> dict[str, Any]:
        with Session() as session:
            response = session.post(
                f"{simulator.base_url}/v1/projects/{PROJECT}/messages:send",
                json=to(),
                headers={"Authorization": header} if header else {},
                verify=simulator.ca_file,
            )
        assert response.status_code == 401
        error: dict[str, Any] = response.json()["error"]
        return error

    missing = await asyncio.to_thread(call, None)
    assert missing["details"][0]["reason"] == "CREDENTIALS_MISSING"
    wrong = await asyncio.to_thread(call, "Bearer rubbish")
    assert wrong["message"].startswith("Request had invalid authentication credentials.")
    assert "details" not in wrong


async def test_another_project_is_denied(post: Post) -> None:
    response = await asyncio.to_thread(post, to(), "other-1")
    assert response.status_code == 403
    assert response.json()["error"]["details"][0]["reason"] == "IAM_PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({}, None, ""),
        ({"aud": "own"}, None, ""),
        ({"aud": OLD_AUDIENCE}, None, ""),
        ({"scope": "https://www.googleapis.com/auth/cloud-platform x"}, None, ""),
        ({"aud": "https://example.com"}, "invalid_grant", "audience"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope", "scope"),
        ({"iss": "nobody@example.com"}, "invalid_grant", "account not found"),
        ({"exp": 7_200}, "invalid_grant", "short-lived token (60 minutes)"),
        ({"iat": -9_000, "exp": -5_400}, "invalid_grant", "short-lived token (60 minutes)"),
        ({"iat": 5_000, "exp": 8_000}, "invalid_grant", "short-lived token (60 minutes)"),
    ],
)
async def test_the_assertion_is_verified(
    simulator: SimulatorProcess,
    key: dict[str, str],
    changed: dict[str, Any],
    error: str | None,
    words: str,
) -> None:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": key["client_email"],
        "scope": SCOPE,
        "aud": GOOGLE_AUDIENCE,
        **changed,
        "iat": now + changed.get("iat", 0),
        "exp": now + changed.get("exp", 3_600),
    }
    if claims["aud"] == "own":
        claims["aud"] = key["token_uri"]
    signer = crypt.RSASigner.from_service_account_info(key)
    assertion = jwt.encode(signer, claims).decode()
    token_uri = key["token_uri"]
    if claims["aud"] == OLD_AUDIENCE:
        token_uri = simulator.base_url + urlsplit(OLD_AUDIENCE).path
    response = await asyncio.to_thread(grant, simulator, token_uri, assertion)
    wire = response.json()
    assert wire.get("error") == error
    assert words in wire.get("error_description", "")
    assert response.status_code == (400 if error else 200)


@pytest.mark.parametrize(
    ("headers", "email", "words"),
    [
        ({"kid": None}, "", ""),
        ({"kid": ""}, "", ""),
        ({"kid": None}, "nobody@example.com", "account not found"),
        ({"kid": None}, "clarion@another.iam.gserviceaccount.com", "Invalid JWT Signature."),
        ({"kid": "f" * 40}, "", "Invalid JWT Signature."),
        ({"kid": "../key"}, "", "Invalid JWT Signature."),
    ],
)
async def test_an_assertion_that_names_no_key_is_its_issuers(
    simulator: SimulatorProcess, headers: dict[str, Any], email: str, words: str
) -> None:
    """Google's libraries for Node.js and Ruby sign so. An account has more than one key."""
    simulator.key("another")
    for key in [simulator.key(PROJECT) for _ in range(2)]:
        now = int(time.time())
        claims = {
            "iss": email or key["client_email"],
            "scope": SCOPE,
            "aud": GOOGLE_AUDIENCE,
            "iat": now,
            "exp": now + 3_600,
        }
        signer = crypt.RSASigner.from_string(key["private_key"])
        header = {name: value for name, value in headers.items() if value is not None}
        assertion = jwt.encode(signer, claims, header).decode()
        if not header:
            assert "kid" not in jwt.decode_header(assertion)
        response = await asyncio.to_thread(grant, simulator, key["token_uri"], assertion)
        assert response.json().get("error_description", "") == (
            f"Invalid grant: {words}" if words == "account not found" else words
        )
        assert response.status_code == (400 if words else 200)


def grant(simulator: SimulatorProcess, token_uri: str, assertion: str) -> Response:
    with Session() as session:
        form = {"grant_type": GRANT_TYPE, "assertion": assertion}
        return session.post(token_uri, data=form, verify=simulator.ca_file)


@pytest.mark.parametrize(
    ("why", "error"),
    [
        ("key", "invalid_grant"),
        ("account", "invalid_grant"),
        ("clock", "invalid_grant"),
        ("scope", "invalid_scope"),
        ("client", "disabled_client"),
    ],
)
async def test_a_refusal_to_grant_can_be_ordered_and_ended(
    simulator: SimulatorProcess, key: dict[str, str], trusting: None, why: str, error: str
) -> None:
    def refresh() -> None:
        with Session() as session:
            made = Credentials.from_service_account_info(key, scopes=[SCOPE])
            made.refresh(Request(session))

    await simulator.faults(oauth_refuses=why)
    with pytest.raises(RefreshError) as raised:
        await asyncio.to_thread(refresh)
    assert raised.value.args[1]["error"] == error
    await simulator.faults(oauth_refuses="none")
    await asyncio.to_thread(refresh)


async def test_another_projects_topics_are_denied(
    simulator: SimulatorProcess, key: dict[str, str], trusting: None
) -> None:
    path = f"{simulator.base_url}/v1/projects/other/registrations/t/topicSubscriptions"

    def call() -> dict[str, Response]:
        made = keep_home(Credentials.from_service_account_info(key, scopes=[SCOPE]))
        with AuthorizedSession(made) as session:
            return {
                "create": session.post(f"{path}?topic_name=a", json={}),
                "get": session.get(path),
                "delete": session.delete(f"{path}/a"),
            }

    for verb, reply in (await asyncio.to_thread(call)).items():
        assert reply.status_code == 403
        permission = f"'cloudmessaging.topicSubscriptions.{verb}'"
        assert permission in reply.json()["error"]["message"]


# The control side


async def test_what_was_accepted_is_listed_page_by_page(
    simulator: SimulatorProcess, post: Post
) -> None:
    for number in range(5):
        await asyncio.to_thread(post, to(f"token-{number}", data={"clarion_push": f"p{number}"}))
    first = await simulator.messages(limit=3)
    assert [one["number"] for one in first] == [1, 2, 3]
    rest = await simulator.messages(after=3)
    assert [one["token"] for one in rest] == ["token-3", "token-4"]
    assert {one["project"] for one in first} == {PROJECT}


async def test_repeats_are_counted(simulator: SimulatorProcess, post: Post) -> None:
    for push in ("one", "one", "two"):
        await asyncio.to_thread(post, to(data={"clarion_push": push}))
    stats = await simulator.stats()
    assert (stats["requests"], stats["accepted"]) == (3, 3)
    assert (stats["distinct_pushes"], stats["repeated_pushes"]) == (2, 1)
    assert stats["distinct_tokens"] == 1


async def test_trouble_comes_as_planned_and_what_is_not_named_stays(
    simulator: SimulatorProcess, post: Post
) -> None:
    await simulator.faults(retry_after=7)
    await simulator.faults(plan=["internal", "throttled", "unavailable", "html", "slow"], slow_ms=1)
    responses = [await asyncio.to_thread(post, to()) for _ in range(6)]
    assert [response.status_code for response in responses] == [500, 429, 503, 502, 200, 200]
    assert responses[1].headers["retry-after"] == "7"


async def test_an_unknown_order_is_refused_by_name(simulator: SimulatorProcess) -> None:
    for order in ({"outage": 1}, {"plan": ["earthquake"]}, {"latency_ms": "long"}):

        def call(order: Any = order) -> Response:
            with Session() as session:
                address = f"{simulator.base_url}/simulator/faults"
                return session.post(address, json=order, verify=simulator.ca_file)

        response = await asyncio.to_thread(call)
        assert response.status_code == 400
        assert response.json()["error"]["message"]


async def test_without_googles_description_the_basics_are_still_checked(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("basic")
    async with SimulatorProcess(directory, schema=False) as simulator:
        key = simulator.key(PROJECT)

        def call() -> list[int]:
            made = Credentials.from_service_account_info(key, scopes=[SCOPE])
            address = f"{simulator.base_url}/v1/projects/{PROJECT}/messages:send"
            with AuthorizedSession(keep_home(made)) as session:
                return [
                    session.post(address, json=body).status_code
                    for body in (to(), {"message": {"toen": "x"}}, to(data={"a": 1}))
                ]

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_file)
            assert await asyncio.to_thread(call) == [200, 400, 400]
        assert (await simulator.stats())["schema"] == "basic"
