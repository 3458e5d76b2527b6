"""A thread that no other part can hold up: it sees that a process which is to end does end.

What hangs in a process hangs its orderly end as well: a thread that died for want of memory leaves
somebody waiting for ever, a disk that is gone leaves a statement unfinished. A process that is
ended hard is no more than a crash, and those lose nothing; one that stays is never started again.
"""

import errno
import os
import threading
from collections.abc import Callable
from time import monotonic

import structlog

LOOK_SECONDS = 1.0
STILL_SECONDS = 30.0
"""So long may the event loop do one thing before that is told."""
EXIT_CODE = 70

log = structlog.get_logger(__name__)


class Watchdog:
    """Watches over one process, from `start` to `close`."""

    def __init__(
        self,
        *,
        why_broken: Callable[[], str | None],
        look_seconds: float = LOOK_SECONDS,
        end: Callable[[int], None] = os._exit,
    ) -> None:
        """`why_broken`: says why the process can never work again, or None; called in a thread."""
        self._why_broken = why_broken
        self._look_seconds = look_seconds
        self._end = end
        self._deadline: float | None = None
        self._beat_at = monotonic()
        self._is_told = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The process ends by itself."""
        self._closed.set()

    def beat(self) -> None:
        """The event loop is alive: called by it again and again."""
        self._beat_at = monotonic()
        self._is_told = False

    def end_within(self, seconds: float) -> None:
        """The process was asked to end: end it hard if it has not in so long."""
        if self._deadline is None:
            self._deadline = monotonic() + seconds

    def _watch(self) -> None:
        while not self._closed.wait(self._look_seconds):
            deadline = self._deadline
            if deadline is not None and monotonic() > deadline:
                self._end_hard("it was asked to end and something in it hangs")
                return
            broken = self._why_broken()
            if broken is not None:
                self._end_hard(broken)
                return
            still = monotonic() - self._beat_at
            if still > STILL_SECONDS and not self._is_told:
                self._is_told = True
                log.error("event_loop_stands_still", seconds=round(still))

    def _end_hard(self, reason: str) -> None:
        try:
            log.error("process_ended_hard", reason=reason, cure="what was under way comes back")
        except Exception:  # want of memory, perhaps: the end matters more than the words
            os.write(2, b"process_ended_hard\n")
        self._end(EXIT_CODE)


def is_exhausted(error: BaseException) -> bool:
    """Whether the process has come to a limit of its own that no waiting lifts: memory, threads."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_exhausted(exception) for exception in error.exceptions)
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return True
    return isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
