"""The simulator as it may be started: with faults of HTTP/2, in plain HTTP, strict and seeded."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.service_account import Credentials
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ResponseReceived, StreamReset
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, RstStreamFrame

from fcm_simulator.credentials import GOOGLES_NAMES
from fcm_simulator.process import SimulatedFcm, SimulatorProcess, simulated_fcm
from harness import PATIENCE, keep_home

PROJECT = "shop-1"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
SEND = f"/v1/projects/{PROJECT}/messages:send"
SECONDS_MAX = PATIENCE
WANTED = (RstStreamFrame, GoAwayFrame, DataFrame)


def body(token: str) -> bytes:
    return json.dumps({"message": {"token": token}}).encode()


def credentials(key: dict[str, str]) -> Credentials:
    return keep_home(Credentials.from_service_account_info(key, scopes=[SCOPE]))


async def test_goaway_takes_back_no_stream_that_was_looked_at_before(tmp_path: Path) -> None:
    """Of two streams the later one is whole first, and waits. GOAWAY names one number only: the
    earlier one is refused by itself."""
    async with SimulatorProcess(tmp_path, http2_faults=True, plain=True) as simulator:
        made = credentials(simulator.key(PROJECT))
        await asyncio.to_thread(made.refresh, Request())
        host, _, port = simulator.base_url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        wire = H2Connection()
        wire.initiate_connection()
        for stream in (1, 3):
            headers = {":method": "POST", ":path": SEND, ":scheme": "http", ":authority": host}
            headers["authorization"] = f"Bearer {made.token}"
            wire.send_headers(stream, list(headers.items()))
        wire.send_data(3, body("hang-1"), end_stream=True)
        writer.write(wire.data_to_send())
        async with asyncio.timeout(SECONDS_MAX):
            while not (await simulator.stats())["requests"]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
            wire.send_data(1, body("goaway-1"), end_stream=True)
            writer.write(wire.data_to_send())
            received, told = b"", []
            while len(told) < 2:
                received += await reader.read(65_536)
                told = [frame for frame in frames(received) if isinstance(frame, WANTED)]
        writer.close()
    refused, going = told
    assert (refused.stream_id, refused.error_code) == (1, ErrorCodes.REFUSED_STREAM)
    assert going.last_stream_id == 3


def frames(received: bytes) -> Iterator[Frame]:
    """Read without h2, for which a connection that was told to go has ended."""
    while len(received) >= 9:
        frame, length = Frame.parse_frame_header(memoryview(received[:9]))
        if len(received) < 9 + length:
            return
        frame.parse_body(memoryview(received[9 : 9 + length]))
        received = received[9 + length :]
        yield frame


@pytest.mark.parametrize("host", [*GOOGLES_NAMES, "localhost"])
async def test_who_knows_only_googles_hosts_can_be_led_here(tmp_path: Path, host: str) -> None:
    async with SimulatorProcess(tmp_path, schema=False) as simulator:
        trusting = ssl.create_default_context(cafile=simulator.ca_file)
        address, _, port = simulator.base_url.removeprefix("https://").partition(":")
        reader, writer = await asyncio.open_connection(
            address, int(port), ssl=trusting, server_hostname=host
        )
        names = {name for _, name in writer.get_extra_info("peercert")["subjectAltName"]}
        writer.write(f"GET /simulator/stats HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        async with asyncio.timeout(SECONDS_MAX):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
    assert {
        "fcm.googleapis.com",
        "oauth2.googleapis.com",
        "iid.googleapis.com",
        "www.googleapis.com",
        "localhost",
        "127.0.0.1",
    } <= names


@pytest.mark.parametrize(
    ("host", "protocols"),
    [("fcm.googleapis.com", ["h2", "http/1.1"]), ("localhost", ["h2"]), (None, ["h2"])],
    ids=["Google's host", "HTTP/2 only", "an address, HTTP/2 only"],
)
@pytest.mark.parametrize("scheme", ["https", "https:"])
async def test_a_scheme_with_a_colon_is_taken_as_google_takes_it(
    tmp_path: Path, host: str | None, protocols: list[str], scheme: str
) -> None:
    """As firebase-admin for Node.js sends it."""
    async with SimulatorProcess(tmp_path, schema=False) as simulator:
        trusting = ssl.create_default_context(cafile=simulator.ca_file)
        trusting.set_alpn_protocols(protocols)
        address, _, port = simulator.base_url.removeprefix("https://").partition(":")
        reader, writer = await asyncio.open_connection(
            address, int(port), ssl=trusting, server_hostname=host or address
        )
        wire = H2Connection(H2Configuration(validate_outbound_headers=False))
        wire.initiate_connection()
        headers = {":method": "GET", ":path": "/simulator/stats", ":scheme": scheme}
        wire.send_headers(1, [*headers.items(), (":authority", address)], end_stream=True)
        writer.write(wire.data_to_send())
        statuses: list[bytes] = []
        async with asyncio.timeout(SECONDS_MAX):
            while not statuses:
                events = wire.receive_data(await reader.read(65_536))
                assert not [event for event in events if isinstance(event, StreamReset)]
                replies = [event for event in events if isinstance(event, ResponseReceived)]
                statuses += [dict(reply.headers)[b":status"] for reply in replies]
        writer.close()
    assert statuses == [b"200"]


async def test_without_the_front_its_faults_are_not_taken_for_granted(tmp_path: Path) -> None:
    async with SimulatorProcess(tmp_path, schema=False) as simulator:

        def call() -> tuple[int, str, int]:
            with AuthorizedSession(credentials(simulator.key(PROJECT))) as session:
                session.verify, session.trust_env = simulator.ca_file, False
                url = f"{simulator.base_url}/simulator/faults"
                order = session.post(url, json={"plan": ["ok", "goaway"]})
                send = session.post(simulator.base_url + SEND, data=body("refused-1"))
                return order.status_code, order.text, send.status_code

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_file)
            status, text, sent = await asyncio.to_thread(call)
        assert (status, sent) == (400, 501)
        assert "--http2-faults" in text


# Plain, strict, seeded

SEED = """
{"token": "F1:old", "fid": "F1", "platform": "ios"}
{"token": "t", "state": "uninstalled"}
{"token": "theirs", "project": "other"}
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFcm]:
    seed = tmp_path_factory.mktemp("seed") / "registrations.ndjson"
    seed.write_text(SEED)
    with simulated_fcm(plain=True, strict=True, registrations=seed, schema=False) as fcm:
        yield fcm


