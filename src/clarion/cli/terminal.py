"""The terminal, file or pipe that a command writes to: whatever its encoding, and whatever the
text, what is written is a text and never an order."""

import codecs
import signal
import sys
from typing import Any, TextIO

from clarion.text import visible

INSTEAD = "clarion.instead"
"""The error handler of streams that can not hold a character."""
_INSTEAD = {
    "✓": "ok:", "✗": "no:", "–": "-", "—": "-", "…": "...", "·": "-", "→": "->", "←": "<-",
    "↑": "^", "↓": "v", "×": "x", "≤": "<=", "≥": ">=", "•": "*", "≈": "~", "█": "#", "▁": "_",
}  # fmt: skip


def set_up_streams(*streams: Any) -> None:
    """No text ends a command for want of a character in the console's encoding: our own signs have
    another form, what is foreign is told by its number."""
    codecs.register_error(INSTEAD, _instead)
    for stream in streams:
        if hasattr(stream, "reconfigure"):  # not where the stream is closed, or a test's
            stream.reconfigure(errors=INSTEAD)


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Whether a person says yes. Ctrl-C and the end of input are no answer: KeyboardInterrupt."""
    # asyncio's handler waits for the loop, which waits for this answer.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stderr.write(f"{visible(question)} [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
    except OSError:  # the terminal is gone
        answer = ""
    finally:
        signal.signal(signal.SIGINT, before)
    if not answer:
        raise KeyboardInterrupt
    return answer.strip().lower() in ("y", "yes")


def can_show(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding holds all of `text`."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _instead(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_INSTEAD.get(sign) or _numbered(sign) for sign in wrong), error.end


def _numbered(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode()
