"""What pages are made of besides HTML: style, script, and htmx, each under its hash for ever."""

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

FOLDER = Path(__file__).parent / "static"
FILES = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "compose.js": "text/javascript; charset=utf-8",
    "vendor/htmx-4.0.1.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Its name → its media type. Nothing else is served."""
FOR_EVER = "public, max-age=31536000, immutable"
_HASH_CHARACTERS = 12


@cache
def packed(name: str) -> bytes:
    """The file, compressed once in a process."""
    return gzip.compress((FOLDER / name).read_bytes(), 9, mtime=0)


@cache
def address(name: str) -> str:
    """Where a page finds it: another address for each version."""
    return f"/console/static/{_version(name)}/{name}"


@get("/console/static/{version:str}/{name:path}", include_in_schema=False)
async def static_file(
    request: Request[Any, Any, Any], version: FromPath[str], name: FromPath[Path]
) -> Response[bytes]:
    """The file, compressed for whoever takes that. The `version` of another release gets today's,
    and asks again."""
    wanted = name.as_posix().lstrip("/")
    if wanted not in FILES:
        return Response(b"", status_code=404, media_type="text/plain")
    headers = {
        "Cache-Control": FOR_EVER if version == _version(wanted) else "no-store",
        "Vary": "Accept-Encoding",
    }
    body = (FOLDER / wanted).read_bytes()
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = packed(wanted)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=FILES[wanted], headers=headers)


@cache
def _version(name: str) -> str:
    return sha256((FOLDER / name).read_bytes()).hexdigest()[:_HASH_CHARACTERS]
