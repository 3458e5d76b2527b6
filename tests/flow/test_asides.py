"""What SDKs call beside the calls that bring events: settings, pixels, metrics, their own paths."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest

from clarion.clock import Clock
from clarion.events.collector import CollectorOptions
from clarion.sources.authenticator import WriteKeyOptions
from clarion.storage.database import Database
from clarion.web.sdk.pixel import GIF
from clarion.web.sdk.routes import PIXELS, ROUTES
from clarion.web.sdk.settings import CUSTOMER_IO, SEGMENT, settings
from clarion.web.server import COLLECTOR_PREFIXES
from support.book import SOURCE, WORKSPACE
from support.clock import FakeClock
from support.database import make_tables
from support.sources import set_source
from support.station import KEY, Station, prepare, track
from support.wire import Reply, basic, request

SETTINGS = f"/v1/projects/{KEY}/settings"
ORIGIN = {"Origin": "https://shop.example"}


@pytest.fixture
async def station(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Station]:
    async with sqlite(tmp_path) as database:
        await prepare(database, clock)
        async with Station(database, clock) as station:
            yield station


class sqlite:
    """A database of the test's own; what is decided here is decided before one is asked."""

    def __init__(self, directory: Path) -> None:
        self._database = Database(f"sqlite:///{directory}/wire.db")

    async def __aenter__(self) -> Database:
        await make_tables(self._database)
        return self._database

    async def __aexit__(self, *_: object) -> None:
        await self._database.close()


async def get(station: Station, path: str, headers: dict[str, str] | None = None) -> Reply:
    return await station.ask(request(path, method="GET", headers=headers or {}))


# --- settings -------------------------------------------------------------------------------


async def test_settings_send_an_sdk_to_the_host_it_asked(station: Station) -> None:
    reply = await get(station, SETTINGS, {"Host": "clarion.example:8443"})
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"].startswith("public, max-age=")
    assert reply.json["integrations"] == {
        SEGMENT: {
            "apiKey": KEY,
            "apiHost": "clarion.example:8443/v1",
            "protocol": "http",
            "retryQueue": True,
        }
    }
    assert reply.json["plan"]["track"]["__default"]["enabled"] is True
    assert reply.json["metrics"] == {"sampleRate": 0}
    assert reply.json["analyticsNextEnabled"] is True


async def test_settings_name_the_address_that_a_proxy_was_asked_by(station: Station) -> None:
    async def told(headers: dict[str, str]) -> tuple[str, str]:
        reply = await get(station, SETTINGS, headers)
        ours = reply.json["integrations"][SEGMENT]
        return ours["protocol"], ours["apiHost"]

    proxied = {"X-Forwarded-Proto": "https", "Host": "events.shop.example"}
    assert await told(proxied) == ("https", "events.shop.example/v1")
    through_two = {"X-Forwarded-Proto": "https, http", "Host": "events.shop.example"}
    assert await told(through_two) == ("https", "events.shop.example/v1")
    assert await told({"Host": "[::1]:9000"}) == ("http", "[::1]:9000/v1")
    odd = {"X-Forwarded-Proto": "gopher", "Host": "inner:8080"}
    assert await told(odd) == ("http", "inner:8080/v1")


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example, inner:8080"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Host": "evil.example", "X-Forwarded-Server": "evil.example"},
        {"X-Original-Host": "evil.example", "X-Forwarded-Port": "666"},
    ],
    ids=str,
)
async def test_no_header_that_anybody_may_write_leads_events_elsewhere(
    station: Station, forged: dict[str, str]
) -> None:
    reply = await get(station, SETTINGS, {"Host": "inner:8080", **forged})
    ours = reply.json["integrations"][SEGMENT]
    assert (ours["protocol"], ours["apiHost"]) == ("http", "inner:8080/v1")


@pytest.mark.parametrize(
    ("public_url", "told"),
    [
        ("https://events.shop.example", ("https", "events.shop.example/v1")),
        ("http://[::1]:9000", ("http", "[::1]:9000/v1")),
    ],
)
def test_what_the_operator_says_decides_where_to_send(
    public_url: str, told: tuple[str, str]
) -> None:
    headers = {b"host": b"evil.example", b"x-forwarded-proto": b"gopher"}
    ours = settings(KEY, headers, {}, for_customer_io=False, public_url=public_url)
    found = ours["integrations"][SEGMENT]
    assert (found["protocol"], found["apiHost"]) == told


async def test_a_shared_cache_keeps_apart_what_depends_on_headers(station: Station) -> None:
    for headers in ({}, ORIGIN):
        varies = (await get(station, SETTINGS, headers)).headers["vary"]
        named = {one.strip() for one in varies.split(",")}
        assert named >= {"Origin", "User-Agent", "X-Forwarded-Proto"}


