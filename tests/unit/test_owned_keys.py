"""What is written of whose a key's events are, when it changes: `owned_anew`."""

from datetime import UTC, datetime, timedelta

from clarion.customers.identity.identifier import Flags, Owner
from clarion.customers.identity.known import UNKNOWN, Identifier
from clarion.customers.identity.ownership import Owned, owned_anew
from clarion.customers.identity.timeline import Span, Timeline

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "installation"
DECIDER = (KEY, False)


def of(*users: str | None, leads: dict[int, int] | None = None) -> Identifier:
    """A key that decides, and was each of these users' for an hour; None: signed out."""
    spans = tuple(
        Span(at=NOON + timedelta(hours=hour), user_id=user) for hour, user in enumerate(users)
    )
    return Identifier(timeline=Timeline(spans=spans, leads=leads or {}), decides_as_key=True)


def anew(was: Identifier, now: Identifier) -> tuple[dict[tuple[str, bool], Owned], bool, bool]:
    """What is to be written, and whether its periods and its leads have to be removed first."""
    found, outdated, led = owned_anew([(KEY, was, now)], as_it_is)
    assert set(outdated) <= {DECIDER}
    assert led <= {KEY}
    return found, bool(outdated), bool(led)


def as_it_is(owner: Owner) -> Owner:
    return owner


def test_a_key_that_decides_for_the_first_time_is_written_over_nothing() -> None:
    found, removes, _ = anew(UNKNOWN, of("ada"))
    assert found[DECIDER].runs[0].start is None
    assert not removes


def test_a_sign_in_writes_over_the_period_that_is_there() -> None:
    found, removes, _ = anew(of(), of("ada"))
    assert len(found[DECIDER].runs) == 1
    assert not removes


def test_periods_that_begin_later_stand_beside_those_that_are_written_over() -> None:
    found, removes, _ = anew(of("ada"), of("ada", None, "bob"))
    assert len(found[DECIDER].runs) == 2
    assert not removes


def test_periods_that_begin_when_none_does_any_more_are_removed() -> None:
    found, removes, _ = anew(of("ada", None, "bob"), of("ada"))
    assert len(found[DECIDER].runs) == 1
    assert removes


def test_what_stays_as_it_was_is_not_written() -> None:
    assert anew(of("ada", "bob"), of("ada", "bob")) == ({}, False, False)


def test_a_clock_that_is_ahead_is_removed_with_what_was_said_of_it() -> None:
    assert anew(of("ada", leads={1: 60}), of("ada", "bob"))[2]
    assert not anew(of("ada"), of("ada", "bob", leads={1: 60}))[2]


def test_a_persons_own_id_is_theirs_for_all_of_time() -> None:
    person = Identifier(
        flags=Flags(is_user=True), timeline=of("ada").timeline, decides_as_user=True
    )
    found, outdated, led = owned_anew([(KEY, UNKNOWN, person)], as_it_is)
    assert [(run.start, run.end) for run in found[KEY, True].runs] == [(None, None)]
    assert (outdated, led) == ([], set())
