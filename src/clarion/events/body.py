"""The bytes of one HTTP call: unpacked, and made text that every database can keep. Pure.

Whatever the Content-Type says, the bytes are read as JSON: real SDKs label them text/plain or
form-urlencoded. Sizes are limited before and after unpacking.
"""

import re
import zlib
from dataclasses import dataclass

BODY_BYTES_MAX = 524_288
"""Of a call, unpacked (and packed): 512 KiB."""


GZIP_MEMBERS_MAX = 64
"""Streams that one body may be put together of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault:
    """Why a whole call is refused."""

    code: str
    message: str


_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_LONE_HIGH = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_LONE_LOW = re.compile(
    rb"(?<!\\u[dD][89abAB][0-9a-fA-F]{2})(?<!\\)((?:\\\\)*)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_NOT_A_NUMBER = re.compile(rb'("(?:[^"\\]++|\\.)*+"?)|-?\b(?:NaN|Infinity)\b', re.DOTALL)
"""A text matches even without its end: else every quote in it would be tried as a beginning."""


def unpack(body: bytes, encoding: str, bytes_max: int = BODY_BYTES_MAX) -> bytes | CallFault:
    """The body behind `Content-Encoding`, never more than `bytes_max` in memory."""
    if not encoding or encoding == "identity":
        return body if len(body) <= bytes_max else too_large(bytes_max)
    if encoding not in ("gzip", "x-gzip"):
        return CallFault(
            code="encoding_unknown", message="Content-Encoding must be gzip, or not be sent."
        )
    plain = b""
    for _ in range(GZIP_MEMBERS_MAX):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            plain += unpacker.decompress(body, bytes_max + 1 - len(plain))
        except zlib.error:
            return CallFault(code="gzip_broken", message="The body is not valid gzip.")
        if len(plain) > bytes_max:
            return too_large(bytes_max)
        if not unpacker.eof:
            return CallFault(code="gzip_broken", message="The gzip body ends too early.")
        body = unpacker.unused_data
        if not body.startswith(_GZIP):
            return plain
    return CallFault(
        code="gzip_broken", message=f"The gzip body has more than {GZIP_MEMBERS_MAX} members."
    )


def too_large(bytes_max: int = BODY_BYTES_MAX) -> CallFault:
    return CallFault(
        code="body_too_large",
        message=f"The body is larger than {bytes_max} bytes (unpacked): send smaller batches.",
    )


def readable(body: bytes) -> bytes:
    """The body without a byte order mark and without `\\u0000`, which PostgreSQL can not store.

    Bytes that are not UTF-8 become U+FFFD; an id they stood in is no id any more (`usable_id`).
    """
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode(errors="replace").encode()
    return _NUL.sub(rb"\1", body) if b"\\u0000" in body else body


def repaired(body: bytes) -> bytes:
    """The body with two things put right that real SDKs send and JSON does not know.

    JavaScript that cuts a text inside an emoji leaves half a surrogate pair, which becomes U+FFFD;
    Python's json writes NaN and Infinity, which become null, as JavaScript writes them. One such
    value must not cost the whole batch. Asked only for a body that can not be read as it is.
    """
    body = _LONE_HIGH.sub(rb"\1\\ufffd", body)
    body = _LONE_LOW.sub(rb"\1\\ufffd", body)
    if b"NaN" in body or b"Infinity" in body:
        body = _NOT_A_NUMBER.sub(lambda found: found[1] or b"null", body)
    return body