async def test_settings_are_found_under_every_path_that_sdks_and_proxies_make(
    station: Station,
) -> None:
    for path in (
        SETTINGS,
        SETTINGS + "/",
        f"/v1/projects/projects/{KEY}/settings",
        f"/projects/{KEY}/settings",
        f"/projects/projects/{KEY}/settings",
        f"/v1/v1/projects/{KEY}/settings",
        f"//v1/projects/{KEY}/settings",
        f"/v1//projects/{KEY}/settings?cache=no",
    ):
        reply = await get(station, path)
        assert (reply.status, list(reply.json["integrations"])) == (200, [SEGMENT]), path


async def test_customer_ios_clients_find_their_key_and_nobody_finds_two(station: Station) -> None:
    """With two, analytics.js loads code for destinations from a CDN; asked alike, they differ only
    by the address that the page was given."""
    browser = await get(station, f"/customerio{SETTINGS}", {"Host": "clarion.example"})
    assert list(browser.json["integrations"]) == [CUSTOMER_IO]
    ours = browser.json["integrations"][CUSTOMER_IO]
    assert (ours["apiKey"], ours["apiHost"]) == (KEY, "clarion.example/v1")
    for agent in ("Customer.io Android Client/4.5.0", "Customer.io iOS Client/3.1 (iPhone)"):
        mobile = await get(station, SETTINGS, {"User-Agent": agent})
        assert list(mobile.json["integrations"]) == [CUSTOMER_IO]
    other = await get(station, SETTINGS, {"User-Agent": "Mozilla/5.0 Chrome/150"})
    assert list(other.json["integrations"]) == [SEGMENT]


async def test_settings_of_an_unknown_key_are_an_error_that_nobody_caches(
    station: Station,
) -> None:
    for key in ("nobody", "x" * 300, "%00"):
        reply = await get(station, f"/v1/projects/{key}/settings", ORIGIN)
        assert (reply.status, reply.json["code"]) == (401, "write_key_unknown")
        assert "cache-control" not in reply.headers
        assert reply.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert (await get(station, "/v1/projects//settings")).status == 404


async def test_settings_of_a_revoked_key_are_refused(tmp_path: Path, clock: FakeClock) -> None:
    async with sqlite(tmp_path) as database:
        await prepare(database, clock)
        at_once = CollectorOptions(authenticator=WriteKeyOptions(remembered_seconds=0))
        async with Station(database, clock, collector_options=at_once) as station:
            assert (await get(station, SETTINGS)).status == 200
            async with database.write() as connection:
                await set_source(connection, WORKSPACE, SOURCE, revoked_at=clock.now())
            assert (await get(station, SETTINGS)).status == 401


async def test_settings_are_answered_unavailable_in_an_outage(tmp_path: Path, clock: Clock) -> None:
    """An SDK that hears 503 asks again; one that hears 401 gives up."""
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    async with Station(database, clock) as station:
        reply = await get(station, SETTINGS)
    await database.close()
    assert (reply.status, reply.json["code"]) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) >= 1


async def test_rudderstacks_browser_sdk_learns_its_source(station: Station) -> None:
    asked = f"/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey={KEY}&lockPluginsVersion=false"
    for path, headers in ((asked, {}), ("/sourceConfig", basic(KEY))):
        reply = await get(station, path, headers | ORIGIN)
        assert reply.status == 200
        source = reply.json["source"]
        assert (source["id"], source["writeKey"]) == (str(SOURCE), KEY)
        assert (source["enabled"], source["destinations"]) == (True, [])
        assert isinstance(source["config"], dict)
        assert reply.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert (await get(station, "/sourceConfig/")).status == 401
    assert (await get(station, "/sourceConfig/?writeKey=nobody")).status == 401


# --- pixels ---------------------------------------------------------------------------------


def packed(event: Any) -> str:
    raw = event if isinstance(event, bytes) else msgspec.json.encode(event)
    return base64.b64encode(raw).decode()


async def test_a_pixel_keeps_its_event_and_shows_an_image(station: Station) -> None:
    for number, (path, kind) in enumerate(PIXELS.items()):
        event = track(f"m{number}", type=kind, writeKey=KEY)
        reply = await get(station, f"{path}?data={quote(packed(event))}")
        assert (reply.status, reply.body) == (200, GIF), path
        assert reply.headers["content-type"] == "image/gif"
        assert reply.headers["cache-control"] == "no-store"
    rows = await station.events()
    assert [row.type for row in rows] == list(PIXELS.values())


