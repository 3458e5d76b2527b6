"""Text of others, made fit for a terminal and a log. Pure.

A name of an event, a trait, a user agent or a server's error may hold anything. On a terminal a
control character is an order: ESC begins those that change the title, the clipboard (OSC 52) or the
colours, C1 characters are the same in one character, and marks of direction show a text backwards.
So what is shown of them is their number.
"""

import re

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 besides tab and line feed, DEL, C1
    "\u202a-\u202e\u2066-\u2069"  # what turns the direction of the text that follows
    "\u2028\u2029"  # further line ends
    "\ud800-\udfff]"  # halves of a surrogate pair: bytes that were no UTF-8
)
_LINE_ENDS = re.compile("[\t\n]")

_SAFE_PARAMETERS = frozenset(
    {"stream", "replicas", "sslmode", "ssl", "application_name", "target_session_attrs",
     "host", "port", "user", "dbname", "channel_binding", "connect_timeout"}
)  # fmt: skip
"""Parameters of a URL that hold no secret. What is not known is not shown."""

_USER_INFO = re.compile(r"://((?:(?!://)\S)*)@")
_QUERY = re.compile(r"(://[^\s?]*\?)(\S+)")
_TOKEN_SCHEMES = ("nats", "tls")
"""In their URLs a user's name without a password is a token."""


def visible(text: str) -> str:
    r"""`text` with each control character as its number: `\x1b`. Line feeds and tabs stay."""
    return _CONTROLS.sub(_numbered, text)


def one_line(text: str) -> str:
    r"""`visible`, and on one line: a line feed is `\n`, so that no line is made up by others."""
    return _LINE_ENDS.sub(lambda end: "\\t" if end[0] == "\t" else "\\n", visible(text))


def visible_json(text: str) -> str:
    r"""A JSON document with what a terminal obeys as `\u009b`: it stays the same document."""
    return _CONTROLS.sub(_escaped, text)


def without_passwords(text: str) -> str:
    """`text` with the passwords, and NATS' tokens, in its URLs as `***`: those before the @, and
    those in parameters."""
    if "://" not in text:
        return text
    return _QUERY.sub(_without_values, _USER_INFO.sub(_without_password, text))


def _without_password(match: re.Match[str]) -> str:
    user, colon, _ = match[1].partition(":")
    if colon:
        return f"://{user}:***@"
    scheme = match.string[: match.start()].rpartition(",")[2].split()[-1:]
    return "://***@" if scheme and scheme[0].endswith(_TOKEN_SCHEMES) else match[0]


def _without_values(match: re.Match[str]) -> str:
    pairs = []
    for pair in match[2].split("&"):
        name, sign, value = pair.partition("=")
        is_safe = name.lower() in _SAFE_PARAMETERS or not value
        pairs.append(pair if is_safe else f"{name}{sign}***")
    return match[1] + "&".join(pairs)


def _numbered(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def is_storable(text: str) -> bool:
    """Whether both databases can hold `text`."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