@pytest.fixture
def session(plain: SimulatedFcm) -> Iterator[AuthorizedSession]:
    plain.reset()
    with AuthorizedSession(credentials(plain.key(PROJECT))) as session:
        yield session


def sent(plain: SimulatedFcm, session: AuthorizedSession, **message: Any) -> int:
    reply = session.post(plain.base_url + SEND, json={"message": message})
    return int(reply.status_code)


@pytest.mark.xdist_group("plain")
class TestPlainStrictAndSeeded:
    def test_it_speaks_http_without_tls_in_both_versions(self, plain: SimulatedFcm) -> None:
        assert plain.base_url.startswith("http://")
        assert plain.key("shop")["token_uri"] == f"{plain.base_url}/token"
        with httpx.Client(http1=False, http2=True) as http:
            assert http.get(f"{plain.base_url}/simulator/stats").http_version == "HTTP/2"

    def test_only_who_is_listed_exists(
        self, plain: SimulatedFcm, session: AuthorizedSession
    ) -> None:
        found = {name: sent(plain, session, token=name) for name in ("F1:old", "theirs", "any")}
        assert found == {"F1:old": 200, "theirs": 403, "any": 404}
        assert [sent(plain, session, token="t") for _ in range(2)] == [200, 404]

    def test_a_reset_lists_again_who_was_at_the_start(
        self, plain: SimulatedFcm, session: AuthorizedSession
    ) -> None:
        sent(plain, session, token="t")
        plain.register({"token": "new"}, {"fid": "newer"})
        assert plain.registration("t")["state"] == "unregistered"
        assert plain.stats()["registrations"] == 5
        plain.reset()
        assert plain.registration("t")["state"] == "uninstalled"
        assert plain.stats()["registrations"] == 3

    def test_the_listed_are_found_page_by_page(
        self, plain: SimulatedFcm, session: AuthorizedSession
    ) -> None:
        url = f"{plain.base_url}/simulator/registrations"
        first = session.get(f"{url}?limit=2").json()["registrations"]
        rest = session.get(f"{url}?after={first[-1]['number']}").json()["registrations"]
        assert [one["token"] for one in (*first, *rest)] == ["F1:old", "t", "theirs"]
        assert first[0] == {
            "token": "F1:old",
            "fid": "F1",
            "state": "registered",
            "platform": "ios",
            "project": "",
            "reached_by": "both",
            "number": 1,
        }

    def test_a_life_is_changed_while_it_is_lived(
        self, plain: SimulatedFcm, session: AuthorizedSession
    ) -> None:
        assert plain.change("F1", state="apns_dead")["state"] == "apns_dead"
        assert sent(plain, session, token="F1:old") == 400
        assert plain.change("F1:old", state="registered", token="F1:new/2")["fid"] == "F1"
        assert sent(plain, session, token="F1:new/2") == 200
        assert plain.registration("F1:new/2")["reached_by"] == "token"

    @pytest.mark.parametrize(
        ("method", "path", "order", "status"),
        [
            ("POST", "registrations", b"{", 400),
            ("POST", "registrations", b"{}", 400),
            ("POST", "registrations", b'[{"token":"a"},{"state":"registered"}]', 400),
            ("POST", "registrations", b'{"token":"a","state":"happy"}', 400),
            ("PATCH", "registrations/t", b'{"number":5}', 400),
            ("PATCH", "registrations/nobody", b'{"state":"registered"}', 404),
            ("GET", "registrations/nobody", None, 404),
            ("GET", "registrations?after=x", None, 400),
            ("GET", "messages?limit=-1", None, 400),
            ("DELETE", "registrations/t", None, 404),
            ("GET", "nothing", None, 404),
        ],
    )
    def test_what_can_not_be_done_is_refused_and_changes_nothing(
        self,
        plain: SimulatedFcm,
        session: AuthorizedSession,
        method: str,
        path: str,
        order: bytes | None,
        status: int,
    ) -> None:
        reply = session.request(method, f"{plain.base_url}/simulator/{path}", data=order)
        assert reply.status_code == status
        assert plain.stats()["registrations"] == 3
