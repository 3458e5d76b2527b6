"""A claim that only repeats another one of its day is left to its event, and nothing is lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from clarion.customers.identity.claims.claim import Claim, ClaimKind, lead_of
from clarion.customers.identity.claims.repeated_claims import (
    Day,
    DayClaim,
    chosen,
    days_to_read,
    kept_in,
)
from clarion.customers.identity.known import Stored, with_told_again
from clarion.customers.identity.timeline import Timeline, leaves_unchanged, timeline
from support.history import DAY
from support.sampling import examples

KEY = "D"
HOUR_MICROS = 3_600_000_000
PLAIN = ClaimKind.PLAIN


def claim(
    hour: float,
    user_id: str,
    kind: ClaimKind = PLAIN,
    sender: int = 1,
    ahead: int | None = None,
    *,
    is_told_again: bool = True,
) -> Claim:
    return Claim(
        key=KEY,
        at=DAY + timedelta(hours=hour),
        message_id=f"{hour}-{user_id}-{kind}-{sender}",
        user_id=KEY if kind is ClaimKind.SIGN_OUT else user_id,
        kind=kind,
        sender=sender,
        ahead=ahead,
        is_told_again=is_told_again,
    )


class Key:
    """One key as it is stored, and all claims that were ever made on it."""

    def __init__(self) -> None:
        self.stored: list[Claim] = []
        self.events: list[Claim] = []
        self.line = Timeline()
        self.day_claim: DayClaim | None = None
        self.reads = 0
        self.real = {"U", "V", "W"}

    def is_real(self, user_id: str) -> bool:
        return user_id in self.real

    def take(self, new: Sequence[Claim], *, flipped: str | None = None) -> None:
        """As `Batch` and `Ingestion` do. `flipped` proves a person's id, or a device's."""
        self.real ^= {flipped} if flipped is not None else set()
        is_settled = flipped is None and all(
            leaves_unchanged(self.line, one, self.is_real) for one in new
        )
        known = self.day_claim
        if not is_settled:
            is_ahead = bool(self.line.leads) or any(map(lead_of, new))
            days = days_to_read(
                self.stored, new, is_made_anew=is_ahead or flipped is not None, is_real=self.is_real
            )
            stored, missing = with_told_again(Stored(self.stored), self.told_again(days))
            self.line = timeline([*stored.claims, *new], self.is_real)
            self.stored += missing
            known = None if known is None else kept_in(known, stored.claims)
        may_repeat = is_settled and not self.line.leads
        to_store, self.day_claim = chosen(new, known, may_repeat=may_repeat)
        self.stored += to_store
        self.events += new

    def told_again(self, days: Sequence[Day]) -> list[Claim]:
        self.reads += len(days)
        return [
            event
            for event in self.events
            if event.kind is PLAIN
            and event.is_told_again
            and Day(midnight(event), event.user_id) in days
        ]


def midnight(one: Claim) -> datetime:
    return one.at.replace(hour=0, minute=0, second=0, microsecond=0)


PLAIN_USE = [(user, PLAIN) for user in ("U", "U", "V", KEY)]
CHANGES = [("V", ClaimKind.MOVER), ("U", ClaimKind.MOVER), ("U", ClaimKind.REGISTRATION)]
LEAVINGS = [("U", ClaimKind.DELETION), ("V", ClaimKind.ALIAS)]


def histories(
    others: list[tuple[str, ClaimKind]], clocks: list[int | None], senders: list[int]
) -> st.SearchStrategy[list[Claim]]:
    """Two days of one person's use in order, and a few claims of whomever among them."""
    hours = st.lists(st.integers(0, 23), min_size=2, max_size=8, unique=True).map(sorted)
    another = st.tuples(
        st.integers(0, 12),  # where it comes in
        st.builds(
            lambda hour, who, sender, ahead: claim(hour * 2 + 1, who[0], who[1], sender, ahead),
            st.integers(0, 23),
            st.sampled_from(others),
            st.sampled_from(senders),
            st.sampled_from(clocks),
        ),
    )
    return st.builds(
        _mixed,
        hours.map(lambda hours: [claim(hour * 2, "U", ahead=0) for hour in hours]),
        st.lists(
            another, min_size=1, max_size=4, unique_by=lambda it: (it[1].at, it[1].message_id)
        ),
    )


