"""Segment's browser library, loaded from Clarion as the snippet loads it."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clarion.clock import Clock
from clarion.storage.database import Database
from clarion.web.sdk.library import Library
from support.database import make_tables
from support.station import KEY, Station, prepare
from support.wire import Reply, request

PATH = f"/analytics.js/v1/{KEY}/analytics.min.js"
MAIN = b"window.loaded = 1; // \xc3\xa9\n"
PIECE = "auto-track.bundle.f131ce01a05e3a33a8c1.js"


@pytest.fixture
def umd(tmp_path: Path) -> Path:
    """What stands in the package's dist/umd, and something that should not."""
    directory = tmp_path / "umd"
    directory.mkdir()
    (directory / "standalone.js").write_bytes(MAIN)
    (directory / PIECE).write_bytes(b"// a piece")
    (directory / "secret.key").write_bytes(b"secret")
    return directory / "standalone.js"


@pytest.fixture
async def station(tmp_path: Path, umd: Path, clock: Clock) -> AsyncIterator[Station]:
    async with opened(tmp_path, clock, Library.read(umd)) as station:
        yield station


class opened:
    """A station with this library, on a database of its own."""

    def __init__(self, directory: Path, clock: Clock, library: Library | None) -> None:
        self._database = Database(f"sqlite:///{directory}/library.db")
        self._station = Station(self._database, clock, library=library)

    async def __aenter__(self) -> Station:
        await make_tables(self._database)
        await prepare(self._database, self._station.clock)
        return await self._station.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        await self._station.__aexit__()
        await self._database.close()


async def get(station: Station, path: str = PATH, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await station.ask(request(path, method="GET", headers=named))


async def test_the_library_is_served_to_pages_of_any_origin(station: Station) -> None:
    reply = await get(station, Origin="https://shop.example")
    assert reply.status == 200
    assert reply.body.endswith(MAIN)
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    assert reply.headers["cache-control"] == "public, max-age=3600"


async def test_the_librarys_lines_keep_their_numbers(station: Station) -> None:
    reply = await get(station)
    assert reply.body.removesuffix(MAIN).count(b"\n") == 0


async def test_a_cached_library_is_answered_not_modified(station: Station) -> None:
    tag = (await get(station)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await get(station, If_None_Match=known, Origin="https://shop.example")
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["access-control-allow-origin"] == "*"
    assert (await get(station, If_None_Match='"other"')).status == 200


async def test_the_library_is_packed_for_those_who_take_it_packed(station: Station) -> None:
    plain = await get(station)
    packed = await get(station, Accept_Encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    declined = await get(station, Accept_Encoding="gzip;q=0, identity")
    assert declined.body == plain.body


async def test_the_librarys_pieces_are_served_and_nothing_else_of_its_directory(
    station: Station,
) -> None:
    piece = await get(station, f"/analytics-next/bundles/{PIECE}")
    assert (piece.status, piece.body) == (200, b"// a piece")
    assert "immutable" in piece.headers["cache-control"]
    for name in ("secret.key", "standalone.js", "..%2Fsecret.key", "nope.bundle.0123456789.js"):
        assert (await get(station, f"/analytics-next/bundles/{name}")).status == 404


async def test_an_unknown_write_key_gets_no_library(station: Station) -> None:
    reply = await get(station, "/analytics.js/v1/nobody/analytics.min.js")
    assert (reply.status, reply.json["code"]) == (401, "write_key_unknown")


async def test_the_library_is_only_got(station: Station) -> None:
    posted = await station.ask(request(PATH, b"{}"))
    assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    asked = await station.ask(request(PATH, method="OPTIONS", headers={"Origin": "null"}))
    assert asked.status == 204


@pytest.mark.parametrize("path", [f"/{PATH}", PATH.replace(".min", "")])
async def test_a_slash_too_many_and_the_plain_name_load_it_too(station: Station, path: str) -> None:
    assert (await get(station, path)).body.endswith(MAIN)


async def test_without_a_file_a_script_says_what_to_set(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, None) as station:
        reply = await get(station)
        assert reply.status == 200, "no browser runs a script that comes as an error"
        assert reply.headers["content-type"].startswith("text/javascript")
        assert reply.headers["cache-control"] == "no-store"
        assert b"CLARION_ANALYTICS_JS" in reply.body
        assert b"console.warn(" in reply.body
        assert (await get(station, "/analytics.js/v1/nobody/analytics.min.js")).status == 401
