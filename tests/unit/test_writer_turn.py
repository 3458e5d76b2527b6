"""Who writes to SQLite next: what is to leave at once passes, and nobody waits for ever."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from clarion.storage.sqlite.writer_turn import PASSES_MAX, WriterTurn
from support.patience import PATIENCE


async def order_of(comers: list[bool], given_up: frozenset[int] = frozenset()) -> list[int]:
    """In which order those have the turn who come while another has it, by their number; `comers`:
    whether each goes first. Those in `given_up` are cancelled while they wait."""
    turn, order = WriterTurn(), list[int]()

    async def come(number: int, first: bool) -> None:
        async with turn.taken(first=first):
            order.append(number)

    async with turn.taken():
        tasks = [asyncio.create_task(come(number, first)) for number, first in enumerate(comers)]
        await asyncio.sleep(0)  # all of them wait now
        for number in given_up:
            tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(PATIENCE), turn.taken():
        return order


async def test_what_goes_first_passes_those_that_wait() -> None:
    assert await order_of([False, False, True, False, True]) == [2, 4, 0, 1, 3]


async def test_none_is_passed_for_ever() -> None:
    order = await order_of([False, False] + [True] * (3 * PASSES_MAX))
    assert order.index(0) == PASSES_MAX
    assert order.index(1) == 2 * PASSES_MAX + 1


@given(st.lists(st.booleans(), max_size=40), st.sets(st.integers(0, 39)))
def test_whoever_gives_up_takes_nobodys_turn(comers: list[bool], numbers: set[int]) -> None:
    given_up = frozenset(number for number in numbers if number < len(comers))
    order = asyncio.run(order_of(comers, given_up))
    assert sorted(order) == [number for number in range(len(comers)) if number not in given_up]
    for kind in (True, False):
        own = [number for number in order if comers[number] is kind]
        assert own == sorted(own), "those of a kind in the order they came"


async def test_one_that_is_cancelled_as_it_gets_the_turn_hands_it_on() -> None:
    turn = WriterTurn()

    async def come() -> None:
        async with turn.taken():
            pass

    async with turn.taken():
        waiting = asyncio.create_task(come())
        await asyncio.sleep(0)
    waiting.cancel()  # it has the turn, and does not know it yet
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(PATIENCE), turn.taken():
        assert waiting.cancelled()
