"""How long a test waits for what must come: one bound, generous, in one place.

No verdict depends on how fast the machine is. A test waits for what it wants to see, and what it
sees decides; the bound only ends a test that would wait for ever. So that "at once" can be told
from "after a while", a wait that must not be waited for is `NEVER` long: a test that sits it out
is ended by the bound. What must not take long is measured by growth, in CPU time of this process:
four times as much to do takes about four times as long, whatever the machine.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from time import monotonic, process_time
from typing import TypeVar

PATIENCE = float(os.environ.get("TESTS_PATIENCE", "300"))
"""Seconds."""
NEVER = PATIENCE * 10
"""A lease, a delay or a poll that does not end in a test."""
POLL_SECONDS = 0.1

T = TypeVar("T")


def patience() -> asyncio.Timeout:
    """`async with patience():` what is within must end some time."""
    return asyncio.timeout(PATIENCE)


async def until(
    ask: Callable[[], Awaitable[T]], is_so: Callable[[T], bool], *, seconds: float = PATIENCE
) -> T:
    """Ask again and again until the answer is as wanted; returns it.

    As long as the answer changes there is progress: only one that stays the same for `seconds` is
    given up, and one that changes for ever."""
    last: object = None
    latest, at_last = monotonic() + seconds, monotonic() + NEVER
    while True:
        answer = await ask()
        if is_so(answer):
            return answer
        if (seen := repr(answer)) != last:
            last, latest = seen, monotonic() + seconds
        assert monotonic() < min(latest, at_last), f"for {seconds} s it has been {answer!r}"
        await asyncio.sleep(POLL_SECONDS)


def growth(run: Callable[[], object], run_fourfold: Callable[[], object]) -> float:
    """How much more CPU time the second takes, which has four times as much to do: about 4 where
    the work grows with the size, 16 where it grows with its square. The best of some runs each, in
    turn, so that what else happens on the machine counts for nothing."""
    best = [float("inf"), float("inf")]
    for _ in range(7):
        for place, each in enumerate((run, run_fourfold)):
            began = process_time()
            each()
            best[place] = min(best[place], process_time() - began)
    return best[1] / max(best[0], 1e-6)
