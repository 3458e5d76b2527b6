"""The bytes of one HTTP call: unpacked, and made text that every database can keep. Pure.

Whatever the Content-Type says, the bytes are read as JSON: real SDKs label them text/plain or
form-urlencoded. What is unmistakable from its first bytes is read, whatever is announced: gzip,
deflate, base64, plain JSON, UTF-16. Sizes are limited before and after each unpacking.
"""

import base64
import binascii
import re
import zlib

import msgspec

from clarion.faults import Rejected

BODY_BYTES_MAX = 524_288
"""Of a call, unpacked (and packed): 512 KiB."""


GZIP_MEMBERS_MAX = 64
"""Streams that one body may be put together of."""
REPAIRS_MAX = 20_000
QUOTES_MAX = 100_000
"""Of a body that is repaired: what each costs would keep others waiting."""
LAYERS_MAX = 3
"""Packings around each other: an app's, and one that a proxy or a library adds."""


_text = msgspec.json.Decoder(str)
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BOM = b"\xef\xbb\xbf"
_AROUND_JSON = b" \t\r\n\x00" + _BOM + b"\xff\xfe"
"""What may stand before the first bracket: white space, byte order marks, zeros of UTF-16."""
_BASE64 = re.compile(
    rb"\s*(?:ey[A-DI-L]|ewo|ewk|ew0|e30|W3s|H4sI|eJ[wyxz]|eN[o-r])[\w+/\-\s]*=*\s*\Z"
)
"""Base64 whose first bytes are those of a JSON object or list, of gzip or of zlib."""
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CHARSETS = {
    name: encoding
    for encoding, names in {
        "cp1252": ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252"),
        "iso-8859-2": ("iso-8859-2",),
        "iso-8859-15": ("iso-8859-15", "latin-9"),
        "cp1250": ("windows-1250", "cp1250"),
        "cp1251": ("windows-1251", "cp1251"),
        "koi8-r": ("koi8-r",),
        "shift_jis": ("shift-jis", "sjis"),
        "euc_jp": ("euc-jp",),
        "gb18030": ("gbk", "gb2312", "gb18030"),
        "big5": ("big5",),
        "euc_kr": ("euc-kr",),
    }.items()
    for name in names
}
"""Charsets that a Content-Type may name; as browsers do, Latin-1 is read as Windows-1252."""
_ESCAPED_DAMAGE = re.compile(r"\\u(?:[fF]{3}[dD]|00[cC][23]\\u00[89abAB][0-9a-fA-F])")
_MOJIBAKE = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac[\u0153\u017e\u201c\u2122\u02dc\u00a2\u00a6]"
)
_LONE_HIGH = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_LONE_LOW = re.compile(
    rb"(?<!\\u[dD][89abAB][0-9a-fA-F]{2})(?<!\\)((?:\\\\)*)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_NOT_A_NUMBER = re.compile(rb'("(?:[^"\\]++|\\.)*+"?)|-?\b(?:NaN|Infinity)\b', re.DOTALL)
"""A text matches even without its end: else every quote in it would be tried as a beginning."""


def unpack(body: bytes, encoding: str, bytes_max: int = BODY_BYTES_MAX) -> bytes | Rejected:
    """The body as its sender wrote it, never more than `bytes_max` in memory.

    How it is packed is read from its first bytes: proxies unpack it and leave `Content-Encoding`
    standing, and apps pack it and forget to say so. What is announced counts only for what its
    bytes do not tell.
    """
    if not encoding and body[:1] == b"{" and len(body) <= bytes_max:
        return body  # nearly always
    announced = encoding.strip().lower()
    for _ in range(LAYERS_MAX):
        plain = _unpack_once(body, announced, bytes_max)
        if plain is None:
            break
        if isinstance(plain, Rejected):
            return plain
        body = plain
        announced = announced.rpartition(",")[0].strip()
    if len(body) > bytes_max:
        return too_large(bytes_max)
    if body.startswith(_GZIP):
        return Rejected(
            code="gzip_broken", message=f"The body is packed more than {LAYERS_MAX} times."
        )
    if body[:4] == _ZSTD:
        return Rejected(
            code="encoding_unknown", message="The body is compressed with zstd: send gzip."
        )
    if _is_json(body) or announced in ("", "identity"):
        return body
    if "gzip" in announced or "deflate" in announced:
        return Rejected(
            code="gzip_broken", message="The body is neither valid gzip, nor deflate, nor plain."
        )
    return Rejected(
        code="encoding_unknown",
        message="Content-Encoding must be gzip or deflate, or not be sent.",
    )


def _unpack_once(body: bytes, announced: str, bytes_max: int) -> bytes | Rejected | None:
    """The body without its outermost packing; None where it has none that could be taken off."""
    if body.startswith(_GZIP):
        return _gunzip(body, bytes_max)
    if _is_json(body):
        return None
    if len(body) > 2 and body[0] & 0x8F == 8 and int.from_bytes(body[:2]) % 31 == 0:
        plain = _inflate(body, zlib.MAX_WBITS, bytes_max)
        if plain is not None:
            return plain
    if _BASE64.match(body):
        return _from_base64(body)
    if announced.rpartition(",")[2].strip() == "deflate":
        return _inflate(body, -zlib.MAX_WBITS, bytes_max)
    return None


def _is_json(body: bytes) -> bool:
    """Whether it begins as a JSON object or list does, in whatever of Unicode's encodings."""
    if body[:1] == b"{":
        return True  # nearly always
    begin = body[:64].lstrip(_AROUND_JSON)[:1]
    return begin in (b"{", b"[") and begin != b""


def _inflate(body: bytes, wbits: int, bytes_max: int) -> bytes | Rejected | None:
    """Deflated bytes; None where they are none, or end too early."""
    unpacker = zlib.decompressobj(wbits=wbits)
    try:
        plain = unpacker.decompress(body, bytes_max + 1)
    except zlib.error:
        return None
    if len(plain) > bytes_max:
        return too_large(bytes_max)
    return plain if unpacker.eof else None


def _from_base64(body: bytes) -> bytes | None:
    text = b"".join(body.split()).replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None


def _gunzip(body: bytes, bytes_max: int) -> bytes | Rejected:
    plain = b""
    for _ in range(GZIP_MEMBERS_MAX):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            plain += unpacker.decompress(body, bytes_max + 1 - len(plain))
        except zlib.error:
            return Rejected(code="gzip_broken", message="The body is not valid gzip.")
        if len(plain) > bytes_max:
            return too_large(bytes_max)
        if not unpacker.eof:
            return Rejected(code="gzip_broken", message="The gzip body ends too early.")
        body = unpacker.unused_data
        if not body.startswith(_GZIP):
            return plain
    return Rejected(
        code="gzip_broken", message=f"The gzip body has more than {GZIP_MEMBERS_MAX} members."
    )


def too_large(bytes_max: int = BODY_BYTES_MAX) -> Rejected:
    return Rejected(
        code="body_too_large",
        message=f"The body is larger than {bytes_max} bytes (unpacked): send smaller batches.",
    )


def readable(body: bytes, charset: str = "") -> bytes:
    """The body in UTF-8, without a byte order mark and without `\\u0000`, which PostgreSQL can not
    store.

    UTF-16 and UTF-32 are known by their first bytes; `charset`, as the call's Content-Type names
    it, counts for what is no UTF-8. Other bytes become U+FFFD; an id they stood in is no id any
    more (`usable_id`), and the source is warned of the event (`is_damaged`).
    """
    return without_nul(in_utf_8(body, charset))


def without_nul(body: bytes) -> bytes:
    """Without `\u0000`, which PostgreSQL can not store."""
    return _without_nul(body) if b"\\u0000" in body else body


def in_utf_8(body: bytes, charset: str = "") -> bytes:
    """The body in UTF-8, without a byte order mark: all that has to be done to look for its key."""
    if body.startswith(b'{"') and body.isascii():
        return body  # nearly always
    wide = _wide_encoding(body)
    if wide:
        body = body.decode(wide, errors="replace").encode()
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = _as_utf_8(body, charset)
    return _unquoted(body) if body[:3].lstrip()[:1] == b'"' else body


def _unquoted(body: bytes) -> bytes:
    """What was written as JSON twice: a text that holds an object."""
    try:
        text = _text.decode(body)
    except ValueError:
        return body
    return text.encode(errors="replace") if text.lstrip()[:1] == "{" else body


def _without_nul(body: bytes) -> bytes:
    """Without the escapes that stand for NUL. Backslashes come in pairs or escape what follows."""
    parts = body.split(b"\\\\")
    for number, part in enumerate(parts):
        if b"\\u0000" in part:
            part = part.replace(b"\\u0000", b"")
            parts[number] = part.replace(b"\\u0000", b"?")  # made by what stood around another
    return b"\\\\".join(parts)


def is_damaged(text: str) -> bool:
    """Whether an event's JSON shows that characters were lost on the way: U+FFFD stands for them,
    or half of an emoji, or UTF-8 was taken for Latin-1 and written as UTF-8 once more (`Ã©`)."""
    if "\\u" in text and _ESCAPED_DAMAGE.search(text):
        return True
    return not text.isascii() and ("\ufffd" in text or _MOJIBAKE.search(text) is not None)


def _wide_encoding(body: bytes) -> str | None:
    """UTF-16 or UTF-32, by a byte order mark or by where the zeros stand in its first character:
    JSON begins with ASCII."""
    if body[:1] in (b"{", b"[") and body[1:2] != b"\x00":
        return None  # nearly always
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding
    match [byte != 0 for byte in body[:4]]:
        case [True, False, False, False]:
            return "utf-32-le"
        case [False, False, False, True]:
            return "utf-32-be"
        case [True, False, *_]:
            return "utf-16-le"
        case [False, True, *_]:
            return "utf-16-be"
        case _:
            return None


def _as_utf_8(body: bytes, charset: str) -> bytes:
    """What is not quite UTF-8. Old Java, MySQL and Oracle write an emoji's two halves one by one
    (CESU-8)."""
    try:
        halves = body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    else:
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    known = _CHARSETS.get(charset.strip(" \"'").lower().replace("_", "-"))
    return body.decode(known or "utf-8", errors="replace").encode()


def repaired(body: bytes) -> bytes:
    """The body with three things put right that real SDKs send and JSON does not know.

    JavaScript that cuts a text inside an emoji leaves half a surrogate pair, which becomes U+FFFD;
    Python's json writes NaN and Infinity, which become null, as JavaScript writes them; C sends the
    NUL along that ends its texts. One such value must not cost the whole batch. Asked only for a
    body that can not be read as it is. One with more than REPAIRS_MAX of the former is none that an
    SDK has made, and stays as it is.
    """
    if sum(map(body.count, (b"\\ud", b"\\uD", b"NaN", b"Infinity"))) > REPAIRS_MAX:
        return body
    body = body.rstrip(b"\0")
    body = _LONE_HIGH.sub(rb"\1\\ufffd", body)
    body = _LONE_LOW.sub(rb"\1\\ufffd", body)
    if (b"NaN" in body or b"Infinity" in body) and body.count(b'"') <= QUOTES_MAX:
        body = _NOT_A_NUMBER.sub(lambda match: match[1] or b"null", body)
    return body
