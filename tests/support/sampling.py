"""What is exhaustive is sampled in `make test` and done whole in `make soak` (`pytest --soak`).

The sample is drawn by pytest-randomly's seed, which is printed at the end: the same seed draws the
same sample, and `make test SEED=7` draws another. Each class of what is tried is always in it.
"""

import os
import random
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice, permutations
from math import factorial
from typing import TypeVar
from zlib import crc32

import pytest

SOAK = "TESTS_SOAK"
"""Set by `--soak`, for the processes of pytest-xdist, too."""
SOAK_EXAMPLES = 20
TWINS = 3
SQLITE, POSTGRES = "sqlite", "postgres"
"""As ids of parameters say them."""

T = TypeVar("T")


def is_soak() -> bool:
    return os.environ.get(SOAK) == "1"


def some(
    items: Sequence[T], count: int, *, kind: Callable[[T], Hashable] | None = None
) -> Sequence[T]:
    """`count` of the items in their order, and one of each kind at least; all of them in a soak."""
    if is_soak() or len(items) <= count:
        return items
    order = random.sample(range(len(items)), len(items))
    chosen = set(order[:count])
    if kind is not None:
        firsts = {kind(items[place]): place for place in order}
        chosen = set(firsts.values())
        chosen.update(
            islice((place for place in order if place not in chosen), _rest(count, chosen))
        )
    return [items[place] for place in sorted(chosen)]


def some_orders(items: Sequence[T], count: int) -> Iterable[tuple[T, ...]]:
    """As they are, turned round, and other orders up to `count`; in a soak, every permutation."""
    if is_soak() or factorial(len(items)) <= count:
        yield from permutations(items)
        return
    seen = {tuple(range(len(items))), tuple(reversed(range(len(items))))}
    while len(seen) < count:
        seen.add(tuple(random.sample(range(len(items)), len(items))))
    for order in sorted(seen):
        yield tuple(items[place] for place in order)


def without_twins(
    items: Sequence[pytest.Item], seed: object
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests of `flow/` on SQLite, and one of `TWINS` of those that say the same on PostgreSQL;
    then those that are left out. What only PostgreSQL can do is tried on it always, and `contract/`
    holds each statement to mean the same on both. Every process of pytest-xdist draws the same."""
    names = {item.nodeid for item in items}
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        name = item.nodeid
        is_twin = "flow/" in name and POSTGRES in name and name.replace(POSTGRES, SQLITE) in names
        is_drawn = crc32(f"{seed} {name}".encode()) % TWINS == 0
        (left_out if is_twin and not is_drawn and not is_soak() else kept).append(item)
    return kept, left_out


def examples(count: int) -> int:
    """So many of Hypothesis's examples; in a soak, many times as many."""
    return count * SOAK_EXAMPLES if is_soak() else count


def _rest(count: int, chosen: set[int]) -> int:
    return max(0, count - len(chosen))