async def test_a_pixel_reads_base64_however_it_was_written(station: Station) -> None:
    def event(number: int) -> bytes:
        # Its base64 has a plus and a slash.
        return msgspec.json.encode(track(f"m{number}", writeKey=KEY, x="~~~???>>>ÿÿÿ"))

    plain = [packed(event(number)) for number in range(4)]
    assert any("+" in one for one in plain)
    assert any("/" in one for one in plain)
    for data in (
        quote(plain[0], safe=""),
        plain[1],  # the plus becomes a space
        plain[2].rstrip("="),
        plain[3].replace("+", "-").replace("/", "_"),
    ):
        assert (await get(station, f"/v1/pixel/track?data={data}")).body == GIF
    assert await station.message_ids() == ["m0", "m1", "m2", "m3"]


async def test_a_pixel_may_name_the_fields_of_its_event(station: Station) -> None:
    fields = {
        "writeKey": KEY,
        "event": "Email Opened",
        "userId": "u",
        "messageId": "m",
        "properties.campaign.name": "Spring Ü",
        "properties.email_id": "7",
        "properties.campaign.name.more": "lost",
    }
    assert (await get(station, "/v1/pixel/track?" + urlencode(fields))).status == 200
    (row,) = await station.events()
    assert (row.name, row.user_id, row.message_id) == ("Email Opened", "u", "m")
    properties = msgspec.json.decode(row.body)["properties"]
    assert properties == {"campaign": {"name": "Spring Ü"}, "email_id": "7"}


async def test_a_pixel_is_always_answered_with_its_image(station: Station) -> None:
    unknown = packed(track("m", writeKey="nobody"))
    for query in (
        "",
        "data=",
        "data=%25%25",
        "data=é",
        f"data={packed(b'[]')}",
        f"data={packed(b'{')}",
        f"data={unknown}",
        f"data={packed(track('m'))}",
        "event=Opened&userId=u",
        f"writeKey={KEY}&event=Opened",
        "a=1&" * 1_500,
        "=&&=.&.=.." + "." * 500,
    ):
        path = "/v1/pixel/track?" + quote(query, safe="=&%.")
        reply = await get(station, path, ORIGIN)
        assert (reply.status, reply.body) == (200, GIF), query
    assert await station.events() == []
    assert await station.refusals() == [("event", "no_user_anon_id", None)]


async def test_a_pixel_is_shown_even_where_nothing_can_be_kept(
    tmp_path: Path, clock: Clock
) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    async with Station(database, clock) as station:
        reply = await get(station, f"/v1/pixel/track?data={packed(track('m', writeKey=KEY))}")
    await database.close()
    assert (reply.status, reply.body) == (200, GIF)


# --- metrics, and paths ---------------------------------------------------------------------


async def test_what_an_sdk_measures_of_itself_is_taken_and_not_kept(station: Station) -> None:
    body = {"series": [{"type": "Counter", "metric": "analytics_js.invoke", "value": 1}]}
    for path, sent in (("/v1/m", body), ("/v1/m", b"not json"), ("/cdp/events/segment/m", body)):
        reply = await station.post(path, sent, ORIGIN, key=None)
        assert (reply.status, reply.body) == (200, b'{"success":true}')
        assert reply.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert await station.events() == []
    assert await station.refusals() == []


async def test_every_aside_answers_a_preflight_and_refuses_other_methods(
    station: Station,
) -> None:
    for path in (SETTINGS, "/v1/m", "/v1/pixel/track", "/sourceConfig/"):
        asked = await station.ask(request(path, b"", ORIGIN, method="OPTIONS"))
        assert (asked.status, asked.body) == (204, b""), path
        assert asked.headers["access-control-allow-origin"] == ORIGIN["Origin"]
        wrong = await station.ask(request(path, b"", ORIGIN, method="DELETE"))
        assert (wrong.status, wrong.json["code"]) == (405, "method_not_allowed"), path
        assert "OPTIONS" in wrong.headers["allow"]
        assert wrong.headers["access-control-allow-origin"] == ORIGIN["Origin"]


async def test_a_doubled_path_or_slash_loses_no_event(station: Station) -> None:
    for number, path in enumerate(("/v1/v1/track", "//v1/track", "/v1//track/", "/v1/v1/v1/t")):
        assert (await station.post(path, track(f"m{number}"))).status == 200, path
    assert await station.message_ids() == ["m0", "m1", "m2", "m3"]


async def test_a_beacon_brings_its_key_in_the_query(station: Station) -> None:
    reply = await station.post(
        f"/beacon/v1/batch?writeKey={KEY}", {"batch": [track("m")]}, key=None
    )
    assert reply.status == 200
    assert await station.message_ids() == ["m"]


def test_every_path_of_the_collector_is_sent_to_it() -> None:
    paths = [*ROUTES, *PIXELS, SETTINGS, "/v1/m", "/sourceConfig/", f"/customerio{SETTINGS}"]
    assert [path for path in paths if not path.startswith(COLLECTOR_PREFIXES)] == []
    assert not "/api/v1/sources".startswith(COLLECTOR_PREFIXES)