def _mixed(use: list[Claim], others: list[tuple[int, Claim]]) -> list[Claim]:
    for place, one in others:
        use.insert(place, one)
    return use


RIGHT_CLOCKS = histories([*PLAIN_USE, *CHANGES, *LEAVINGS, (KEY, ClaimKind.SIGN_OUT)], [0], [1])
ANY_CLOCKS = histories(
    [*PLAIN_USE, *CHANGES, *LEAVINGS],
    [0, 0, -5 * HOUR_MICROS, None, 4 * HOUR_MICROS, 30 * HOUR_MICROS],
    [1, 2],
)


@settings(max_examples=examples(1_000))
@given(
    claims=RIGHT_CLOCKS | ANY_CLOCKS,
    cuts=st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from([None] * 6 + ["U", "V"])),
        min_size=12,
        max_size=12,
    ),
)
def test_the_timeline_is_that_of_all_claims_whatever_was_stored(
    claims: list[Claim], cuts: list[tuple[int, str | None]]
) -> None:
    key, place = Key(), 0
    for size, flipped in cuts:
        key.take(claims[place : place + size], flipped=flipped)
        place += size
        assert key.line == timeline(claims[:place], key.is_real)


def test_of_a_day_of_one_person_one_claim_is_stored() -> None:
    key = Key()
    key.take([claim(1, "U", ClaimKind.MOVER)])
    for hour in range(2, 24):
        key.take([claim(hour, "U")])
    assert len(key.stored) == 1
    assert key.reads == 0
    key.take([claim(24.5, "U")])
    assert len(key.stored) == 2, "another day"


def test_who_spoke_between_is_found_between_however_late_they_come() -> None:
    key = Key()
    for hour in (1, 5, 9, 23):
        key.take([claim(hour, "U")])
    key.take([claim(7, "V")])
    starts = [(span.user_id, span.at) for span in key.line.spans]
    assert starts == [
        ("U", DAY + timedelta(hours=1)),
        ("V", DAY + timedelta(hours=7)),
        ("U", DAY + timedelta(hours=9)),
    ]


def test_what_its_event_does_not_tell_again_is_stored() -> None:
    """One that was proven, or whose two times are far apart."""
    key = Key()
    key.take([claim(1, "U")])
    key.take([claim(2, "U", is_told_again=False)])
    assert len(key.stored) == 2


def test_a_claim_that_is_gone_is_repeated_by_none() -> None:
    """As an erasure makes it go: then the key is settled anew."""
    key = Key()
    key.take([claim(1, "U"), claim(2, "V")])
    key.stored = [one for one in key.stored if one.user_id != "V"]
    assert key.day_claim is not None and key.day_claim.user_id == "V"
    assert kept_in(key.day_claim, key.stored) is None


def test_an_earlier_claim_of_the_day_is_stored_too() -> None:
    """Else it would begin later, once somebody else is found to have had the key before."""
    key = Key()
    for hour in (1, 33, 29):
        key.take([claim(hour, "U")])
    key.take([claim(20, "V")])
    assert key.line.spans[-1].at == DAY + timedelta(hours=29)


def test_a_clock_that_is_ahead_has_all_days_read() -> None:
    """What it says stands elsewhere than on the day it names."""
    key = Key()
    for hour in (1, 5, 9):
        key.take([claim(hour, "U", ahead=0)])
    key.take([claim(37, "V", sender=2, ahead=30 * HOUR_MICROS)])
    starts = [(span.user_id, span.at) for span in key.line.spans]
    assert starts == [
        ("U", DAY + timedelta(hours=1)),
        ("V", DAY + timedelta(hours=7)),
        ("U", DAY + timedelta(hours=9)),
    ]


def test_a_handover_reads_its_own_day_however_many_there_were() -> None:
    """A tablet in a shop: two people a day, for as many days as a key may change hands."""
    key = Key()
    for day in range(60):
        key.take([claim(24 * day + 8, "U"), claim(24 * day + 9, "U")])
        key.reads = 0
        key.take([claim(24 * day + 16, "V")])
        assert key.reads <= 1
    assert len(key.line.spans) == 120
