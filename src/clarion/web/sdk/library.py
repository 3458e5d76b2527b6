"""Segment's browser library, where its snippet loads it from: `/analytics.js/v1/{writeKey}/…`.

Clarion brings nobody's JavaScript; whoever runs it names the file (`CLARION_ANALYTICS_JS`). It and
the pieces that stand beside it, which it loads when a page needs them, are read once, at start.
Without a file the snippet is given a script that tells its developer what is missing.
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from clarion.web.sdk.replies import Headers, send_body
from clarion.web.server import Scope, Send

SECONDS_FRESH = 3_600
"""How long browsers and proxies may keep the library before they ask whether it is still the same;
its pieces have their contents' hash in their names and are kept."""
PIECES_MAX = 100

JAVASCRIPT = (b"content-type", b"text/javascript; charset=utf-8")
_OPEN_TO_ALL: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
"""The same for every page, so that whatever keeps it may show it to all of them."""

_ASKED = re.compile(r"/analytics\.js/v1/([^/]+)/analytics(?:\.min)?\.js")
_PIECE_ASKED = re.compile(r"/analytics-next/bundles/([^/]+)")
_PIECE = re.compile(r"[\w\-]{1,100}\.bundle\.[0-9a-f]{8,64}\.js")
_NO_GZIP = re.compile(r"(?:^|,)\s*gzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)")

_OWN_HOST = b"""\
!function(s){if(s){var a=window[s.getAttribute("data-global-segment-analytics-key")||"analytics"],\
h=s.src.split("/analytics.js/v1/");if(a&&!a._cdn&&h[1])a._cdn=h[0]}}(document.currentScript);"""
"""The library asks the host it came from for its settings, but believes in https ones only: here
it is told. On the library's first line, so that its own lines keep their numbers."""

NOT_SET = b"""\
// Clarion serves analytics.js here once it is told where the file is. On the server:
//   npm pack @segment/analytics-next && tar -xzf segment-analytics-next-*.tgz
//   CLARION_ANALYTICS_JS=package/dist/umd/standalone.js clarion serve
// Until then no event of this page is sent. docs/guides/collect/web.md has more.
console.warn("Clarion: this page's events are not sent, because the server has no analytics.js. \
Whoever runs it has to set CLARION_ANALYTICS_JS to the file dist/umd/standalone.js of the npm \
package @segment/analytics-next. What to do stands in the script itself.");
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script as it is sent."""

    plain: bytes
    packed: bytes
    tag: str
    """Of its contents; packed it has another one."""

    @classmethod
    def of(cls, plain: bytes) -> "Script":
        packed = gzip.compress(plain, mtime=0)
        return cls(plain=plain, packed=packed, tag=sha256(plain).hexdigest()[:32])


class Library:
    """The library and its pieces; `main` None: no setting names it."""

    def __init__(self, main: Script | None, pieces: Mapping[str, Script]) -> None:
        self._main = main
        self._pieces = pieces

    @classmethod
    def read(cls, file: Path | None) -> "Library":
        """The library in `file`. Raises OSError where it can not be read."""
        if file is None:
            return cls(None, {})
        named = sorted(path for path in file.parent.iterdir() if _PIECE.fullmatch(path.name))
        return cls(
            Script.of(_OWN_HOST + file.read_bytes()),
            {path.name: Script.of(path.read_bytes()) for path in named[:PIECES_MAX]},
        )

    def has_piece(self, name: str) -> bool:
        return name in self._pieces

    async def send(self, scope: Scope, send: Send) -> None:
        """Sends the library, for a valid write key."""
        if self._main is None:
            headers = [JAVASCRIPT, (b"cache-control", b"no-store"), *_OPEN_TO_ALL]
            # With an error's status no browser would run what explains it.
            await send_body(send, 200, NOT_SET, headers)
            return
        await _send_script(self._main, f"public, max-age={SECONDS_FRESH}", scope, send)

    async def send_piece(self, name: str, scope: Scope, send: Send) -> None:
        """A piece that there is."""
        await _send_script(self._pieces[name], "public, max-age=31536000, immutable", scope, send)


def library_asked(path: str) -> str | None:
    """The write key in a path that asks for the library."""
    match = _ASKED.fullmatch(path)
    return None if match is None else match[1]


def piece_asked(path: str) -> str | None:
    """The name in a path that asks for one of its pieces."""
    match = _PIECE_ASKED.fullmatch(path)
    return None if match is None else match[1]


async def _send_script(script: Script, fresh: str, scope: Scope, send: Send) -> None:
    headers = dict(scope["headers"])
    accepted = headers.get(b"accept-encoding", b"").decode("latin-1").lower()
    is_packed = "gzip" in accepted and not _NO_GZIP.search(accepted)
    tag = f'"{script.tag}-gzip"' if is_packed else f'"{script.tag}"'
    cache_headers: Headers = [
        (b"etag", tag.encode()),
        (b"cache-control", fresh.encode()),
        (b"vary", b"Accept-Encoding"),
        *_OPEN_TO_ALL,
    ]
    etags = headers.get(b"if-none-match", b"").decode("latin-1")
    if tag in [etag.strip().removeprefix("W/") for etag in etags.split(",")] or etags == "*":
        await send({"type": "http.response.start", "status": 304, "headers": cache_headers})
        await send({"type": "http.response.body", "body": b""})
        return
    if is_packed:
        cache_headers.append((b"content-encoding", b"gzip"))
    body = script.packed if is_packed else script.plain
    await send_body(
        send, 200, body, [JAVASCRIPT, (b"x-content-type-options", b"nosniff"), *cache_headers]
    )
