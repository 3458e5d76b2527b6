"""How many requests may be in the air at once, by how long FCM takes to answer. Pure.

How many are in the air is the rate times the time an answer takes, so as long as FCM is quick the
pace decides and this window is not felt. When FCM slows down, more and more would wait there, each
of them holding a stream and growing old; so the window shrinks by a tenth for each round of slow
answers, down to `least`, and grows again by a tenth while answers are quick and it is full.
"""

SLOW_SECONDS = 0.5
"""Google calls a sender's slow answers so, and asks it to step back."""
TIMES_USUAL = 2.0
"""Where FCM is always that slow, it is the network: only twice as slow as usual counts."""
EVERY = 16
"""One answer in so many is looked at."""
ROUND = 16
"""So many that were looked at make a round."""
STEP = 0.1


class ConcurrencyLimiter:
    """Told of every `EVERY`-th answer; `limit` is how many may be in the air."""

    def __init__(self, *, least: int, most: int) -> None:
        self._least = min(least, most)
        self._most = most
        self._usual = 0.0
        self._sum = 0.0
        self._count = 0
        self.limit = most

    def answered(self, seconds: float, *, is_full: bool) -> None:
        """An answer came after `seconds`, while as many were in the air as may be, or fewer."""
        self._sum += seconds
        self._count += 1
        if self._count == ROUND:
            self._turn(self._sum / ROUND, is_full)
            self._sum, self._count = 0.0, 0

    def _turn(self, mean: float, is_full: bool) -> None:
        # The quickest round is what is usual; it is slowly forgotten, since routes change.
        self._usual = mean if not self._usual else min(mean, self._usual * 1.01)
        step = max(1, int(self.limit * STEP))
        if mean > max(SLOW_SECONDS, TIMES_USUAL * self._usual):
            self.limit = max(self._least, self.limit - step)
        elif is_full:
            self.limit = min(self._most, self.limit + step)
