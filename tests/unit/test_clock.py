"""Ids that sort by time, instants as numbers, and the machine's own clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from clarion.clock import SystemClock, derived_id, from_micros, to_micros, uuid7

milliseconds = st.integers(0, 2**48 - 1)
randomness = st.binary(min_size=10, max_size=10)


@given(milliseconds, randomness)
def test_an_id_is_a_uuid_of_version_7_that_tells_its_millisecond(
    unix_ms: int, random: bytes
) -> None:
    made = uuid7(unix_ms, random)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == unix_ms


@given(milliseconds, randomness)
def test_all_random_bits_but_the_six_that_say_the_kind_are_kept(
    unix_ms: int, random: bytes
) -> None:
    kept = (1 << 80) - 1
    kept &= ~(0xF << 76)
    kept &= ~(0x3 << 62)
    assert uuid7(unix_ms, random).int & kept == int.from_bytes(random, "big") & kept


@given(milliseconds, milliseconds, randomness, randomness)
def test_later_ids_sort_after_earlier_ones(one: int, two: int, a: bytes, b: bytes) -> None:
    if one < two:
        assert uuid7(one, a) < uuid7(two, b)
        assert uuid7(one, a).bytes < uuid7(two, b).bytes
        assert str(uuid7(one, a)) < str(uuid7(two, b))


def test_the_example_of_the_standard() -> None:
    """RFC 9562, appendix A.6."""
    unix_ms = 0x017F22E279B0
    random = (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(unix_ms, random) == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(
        lambda at: at.replace(tzinfo=UTC)
    )
)
def test_an_instant_reads_back_to_the_microsecond(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at


@given(st.integers(-(2**50), 2**50))
def test_microseconds_keep_their_order(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros
    assert from_micros(micros) < from_micros(micros + 1)


async def test_the_machine_s_clock_is_aware_in_utc_and_makes_ids_of_now() -> None:
    clock = SystemClock()
    before = clock.now()
    ids = [clock.new_id() for _ in range(1_000)]
    after = clock.now()
    assert before.utcoffset() == timedelta(0)
    assert len(set(ids)) == 1_000
    for one in (ids[0], ids[-1]):
        assert to_micros(before) // 1_000 <= one.int >> 80 <= to_micros(after) // 1_000
    assert all(0 <= clock.chance() < 1 for _ in range(1_000))


async def test_the_machine_s_clock_sleeps_no_shorter_than_asked() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await SystemClock().sleep(0.02)
    assert loop.time() - began >= 0.019


@given(namespace=st.uuids(), name=st.text(st.characters(codec="utf-8")))
def test_a_derived_id_is_version_5_of_the_standard(namespace: UUID, name: str) -> None:
    assert derived_id(namespace, name) == uuid5(namespace, name)
