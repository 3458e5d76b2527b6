"""FcmProvider against the simulator, a process of its own, over TLS and HTTP/2."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from msgspec.structs import replace

from clarion.campaigns.content.appearance import Button, InterruptionLevel
from clarion.campaigns.content.live_activity import LiveActivity, LiveEvent
from clarion.deliveries.provider import (
    Accepted,
    Content,
    Misconfigured,
    Outcome,
    Platform,
    ProviderApp,
    Push,
    Rejected,
    Throttled,
    ThrottleScope,
    TokenKind,
    Unavailable,
    Unregistered,
)
from clarion.providers.fcm.auth import BELIEVED_SECONDS
from clarion.providers.fcm.client import FcmOptions, FcmProvider
from clarion.providers.fcm.http.easy_handle import TransportOptions
from fcm_simulator.process import SimulatorProcess
from support.clock import FakeClock
from support.patience import PATIENCE

# One simulator serves the module: its tests stay together, in one worker and one event loop.
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("simulator"),
]

PROJECT = "shop-1"
SECONDS_MAX = PATIENCE
CONTENT = Content(title="Hello", body="There is news", data={"colour": "blue"})
RETRY_AFTER_SECONDS = 10.0


Open = Callable[..., FcmProvider]


@pytest_asyncio.fixture(loop_scope="module")
async def open_provider(simulator: SimulatorProcess, clock: FakeClock) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        def open_(
            *,
            ca_file: str | None = simulator.ca_file,
            token_urls: tuple[str, ...] = (),
            **options: Any,
        ) -> FcmProvider:
            transport = TransportOptions(**options)
            provider = FcmProvider(
                simulator.base_url,
                ca_file,
                clock,
                FcmOptions(transport=transport, token_urls=token_urls),
            )
            stack.push_async_callback(provider.close)
            return provider

        yield open_


@pytest.fixture
def provider(open_provider: Open) -> FcmProvider:
    return open_provider()


_KEYS: dict[tuple[str, str], dict[str, str]] = {}


def firebase_app(
    simulator: SimulatorProcess, project: str = PROJECT, **changed: str
) -> ProviderApp:
    where = (simulator.base_url, project)
    key = _KEYS.get(where) or _KEYS.setdefault(where, simulator.key(project))
    return ProviderApp(id=uuid4(), project_id=project, service_account={**key, **changed})


def push(token: str = "token-1", platform: Platform = Platform.ANDROID, **changed: Any) -> Push:
    identity = uuid4()
    values: dict[str, Any] = {
        "token": token,
        "token_kind": TokenKind.FCM,
        "platform": platform,
        "delivery_id": f"{identity.hex}.{token}",
        "tag": identity.hex,
        "content": CONTENT,
        **changed,
    }
    return Push(**values)


def pushes(count: int, start: str = "token") -> list[Push]:
    return [push(f"{start}-{number}") for number in range(count)]


async def send(provider: FcmProvider, app: ProviderApp, *sent: Push) -> list[Outcome]:
    async with asyncio.timeout(SECONDS_MAX):
        return list(await provider.send(app, sent))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not await holds():  # noqa: ASYNC110 - the simulator is another process
            await asyncio.sleep(0.02)


THIRD_PARTY = Misconfigured(
    reason="third_party_auth",
    detail="InvalidProviderToken",
    platforms=frozenset({Platform.ANDROID}),
)
BY_TOKEN: dict[str, Outcome] = {
    "any-other": Accepted(),
    "dead-1": Unregistered(reason="unregistered"),
    "malformed-1": Unregistered(reason="malformed_token"),
    "apns-dead-1": Unregistered(reason="apns_unregistered"),
    "apns-bad-1": Unregistered(reason="apns_bad_token"),
    "mismatch-1": Unregistered(reason="sender_mismatch"),
    "payload-1": Rejected(reason="payload_too_big", detail="Android message is too big"),
    "authless-1": THIRD_PARTY,
    "quota-once-1": Throttled(scope=ThrottleScope.APP, retry_after_seconds=RETRY_AFTER_SECONDS),
    "quota-device-once-1": Throttled(
        scope=ThrottleScope.DEVICE, retry_after_seconds=RETRY_AFTER_SECONDS
    ),
    "flaky-1": Unavailable(reason="unavailable", maybe_accepted=True),
    "internal-once-1": Unavailable(reason="internal"),
    "html-once-1": Unavailable(reason="http_502", maybe_accepted=True),
}


async def test_each_registration_has_its_outcome_in_the_order_of_the_pushes(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    found = await send(provider, app, *(push(token) for token in BY_TOKEN))
    assert dict(zip(BY_TOKEN, found, strict=True)) == BY_TOKEN
    again = await send(
        provider, app, *(push(token) for token in BY_TOKEN if "once" in token or "flaky" in token)
    )
    assert set(again) == {Accepted()}


async def test_a_withdrawn_permission_is_an_operators_matter(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    (found,) = await send(provider, firebase_app(simulator), push("denied-1"))
    assert isinstance(found, Misconfigured)
    assert (found.reason, found.platforms) == ("iam_permission_denied", frozenset())


async def test_an_uninstalled_app_is_accepted_once_and_then_unregistered(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    assert await send(provider, app, push("gone-once-1")) == [Accepted()]
    assert await send(provider, app, push("gone-once-1")) == [Unregistered(reason="unregistered")]


@pytest.mark.parametrize("platform", Platform)
@pytest.mark.parametrize("kind", [TokenKind.FCM, TokenKind.FID])
async def test_what_we_send_is_what_the_schema_allows(
    simulator: SimulatorProcess, provider: FcmProvider, platform: Platform, kind: TokenKind
) -> None:
    assert (await simulator.stats())["schema"] == "full"
    rich = Content(
        title='Ünï "quoted"\n',
        body="\U0001f48c",
        image="https://example.com/i.png",
        link="https://example.com/",
        data={"a": "\x01\x02", "b": ""},
        ttl_seconds=0,
        collapse_key="ключ",
    )
    app = firebase_app(simulator)
    for content in (rich, Content(data={"only": "data"}), CONTENT):
        sent = push("one", platform, content=content, token_kind=kind)
        assert await send(provider, app, sent) == [Accepted()]
        (message,) = (await simulator.messages())[-1:]
        assert message["data"].items() >= content.data.items()
        assert message["data"]["clarion_push"] == sent.delivery_id


@pytest.mark.parametrize("event", LiveEvent)
async def test_a_live_activity_is_what_the_schema_allows(
    simulator: SimulatorProcess, provider: FcmProvider, event: LiveEvent
) -> None:
    activity = LiveActivity(event=event, content_state={"minutes": 5}, stale_seconds=60)
    content = Content(title="On its way", live_activity=activity)
    assert not provider.check(content, platform=Platform.IOS)
    sent = push("iphone", Platform.IOS, content=content, live_activity_token="5a" * 80)
    assert await send(provider, firebase_app(simulator), sent) == [Accepted()]
    (message,) = (await simulator.messages())[-1:]
    assert message["token"] == "iphone"


async def test_what_our_check_lets_pass_fcm_does_not_find_too_big(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    for platform in Platform:
        for letter in ("x", "я", '"', "\n", "\\"):
            length = max(
                length
                for length in range(1_000, 4_096)
                if not provider.check(Content(title="t", body=letter * length), platform=platform)
            )
            content = Content(title="t", body=letter * length)
            assert await send(provider, app, push("a", platform, content=content)) == [Accepted()]


async def test_a_thousand_pushes_share_a_few_connections(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    await simulator.faults(latency_ms=50)
    sent = pushes(1_000)
    assert await send(provider, firebase_app(simulator), *sent) == [Accepted()] * 1_000
    stats = await simulator.stats()
    assert stats["connections"] <= 20
    assert (stats["accepted"], stats["distinct_pushes"]) == (1_000, 1_000)
    arrived = Counter(
        message["data"]["clarion_push"] for message in await simulator.messages(limit=2_000)
    )
    assert arrived == Counter(one.delivery_id for one in sent)


async def test_no_pushes_have_no_outcomes(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    assert await send(provider, firebase_app(simulator)) == []


async def test_apps_that_share_the_transport_keep_their_own_project_and_credentials(
    simulator: SimulatorProcess, open_provider: Open
) -> None:
    provider = open_provider(in_flight=7)
    apps = [firebase_app(simulator, project) for project in ("shop-1", "shop-2", "shop-3")]
    calls = [
        send(provider, apps[number % 3], *pushes(20, f"{apps[number % 3].project_id}-{number}"))
        for number in range(12)
    ]
    for call in await asyncio.gather(*calls):
        assert set(call) == {Accepted()}
    for message in await simulator.messages(limit=1_000):
        assert message["token"].startswith(message["project"])
    assert (await simulator.stats())["grants"] == 3


# Access tokens


async def test_a_key_that_the_endpoint_does_not_know_is_an_operators_matter_and_not_hammered(
    simulator: SimulatorProcess, provider: FcmProvider, clock: FakeClock
) -> None:
    other = simulator.key("other-1")
    wrong = firebase_app(simulator, private_key=other["private_key"])
    found = await asyncio.gather(*(send(provider, wrong, push()) for _ in range(8)))
    assert {type(one) for (one,) in found} == {Misconfigured}
    assert {one.reason for (one,) in found} == {"oauth_invalid_grant"}  # type: ignore[union-attr]
    assert (await simulator.stats())["token_requests"] == 1
    clock.advance(BELIEVED_SECONDS + 1)
    await send(provider, wrong, push())
    assert (await simulator.stats())["token_requests"] == 2
    mended = ProviderApp(
        id=wrong.id,
        project_id=PROJECT,
        service_account=firebase_app(simulator).service_account,
    )
    assert await send(provider, mended, push()) == [Accepted()]


async def test_a_key_that_can_not_be_read_is_an_operators_matter(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    broken = firebase_app(simulator, private_key="no key")
    (found,) = await send(provider, broken, push())
    assert isinstance(found, Misconfigured)
    assert (found.reason, found.left) == ("key_unusable", False)


async def test_an_expired_access_token_is_replaced_once_and_each_push_is_sent_once(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    await send(provider, app, push())
    await simulator.faults(expire_access_tokens=True)
    groups = [pushes(50, f"group{number}") for number in range(4)]
    found = await asyncio.gather(*(send(provider, app, *group) for group in groups))
    assert {outcome for group in found for outcome in group} == {Accepted()}
    stats = await simulator.stats()
    assert stats["grants"] == 2
    assert (stats["accepted"], stats["repeated_pushes"]) == (201, 0)


async def test_a_token_that_is_refused_again_is_an_operators_matter(
    simulator: SimulatorProcess, open_provider: Open
) -> None:
    """The endpoint grants, and FCM refuses: nothing goes round in circles."""
    app = firebase_app(simulator)
    provider = open_provider()
    await send(provider, app, push())
    foreign = ProviderApp(id=app.id, project_id="other-9", service_account=app.service_account)
    (found,) = await send(provider, foreign, push())
    assert isinstance(found, Misconfigured)
    assert (await simulator.stats())["grants"] == 1


async def test_a_stray_401_among_accepted_pushes_costs_no_access_token(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    await simulator.faults(plan=["credentials-missing", "denied", "not-found"])
    found = await send(provider, app, *pushes(20))
    reasons = sorted(one.reason for one in found if isinstance(one, Misconfigured))
    assert reasons == ["iam_permission_denied", "not_found", "unauthenticated"]
    assert found.count(Accepted()) == 17
    assert (await simulator.stats())["grants"] == 1


async def test_a_token_endpoint_that_is_down_is_waited_for(
    simulator: SimulatorProcess, provider: FcmProvider, clock: FakeClock
) -> None:
    app = firebase_app(simulator)
    await simulator.faults(oauth_outage_seconds=3_600)
    assert (
        await send(provider, app, push(), push())
        == [Unavailable(reason="oauth_unavailable", left=False)] * 2
    )
    await simulator.faults(oauth_outage_seconds=0)
    clock.advance(BELIEVED_SECONDS + 1)
    assert await send(provider, app, push()) == [Accepted()]


async def test_a_token_in_its_last_minutes_serves_while_the_endpoint_is_down(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    await simulator.faults(token_seconds=120)
    assert await send(provider, app, push()) == [Accepted()]
    await simulator.faults(oauth_outage_seconds=3_600)
    for _ in range(3):
        assert await send(provider, app, push()) == [Accepted()]
    stats = await simulator.stats()
    assert stats["grants"] == 1
    assert stats["token_requests"] == 1 + 3, "one refresh, which google-auth tries three times"


async def test_a_token_endpoint_that_hangs_holds_up_nobody_else(
    simulator: SimulatorProcess, open_provider: Open
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(32)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
        provider = open_provider(token_urls=(address,))
        hanging = [
            asyncio.create_task(send(provider, firebase_app(simulator, token_uri=address), push()))
            for _ in range(8)
        ]
        assert await send(provider, firebase_app(simulator), push()) == [Accepted()]
        assert not any(one.done() for one in hanging)
        for one in hanging:
            one.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_who_gives_up_waiting_for_a_token_takes_it_from_nobody(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    impatient = asyncio.create_task(send(provider, app, push()))
    patient = asyncio.create_task(send(provider, app, push()))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == [Accepted()]
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert (await simulator.stats())["grants"] == 1


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b"[]", b"5", b'"x"', b"null", b"\xff"])
async def test_an_endpoint_that_answers_nonsense_is_an_outcome(
    simulator: SimulatorProcess, open_provider: Open, answer: bytes
) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}/token"
        app = firebase_app(simulator, token_uri=address)
        (found,) = await send(open_provider(token_urls=(address,)), app, push())
    assert isinstance(found, Unavailable | Misconfigured)
    assert found.reason.startswith("oauth_")


@asynccontextmanager
async def stranger(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Somebody who answers every call with `answer`, and what was asked of them."""
    asked: list[bytes] = []

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], asked


