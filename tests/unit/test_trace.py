"""What is kept of removed events: little, and who was first and last seen is in it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from clarion.events.trace import TRACES_MAX, Trace, fold

START = datetime(2026, 1, 1, tzinfo=UTC)
PERIODS = [START + timedelta(days=days) for days in (0, 10, 200)]
SOURCES = [UUID(int=1), UUID(int=2)]


def trace(
    seq: int, hours: int, *, source: int = 0, is_active: bool = True, told: bool = False
) -> Trace:
    at = START + timedelta(hours=hours)
    return Trace(
        key="A",
        is_user=False,
        seq=seq,
        source_id=SOURCES[source],
        at=at,
        clock_at=None,
        order_at=None,
        received_at=at,
        is_active=is_active,
        message_id=f"m{seq}" if told else None,
        owned_from=max(period for period in PERIODS if period <= at),
    )


@st.composite
def traces(draw: st.DrawFn) -> list[Trace]:
    return [
        trace(
            seq,
            draw(st.integers(0, 24 * 400)),
            source=draw(st.integers(0, 1)),
            is_active=draw(st.booleans()),
            told=draw(st.sampled_from([False] * 9 + [True])),
        )
        for seq in range(draw(st.integers(0, 60)))
    ]


def ends(kept: list[Trace]) -> dict[datetime, tuple[datetime, datetime | None]]:
    """Of each owner: when first seen, and when last seen being there."""
    return {
        period: (
            min(one.at for one in kept if one.owned_from == period),
            max(
                (one.at for one in kept if one.owned_from == period and one.is_active), default=None
            ),
        )
        for period in {one.owned_from for one in kept}
    }


@given(st.lists(traces(), min_size=1, max_size=4))
def test_first_and_last_of_each_owner_stay_however_often_it_is_folded(
    slices: list[list[Trace]],
) -> None:
    everything, kept = list[Trace](), list[Trace]()
    for number, part in enumerate(slices):
        fresh = [
            trace(one.seq + 100 * number, (one.at - START) // timedelta(hours=1),
                  source=SOURCES.index(one.source_id), is_active=one.is_active,
                  told=one.message_id is not None)
            for one in part
        ]  # fmt: skip
        everything += fresh
        kept = fold([*kept, *fresh], is_for_good=False)
        assert ends(kept) == ends(everything)
        said = [one for one in kept if one.message_id is not None]
        assert len(said) == sum(one.message_id is not None for one in everything)
        assert len(kept) <= max(TRACES_MAX, 2 * len(PERIODS)) + len(said)


@given(traces())
def test_of_a_key_that_is_one_person_s_for_good_two_are_kept(many: list[Trace]) -> None:
    kept = fold(many, is_for_good=True)
    said = [one for one in many if one.message_id is not None]
    assert {one.place for one in said} <= {one.place for one in kept}
    assert len(kept) <= 2 + len(said)
    assert min((one.at for one in kept), default=None) == min(
        (one.at for one in many), default=None
    )


def test_the_events_of_one_day_are_two_and_those_of_other_days_stay() -> None:
    day = [trace(seq, hour) for seq, hour in enumerate((1, 5, 9, 20))]
    later = [trace(9, 30), trace(10, 60)]
    assert [one.seq for one in fold([*day, *later], is_for_good=False)] == [0, 3, 9, 10]


def test_events_of_other_sources_are_kept_apart_as_their_clocks_may_turn_out_to_be_ahead() -> None:
    both = [trace(seq, seq, source=seq % 2) for seq in range(6)]
    assert [one.seq for one in fold(both, is_for_good=False)] == [0, 1, 4, 5]
