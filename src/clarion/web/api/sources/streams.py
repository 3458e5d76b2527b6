"""Answers that do not end: how many a process serves, and how they are ended with it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clarion.web.api.errors import ApiError, ErrorCode, retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    streams_max: int = 64
    """Of a process, side by side."""
    look_seconds: float = 1.0
    """Between two looks at what is new."""
    keep_alive_seconds: float = 15.0
    """Proxies cut a line on which nothing is said."""
    seconds_max: float = 900.0
    """Then a stream ends, and its reader comes again where it was: a key that was revoked meanwhile
    does not."""


class Streams:
    """The open event streams of this process."""

    def __init__(self, options: StreamOptions | None = None) -> None:
        self.options = options or StreamOptions()
        self._open = 0
        self._closing = asyncio.Event()

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Takes a place for one more stream. Returns False if another call took the last one since
        `check`."""
        has_room = self._has_room
        self._open += has_room
        try:
            yield has_room
        finally:
            self._open -= has_room

    def check(self) -> None:
        """Raises ApiError where there is no room."""
        if not self._has_room:
            raise ApiError(
                ErrorCode.TOO_MANY_STREAMS,
                f"This process serves {self.options.streams_max} streams: it has no room for more.",
                headers=retry_after(),
            )

    @property
    def _has_room(self) -> bool:
        return self._open < self.options.streams_max and not self._closing.is_set()

    @property
    def count(self) -> int:
        """How many streams are open."""
        return self._open

    async def pause(self, seconds: float) -> bool:
        """Wait; False: the process is about to end, and so should the stream."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """Ends all streams at their next pause."""
        self._closing.set()