async def test_a_key_that_names_a_stranger_asks_nobody_and_repeats_nothing(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    async with stranger(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\nsecret") as found:
        port, asked = found
        app = firebase_app(simulator, token_uri=f"http://127.0.0.1:{port}/token")
        (outcome,) = await send(provider, app, push())
    assert isinstance(outcome, Misconfigured)
    assert outcome.reason == "token_uri_refused"
    assert asked == []
    assert str(port) not in repr(outcome)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_token_endpoint_is_not_followed(
    simulator: SimulatorProcess, open_provider: Open, status: int
) -> None:
    async with stranger(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as elsewhere:
        away = f"http://127.0.0.1:{elsewhere[0]}/".encode()
        moved = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, away)
        async with stranger(moved) as (port, asked):
            address = f"http://127.0.0.1:{port}/token"
            app = firebase_app(simulator, token_uri=address)
            (found,) = await send(open_provider(token_urls=(address,)), app, push())
        assert isinstance(found, Unavailable | Misconfigured)
        assert asked
        assert elsewhere[1] == []


async def test_what_is_no_oauth_error_is_not_repeated(
    simulator: SimulatorProcess, open_provider: Open
) -> None:
    body = b'{"error": "root:x:0:0 \\u001b]52", "error_description": "secret"}'
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    async with stranger(answer) as (port, _):
        address = f"http://127.0.0.1:{port}/token"
        app = firebase_app(simulator, token_uri=address)
        (found,) = await send(open_provider(token_urls=(address,)), app, push())
    assert found == Misconfigured(reason="oauth_refused", left=False)


# Trouble


async def test_an_outage_is_nobodys_fault(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    await simulator.faults(outage_seconds=3_600)
    down = Unavailable(reason="unavailable", maybe_accepted=True)
    assert set(await send(provider, app, *pushes(10))) == {down}
    await simulator.faults(outage_seconds=0)
    assert set(await send(provider, app, *pushes(10))) == {Accepted()}


@pytest.mark.parametrize("as_date", [False, True])
async def test_throttling_names_the_wait_in_both_forms(
    simulator: SimulatorProcess, provider: FcmProvider, as_date: bool
) -> None:
    await simulator.faults(throttle_next=1, retry_after=120, retry_after_date=as_date)
    throttled, accepted = sorted(
        await send(provider, firebase_app(simulator), push(), push()), key=repr, reverse=True
    )
    assert accepted == Accepted()
    assert isinstance(throttled, Throttled)
    assert throttled.scope is ThrottleScope.APP
    assert throttled.retry_after_seconds == pytest.approx(120, abs=3)


async def test_a_quota_lets_so_many_through_and_says_when_to_come_back(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    await simulator.faults(quota_per_minute=30)
    found = await send(provider, firebase_app(simulator), *pushes(50))
    kinds = Counter(type(outcome) for outcome in found)
    assert kinds == {Accepted: 30, Throttled: 20}
    waits = {one.retry_after_seconds for one in found if isinstance(one, Throttled)}
    assert all(wait is not None and 0 < wait <= 60 for wait in waits)


async def test_slow_answers_are_waited_for_side_by_side(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    await send(provider, app, push())
    await simulator.faults(latency_ms=2_000)
    count = int(PATIENCE)  # one after another they would take twice as long as `send` may
    began = asyncio.get_running_loop().time()
    assert set(await send(provider, app, *pushes(count))) == {Accepted()}
    assert asyncio.get_running_loop().time() - began >= 2


@pytest.mark.parametrize(
    ("plan", "reason", "accepted"),
    [
        ("reset", "connection_lost", 0),
        ("lost", "connection_lost", 1),
        ("hang", "timeout", 0),
        ("silence", "timeout", 1),
    ],
)
async def test_an_answer_that_never_comes_may_have_been_yes(
    simulator: SimulatorProcess, open_provider: Open, plan: str, reason: str, accepted: int
) -> None:
    provider = open_provider(timeout_seconds=1)
    app = firebase_app(simulator)
    assert await send(provider, app, push()) == [Accepted()]
    await simulator.reset()
    await simulator.faults(plan=[plan])
    assert await send(provider, app, push()) == [Unavailable(reason=reason, maybe_accepted=True)]
    stats = await simulator.stats()
    assert (stats["requests"], stats["accepted"]) == (1, accepted)
    assert await send(provider, app, push()) == [Accepted()]


async def test_a_simulator_that_dies_midway_may_have_accepted_and_is_found_again(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    await simulator.faults(plan=["ok"] * 20 + ["hang"] * 30)
    sending = asyncio.create_task(send(provider, app, *pushes(50)))

    async def have_all_arrived() -> bool:
        return bool((await simulator.stats())["requests"] == 50)

    await until(have_all_arrived)
    await simulator.kill()
    try:
        counter = Counter(await sending)
        assert counter == {
            Accepted(): 20,
            Unavailable(reason="connection_lost", maybe_accepted=True): 30,
        }
        gone = Unavailable(reason="unreachable", left=False)
        assert await send(provider, app, push()) == [gone]
    finally:
        await simulator.start()
    # The new one knows none of the access tokens that the old one granted.
    assert set(await send(provider, app, *pushes(50))) == {Accepted()}
    assert (await simulator.stats())["repeated_pushes"] == 0


async def test_a_simulator_of_an_unknown_authority_gets_nothing(
    simulator: SimulatorProcess, open_provider: Open
) -> None:
    provider = open_provider(ca_file=None)
    found = await send(provider, firebase_app(simulator), push())
    assert found == [Unavailable(reason="oauth_unreachable", left=False)]
    stats = await simulator.stats()
    assert (stats["requests"], stats["token_requests"]) == (0, 0)


async def test_a_cancelled_send_stops_sending_and_leaves_nothing_broken(
    simulator: SimulatorProcess, open_provider: Open
) -> None:
    provider = open_provider(in_flight=10)
    app = firebase_app(simulator)
    await send(provider, app, push())
    await simulator.faults(latency_ms=200)
    cancelled = asyncio.create_task(send(provider, app, *pushes(500)))

    async def has_begun() -> bool:
        return bool((await simulator.stats())["accepted"] > 5)

    await until(has_begun)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    await simulator.faults(latency_ms=0)
    sent = pushes(100, "later")
    assert set(await send(provider, app, *sent)) == {Accepted()}
    stats = await simulator.stats()
    assert stats["accepted"] < 400
    assert stats["repeated_pushes"] == 0


async def test_closing_answers_whoever_still_waits(
    simulator: SimulatorProcess, provider: FcmProvider
) -> None:
    app = firebase_app(simulator)
    await simulator.faults(plan=["hang"] * 5)
    waiting = asyncio.create_task(send(provider, app, *pushes(5)))

    async def have_all_arrived() -> bool:
        return bool((await simulator.stats())["requests"] == 5)

    await until(have_all_arrived)
    await provider.close()
    assert set(await waiting) == {Unavailable(reason="closed", maybe_accepted=True)}
    await provider.close()


async def test_the_account_is_not_shown() -> None:
    app = ProviderApp(id=UUID(int=1), project_id="p", service_account={"private_key": "secret"})
    assert "secret" not in repr(app)


LOOKS: dict[Platform, Content] = {
    platform: replace(
        CONTENT,
        icon="ic_offer" if platform is Platform.ANDROID else "https://shop.example/i.png",
        badge="https://shop.example/b.png" if platform is Platform.WEB else 3,
        sound="chime",
        channel="offers",
        color="#1a73e8",
        category="OFFER",
        interruption_level=InterruptionLevel.CRITICAL,
        buttons=(Button(title="Open", link="shop://offer"), Button(title="Later")),
    )
    for platform in Platform
}


@pytest.mark.parametrize("platform", Platform)
async def test_fcm_takes_how_a_push_looks(
    simulator: SimulatorProcess, provider: FcmProvider, platform: Platform
) -> None:
    app = firebase_app(simulator)
    sent = push(f"looks-{platform.value}", platform, content=LOOKS[platform])
    assert await send(provider, app, sent) == [Accepted()]
