"""What frequency caps count of one customer: any story keeps every cap, and repeats count once."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from clarion.campaigns.limits.caps import Cap, caps_on
from clarion.deliveries.limits.recent import (
    Recent,
    pack,
    reserve,
    settle,
    unpack,
    without_old,
)
from support.book import NOW

CATEGORIES = st.sampled_from([None, "news", "sales"])
CAPS = st.lists(
    st.builds(Cap, pushes=st.integers(1, 3), hours=st.integers(1, 48), category=CATEGORIES),
    min_size=1,
    max_size=3,
)
ONE_DAY = [Cap(pushes=1, days=1)]


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[int, int, int, bool]]:
    """(minutes later, launch, device, whether it is accepted) of one push after another."""
    return draw(
        st.lists(
            st.tuples(st.integers(0, 600), st.integers(0, 5), st.integers(0, 2), st.booleans()),
            max_size=30,
        )
    )


@given(CAPS, stories(), st.lists(CATEGORIES, min_size=6, max_size=6))
def test_no_story_ever_passes_a_cap(
    caps: list[Cap], story: list[tuple[int, int, int, bool]], categories: list[str | None]
) -> None:
    now, recent = NOW, Recent()
    accepted: list[tuple[int, str | None, object]] = []
    taken: set[tuple[int, int]] = set()
    for minutes, launch, device, is_accepted in story:
        now += timedelta(minutes=minutes)
        if (launch, device) in taken:  # an accepted delivery is settled: it is never sent again
            continue
        category = categories[launch]
        held = caps_on(caps, category=category, is_transactional=False)
        recent = unpack(pack(recent))
        entered = reserve(
            without_old(recent, caps, now),
            UUID(int=launch),
            [UUID(int=device)],
            category=category,
            caps=held,
            now=now,
        )
        if entered is None:
            continue
        done = [UUID(int=device)]
        recent = settle(
            entered,
            UUID(int=launch),
            accepted=done if is_accepted else (),
            ended=() if is_accepted else done,
            now=now,
        )
        if is_accepted:
            taken.add((launch, device))
            accepted.append((launch, category, now))
            for cap in held:
                counted = {
                    other
                    for other, its, at in accepted
                    if at > now - cap.period and cap.category in (None, its)  # type: ignore[operator]
                }
                assert len(counted) <= cap.pushes


def test_what_is_reserved_stands_against_others_and_not_against_itself() -> None:
    first = reserve((), UUID(int=1), [UUID(int=7)], category=None, caps=ONE_DAY, now=NOW)
    assert first is not None
    again = reserve(first, UUID(int=1), [UUID(int=8)], category=None, caps=ONE_DAY, now=NOW)
    assert again is not None
    assert len(again) == 1
    other = reserve(again, UUID(int=2), [UUID(int=7)], category=None, caps=ONE_DAY, now=NOW)
    assert other is None
    one_left = settle(again, UUID(int=1), accepted=(), ended=[UUID(int=7)], now=NOW)
    assert (
        reserve(one_left, UUID(int=2), [UUID(int=7)], category=None, caps=ONE_DAY, now=NOW) is None
    )
    none_left = settle(one_left, UUID(int=1), accepted=(), ended=[UUID(int=8)], now=NOW)
    assert none_left == ()


def test_transactional_campaigns_have_no_caps() -> None:
    assert caps_on(ONE_DAY, category=None, is_transactional=True) == ()
